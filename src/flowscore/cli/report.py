"""`flowscore report`: one page of text on what became of leads, mails and scenarios."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import Annotated

import typer

from flowscore.cli.arguments import (
    INSTANT_FORMS,
    AsJson,
    Limit,
    read_instant,
    workspace_of,
)
from flowscore.cli.printer import show_json
from flowscore.cli.report_page import tell_report

SHOWN, READ = 10, 1000
"""Rows of a list: for people, and for programs."""


Since = Annotated[
    int | None,
    typer.Option(
        "--since", metavar="TIME", parser=read_instant, help=f"After then: {INSTANT_FORMS}."
    ),
]
Until = Annotated[
    int | None,
    typer.Option(
        "--until", metavar="TIME", parser=read_instant, help="Up to then; else the last tick."
    ),
]
Section = Annotated[
    str | None,
    typer.Option(
        "--section",
        metavar="NAME",
        help="funnel, qualification, feedback, scenarios, templates, sources, groups or model.",
    ),
]
Stage = Annotated[
    str | None,
    typer.Option(
        "--qualified",
        metavar="STAGE",
        help="From which stage on a lead is qualified; else sql, mql, or green cells.",
    ),
]
Meeting = Annotated[
    str, typer.Option("--meeting", metavar="EVENT", help="The event of a meeting with sales.")
]


def report(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    section: Section = None,
    qualified: Stage = None,
    meeting: Meeting = "meeting_booked",
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """What became of leads, mails and scenarios.

    The funnel with times between; who qualified and how it ended; what sales said; scenarios
    against their holdout; mails, opened by people and by machines; which sources bring leads
    that qualify; sensitive groups; the model in plain words. What is too thin to judge is said.

    \b
    Examples:
      flowscore report
      flowscore report --since 2026-01-01 --until 2026-04-01 --section sources
      flowscore report --json > report.json
    """
    told = workspace_of(context).report(
        section,
        since=since,
        until=until,
        qualified=qualified,
        meeting=meeting,
        limit=_rows(limit, as_json),
    )
    if as_json:
        show_json(told)
    else:
        tell_report(told)


def _rows(limit: int | None, as_json: bool) -> int | None:
    """How many rows of each list; 0 is all."""
    if limit is None:
        return READ if as_json else SHOWN
    return limit or None
