"""How many events, over what time, agreeing on what: the keys of every counted event."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.paths import page_path
from flowscore.language.grammar.shapes import (
    DURATION,
    NUMBER,
    TEXT,
    WHOLE,
    YES_NO,
    Key,
    Schema,
    Shape,
    number_hint,
    one_or_more,
    read_keys,
)
from flowscore.language.grammar.values import NAMED_TESTS, bounds_of, bounds_table
from flowscore.language.words import Bounds, Sum, ValueTest, ValueTests

COUNTS = bounds_table("how many times", WHOLE)
TOTALS = bounds_table("a sum", NUMBER)
ENTERED = "entered"


def read_where(node: Node, names: Names) -> tuple[ValueTests, ...]:
    """Tests of properties; `path` is compared as pages are (rulings 85 and 120)."""
    return tuple(
        tests.model_copy(update={"tests": tuple(map(_as_path, tests.tests))})
        if tests.name == "path"
        else tests
        for tests in NAMED_TESTS.read(node, names)
    )


def _as_path(test: ValueTest) -> ValueTest:
    if test.operator not in ("is", "is_not", "in", "not_in"):
        return test
    several = isinstance(test.operand, tuple)
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    paths = tuple(page_path(one) if isinstance(one, str) else one for one in operands)
    return test.model_copy(update={"operand": paths if several else paths[0]})


def read_times(node: Node, names: Names) -> Bounds:
    """`3` is at least 3; a mapping holds bounds (ruling 66)."""
    if isinstance(node.value, dict):
        bounds = bounds_of(node, read_keys(node, names, COUNTS))
        if any(bound is not None and bound < 0 for bound in _given(bounds)):
            raise mistake(node, "an event cannot happen fewer than 0 times")
        return bounds
    if not isinstance(node.value, int | float):
        raise unexpected(node, "a number, or {at_least: 3}", number_hint(node))
    times = WHOLE.read(node, names)
    if times < 1:
        raise unexpected(node, "1 or more", "for never write {at_most: 0}")
    return Bounds(mark=node.mark, at_least=times)


def read_times_to_reach(node: Node, names: Names) -> Bounds:
    """How many events complete a trigger: 1 or more, no upper bound."""
    bounds = read_times(node, names)
    least = bounds.above + 1 if bounds.above is not None else bounds.at_least
    if least is None or bounds.at_most is not None or bounds.below is not None:
        hint = "put an upper bound under `conditions`"
        raise mistake(node, "a trigger counts up: `times` takes a number or at_least", hint)
    if least < 1:
        raise mistake(node, "a trigger needs at least 1 event")
    return Bounds(mark=node.mark, at_least=least)


def _given(bounds: Bounds) -> tuple[float | None, ...]:
    return bounds.at_least, bounds.at_most, bounds.above, bounds.below


def read_sums(node: Node, names: Names, read: Callable[[Node, Names], Bounds]) -> tuple[Sum, ...]:
    """`{total: {at_least: 500}}`: of each property, what its numbers add up to."""
    if not node.items:
        raise unexpected(node, "a mapping such as {total: {at_least: 500}}")
    gathering, sums = Gathering(), []
    for name, child in node.items.items():
        with gathering:
            sums.append(Sum(mark=child.place, name=name, bounds=read(child, names)))
    gathering.settle()
    return tuple(sums)


def read_total(node: Node, names: Names) -> Bounds:
    """Bounds of a sum."""
    if not isinstance(node.value, dict):
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        hint = f"write {{at_least: {node.value}}}" if number else ""
        raise unexpected(node, "bounds such as {at_least: 500}", hint)
    return bounds_of(node, read_keys(node, names, TOTALS))


def read_total_to_reach(node: Node, names: Names) -> Bounds:
    """A sum that completes a trigger: it counts up (ruling 94)."""
    bounds = read_total(node, names)
    if bounds.at_most is not None or bounds.below is not None:
        hint = "put an upper bound under `conditions`"
        raise mistake(node, "a trigger counts up: `sum` takes at_least or above", hint)
    return bounds


def read_since(node: Node, names: Names) -> bool:
    """`entered`: only what came after the occurrence that enrolled (ruling 69)."""
    if node.value != ENTERED:
        raise unexpected(node, ENTERED, _meant_since(str(node.value)))
    if not names.in_scenario:
        hint = "write `within: 30 days`"
        raise misplaced(node, "`since: entered` works only in a scenario, which people enter", hint)
    return True


def _meant_since(text: str) -> str:
    if re.match(r"ent(e?r|ry)|enroll|start", text.lower()):
        return f"did you mean '{ENTERED}'?"
    span = text if re.match(r"\d+ [a-z]", text) else "30 days"
    return f"for a span of time write `within: {span}`"


def read_same_as_entered(node: Node, names: Names) -> tuple[str, ...]:
    """Properties on which the event agrees with the one that enrolled (ruling 85)."""
    if not names.in_scenario:
        message = "`same` compares with the event that enrolled: it works only in a scenario"
        raise misplaced(node, message, "compare with a value under `where`")
    return PROPERTIES.read(node, names)


PROPERTIES = one_or_more(TEXT, "properties")
WHERE = Shape(read_where, NAMED_TESTS.schema)
TIMES_SCHEMA: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, COUNTS.schema]}
TIMES = Shape(read_times, TIMES_SCHEMA)
TIMES_TO_REACH = Shape(read_times_to_reach, TIMES_SCHEMA)
SUM_SCHEMA: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": TOTALS.schema,
}


def _sums(read: Callable[[Node, Names], Bounds]) -> Shape[tuple[Sum, ...]]:
    return Shape(lambda node, names: read_sums(node, names, read), SUM_SCHEMA)


@dataclass(frozen=True, slots=True)
class Counting:
    """The keys of a counted event in one place, and the words that do not belong there."""

    keys: Mapping[str, Key]
    elsewhere: Mapping[str, str]

    def query(self, node: Node, found: dict[str, Any]) -> dict[str, Any]:
        """The fields of the query; with a sum alone any number of events will do (ruling 94)."""
        if "since_entry" in found and "within" in found:
            message = "`since: entered` and `within` exclude each other"
            raise misplaced(node.items["since"], message, "keep one of the two")
        free = {"times": Bounds()} if "sums" in found and "times" not in found else {}
        return {**free, **found}


# The rows that conditions and triggers share (ruling 87).
SHARED = {
    "where": Key(WHERE, "What the event's properties must pass; dots reach inside."),
    "within": Key(DURATION, "Only events at most so long ago."),
    "machine": Key(YES_NO, "Opens and clicks by machines count too."),
}
IN_CONDITIONS = Counting(
    {
        **SHARED,
        "times": Key(TIMES, "How many; a number is at least so many."),
        "sum": Key(_sums(read_total), "What numbers in their properties add up to.", "sums"),
        "older_than": Key(DURATION, "Only events at least so long ago."),
        "since": Key(
            Shape(read_since, {"const": ENTERED}),
            "entered: only events since this contact entered the scenario.",
            "since_entry",
        ),
        "same": Key(
            Shape(read_same_as_entered, PROPERTIES.schema),
            "Properties that agree with the event that enrolled.",
        ),
    },
    {},
)
LOOKS_FORWARD = "a trigger looks at what comes: take it out, or ask it under `conditions`"
IN_TRIGGERS = Counting(
    {
        **SHARED,
        "times": Key(TIMES_TO_REACH, "How many; a number is at least so many."),
        "sum": Key(_sums(read_total_to_reach), "What their numbers add up to.", "sums"),
        "same": Key(PROPERTIES, "Properties on which the counted events agree."),
    },
    {
        "since": LOOKS_FORWARD,
        "older_than": LOOKS_FORWARD,
    },
)
