"""Doors for what comes in: contacts and events, kept in the inbox until the next tick."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import Annotated

import typer

from flowscore.cli.arguments import workspace_of
from flowscore.cli.printer import progress, say

SourceFile = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON lines, also .gz.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=NAME", help="What a column means; may be repeated."),
]
Encoding = Annotated[
    str, typer.Option("--encoding", help="How a CSV file is written, if not in UTF-8: latin-1 …")
]


def contacts(
    context: typer.Context,
    file: SourceFile,
    columns: Columns = None,
    as_live: Annotated[
        bool,
        typer.Option("--as-live", help="As if each had come in when created: scenarios notice."),
    ] = False,
    encoding: Encoding = "utf-8",
) -> None:
    """Create and update contacts from CSV or JSON lines.

    The column `email` names them. Other columns become attributes; `consent` (yes, no, or
    topics joined by ;) and `created_at` are understood. It is quiet: nobody's address book gets
    a welcome mail, unless --as-live.

    \b
    Examples:
      flowscore import contacts people.csv
      flowscore import contacts export.csv --map "E-Mail=email" --map "Land=country"
    """
    from flowscore.orders import Reading

    workspace = workspace_of(context)
    with progress("contacts") as watch:
        reading = Reading(_pairs(columns), encoding)
        report = workspace.import_contacts(file, reading, as_live=as_live, watch=watch)
    say(str(report))
    if not as_live:
        say("Imported quietly: no scenario takes them for new contacts (--as-live would).")
    say(workspace.next_step())


def events(
    context: typer.Context,
    file: SourceFile,
    columns: Columns = None,
    historical: Annotated[
        bool, typer.Option("--historical", help="It scores and counts, and starts nothing.")
    ] = False,
    as_live: Annotated[
        bool,
        typer.Option("--as-live", help="Take each event as received when it happened."),
    ] = False,
    encoding: Encoding = "utf-8",
) -> None:
    """Bring in behaviour: Segment-style JSON lines, or CSV.

    Each messageId counts once, however often it comes.

    \b
    Examples:
      flowscore import events clicks.jsonl
      flowscore import events last-year.csv --historical
      flowscore import events story.jsonl --as-live && flowscore tick --from 2026-01-01 --every 1h
    """
    from flowscore.orders import Reading

    workspace = workspace_of(context)
    with progress("events") as watch:
        reading = Reading(_pairs(columns), encoding)
        report = workspace.import_events(
            file, reading, as_live=as_live, historical=historical, watch=watch
        )
    say(str(report))
    say(workspace.next_step())


def _pairs(columns: list[str] | None) -> dict[str, str]:
    """`Land=country` as a pair."""
    pairs = [column.partition("=")[::2] for column in columns or []]
    for pair in pairs:
        if not all(pair):
            raise typer.BadParameter(f"{pair[0]!r}: write --map 'COLUMN=NAME'")
    return dict(pairs)
