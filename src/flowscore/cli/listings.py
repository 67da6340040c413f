"""Look at what is there: contacts, lists, scenarios."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, Limit, rows_wanted, workspace_of
from flowscore.cli.printer import counted, say, show_table, stream_json
from flowscore.views.words import day

scenarios = typer.Typer(rich_markup_mode=None, invoke_without_command=True)

UNSHOWN = ("where", "version", "held_converted")
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The contact's address.")]


def contacts(
    context: typer.Context,
    in_list: Annotated[str | None, typer.Option("--list", help="Those in this list.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Those with these words in the address.")
    ] = None,
    score: Annotated[
        str | None, typer.Option("--score", help="By this score, the highest first.")
    ] = None,
    at_least: Annotated[
        float | None, typer.Option("--at-least", help="With --score: from so many points on.")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Contacts with their scores and lists.

    \b
    Examples:
      flowscore contacts --score engagement --at-least 50
      flowscore contacts --list hot-leads --json
    """
    if at_least is not None and score is None:
        raise typer.BadParameter("--at-least needs --score NAME: points of which score?")
    wanted = {"in_list": in_list, "search": search, "score": score, "at_least": at_least}
    asked = workspace_of(context).look.contacts(limit=rows_wanted(limit, as_json), **wanted)
    with asked as rows:
        stream_json(rows) if as_json else _show_contacts(list(rows))


def _show_contacts(rows: list[dict[str, Any]]) -> None:
    scores = list(rows[0]["scores"]) if rows else []
    cells = (
        (day(row["created_at"]), row["contact"], *row["scores"].values(), ", ".join(row["lists"]))
        for row in rows
    )
    show_table(("created", "contact", *scores, "lists"), cells)
    say(f"{counted(len(rows), 'contact')}; --limit 0 shows all, explain EMAIL says why.")
    if not rows:
        say("What was imported is there after the next `flowscore tick`.")


def lists(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show who is in this list.")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Lists and how many are in each.

    With a name: who is in it, since when and why.

    \b
    Examples:
      flowscore lists
      flowscore lists hot-leads
    """
    with workspace_of(context).look.lists(name, rows_wanted(limit, as_json)) as rows:
        stream_json(rows) if as_json else _show_rows(rows)


@scenarios.callback()
def list_scenarios(
    context: typer.Context,
    inside: Annotated[
        str | None, typer.Option("--inside", metavar="NAME", help="Show who is inside this one.")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Scenarios and how their people fare.

    \b
    Examples:
      flowscore scenarios
      flowscore scenarios --inside win-back
      flowscore scenarios history win-back
      flowscore scenarios enroll win-back ana@example.com
    """
    if context.invoked_subcommand:
        return
    with workspace_of(context).look.scenarios(inside, rows_wanted(limit, as_json)) as rows:
        stream_json(rows) if as_json else _show_rows(rows)


@scenarios.command()
def enroll(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The scenario.")],
    email: Email,
) -> None:
    """Enroll a contact by hand.

    The scenario's conditions and `reenroll` still hold.

    \b
    Example:
      flowscore scenarios enroll win-back ana@example.com
    """
    workspace_of(context).enroll(name, email)
    say(f"{email} waits in the inbox for {name}. Next: flowscore tick")


def _show_rows(rows: Iterable[dict[str, Any]]) -> None:
    """What fits a terminal; files, lines and versions stand in the JSON."""
    shown = [{k: v for k, v in row.items() if k not in UNSHOWN} for row in rows]
    heads = [name.removesuffix("_at").replace("_", " ") for name in shown[0]] if shown else []
    cells = ([day(v) if name.endswith("_at") else v for name, v in row.items()] for row in shown)
    show_table(heads, cells) if shown else say("None.")
