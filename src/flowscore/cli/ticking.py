"""Doors to time: tick and deliver, now or at the instants that are named."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

import time
from typing import TYPE_CHECKING, Annotated

import typer

from flowscore.cli.arguments import read_instant, read_step, workspace_of
from flowscore.cli.printer import complain, counted, progress, say
from flowscore.cli.reports import tell_deliveries, tell_ticks
from flowscore.clock import (
    MINUTE,
    SECOND,
    clock_now,
    first_tick_at_or_after,
    last_tick_at_or_before,
    rfc3339,
)

if TYPE_CHECKING:
    from flowscore.mail.delivery import DeliveryReport
    from flowscore.workspace import Workspace

From = Annotated[
    int | None,
    typer.Option("--from", parser=read_instant, metavar="T", help="The first instant of the grid."),
]
Until = Annotated[
    int | None,
    typer.Option("--until", parser=read_instant, metavar="T", help="The last one; now by default."),
]
Every = Annotated[
    int | None,
    typer.Option(
        "--every", parser=read_step, metavar="STEP", help="1h, '15 minutes'; FLOWSCORE_TICK_EVERY."
    ),
]
Now = Annotated[
    int | None,
    typer.Option("--now", parser=read_instant, metavar="T", help="As if it were T."),
]


def tick(
    context: typer.Context,
    first: From = None,
    last: Until = None,
    every: Every = None,
    deliver: Annotated[
        bool, typer.Option("--deliver", help="Deliver after each tick, as of that tick.")
    ] = False,
) -> None:
    """Work off what is owed: points, lists, steps.

    A tick takes in what came, awards points, fills lists, enrolls and does the steps that are
    due.

    Without options it works off every tick that is owed up to now; what came in since the last
    full minute is waited for. Mails are queued; `flowscore deliver` sends them. A tick that was
    done is never done again.

    \b
    Examples:
      flowscore tick
      flowscore tick --from 2026-01-01 --until 2026-03-01 --every 1h --deliver
    """
    from flowscore.orders import Grid

    workspace = workspace_of(context)
    now = _await_grid(workspace, every) if last is None else clock_now()
    deliveries: list[DeliveryReport] | None = [] if deliver else None
    with progress("ticks") as watch:
        report = workspace.tick(now, Grid(first, last, every), deliveries, watch)
    tell_ticks(report, workspace)
    if deliveries is not None:
        _end(deliveries, workspace)
    elif report.counts.queued:
        say("Next: flowscore deliver sends what was queued.")


def deliver(context: typer.Context, now: Now = None) -> None:
    """Send the mails that are queued and due.

    Consent is asked again for each.

    Mails become .eml files in outbox/ until FLOWSCORE_SMTP_URL names a server.

    \b
    Example:
      flowscore deliver
    """
    workspace = workspace_of(context)
    report = workspace.deliver(clock_now() if now is None else now)
    _end([report], workspace)


def _end(deliveries: "list[DeliveryReport]", workspace: "Workspace") -> None:
    """Tell what was sent; a delivery that something stopped is not well."""
    tell_deliveries(deliveries, workspace)
    if deliveries and deliveries[-1].stopped:
        raise typer.Exit(1)


def _await_grid(workspace: "Workspace", every: int | None) -> int:
    """The present; what came in since the last instant of the grid is worth waiting for a minute.

    `import` and `tick` in one breath would else do nothing: a tick sees what came before it.
    """
    now, step = clock_now(), every or workspace.settings.tick_every
    waiting = workspace.look.unseen(last_tick_at_or_before(now, step), now)
    if not waiting:
        return now
    tick_at = first_tick_at_or_after(now, step)
    came = f"{counted(waiting, 'line')} came in since the last instant of the grid"
    if step > MINUTE:
        complain(f"{came}; the tick at {rfc3339(tick_at)} takes them in.")
        return now
    complain(f"{came}; waiting for the tick at {rfc3339(tick_at)}.")
    time.sleep((tick_at - now) / SECOND)
    return tick_at
