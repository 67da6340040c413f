"""`flowscore export`: the whole store for other programs, or one person for that person."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import Annotated

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.printer import counted, progress, say, show_json


def export(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where the files of the store go.")
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option("--contact", metavar="EMAIL", help="What is held of this person, in words."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the store as JSON lines, or what is held of one person.

    A file a table: contacts, events, points, balances, members, enrollments, messages, decisions;
    in a fixed order, so that two exports can be compared. With --contact: every datum of that
    person, where it comes from, by which rules it is used, and what was sent; of nobody else.

    \b
    Examples:
      flowscore export backup && wc -l backup/*.jsonl
      flowscore export --contact ana@example.com > ana.txt
      flowscore export --contact ana@example.com --json > ana.json
    """
    if (folder is None) == (contact is None):
        raise typer.BadParameter("name a folder for the whole store, or one person by --contact")
    if contact is not None:
        _tell(context, contact, as_json)
    elif folder is not None:
        _write(context, folder)


def _tell(context: typer.Context, email: str, as_json: bool) -> None:
    from flowscore.cli.person_words import tell_person

    told = workspace_of(context).look.person(email)
    show_json(told) if as_json else tell_person(told)


def _write(context: typer.Context, folder: Path) -> None:
    with progress("contacts") as watch:
        counts = workspace_of(context).look.export(folder, watch=watch)
    for name, count in counts.items():
        say(f"{folder / name}.jsonl: {counted(count, 'row')}")
