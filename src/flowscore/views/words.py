"""Instants, points and events in a few words, for every voice that shows them."""

from __future__ import annotations

from typing import Any

from flowscore.views.explain_lines import hundredths

Row = dict[str, Any]
LONGEST = 70
FEW = 8  # lines that need no summary
PARTS = {
    "explicit": "what they told us",
    "implicit": "what they did",
    "given": "given by scenarios",
    "cut": "cut",
}
FIRST = ("path", "template", "topic", "link", "list", "attribute", "scenario")
"""What tells most of an event comes first, since the rest may be left out."""


def day(instant: str | None) -> str:
    """`2026-11-22 09:00` of an RFC 3339 instant; seconds only where there are any."""
    if not instant:
        return ""
    shown = instant.replace("T", " ").rstrip("Z")[:19]
    return shown.removesuffix(":00") if shown.count(":") == 2 else shown


def number(points: float) -> str:
    """`57`, `57.5`, `1,057.25`: in hundredths, without zeros at the end."""
    whole = f"{hundredths(points) / 100:,.2f}"
    return whole.rstrip("0").removesuffix(".")


def strongest_words(score: Row) -> str:
    """`above all cart 29.88 (4 times), trial 19.12`; nothing where the lines say so at a glance."""
    if len(score["lines"]) <= FEW:
        return ""
    told = [f"{one['rule']} {number(one['worth'])}{_often(one)}" for one in score["strongest"]]
    return f"above all {', '.join(told)}" if told else ""


def _often(one: Row) -> str:
    return f" ({one['times']:,} times)" if one["times"] > 1 else ""


def event_words(event: Row | None) -> str:
    """The event in a few words: its name, what it is about, and the properties that fit."""
    if not event:
        return ""
    told = [f"{name}: {value}" for name, value in _in_order(event)]
    words = f"{event['name']} ({', '.join(told)})" if told else str(event["name"])
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def _in_order(event: Row) -> list[tuple[str, Any]]:
    """The properties, what the event is about first; it is named where no property says it."""
    given = dict(event["properties"])
    known = [(name, given.pop(name)) for name in FIRST if name in given]
    about = event.get("subject")
    if about and not any(str(value).casefold() == about for _, value in known):
        known.insert(0, ("about", about))
    return [*known, *given.items()]
