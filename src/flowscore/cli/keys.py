"""`flowscore keys`: what lets a site or a program send events here."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.printer import complain, say, show_json, show_table
from flowscore.views.words import day

keys = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


@keys.callback()
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """Write keys: which sources may send events.

    \b
    Examples:
      flowscore keys
      flowscore keys add shop-web --origin https://shop.example.com
      flowscore keys add shop-server
      flowscore keys withdraw shop-web
    """
    if context.invoked_subcommand:
        return
    rows = [key.as_row() for key in workspace_of(context).write_keys.all()]
    if as_json:
        show_json(rows)
        return
    show_table(("source", "key", "pages", "made", "withdrawn"), map(_cells, rows))
    if not rows:
        say("None yet: flowscore keys add SOURCE makes one.")


def _cells(row: dict[str, Any]) -> list[object]:
    pages = ", ".join(row["origins"]) or "any"
    dates = (day(row["created_at"]), day(row["withdrawn_at"]))
    return [row["source"], row["key"], pages, *dates]


@keys.command()
def add(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Whose it is: shop-web, billing …")
    ],
    origin: Annotated[
        list[str] | None,
        typer.Option(
            "--origin",
            metavar="URL",
            help="Web pages that may use it: https://shop.example.com; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a source, and show it this once.

    A key in a web page is in anybody's hands: name the pages by --origin, and give each server a
    key of its own. Two keys of one source may be in use at a time, while you change one for the
    other.

    \b
    Examples:
      flowscore keys add shop-web --origin https://shop.example.com
      KEY=$(flowscore keys add shop-server)
    """
    origins = origin or []
    key = workspace_of(context).write_keys.add(source, origins)
    if as_json:
        show_json({"source": source, "key": key, "origins": origins})
        return
    say(key)
    complain("Shown this once: only its hash is kept. Put it into the client as its write key.")


@keys.command()
def withdraw(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE|KEY", help="A source, for all its keys; or a key's first letters."
        ),
    ],
) -> None:
    """Refuse a key from now on; what it brought stays.

    \b
    Examples:
      flowscore keys withdraw shop-web
      flowscore keys withdraw fs_x3Vb9Q
    """
    for key in workspace_of(context).write_keys.withdraw(name):
        say(f"{key.hint}… of {key.source} is withdrawn: servers that run refuse it in 5 seconds.")
