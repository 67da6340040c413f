"""`flowscore explain`: one contact, or one question about them, as text, JSON or a page."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.explanation import tell_contact
from flowscore.cli.explanation_trees import tell_list, tell_scenario
from flowscore.cli.printer import say, show_json
from flowscore.errors import FlowscoreError
from flowscore.views.explain_lines import NEWEST

Row = dict[str, Any]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The contact's address.")]


def explain(
    context: typer.Context,
    email: Email,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Why they are in this scenario, and why not."),
    ] = None,
    in_list: Annotated[
        str | None,
        typer.Option("--list", metavar="NAME", help="Why they are in this list, and why not."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every line of the ledger, however many there are.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one page of HTML that can be sent."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Why a contact stands where they stand.

    Every point with its event and its line in the file, the grade and what the next cell takes,
    the journey, every list, scenario and mail, and every occurrence that did not enroll, with
    the condition that failed and the value seen.

    \b
    Examples:
      flowscore explain ana@example.com
      flowscore explain ana@example.com --scenario win-back
      flowscore explain ana@example.com --list hot-leads
      flowscore explain ana@example.com --html ana.html
    """
    if sum(one is not None for one in (scenario, in_list, page)) > 1:
        raise FlowscoreError(
            "--scenario, --list and --html each ask for something else; give one of them at a time"
        )
    look = workspace_of(context).look
    if scenario is not None:
        _answer(look.explain_scenario(email, scenario), tell_scenario, as_json)
    elif in_list is not None:
        _answer(look.explain_list(email, in_list), tell_list, as_json)
    elif page is not None:
        _write(look.explain(email), page, every=every)
    else:
        _answer(look.explain(email), partial(tell_contact, every=every), as_json)


def _answer(told: Row, tell: Callable[[Row], None], as_json: bool) -> None:
    show_json(told) if as_json else tell(told)


def _write(told: Row, page: Path, *, every: bool) -> None:
    from flowscore.views.explain_page import page_of

    page.write_text(page_of(told, None if every else NEWEST), encoding="utf-8")
    say(f"{page} explains {told['contact']}; it needs nothing but a browser.")
