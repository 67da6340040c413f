"""What several commands take: the project folder, instants, durations, `--json`."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowscore.clock import instant_of, parse_duration

if TYPE_CHECKING:
    from flowscore.workspace import Workspace

INSTANT_FORMS = "2026-11-22, 2026-11-22T09:00:00Z or 2026-11-22T09:00:00+01:00"


def workspace_of(context: typer.Context) -> "Workspace":
    """The project that `--project` names, else the current folder."""
    from flowscore.workspace import Workspace

    return Workspace(context.find_root().obj or Path())


def read_instant(text: str) -> int:
    """A date or a time as RFC 3339 writes it; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant; write {INSTANT_FORMS}") from error
    return instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def read_step(text: str) -> int:
    """A duration in the language's words."""
    duration = parse_duration(text) or parse_duration(_spaced(text))
    if not duration:
        raise typer.BadParameter(f"{text!r} is no duration; write '1 minute', '1 hour' or '1 day'")
    return duration


def _spaced(text: str) -> str:
    """`1h` and `15m` are what one types at a prompt; files say `1 hour`."""
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return f"{text[:-1]} {units[text[-1]]}" if text and text[-1] in units else text


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=0, help="At most so many rows; 0 for all.")
]


def rows_wanted(limit: int | None, as_json: bool) -> int | None:
    """How many rows to show: people get 50 unless they say otherwise, programs all."""
    if limit is None:
        return None if as_json else 50
    return limit or None
