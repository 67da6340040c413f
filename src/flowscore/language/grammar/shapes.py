"""What a key can take: each shape reads a node into a value and knows its own JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from flowscore import clock
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import (
    Gathering,
    misplaced,
    mistake,
    unexpected,
)
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.spelling import did_you_mean, listed, near, translated

Schema = dict[str, Any]
T = TypeVar("T")

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
LARGEST = 1_000_000_000
DURATION_PATTERN = r"^[0-9]{1,6} (minute|hour|day|week)s?$"
DURATION_WORDS = "a duration: a whole number of minutes, hours, days or weeks, such as '3 days'"
UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ""),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "week"),
}
ADVERBS = {"hourly": "hour", "daily": "day", "weekly": "week"}
LONG_ADVERBS = {"monthly": "month", "quarterly": "quarter", "yearly": "year"}
LONGER = {"month": 30, "months": 30, "quarter": 91, "quarters": 91, "year": 365, "years": 365}


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """How a value is read, and what an editor may know of it."""

    read: Callable[[Node, Names], T]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping: what it takes, what it means, and the model's field for it."""

    shape: Shape[Any]
    says: str
    field: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """The keys of one kind of mapping.

    `elsewhere` are words that have no place here, each with what to do instead.
    """

    thing: str
    keys: Mapping[str, Key]
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def suggestion(self, word: str, beside: Iterable[str] = ()) -> str:
        """What was likely meant by a word that is not of this table, `beside` others that are."""
        return self.guess(word, beside) or f"known here: {listed(self.keys)}"

    def guess(self, word: str, beside: Iterable[str] = ()) -> str:
        """The same, or nothing where nothing is near."""
        if word in self.elsewhere:
            return self.elsewhere[word]
        found = translated(word, self.keys)
        if found is None and (place := self._place_inside(word, beside)):
            return place
        found = found or near(word, self.keys)
        return f"did you mean '{found}'?" if found else ""

    def _place_inside(self, word: str, beside: Iterable[str]) -> str:
        """Where one of the keys beside it takes a mapping that has this word."""
        for key in beside:
            if key in self.keys and word in keys_inside(self.keys[key].shape.schema):
                return f"it belongs inside: {key}: {{…, {word}: …}}"
        return ""

    @property
    def schema(self) -> Schema:
        """A mapping with these keys and no others."""
        required = [key for key, row in self.keys.items() if row.required]
        return {
            "type": "object",
            "properties": self.properties,
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    @property
    def one_key_schema(self) -> Schema:
        """A mapping with exactly one of these keys."""
        return {
            "type": "object",
            "properties": self.properties,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }

    @property
    def properties(self) -> Schema:
        """Each key with its shape and its meaning."""
        return {key: described(row.shape.schema, row.says) for key, row in self.keys.items()}


def keys_inside(schema: Schema) -> set[str]:
    """The keys of the mappings that such a value can be."""
    forms = (schema, *schema.get("anyOf", ()))
    return {key for form in forms for key in form.get("properties", ())}


def described(schema: Schema, says: str) -> Schema:
    """The schema with a sentence for the person who edits."""
    return {**schema, "description": says}


def read_keys(node: Node, names: Names, table: Table, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read every key of a mapping by its row; all mistakes are raised together."""
    if not isinstance(node.value, dict):
        raise unexpected(node, f"{table.thing}: a mapping with {listed(table.keys)}")
    found: dict[str, Any] = {}
    gathering = Gathering()
    for key, child in node.items.items():
        if key not in skip:
            with gathering:
                row = row_of(key, child, table, node.items)
                found[row.field or key] = row.shape.read(child, names)
    strange = [key for key in node.items if key not in (*table.keys, *table.elsewhere)]
    meant = {near(key, table.keys) for key in strange} | _sent_on(node, table)
    if len(table.keys) == 1 and strange:
        meant |= set(table.keys)
    for key, row in table.keys.items():
        if row.required and key not in node.items and key not in meant:
            with gathering:
                hint = f"add `{key}: …`, {row.says[0].lower()}{row.says[1:].rstrip('.')}"
                raise mistake(node, f"{table.thing} needs the key '{key}'", hint)
    gathering.settle()
    return found


def _sent_on(node: Node, table: Table) -> set[str]:
    """The keys that misplaced words of a mapping are sent to: these are not missing as well."""
    hints = [table.elsewhere[key] for key in node.items if key in table.elsewhere]
    return {key for key in table.keys if any(f"`{key}`" in hint for hint in hints)}


def row_of(key: str, child: Node, table: Table, beside: Iterable[str] = ()) -> Key:
    """The row of a key; refuses what is unknown."""
    if key in table.keys:
        return table.keys[key]
    if key == "<<":
        raise misplaced(child, "merge keys (<<) are not read", "write the keys out")
    found = f"unknown key '{key}'" if key not in table.elsewhere else f"'{key}' has no place"
    raise misplaced(child, f"{found} in {table.thing}", table.suggestion(key, beside))


def read_text(node: Node, names: Names) -> str:
    """A text that says something."""
    if not isinstance(node.value, str) or not node.value.strip():
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        raise unexpected(node, "a text", "put it into quotes" if number else alone(node))
    return node.value.strip()


def alone(node: Node) -> str:
    """What to write where a mapping with one entry stands for its value: `in_list: {name: hot}`."""
    values = [child.value for child in node.items.values()]
    if len(values) == 1 and isinstance(values[0], str):
        return f"write '{values[0]}' alone"
    return ""


def read_words(node: Node, names: Names) -> str:
    """Free text; a number or true is its text, nothing is empty."""
    if isinstance(node.value, dict | tuple):
        raise unexpected(node, "a text", alone(node) or "put a text that holds ': ' into quotes")
    return "" if node.value is None else str(node.value).strip()


def read_slug(node: Node, names: Names) -> str:
    """A name: small letters, digits and hyphens."""
    text = str(node.value) if isinstance(node.value, str | int) else ""
    if SLUG.fullmatch(text):
        return text
    better = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    hint = f"did you mean '{better}'?" if better else ""
    raise unexpected(node, "a name in small letters, digits and hyphens", hint)


def read_number(node: Node, names: Names) -> float:
    """A number of sane size."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise unexpected(node, "a number", number_hint(node))
    if abs(node.value) > LARGEST:
        raise unexpected(node, f"a number between -{LARGEST} and {LARGEST}")
    return node.value


def number_hint(node: Node) -> str:
    """The number that was likely meant."""
    text = node.value if isinstance(node.value, str) else ""
    if re.fullmatch(r"[-+.\d]+", text):
        return "write it without quotes or signs"
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*[A-Za-z%€$]+", text)
    return f"write {found[1]}" if found else ""


def read_whole(node: Node, names: Names) -> int:
    """A whole number."""
    number = read_number(node, names)
    if number != int(number):
        raise unexpected(node, "a whole number")
    return int(number)


def read_yes_no(node: Node, names: Names) -> bool:
    """`true` or `false`, nothing else."""
    if isinstance(node.value, bool):
        return node.value
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    word = str(node.value).lower()
    raise unexpected(node, "true or false", did_you_mean(meant.get(word, word), ("true", "false")))


def read_duration(node: Node, names: Names) -> int:
    """A span of time above zero, in microseconds."""
    text = node.value if isinstance(node.value, str) else ""
    duration = clock.parse_duration(text)
    if duration is None:
        raise unexpected(node, DURATION_WORDS, duration_hint(node))
    if duration == 0:
        raise unexpected(node, "a duration above zero")
    return duration


def duration_hint(node: Node) -> str:
    """The duration that was likely meant."""
    if len(node.items) == 1:
        [(key, child)] = node.items.items()  # {days: 3}
        return duration_hint(replace(child, value=f"{child.value} {key}"))
    text = str(node.value).strip().lower() if isinstance(node.value, str | int | float) else ""
    if text in ADVERBS or (text and text in UNITS.values()):
        return f"did you mean '1 {ADVERBS.get(text, text)}'?"
    if (text := LONG_ADVERBS.get(text, text)) in LONGER:
        return _meant_duration(1, text)
    if re.match(r"\d+[.,]\d", text):
        return "only whole numbers: take a smaller unit"
    found = re.fullmatch(r"(-?)(\d{1,6})[\s_-]*([a-z]*)\.?", text)
    if found is None:
        return ""
    sign, count, unit = found.groups()
    if not unit:
        return f"which unit? for example '{count} days'" if not sign else ""
    if sign:
        return "a duration has no sign here"
    return _meant_duration(int(count), unit)


def _meant_duration(count: int, unit: str) -> str:
    if unit in LONGER:
        return f"a {unit.rstrip('s')} has no fixed length: write '{count * LONGER[unit]} days'"
    ours = UNITS.get(unit) or near(unit, ("minute", "hour", "day", "week"))
    if not ours:
        return "the shortest unit is the minute" if unit in UNITS else ""
    return f"did you mean '{count} {ours}{'' if count == 1 else 's'}'?"


TEXT = Shape(read_text, {"type": "string", "minLength": 1})
WORDS = Shape(read_words, {"type": ["string", "number", "boolean", "null"]})
NAME = Shape(read_slug, {"type": ["string", "integer"], "pattern": "^[a-z0-9][a-z0-9-]*$"})
NUMBER = Shape(read_number, {"type": "number", "minimum": -LARGEST, "maximum": LARGEST})
WHOLE = Shape(read_whole, {"type": "integer"})
YES_NO = Shape(read_yes_no, {"type": "boolean"})
DURATION = Shape(read_duration, {"type": "string", "pattern": DURATION_PATTERN})


def choice(*words: str) -> Shape[str]:
    """One of a few words."""

    def read(node: Node, names: Names) -> str:
        if node.value in words and isinstance(node.value, str):
            return node.value
        raise unexpected(node, listed(words), did_you_mean(str(node.value), words))

    return Shape(read, {"enum": list(words)})


def list_of(shape: Shape[T], what: str) -> Shape[tuple[T, ...]]:
    """A list with at least one item; every item's mistakes are found."""

    def read(node: Node, names: Names) -> tuple[T, ...]:
        if not node.elements:
            raise unexpected(node, f"a list of {what}", "write each on a line, behind '- '")
        return read_elements(node, names, shape)

    return Shape(read, {"type": "array", "items": shape.schema, "minItems": 1})


def one_or_more(shape: Shape[T], what: str) -> Shape[tuple[T, ...]]:
    """One, or a list of them."""
    several = list_of(shape, what)

    text = takes_text(shape.schema)

    def read(node: Node, names: Names) -> tuple[T, ...]:
        if isinstance(node.value, tuple):
            return several.read(node, names)
        if text and (node.value is None or isinstance(node.value, dict)):
            raise unexpected(node, f"a text, or a list: {what}", alone(node))
        return (shape.read(node, names),)

    return Shape(read, {"anyOf": [shape.schema, several.schema]})


def takes_text(schema: Schema) -> bool:
    """Whether a bare text can be such a value."""
    return "string" in schema.get("type", ()) or any(map(takes_text, schema.get("anyOf", ())))


def filled(kind: Callable[..., T], name: str, shape: Shape[Any]) -> Shape[T]:
    """The word of that kind with its one field read by the shape."""
    return Shape(
        lambda node, names: kind(mark=node.place, **{name: shape.read(node, names)}), shape.schema
    )


def read_elements(node: Node, names: Names, shape: Shape[T]) -> tuple[T, ...]:
    """Each item of a list; what stands there twice counts once."""
    gathering = Gathering()
    read: list[T] = []
    for element in node.elements:
        with gathering:
            read.append(shape.read(element, names))
    gathering.settle()
    return tuple(read)
