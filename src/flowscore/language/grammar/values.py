"""Tests of attributes and properties: a bare value, a bare list, or operators."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import Gathering, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    DURATION,
    NUMBER,
    TEXT,
    YES_NO,
    Key,
    Schema,
    Shape,
    Table,
    read_elements,
    row_of,
)
from flowscore.language.words import Bounds, ValueTest, ValueTests

Operand = str | int | float | bool
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?")


def read_value(node: Node, names: Names) -> Operand:
    """A value to compare with: text, number, true or false."""
    if node.value is None:
        raise unexpected(node, "a value", "for a missing value write {exists: false}")
    if isinstance(node.value, dict | tuple):
        raise unexpected(node, "one value")
    return node.value


def read_values(node: Node, names: Names) -> tuple[Operand, ...]:
    """A list of values to compare with."""
    if not node.elements:
        raise unexpected(node, "a list of values", "for example [ES, MX]")
    return read_elements(node, names, VALUE)


def read_part(node: Node, names: Names) -> str:
    """A piece of text; a number is its digits."""
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return str(node.value)
    return TEXT.read(node, names)


def read_date(node: Node, names: Names) -> str:
    """A day, or a day and a time."""
    text = node.value if isinstance(node.value, str) else ""
    if DATE.fullmatch(text):
        try:
            return _checked_date(text)
        except ValueError:
            raise unexpected(node, "a day that exists, such as 2026-11-27") from None
    ago = "for a span of time use within, older_than or ahead" if " " in text else ""
    raise unexpected(node, "a date: YYYY-MM-DD, or YYYY-MM-DD HH:MM", ago)


def _checked_date(text: str) -> str:
    if len(text) == 10:
        date.fromisoformat(text)
    else:
        datetime.fromisoformat(text)
    return text


def read_pattern(node: Node, names: Names) -> str:
    """A regular expression in RE2 syntax."""
    text = TEXT.read(node, names)
    import re2  # only where a pattern is read: loading stays quick

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        hint = "RE2 has no look-around and no back-references"
        raise mistake(node, f"found the pattern '{text}', RE2 says: {said}", hint) from None
    return text


VALUE = Shape(read_value, {"type": ["string", "number", "boolean"]})
VALUES = Shape(read_values, {"type": "array", "items": VALUE.schema, "minItems": 1})
PART: Shape[str] = Shape(read_part, {"type": ["string", "number"]})
MOMENT = Shape(read_date, {"type": "string", "pattern": "^" + DATE.pattern + "$"})

OPERATORS = Table(
    "the tests of a value",
    {
        "is": Key(VALUE, "Equal; text without regard to case."),
        "is_not": Key(VALUE, "Not equal, or absent."),
        "in": Key(VALUES, "Equal to one of these."),
        "not_in": Key(VALUES, "Equal to none of these, or absent."),
        "at_least": Key(NUMBER, "A number, this or more."),
        "at_most": Key(NUMBER, "A number, this or less."),
        "above": Key(NUMBER, "A number, more than this."),
        "below": Key(NUMBER, "A number, less than this."),
        "contains": Key(PART, "The text holds this; of a list, an element is this."),
        "starts_with": Key(PART, "The text begins with this."),
        "ends_with": Key(PART, "The text ends with this."),
        "matches": Key(
            Shape(read_pattern, {"type": "string", "minLength": 1}),
            "A regular expression (RE2) found anywhere in the text, without regard to case.",
        ),
        "exists": Key(YES_NO, "Whether there is a value; an empty text is none."),
        "before": Key(MOMENT, "A date before this one."),
        "after": Key(MOMENT, "A date after this one."),
        "within": Key(DURATION, "A date in the past, at most so long ago."),
        "ahead": Key(DURATION, "A date still to come, at most so far ahead."),
        "older_than": Key(DURATION, "A date at least so long ago."),
    },
)


def read_tests(node: Node, names: Names) -> tuple[ValueTest, ...]:
    """A bare value is `is`, a bare list is `in`, a mapping holds operators that all must pass."""
    if isinstance(node.value, tuple):
        return (ValueTest(mark=node.mark, operator="in", operand=read_values(node, names)),)
    if not isinstance(node.value, dict):
        return (ValueTest(mark=node.mark, operator="is", operand=read_value(node, names)),)
    if not node.items:
        raise unexpected(node, "a value, a list of values or operators")
    gathering, tests = Gathering(), []
    for key, child in node.items.items():
        with gathering:
            operand = row_of(key, child, OPERATORS).shape.read(child, names)
            tests.append(ValueTest(mark=child.place, operator=key, operand=operand))
    gathering.settle()
    return tuple(tests)


def read_named_tests(node: Node, names: Names) -> tuple[ValueTests, ...]:
    """A mapping from attributes or properties to what they must pass."""
    if not node.items:
        raise unexpected(node, "a mapping such as {country: ES, age: {at_least: 18}}")
    gathering, read = Gathering(), []
    for name, child in node.items.items():
        with gathering:
            tests = read_tests(child, names)
            read.append(ValueTests(mark=child.place, name=name, tests=tests))
    gathering.settle()
    return tuple(read)


TESTS_SCHEMA: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"$ref": "#/$defs/value_tests"},
}
VALUE_TESTS_SCHEMA: Schema = {"anyOf": [VALUE.schema, VALUES.schema, OPERATORS.schema]}
NAMED_TESTS = Shape(read_named_tests, TESTS_SCHEMA)


def bounds_table(thing: str, shape: Shape[Any]) -> Table:
    """`at_least`, `at_most`, `above`, `below` over one kind of number."""
    return Table(
        thing,
        {
            "at_least": Key(shape, "This or more."),
            "at_most": Key(shape, "This or less."),
            "above": Key(shape, "More than this."),
            "below": Key(shape, "Less than this."),
        },
    )


def bounds_of(node: Node, found: dict[str, Any]) -> Bounds:
    """The bounds that were read; at least one must be given."""
    if not found:
        raise unexpected(node, "one of at_least, at_most, above, below")
    return Bounds(mark=node.mark, **found)
