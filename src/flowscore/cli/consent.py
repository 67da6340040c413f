"""`flowscore consent`: what one address said, where, to which words, and whether that is proven."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.printer import say, show_json, show_table
from flowscore.views.words import day

PROVEN = {True: "yes", False: "NO", None: ""}


def consent(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whose words.")],
    as_json: AsJson = False,
) -> None:
    """What an address said of consent, and the proof of it.

    Each word with when, where and to which text it was said. What was said on flowscore's own
    pages carries a proof that the record is of this address, and as it was written. Records of
    somebody who was erased name nobody; they are found by their proof alone.

    \b
    Examples:
      flowscore consent ana@example.com
      flowscore consent ana@example.com --json
    """
    rows = workspace_of(context).consent(email)
    if as_json:
        show_json(rows)
        return
    show_table(("when", "topic", "word", "where", "proven", "text"), map(_cells, rows))
    if not rows:
        say("Nothing is recorded.")
    if any(row["proven"] is False for row in rows):
        say("NO: made with another FLOWSCORE_SECRET, for another address, or changed since.")


def _cells(row: dict[str, Any]) -> list[object]:
    word = "granted" if row["granted"] else "refused"
    proven = PROVEN[row["proven"]]
    return [day(row["at"]), row["topic"], word, row["source"], proven, row["text"] or ""]
