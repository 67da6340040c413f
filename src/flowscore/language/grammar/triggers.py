"""Reading triggers: one row for each word of LANGUAGE 3."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flowscore import clock
from flowscore.language import triggers as words
from flowscore.language.document import Node
from flowscore.language.grammar.conditions import LEVEL_SCHEMA, the_word
from flowscore.language.grammar.events import (
    EVENT_NAMES,
    IGNORED,
    TIMES_TO_REACH,
    event_keys,
    event_shapes,
)
from flowscore.language.grammar.mistakes import mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import LISTS, read_level, read_score, the_score
from flowscore.language.grammar.shapes import (
    DURATION,
    TEXT,
    Key,
    Schema,
    Shape,
    Table,
    filled,
    one_or_more,
    read_keys,
    read_text,
)
from flowscore.language.grammar.spelling import did_you_mean
from flowscore.language.grammar.values import VALUE, VALUES, read_tests
from flowscore.language.triggers import Trigger
from flowscore.language.words import EventQuery, ValueTests

MACHINE_ZONES = ("localtime", "posixrules", "Factory")  # they differ from machine to machine
CROSSINGS = ("reaches", "falls_to")
BARE = {"manual": words.Manual, "contact_created": words.ContactCreated}


def read_trigger(node: Node, names: Names) -> Trigger:
    """One trigger: a mapping with exactly one key, or the words `manual`, `contact_created`."""
    if isinstance(node.value, str) and node.value in BARE:
        return BARE[node.value](mark=node.place)
    word, child = the_word(node, TRIGGERS)
    trigger: Trigger = TRIGGERS.keys[word].shape.read(child, names)
    return trigger


def _bare(word: str) -> Shape[Trigger]:
    def read(node: Node, names: Names) -> Trigger:
        if node.value is None or node.value is True or node.value == {}:
            return BARE[word](mark=node.place)
        raise unexpected(node, f"nothing behind `{word}`", f"write `- {word}`")

    return Shape(read, {"enum": [None, True, {}]})


# -- scores ---------------------------------------------------------------------------------


def read_crossing(node: Node, names: Names) -> words.ScoreCrosses:
    """`{engagement: {reaches: 50}}`, or the crossing alone where there is one score."""
    if not isinstance(node.value, dict) or not node.items:
        raise unexpected(node, "{SCORE: {reaches: NUMBER}}")
    if {*CROSSINGS, "gains"} & set(node.items) and not set(node.items) & set(names.scores):
        return _crossing(node, names, the_score(node, names))
    if len(node.items) > 1:
        raise mistake(node, "found several scores in one trigger", "write a list of triggers")
    name, child = next(iter(node.items.items()))
    return _crossing(child, names, read_score(Node(name, child.place, child.path), names))


def _crossing(node: Node, names: Names, score: str) -> words.ScoreCrosses:
    level = Shape(lambda child, names: read_level(child, names, score), LEVEL_SCHEMA)
    found = read_keys(node, names, _crossing_table(level))
    if len(found) != 1:
        hint = "for both write a list of two triggers"
        raise mistake(node, "expected one of reaches, falls_to", hint)
    direction, threshold = next(iter(found.items()))
    return words.ScoreCrosses(
        mark=node.place, score=score, direction=direction, threshold=threshold
    )


def _crossing_table(level: Shape[float]) -> Table:
    return Table(
        "a trigger over a score",
        {
            "reaches": Key(level, "When the balance crosses from below to this or more."),
            "falls_to": Key(level, "When the balance crosses from above to this or less."),
        },
        frozenset({"gains", "within"}),
    )


# -- events ---------------------------------------------------------------------------------


def _on_event(word: str, shape: Shape[EventQuery]) -> Callable[[Node, Names], words.OnEvent]:
    def read(node: Node, names: Names) -> words.OnEvent:
        return words.OnEvent(mark=node.place, word=word, query=shape.read(node, names))

    return read


EVENTS = event_shapes(
    TIMES_TO_REACH, "event", "page_visited", "email_sent", "email_opened", "email_clicked"
)
ANCHORS = Table(
    "an anchor",
    {word: Key(shape, says) for word, (shape, says) in EVENTS.items()},
    frozenset({"email_replied", "email_bounced"}),
)


def read_anchor(node: Node, names: Names) -> EventQuery:
    """The event that starts the waiting: one event trigger."""
    if isinstance(node.value, str):
        raise unexpected(node, "an event", f"write {{event: {node.value}}}")
    word, child = the_word(node, ANCHORS)
    query: EventQuery = ANCHORS.keys[word].shape.read(child, names)
    return query


def read_no_event(node: Node, names: Names) -> words.NoEvent:
    """`no_event`: the awaited events, the anchor and the time between."""
    found = read_keys(node, names, NO_EVENT)
    awaited = EventQuery(mark=node.place, names=found.pop("names"), where=found.pop("where", ()))
    machine = found.pop("machine", False)
    return words.NoEvent(
        mark=node.place, awaited=awaited.model_copy(update={"machine": machine}), **found
    )


NO_EVENT = Table(
    "no_event",
    {
        "name": Key(EVENT_NAMES, "The events that are awaited.", "names", required=True),
        "where": event_keys(TIMES_TO_REACH)["where"],
        "machine": event_keys(TIMES_TO_REACH)["machine"],
        "after": Key(
            Shape(read_anchor, ANCHORS.one_key_schema),
            "The event from which the time runs.",
            required=True,
        ),
        "within": Key(DURATION, "How long the events are awaited.", required=True),
        "same": Key(
            one_or_more(TEXT, "properties"), "Properties that agree with the anchor's.", "same"
        ),
    },
    frozenset({"since", "older_than", "sum", "times"}),
)


def _read_ignored(node: Node, names: Names) -> words.MailNotAnswered:
    found = IGNORED.read(node, names)
    return words.MailNotAnswered(mark=node.place, awaited="email_opened", **found)


# -- attributes -----------------------------------------------------------------------------


def read_change(node: Node, names: Names) -> words.AttributeChanges:
    """`{country: {to: ES}}`, either end left out; a bare name is any change."""
    if isinstance(node.value, str):
        return words.AttributeChanges(mark=node.place, attribute=read_text(node, names))
    if len(node.items) != 1:
        hint = "for several attributes write a list of triggers"
        raise unexpected(node, "one attribute, such as {country: {to: ES}}", hint)
    name, child = next(iter(node.items.items()))
    if child.value is None:
        return words.AttributeChanges(mark=node.place, attribute=name)
    if not isinstance(child.value, dict):
        raise unexpected(child, "{to: VALUE} or {from: VALUE}", "write {to: …}")
    ends = read_keys(child, names, CHANGE)
    named = {end: ValueTests(mark=child.mark, name=name, tests=it) for end, it in ends.items()}
    return words.AttributeChanges(mark=node.place, attribute=name, **named)


def _read_end(node: Node, names: Names) -> tuple[Any, ...]:
    if isinstance(node.value, dict):
        raise unexpected(node, "a value or a list of values", "put operators under `conditions`")
    return read_tests(node, names)


END: Shape[Any] = Shape(_read_end, {"anyOf": [VALUE.schema, VALUES.schema]})
CHANGE = Table(
    "an attribute's change",
    {
        "from": Key(END, "The value before (of a list: one of these).", "origin"),
        "to": Key(END, "The value after (of a list: one of these)."),
    },
)
CHANGE_SCHEMA: Schema = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": {"anyOf": [CHANGE.schema, {"type": "null"}]},
        },
    ]
}


# -- schedules ------------------------------------------------------------------------------


def read_schedule(node: Node, names: Names) -> words.Schedule:
    """`cron` or `at`, with its zone."""
    if isinstance(node.value, str):
        raise unexpected(node, "a mapping with cron or at", f'write {{cron: "{node.value}"}}')
    found = read_keys(node, names, SCHEDULE)
    if ("cron" in found) == ("at" in found):
        raise mistake(node, "a schedule needs either cron or at", "write one of the two")
    return words.Schedule(mark=node.place, **found)


def read_cron(node: Node, names: Names) -> str:
    """Five fields, as cron reads them."""
    text = read_text(node, names)
    from cronsim import CronSim, CronSimError  # only where a cron is read

    if len(text.split()) != 5:
        raise unexpected(node, "five cron fields: minute hour day month weekday", "'0 9 * * MON'")
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        reason = str(error).lower()
        raise mistake(node, f"found the cron '{text}', which cron cannot read: {reason}") from None
    except StopIteration:
        raise mistake(node, f"the cron '{text}' never comes") from None
    return " ".join(text.split())


def read_moment(node: Node, names: Names) -> str:
    """A day and a local time, `2026-11-27 10:00`."""
    text = node.value if isinstance(node.value, str) else ""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}", text):
        try:
            return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M")
        except ValueError:
            raise unexpected(node, "a day and a time that exist") from None
    raise unexpected(node, "a day and a time: YYYY-MM-DD HH:MM")


def read_zone(node: Node, names: Names) -> str:
    """An IANA zone."""
    name = read_text(node, names)
    if name not in MACHINE_ZONES and clock.find_zone(name) is not None:
        return name
    raise unexpected(node, "a zone of the IANA list, such as Europe/Madrid", _zone_hint(name))


def _zone_hint(name: str) -> str:
    from zoneinfo import available_timezones  # reads a folder: only for a mistake

    zones = sorted(zone for zone in available_timezones() if "/" in zone)
    tail = name.replace(" ", "_").lower()
    for zone in zones:
        if zone.lower() == tail or zone.lower().endswith("/" + tail):
            return f"did you mean '{zone}'?"
    return did_you_mean(name, zones)


def read_schedule_zone(node: Node, names: Names) -> str:
    """A zone, or `contact`: the same local time for each contact (ruling 100)."""
    return "contact" if node.value == "contact" else read_zone(node, names)


ZONE = Shape(read_zone, {"type": "string", "pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"})
SCHEDULE = Table(
    "a schedule",
    {
        "cron": Key(
            Shape(read_cron, TEXT.schema), "Minute, hour, day, month, weekday: '0 9 * * MON'."
        ),
        "at": Key(
            Shape(
                read_moment,
                {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}$"},
            ),
            "Once, at this local time: 2026-11-27 10:00.",
        ),
        "timezone": Key(
            Shape(read_schedule_zone, ZONE.schema),
            "The zone, or `contact` for each contact's own; the policy's where left out.",
        ),
    },
)


# -- the table ------------------------------------------------------------------------------

LEVEL: Shape[float] = Shape(lambda node, names: read_level(node, names, ""), LEVEL_SCHEMA)
CROSSING_SCHEMA: Schema = {
    "anyOf": [
        _crossing_table(LEVEL).one_key_schema,
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": _crossing_table(LEVEL).one_key_schema,
        },
    ]
}
TRIGGERS = Table(
    "a trigger",
    {
        "score": Key(
            Shape(read_crossing, CROSSING_SCHEMA), "When the balance of a score crosses a line."
        ),
        **{
            word: Key(Shape(_on_event(word, shape), shape.schema), says)
            for word, (shape, says) in EVENTS.items()
        },
        "no_event": Key(
            Shape(read_no_event, NO_EVENT.schema),
            "When an awaited event did not come in time after another.",
        ),
        "email_not_opened": Key(
            Shape(_read_ignored, IGNORED.schema),
            "For each mail sent that is not opened within the time.",
        ),
        "inactive": Key(
            filled(words.GoneQuiet, "duration", DURATION),
            "Once per stretch of so long without behaviour.",
        ),
        "contact_created": Key(_bare("contact_created"), "When the contact becomes known."),
        "attribute": Key(Shape(read_change, CHANGE_SCHEMA), "On a real change of a value."),
        "list_joined": Key(
            filled(words.ListJoined, "lists", LISTS),
            "On joining a list.",
        ),
        "list_left": Key(
            filled(words.ListLeft, "lists", LISTS),
            "On leaving a list.",
        ),
        "schedule": Key(
            Shape(read_schedule, SCHEDULE.schema),
            "At instants of the calendar, for every contact that passes the conditions.",
        ),
        "manual": Key(_bare("manual"), "Only when enrolled by hand."),
    },
    frozenset(
        {
            "grade", "stage", "subscribed", "unsubscribed", "date",
            "email_replied", "email_bounced", "email_not_clicked",
        }
    ),
)  # fmt: skip
TRIGGER: Shape[Trigger] = Shape(read_trigger, {"$ref": "#/$defs/trigger"})
TRIGGER_SCHEMA: Schema = {"anyOf": [{"enum": sorted(BARE)}, TRIGGERS.one_key_schema]}
ONE_OR_MORE_TRIGGERS = one_or_more(TRIGGER, "triggers")
