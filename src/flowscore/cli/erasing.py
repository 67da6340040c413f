"""`flowscore erase`: one person goes for good, what reports count stays."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.printer import counted, say, show_json
from flowscore.clock import rfc3339
from flowscore.errors import FlowscoreError
from flowscore.views.words import day

if TYPE_CHECKING:
    from flowscore.store.erasing import Erased


def erase(
    context: typer.Context,
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="The person's address.")
    ] = None,
    user_id: Annotated[
        str | None, typer.Option("--user-id", metavar="ID", help="The person by their userId.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase one person for good; what reports count stays.

    The contact, all names, attributes, consents and points go, and so do files in the outbox and
    lines that no tick has taken; what stays leads to nobody. Neither the address nor a userId
    comes back by an import or a call, until a line grants consent given after this moment.

    \b
    Examples:
      flowscore export --contact ana@example.com > ana.txt
      flowscore erase ana@example.com
      flowscore erase --user-id 4711 --yes --json
    """
    if (email is None) == (user_id is None):
        raise typer.BadParameter("name one person: EMAIL, or --user-id ID")
    name, kind = (email, "email") if email is not None else (user_id or "", "user")
    if not (yes or _is_meant(name)):
        say(f"{name}: nothing was erased.")
        raise typer.Exit(1)
    done = workspace_of(context).erase(name, kind)
    show_json(_as_row(name, done)) if as_json else _tell(name, done)


def _is_meant(name: str) -> bool:
    """Asked on a terminal; a program has to say so by itself."""
    if not sys.stdin.isatty():
        raise FlowscoreError(
            f"{name}: nobody is there to be asked whether this is meant; `--yes` says it is"
        )
    return typer.confirm(f"Erase {name}? All that is held of this person goes for good.")


def _as_row(name: str, done: "Erased") -> dict[str, Any]:
    return {
        "erased": name,
        "at": rfc3339(done.at),
        "was_a_contact": done.was_known,
        "erased_before": None if done.before is None else rfc3339(done.before),
        "gone": {what: rows for what, rows in sorted(done.gone.items()) if rows},
    }


def _tell(name: str, done: "Erased") -> None:
    gone = [_words(what, rows) for what, rows in sorted(done.gone.items()) if rows]
    if done.before is not None and not gone:
        say(f"{name} was erased {day(rfc3339(done.before))} (UTC); nothing more was held.")
        return
    say(f"{name} is erased: what was held of this person is gone, and reports count on.")
    if gone:
        say(f"Gone: {', '.join(gone)}.")
    say("Neither the address nor a userId comes back, unless with consent given from now on.")


def _words(what: str, rows: int) -> str:
    one, many = WORDS.get(what, (what, what))
    return counted(rows, one, many)


WORDS = {
    "activity": ("note of activity", "notes of activity"),
    "attributes": ("attribute", "attributes"),
    "balances": ("balance", "balances"),
    "calls": ("call that waited", "calls that waited"),
    "cells": ("cell", "cells"),
    "changes": ("change to look at", "changes to look at"),
    "claims": ("claim on a visitor", "claims on visitors"),
    "consents": ("word of consent", "words of consent"),
    "contacts": ("contact", "contacts"),
    "decisions": ("refusal", "refusals"),
    "enrollments": ("enrollment", "enrollments"),
    "events": ("event", "events"),
    "fading": ("line that faded", "lines that faded"),
    "files": ("file in the outbox", "files in the outbox"),
    "identities": ("name", "names"),
    "inbox": ("line in the inbox", "lines in the inbox"),
    "ledger": ("line of points", "lines of points"),
    "marks": ("mark of a count", "marks of counts"),
    "members": ("stay in a list", "stays in lists"),
    "messages": ("message", "messages"),
    "rejects": ("rejected call", "rejected calls"),
    "stages": ("stay in a stage", "stays in stages"),
}
