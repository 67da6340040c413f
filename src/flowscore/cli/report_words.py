"""What the sections of the report share in print: headings, tables, shares, doubts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flowscore.cli.printer import say, show_table
from flowscore.views.reporting.words import hours_text, percent

Row = dict[str, Any]


def heading(title: str) -> None:
    """A section begins."""
    say()
    say(title)
    say("-" * len(title))


def notes(section: Row) -> None:
    """What the numbers of the section do not carry."""
    for one in section["notes"]:
        say(f"  Note: {one}.")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table set in by two spaces; without rows nothing."""
    told = [(f"  {row[0]}", *row[1:]) for row in rows]
    if told:
        show_table((f"  {heads[0]}", *heads[1:]), told)


def counted_share(share: Row | None) -> str:
    """`12 (14.3 %)`."""
    if not share:
        return ""
    known = f" ({percent(share['share'])})" if share["of"] else ""
    return f"{share['count']:,}{known}"


def between(share: Row) -> str:
    """`8.4 % to 23.3 %`: the interval of a share."""
    return f"{percent(share['low'])} to {percent(share['high'])}" if share["of"] else ""


def took(spans: Row | None) -> tuple[str, str]:
    """The median, and the span that the middle half took."""
    if not spans or not spans["contacts"]:
        return "", ""
    ends = (hours_text(spans["first_quartile"]), hours_text(spans["third_quartile"]))
    return hours_text(spans["median"]), f"{ends[0]} to {ends[1]}"


def number(value: int) -> str:
    """With thousands apart; nothing for none."""
    return f"{value:,}" if value else ""
