"""Doors for mail that came back: the mailbox, a pipe for one mail, LMTP."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flowscore.cli.arguments import workspace_of
from flowscore.cli.printer import complain, counted, say
from flowscore.errors import FlowscoreError

if TYPE_CHECKING:
    from flowscore.mail.returns.taking import Taken

TRY_AGAIN = 75  # EX_TEMPFAIL: any other code would make the mail server return the return


def _read_listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is no address; write 127.0.0.1:2424")
    return host.strip("[]"), int(port)


def bounces(
    context: typer.Context,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read one mail from standard input: a pipe.")
    ] = False,
    recipient: Annotated[
        str | None,
        typer.Option(
            "--recipient", metavar="ADDRESS", help="With --stdin: where the mail came back to."
        ),
    ] = None,
    lmtp: Annotated[
        str | None,
        typer.Option("--lmtp", metavar="HOST:PORT", help="Take mails by LMTP until stopped."),
    ] = None,
) -> None:
    """Take in mail that came back: bounces and complaints.

    Without options it reads the mailbox that FLOWSCORE_BOUNCE_MAILBOX names, once; `flowscore run`
    does so every minute. The next tick suppresses whose address does not exist and who complained.

    What is neither a bounce nor a complaint is set aside: `flowscore rejects` shows it.

    \b
    Examples:
      flowscore bounces
      flowscore bounces --stdin --recipient "$ORIGINAL_RECIPIENT" < mail.eml
      flowscore bounces --lmtp 127.0.0.1:2424
    """
    if lmtp:
        _serve(context, *_read_listen(lmtp))
    elif stdin:
        _take_one(context, recipient)
    else:
        _tell(workspace_of(context).read_bounces())


def _serve(context: typer.Context, host: str, port: int) -> None:
    from flowscore.scheduler import serve_lmtp

    serve_lmtp(workspace_of(context), host, port)


def _take_one(context: typer.Context, recipient: str | None) -> None:
    """Silent, as mail servers want it; whatever goes wrong, they keep the mail and come again."""
    from flowscore.mail.returns.parts import LARGEST
    from flowscore.mail.returns.taking import Mail, take

    content = sys.stdin.buffer.read(LARGEST)
    while sys.stdin.buffer.read(1 << 20):
        pass  # a pipe that is closed early looks like a failure
    try:
        take(workspace_of(context).returns_desk, [Mail(content, _envelope(recipient))])
    except FlowscoreError as error:
        complain(f"flowscore: {error}")
        raise typer.Exit(TRY_AGAIN) from error
    except Exception as error:
        complain(f"flowscore: {type(error).__name__}; the mail was not taken")
        raise typer.Exit(TRY_AGAIN) from error


def _envelope(recipient: str | None) -> tuple[str, ...]:
    """Postfix tells a command the address by which the mail came."""
    named = recipient or os.environ.get("ORIGINAL_RECIPIENT")
    return (named,) if named else ()


def _tell(taken: "Taken") -> None:
    from flowscore.mail.returns.postman import in_words

    say(f"{counted(taken.mails, 'mail')}: {in_words(taken)}." if taken.mails else "No mail.")
    for trouble in taken.troubles:
        complain(f"flowscore: {trouble}")
    if taken.aside:
        say("Next: flowscore rejects shows what was set aside, and why.")
    if taken.troubles:
        raise typer.Exit(1)
