"""Pauses: `wait` for a span or an hour, and one trigger with `up_to` (`wait_for`, `goal`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowscore import clock
from flowscore.language import actions as words
from flowscore.language.document import Node
from flowscore.language.grammar.calendar import CLOCK_TIME, DAYS, WEEKDAYS, ZONE_KEY
from flowscore.language.grammar.conditions import the_word
from flowscore.language.grammar.mistakes import Gathering, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    DURATION,
    DURATION_WORDS,
    Key,
    Schema,
    Shape,
    Table,
    duration_hint,
    read_keys,
)
from flowscore.language.grammar.triggers import BARE, TRIGGERS, read_trigger
from flowscore.language.triggers import Trigger

UP_TO = "up_to"
ONE_TRIGGER = "keep the one that counts; several events by name: {event: [a, b]}"


def read_wait(node: Node, names: Names) -> Any:
    """A duration, or a time of day on certain days."""
    if isinstance(node.value, dict):
        found = read_keys(node, names, WAIT)
        if not {"until", "days"} & set(found):
            raise mistake(node, "expected until or days", "write {until: 09:00}")
        return words.Wait, found
    if not isinstance(node.value, str) or clock.parse_duration(node.value) is None:
        hint = _meant_wait(node)
        also = "" if hint else ", or {until: 09:00, days: [mon]}"
        raise unexpected(node, f"{DURATION_WORDS}{also}", hint)
    return words.Wait, {"duration": DURATION.read(node, names)}


def _meant_wait(node: Node) -> str:
    text = "" if isinstance(node.value, tuple) else str(node.value).strip().lower()
    if text[:3] in WEEKDAYS and text[:3].isalpha() and text.endswith(("day", text[:3])):
        return f"write {{days: [{text[:3]}]}}"
    if ":" in text and text.replace(":", "").isdigit():
        return f"write {{until: {text.zfill(5)}}}"
    return duration_hint(node)


def read_wait_for(node: Node, names: Names) -> Any:
    """`{email_opened: NAME, up_to: 7 days}`."""
    if isinstance(node.value, str) and clock.parse_duration(node.value) is not None:
        raise unexpected(
            node, _expected(WAIT_FOR), f"for a span of time write `wait: {node.value}`"
        )
    gathering, up_to = Gathering(), None
    with gathering:
        trigger, up_to = read_awaited(node, names, WAIT_FOR)
    with gathering:
        bare = isinstance(node.value, str) and node.value in BARE
        if bare or (len(node.items) == 1 and UP_TO not in node.items):
            hint = "add `up_to: 7 days` beside the trigger: who does not do it goes on by `else`"
            raise mistake(node, "`wait_for` needs the key 'up_to': how long it waits", hint)
    gathering.settle()
    return words.WaitFor, {"trigger": trigger, "up_to": up_to}


def read_awaited(node: Node, names: Names, table: Table) -> tuple[Trigger, int | None]:
    """One trigger, and `up_to` beside it in the same mapping."""
    if isinstance(node.value, str) and node.value in BARE:
        return read_trigger(node, names), None
    rest = {key: child for key, child in node.items.items() if key != UP_TO}
    if not rest:
        raise unexpected(node, _expected(table), _meant_trigger(node))
    gathering, up_to = Gathering(), None
    with gathering:
        if UP_TO in node.items:
            up_to = DURATION.read(node.items[UP_TO], names)
    with gathering:
        the_word(replace(node, value=rest), names, table, ONE_TRIGGER)
        trigger = read_trigger(replace(node, value=rest), names)
    gathering.settle()
    return trigger, up_to


def _meant_trigger(node: Node) -> str:
    if isinstance(node.value, str):
        return f"write {{event: {node.value}, up_to: 7 days}}"
    return ONE_TRIGGER if node.elements else ""


def _expected(table: Table) -> str:
    return f"{table.thing}: one trigger with up_to, such as {{email_opened: NAME, up_to: 7 days}}"


def awaited_schema(*required: str) -> Schema:
    """A mapping with exactly one trigger, and `up_to`; or a trigger's bare word."""
    long: Schema = {
        "type": "object",
        "properties": WAIT_FOR.properties,
        "oneOf": [{"required": [word]} for word in TRIGGERS.keys],
        "required": list(required),
        "additionalProperties": False,
    }
    return long if required else {"anyOf": [{"enum": sorted(BARE)}, long]}


WAIT = Table(
    "wait",
    {
        "until": Key(CLOCK_TIME, "The next such local time; now, if it is that time."),
        "days": Key(DAYS, "Only on these weekdays; from 00:00 on without `until`."),
        "timezone": ZONE_KEY,
    },
    elsewhere={
        "duration": "write `wait: 3 days`",
        "minutes": "write `wait: 90 minutes`",
        "hours": "write `wait: 3 hours`",
        "weeks": "write `wait: 2 weeks`",
        "event": "write `wait_for: {event: …, up_to: 7 days}`",
        "up_to": "write `wait_for: {…, up_to: 7 days}`",
        "date": "write `wait_for: {date: …, up_to: 30 days}`",
    },
)
BESIDE_TRIGGER = {UP_TO: Key(DURATION, "How long it may take, the deadline included.")}
WAIT_FOR = Table(
    "wait_for",
    {**TRIGGERS.keys, **BESIDE_TRIGGER},
    {
        **TRIGGERS.elsewhere,
        **dict.fromkeys(("then", "else"), "it stands beside `wait_for`: indent it like that"),
    },
)
GOAL = Table("a goal", WAIT_FOR.keys, TRIGGERS.elsewhere)
WAIT_FOR_SHAPE: Shape[Any] = Shape(read_wait_for, awaited_schema(UP_TO))
