"""The trigger `date`: around a date of the contact's or of the event that enrolled (ruling 31)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flowscore import clock
from flowscore.language.document import Node
from flowscore.language.grammar.calendar import CLOCK_TIME, ZONE_KEY
from flowscore.language.grammar.mistakes import misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import TEXT, Key, Shape, Table, duration_hint, read_keys
from flowscore.language.triggers import DateComes

OFFSET = re.compile(r"(-?)(\d{1,6} (?:minute|hour|day|week)s?)")
AROUND = re.compile(r"[-+]?\s*(\d{1,6} (?:minute|hour|day|week)s?)\s*(before|after|later)?")


def read_date_comes(node: Node, names: Names) -> DateComes:
    """`{attribute: renewal_on, offset: -14 days, at: 09:00, timezone: contact, every: year}`."""
    if isinstance(node.value, str):
        raise unexpected(node, "a mapping with attribute", f"write {{attribute: {node.value}}}")
    found = read_keys(node, names, DATE)
    if ("attribute" in found) == ("property" in found):
        hint = "`attribute` for a date of the contact's, `property` for one of the enrolling event"
        raise mistake(node, "a date needs either attribute or property", hint)
    timing = found.pop("offset", {})
    if timing.get("days", 0) is None and "at" in found:
        message = "`at` cannot stand beside an offset in minutes or hours"
        raise misplaced(node.items["at"], message, "leave `at` out, or give the offset in days")
    name = found.pop("attribute", None) or found.pop("property")
    of_event = "property" in node.items
    return DateComes(mark=node.place, name=name, of_event=of_event, **timing, **found)


def read_offset(node: Node, names: Names) -> dict[str, Any]:
    """Days (weeks are seven of them) of the calendar; minutes and hours from the instant."""
    text = node.value if isinstance(node.value, str) else ""
    found = OFFSET.fullmatch(text)
    span = clock.parse_duration(found[2]) if found else None
    if found is None or span is None:
        expected = "an offset: whole minutes, hours, days or weeks, such as '-14 days' for before"
        raise unexpected(node, expected, _offset_hint(node))
    sign = -1 if found[1] else 1
    if "day" in text or "week" in text:
        return {"days": sign * (span // clock.DAY)}
    return {"days": None, "offset": sign * span}


def _offset_hint(node: Node) -> str:
    around = AROUND.fullmatch(str(node.value).strip().lower())
    if around is None:
        sign, text = ("-", str(node.value)[1:]) if str(node.value)[:1] == "-" else ("", node.value)
        hint = duration_hint(replace(node, value=text))
        return re.sub(r"'(?=\d)", f"'{sign}", hint)
    return f"did you mean '{'-' if around[2] == 'before' else ''}{around[1]}'?"


def read_every(node: Node, names: Names) -> bool:
    """`year`, nothing else."""
    if node.value != "year":
        hint = "for other rhythms use `schedule: {cron: …}`"
        raise unexpected(node, "year", "did you mean 'year'?" if _yearly(node) else hint)
    return True


def _yearly(node: Node) -> bool:
    return str(node.value).lower() in ("yearly", "annually", "1 year", "true", "years", "annual")


DATE = Table(
    "a date",
    {
        "attribute": Key(TEXT, "The attribute that holds the date."),
        "property": Key(TEXT, "The enrolling event's property; in `wait_for` only."),
        "offset": Key(
            Shape(read_offset, {"type": "string", "pattern": f"^{OFFSET.pattern}$"}),
            "How long before (-) or after it; days are of the calendar.",
        ),
        "at": Key(CLOCK_TIME, "The local time on that day; 09:00 where left out."),
        "timezone": ZONE_KEY,
        "every": Key(Shape(read_every, {"const": "year"}), "year: every year anew.", "yearly"),
    },
)
