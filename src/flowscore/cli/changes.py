"""Doors to what goes live: plan says what would change, apply makes it so."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.moving import Telling, firing_lines, move_lines
from flowscore.cli.printer import (
    complain,
    counted,
    mistakes_in,
    progress,
    say,
    show_json,
    tell_problems,
)
from flowscore.cli.reports import tell_apply
from flowscore.cli.rescoring import Fire, tell_moved
from flowscore.errors import UncleanError
from flowscore.language.printing import problems_json

if TYPE_CHECKING:
    from flowscore.planning.plan import Change, Plan


def plan(
    context: typer.Context,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Try changed scores on everybody; else on a sample of many contacts."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what apply would change; change nothing.

    Each difference in words, and whom it touches: who is inside and finishes on the old version,
    how many a list holds then. Where a score, a grade or the lifecycle changed, the apply is
    tried out and taken back: how balances would move, who would pass a number, change cell or
    stage, join or leave a list, and what apply --fire would set off.

    Of more than 20,000 contacts a stable sample of so many is tried, and the counts are reckoned
    up; --whole tries it on all of them.

    \b
    Examples:
      flowscore plan
      flowscore plan --whole --json
    """
    workspace = workspace_of(context)
    try:
        with progress("contacts tried") as watch:
            planned = workspace.plan(whole=whole, watch=watch)
    except UncleanError as error:
        _refuse(error, workspace.root, as_json)
        raise typer.Exit(1) from None
    problems = [*workspace.loaded[1], *planned.doubts]
    if as_json:
        show_json({"clean": True, "problems": problems_json(problems), **planned.as_row()})
    else:
        tell_problems(problems, workspace.root)
        _tell_plan(planned)
    raise typer.Exit(1 if planned.refused else 0)


def _refuse(error: UncleanError, root: Path, as_json: bool) -> None:
    if as_json:
        show_json({"clean": False, "problems": problems_json(error.problems)})
        return
    tell_problems(error.problems, root)
    count = counted(mistakes_in(error.problems), "mistake")
    say(f"{count}; what would change is told once they are mended.")


def _tell_plan(planned: "Plan") -> None:
    if not planned.store:
        say("There is no store yet: everything is new, and there is nobody it could touch.")
    for change in planned.changes:
        _tell_change(change)
    if planned.moves is not None:
        _tell_moves(planned.moves)
    if planned.unforeseen:
        complain(f"what would move is not told: {planned.unforeseen}.")
    for sentence in planned.refused:
        say(f"apply would refuse: {sentence}")
    say(_verdict(planned))


def _tell_change(change: "Change") -> None:
    """`changed scenario win-back, version 2 → 3 (FILE:LINE)`, then what, then whom it touches."""
    version = ""
    if change.change == "changed" and change.version:
        version = f", version {change.version - 1} → {change.version}"
    where = f" ({change.where})" if change.where else ""
    say(f"{change.change} {change.kind} {change.name}{version}{where}")
    for sentence in change.differences:
        say(f"  {sentence}")
    for one in change.consequences:
        say(f"  → {one.sentence}")


def _tell_moves(moves: dict[str, Any]) -> None:
    judged, of = moves["judged"], moves["of"]
    told = Telling(would=True, each=of / judged if judged else 1)
    lines = list(move_lines(moves, told))
    sample = f"a sample of {judged:,} of {counted(of, 'contact')} (--whole: on all)"
    who = counted(of, "contact") if judged == of else sample
    if not lines:
        say(f"Nothing would move: tried on {who} and taken back.")
        return
    say(f"What would move, silently; tried on {who} and taken back:")
    for line in lines:
        say(f"  {line}")
    if fires := list(firing_lines(moves, told)):
        say("With apply --fire the next tick would notice it:")
        for line in fires:
            say(f"  {line}")


def _verdict(planned: "Plan") -> str:
    rest = counted(planned.unchanged, "definition")
    if not planned.changes:
        stand = "stands as it is" if planned.unchanged == 1 else "stand as they are"
        return f"Nothing would change: {rest} {stand} live."
    words = ("added", "changed", "removed")
    counts = {word: sum(one.change == word for one in planned.changes) for word in words}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    next_ = "" if planned.refused else " Next: flowscore apply"
    return f"{told}, {planned.unchanged} unchanged; nothing was done yet.{next_}"


def apply(
    context: typer.Context,
    enroll_existing: Annotated[
        list[str] | None,
        typer.Option(
            "--enroll-existing",
            metavar="NAME",
            help="A scenario that also takes in, once, who is in its trigger's state now. "
            "May be given several times.",
        ),
    ] = None,
    fire: Fire = False,
) -> None:
    """Make the folder live; with a mistake in it, nothing changes.

    People inside a scenario finish on the version on which they entered. A score that changed
    is computed anew from all events, silently; with --fire the next tick notices what that
    moved. `flowscore plan` tells all that before.

    What is computed anew goes by contacts, 20,000 at a time; imports and deliveries go on
    meanwhile. When it is stopped, the next apply, rescore or tick goes on with it.

    \b
    Examples:
      flowscore apply
      flowscore apply --enroll-existing hot-leads
    """
    workspace = workspace_of(context)
    try:
        workspace.clean()  # before the store is opened: with a mistake nothing is touched
        with progress("contacts", workspace.contacts_to_judge() or None) as watch:
            report = workspace.apply(enroll_existing or (), fires=fire, watch=watch)
    except UncleanError as error:
        tell_problems(error.problems, workspace.root)
        say(f"{counted(mistakes_in(error.problems), 'mistake')}; nothing was applied.")
        raise typer.Exit(1) from None
    tell_problems(workspace.loaded[1], workspace.root)
    tell_apply(report)
    if report.resumed:
        say("Went on where an earlier one was stopped.")
    if report.moved.contacts:
        tell_moved(workspace.told(report.moved), fires=None if report.resumed else fire)
    say("Live. Next: flowscore import …, then flowscore tick (or flowscore run, the service)")
