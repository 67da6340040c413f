"""Reading triggers: one row for each word of LANGUAGE 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flowscore.language import triggers as words
from flowscore.language.document import Node
from flowscore.language.grammar.calendar import SCHEDULE, read_schedule
from flowscore.language.grammar.cells import GRADE_ENTERS_SCHEMA, read_grade_enters
from flowscore.language.grammar.conditions import LEVEL_SCHEMA, the_word
from flowscore.language.grammar.counting import IN_TRIGGERS, PROPERTIES
from flowscore.language.grammar.dates import DATE, read_date_comes
from flowscore.language.grammar.events import (
    EVENT_NAMES,
    IGNORED_WORDS,
    IgnoredWord,
    event_shapes,
)
from flowscore.language.grammar.mistakes import misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import (
    CONSENTS,
    LISTS,
    REFUSALS,
    read_level,
    read_score,
    the_score,
)
from flowscore.language.grammar.shapes import (
    DURATION,
    NUMBER,
    Key,
    Schema,
    Shape,
    Table,
    filled,
    one_or_more,
    read_keys,
    read_text,
)
from flowscore.language.grammar.stages import ENTERING, read_stage_enters
from flowscore.language.grammar.values import VALUE, VALUES, read_tests
from flowscore.language.triggers import Trigger
from flowscore.language.words import EventQuery, ValueTests

MOVES = ("reaches", "falls_to", "gains")
BARE = {"manual": words.Manual, "contact_created": words.ContactCreated}


def read_trigger(node: Node, names: Names) -> Trigger:
    """One trigger: a mapping with exactly one key, or the words `manual`, `contact_created`."""
    if isinstance(node.value, str) and node.value in BARE:
        return BARE[node.value](mark=node.place)
    word, child = the_word(node, names, TRIGGERS)
    trigger: Trigger = TRIGGERS.keys[word].shape.read(child, names)
    return trigger


def _bare(word: str) -> Shape[Trigger]:
    def read(node: Node, names: Names) -> Trigger:
        if node.value is None or node.value is True or node.value == {}:
            return BARE[word](mark=node.place)
        raise unexpected(node, f"nothing behind `{word}`", f"write `- {word}`")

    return Shape(read, {"enum": [None, True, {}]})


# -- scores ---------------------------------------------------------------------------------


def read_crossing(node: Node, names: Names) -> Trigger:
    """`{engagement: {reaches: 50}}`, or the crossing alone where there is one score."""
    if not isinstance(node.value, dict) or not node.items:
        raise unexpected(node, "{SCORE: {reaches: NUMBER}}")
    if {*MOVES, "within"} & set(node.items) and not set(node.items) & set(names.scores):
        return _moves(node, names, the_score(node, names))
    if len(node.items) > 1:
        raise mistake(node, "found several scores in one trigger", "write a list of triggers")
    name, child = next(iter(node.items.items()))
    return _moves(child, names, read_score(Node(name, child.place, child.path), names))


def _moves(node: Node, names: Names, score: str) -> Trigger:
    """One of reaches, falls_to, gains; `within` belongs to `gains`."""
    level = Shape(lambda child, names: read_level(child, names, score), LEVEL_SCHEMA)
    found = read_keys(node, names, crossing_table(level))
    within = found.pop("within", None)
    if len(found) != 1:
        hint = "for several write a list of triggers" if found else "{reaches: 50}"
        raise mistake(node, "expected one of reaches, falls_to, gains", hint)
    direction, number = next(iter(found.items()))
    if (within is not None) != (direction == "gains"):
        raise _wrong_within(node, direction)
    if within is not None:
        return words.ScoreGains(mark=node.place, score=score, points=number, within=within)
    way: Any = direction  # one of the two that are left
    return words.ScoreCrosses(mark=node.place, score=score, direction=way, threshold=number)


def _wrong_within(node: Node, direction: str) -> Exception:
    if direction == "gains":
        hint = "{gains: 30, within: 2 days}"
        return mistake(node, "`gains` needs `within`: the span in which they are won", hint)
    hint = "take it out, or write {gains: 30, within: 2 days}"
    return misplaced(node.items["within"], f"`within` stands beside `{direction}`", hint)


def read_gains(node: Node, names: Names) -> float:
    """Points to win: above 0."""
    points = NUMBER.read(node, names)
    if points <= 0:
        raise unexpected(node, "points above 0", "for a balance that falls use `falls_to`")
    return points


def crossing_table(level: Shape[float]) -> Table:
    """The keys of a trigger over a score, whose levels are read like this."""
    return Table(
        "a trigger over a score",
        {
            "reaches": Key(level, "When the balance crosses from below to this or more."),
            "falls_to": Key(level, "When the balance crosses from above to this or less."),
            "gains": Key(
                Shape(read_gains, NUMBER.schema), "When so many points are won in a short time."
            ),
            "within": Key(DURATION, "The span in which `gains` are won."),
        },
    )


# -- events ---------------------------------------------------------------------------------


def _on_event(word: str, shape: Shape[EventQuery]) -> Callable[[Node, Names], words.OnEvent]:
    def read(node: Node, names: Names) -> words.OnEvent:
        return words.OnEvent(mark=node.place, word=word, query=shape.read(node, names))

    return read


EVENTS = event_shapes(IN_TRIGGERS)
ANCHORS = Table("an anchor", {word: Key(shape, says) for word, (shape, says) in EVENTS.items()})


def read_anchor(node: Node, names: Names) -> EventQuery:
    """The event that starts the waiting: one event trigger."""
    if isinstance(node.value, str):
        raise unexpected(node, "an event", f"write {{event: {node.value}}}")
    word, child = the_word(node, names, ANCHORS, "an anchor is one event; several by name: [a, b]")
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
        "where": IN_TRIGGERS.keys["where"],
        "machine": IN_TRIGGERS.keys["machine"],
        "after": Key(
            Shape(read_anchor, ANCHORS.one_key_schema),
            "The event from which the time runs.",
            required=True,
        ),
        "within": Key(DURATION, "How long the events are awaited.", required=True),
        "same": Key(PROPERTIES, "Properties that agree with the anchor's."),
    },
    elsewhere={
        "times": "one awaited event is enough; count the anchor: after: {event: {times: …}}",
        "sum": "one awaited event is enough; test it with `where`",
        "since": "the time runs from the anchor, `after`",
        "older_than": "the time runs from the anchor, `after`",
    },
)


def _ignored(row: IgnoredWord) -> Shape[words.MailNotAnswered]:
    return Shape(
        lambda node, names: words.MailNotAnswered(mark=node.place, **row.read(node, names)),
        row.table.schema,
    )


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


# -- consent --------------------------------------------------------------------------------


def _consent(word: Literal["subscribed", "unsubscribed"]) -> Shape[words.ConsentChanges]:
    topics = CONSENTS if word == "subscribed" else REFUSALS
    return Shape(
        lambda node, names: words.ConsentChanges(
            mark=node.place, word=word, topics=topics.read(node, names)
        ),
        topics.schema,
    )


# -- the table ------------------------------------------------------------------------------

LEVEL: Shape[float] = Shape(lambda node, names: read_level(node, names, ""), LEVEL_SCHEMA)
CROSSING_SCHEMA: Schema = {
    "anyOf": [
        crossing_table(LEVEL).schema,
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": crossing_table(LEVEL).schema,
        },
    ]
}
TRIGGERS = Table(
    "a trigger",
    {
        "score": Key(
            Shape(read_crossing, CROSSING_SCHEMA), "When the balance of a score crosses a line."
        ),
        "grade": Key(
            Shape(read_grade_enters, GRADE_ENTERS_SCHEMA),
            "When the contact comes into one of these cells.",
        ),
        "stage": Key(
            Shape(read_stage_enters, ENTERING.schema), "When the contact comes into this stage."
        ),
        **{
            word: Key(Shape(_on_event(word, shape), shape.schema), says)
            for word, (shape, says) in EVENTS.items()
        },
        "no_event": Key(
            Shape(read_no_event, NO_EVENT.schema),
            "When an awaited event did not come in time after another.",
        ),
        **{
            word: Key(_ignored(row), "For each mail sent that is ignored for so long.")
            for word, row in IGNORED_WORDS.items()
        },
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
        "subscribed": Key(_consent("subscribed"), "On a yes to one of these topics."),
        "unsubscribed": Key(
            _consent("unsubscribed"), "On a no to one of these topics; `all`: to everything."
        ),
        "date": Key(Shape(read_date_comes, DATE.schema), "Around a date of the contact's."),
        "schedule": Key(
            Shape(read_schedule, SCHEDULE.schema),
            "At instants of the calendar, for every contact that passes the conditions.",
        ),
        "manual": Key(_bare("manual"), "Only when enrolled by hand."),
    },
    {
        "email_complained": "write `event: email_complained`",
        "email_delivered": "write `email_sent`; a bounce is `email_bounced`",
        "in_list": "a trigger is a moment: write `list_joined`, or ask it under `conditions`",
        "consent": "a trigger is a moment: write `subscribed`, or ask it under `conditions`",
        "this_event": "ask it under `conditions`",
        "random": "ask it under `conditions`, or write `holdout` or `split`",
        "all": "of several triggers any starts it: write a list; what must hold goes to "
        "`conditions`",
        "any": "write the triggers as a list: any of them",
        "not": "put it under `conditions`",
        "company": "ask it under `conditions`",
    },
)
TRIGGER: Shape[Trigger] = Shape(read_trigger, {"$ref": "#/$defs/trigger"})
TRIGGER_SCHEMA: Schema = {"anyOf": [{"enum": sorted(BARE)}, TRIGGERS.one_key_schema]}
ONE_OR_MORE_TRIGGERS = one_or_more(TRIGGER, "triggers")
