"""Look at mails: the outbox, what a person decides about it, a preview."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, Limit, rows_wanted, workspace_of
from flowscore.cli.printer import complain, counted, say, show_table, stream_json
from flowscore.views.sentences import what_goes, why
from flowscore.views.words import day

outbox = typer.Typer(rich_markup_mode=None, invoke_without_command=True)

STATES = ("queued", "sending", "sent", "withheld", "failed", "uncertain")
HEADS = ("queued", "contact", "template", "status", "reason", "sent", "key")
Key = Annotated[str, typer.Argument(metavar="KEY", help="The mail's key, as `outbox` shows it.")]


@outbox.callback()
def list_outbox(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", help=f"One of {', '.join(STATES)}.")
    ] = None,
    template: Annotated[str | None, typer.Option("--template", help="Of this template.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario.")] = None,
    contact: Annotated[str | None, typer.Option("--contact", help="To this address.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Every mail, with its state and the reason.

    The newest first.

    \b
    Examples:
      flowscore outbox --status withheld
      flowscore outbox --contact ana@example.com --json
    """
    if context.invoked_subcommand:
        return
    if status is not None and status not in STATES:
        raise typer.BadParameter(f"--status {status!r}: one of {', '.join(STATES)}")
    wanted = {"status": status, "template": template, "scenario": scenario, "contact": contact}
    look = workspace_of(context).look
    if pause := look.pause():
        complain(pause)
    with look.mails(limit=rows_wanted(limit, as_json), **wanted) as rows:
        stream_json(rows) if as_json else _show(list(rows))


def _show(rows: list[dict[str, Any]]) -> None:
    show_table(HEADS, (_cells(row) for row in rows))
    say(f"{counted(len(rows), 'mail')}; explain EMAIL says what caused them.")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    """Internal mail and webhooks say where they go, what waits until when.

    A mail that asks to confirm a sign-up goes to somebody who is no contact yet.
    """
    shown = (row["contact"] or row["to"], what_goes(row), row["status"], why(row))
    return (day(row["queued_at"]), *shown, day(row["sent_at"]), row["key"])


@outbox.command()
def release(context: typer.Context, key: Key) -> None:
    """Settle an uncertain mail as sent: it did arrive.

    \b
    Example:
      flowscore outbox release 5f0c7e
    """
    contact = workspace_of(context).settle_uncertain(key, resend=False)
    say(f"{key}: settled as sent to {contact}.")


@outbox.command()
def resend(context: typer.Context, key: Key) -> None:
    """Queue an uncertain mail again: it never arrived.

    It keeps its Message-ID. A webhook that failed goes again too, under the same id.

    \b
    Example:
      flowscore outbox resend 5f0c7e
    """
    contact = workspace_of(context).settle_uncertain(key, resend=True)
    say(f"{key}: queued again for {contact}. Next: flowscore deliver")


@outbox.command()
def resume(context: typer.Context) -> None:
    """Let mail go out again after a pause.

    The policy's `pause_when` stopped it, because too many mails bounced or brought complaints.
    What was sent before no longer counts.

    \b
    Example:
      flowscore outbox resume
    """
    lifted = workspace_of(context).resume_sending()
    if lifted is None:
        say("Sending is not paused.")
    else:
        say(f"Sending goes on; it was paused because {lifted}. Next: flowscore deliver")


def preview(
    context: typer.Context,
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Its name, without .html.")],
    contact: Annotated[str, typer.Option("--contact", metavar="EMAIL", help="Rendered for whom.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the HTML there.")
    ] = None,
) -> None:
    """Render a mail for one contact, without sending it.

    \b
    Examples:
      flowscore preview welcome --contact ana@example.com
      flowscore preview welcome --contact ana@example.com --out welcome.html
    """
    mail = workspace_of(context).preview(template, contact)
    if out is not None:
        out.write_text(mail.html, encoding="utf-8")
    say(f"Subject: {mail.subject}\n")
    say(mail.text)
    say(f"The HTML is in {out}." if out else "--out FILE writes the HTML, to open in a browser.")
