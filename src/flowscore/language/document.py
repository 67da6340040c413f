"""YAML text as plain values that know their place: a `Node` for every value and item of a file.

What a person expects of YAML holds here (YAML 1.2 core): only `true` and `false` are booleans,
`09:00`, dates, `NO` and `007` stay text. What could surprise or harm is a problem: duplicate
keys, tags, tabs as indentation, deep nesting, alias bombs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from flowscore.errors import Mark, Problem
from flowscore.language.syntax import explain_syntax

MAX_DEPTH = 50
MAX_COPIES = 1_000  # values that aliases of one file may repeat

UNREADABLE = "…"  # stands for a mapping that has no keys to go by; the problem is said

Scalar = str | int | float | bool | None
INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the slow one where libyaml is missing
CONSTANTS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place: a scalar, a tuple of nodes, or a dict of nodes by key.

    `path` is the way walked in the document; `key_mark` is where the key that holds it stands.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    mark: Mark
    path: str = ""
    key_mark: Mark | None = None

    @property
    def items(self) -> dict[str, Node]:
        """The entries of a mapping; of anything else none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def elements(self) -> tuple[Node, ...]:
        """The items of a list; of anything else none."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def place(self) -> Mark:
        """Where its key stands, else the value itself."""
        return self.key_mark or self.mark

    @property
    def shown(self) -> str:
        """How a message names what was found."""
        if isinstance(self.value, dict):
            return f"a mapping ({', '.join(list(self.value)[:4])})" if self.value else "an empty {}"
        if isinstance(self.value, tuple):
            return "a list" if self.value else "an empty list"
        return shown_scalar(self.value)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its root and its lines, from the root's first line on."""

    root: Node
    text: str

    @property
    def file(self) -> str:
        """The file it stands in."""
        return self.root.mark.file


@dataclass(slots=True)
class _Reading:
    """The state of reading one file: what is still to come, and what was wrong so far."""

    file: str
    first_line: int
    events: Iterator[Any]
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    copies: int = 0

    def mark(self, event: Any) -> Mark:
        start = event.start_mark
        return Mark(self.file, start.line + self.first_line, start.column + 1)

    def report(self, mark: Mark, message: str, path: str, hint: str = "") -> None:
        self.problems.append(Problem(mark, message, path, hint))


class _AbandonedError(Exception):
    """The rest of the file cannot be read; the problem is said already."""


def shown_scalar(value: Scalar) -> str:
    """`'4 hrs'`, `3`, `true` or `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value if len(value) <= 60 else value[:57] + '…'}'"
    return str(value)


def read_documents(
    text: str, file: str, first_line: int = 1
) -> tuple[list[Document], list[Problem]]:
    """All documents of a text and what is wrong with it; those before a broken one are kept."""
    text = LINE_BREAK.sub("\n", text.removeprefix("\ufeff"))
    if broken := _unprintable(text, file, first_line):
        return [], [broken]
    reading = _Reading(file, first_line, yaml.parse(text, Loader=LOADER))
    documents: list[Document] = []
    try:
        for event in reading.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += _read_document(reading, text)
    except yaml.YAMLError as error:
        reading.problems.append(explain_syntax(error, text, file, first_line))
    except _AbandonedError:
        pass
    return documents, reading.problems


def plain_scalar(text: str) -> Scalar:
    """An unquoted scalar by the rules of YAML 1.2 core, numbers only as a person writes them."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text


def _unprintable(text: str, file: str, first_line: int) -> Problem | None:
    """The first character that YAML does not allow, said with its place."""
    found = re.search("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start())
    column = found.start() - text.rfind("\n", 0, found.start())
    message = f"a control character (U+{ord(found[0]):04X}) that no text file should hold"
    return Problem(Mark(file, line + first_line, column), message, hint="delete it")


def _read_document(reading: _Reading, text: str) -> list[Document]:
    reading.anchors.clear()
    start = next(reading.events)
    root = _read_node(reading, start, "", 0)
    end = next(reading.events)
    if root.value is None:  # nothing but comments
        return []
    return [Document(root, _lines(text, start.start_mark, end.start_mark))]


def _lines(text: str, start: Any, end: Any) -> str:
    """A document's lines from its root on; what stands before the root on its line is blank."""
    lines = text.split("\n")[start.line : end.line + (1 if end.column else 0)]
    lines[0] = " " * start.column + lines[0][start.column :]
    return "\n".join(lines).rstrip() + "\n"


def _read_node(reading: _Reading, event: Any, path: str, depth: int) -> Node:
    if isinstance(event, yaml.AliasEvent):
        return _read_alias(reading, event, path)
    mark = reading.mark(event)
    if depth > MAX_DEPTH:
        reading.report(mark, f"nested deeper than {MAX_DEPTH} levels", path, "flatten it")
        raise _AbandonedError
    if event.tag is not None:
        hint = "leave the tag out; put the value into quotes where the ! belongs to it"
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        reading.report(mark, f"found the tag '{tag}', tags are not read", path, hint)
    node = Node(_read_value(reading, event, path, depth), mark, path)
    if event.anchor:
        reading.anchors[event.anchor] = node
    return node


def _read_value(reading: _Reading, event: Any, path: str, depth: int) -> Any:
    if isinstance(event, yaml.SequenceStartEvent):
        return tuple(_read_elements(reading, path, depth))
    if isinstance(event, yaml.MappingStartEvent):
        return _read_entries(reading, path, depth)
    return plain_scalar(event.value) if event.implicit[0] else event.value


def _read_elements(reading: _Reading, path: str, depth: int) -> Iterator[Node]:
    position = 0
    while not isinstance(event := next(reading.events), yaml.SequenceEndEvent):
        yield _read_node(reading, event, step(path, position), depth + 1)
        position += 1


def _read_entries(reading: _Reading, path: str, depth: int) -> dict[str, Node] | str:
    entries: dict[str, Node] = {}
    keyless = False
    while not isinstance(event := next(reading.events), yaml.MappingEndEvent):
        mark = reading.mark(event)
        key = _read_key(reading, event, path, depth)
        node = _read_node(reading, next(reading.events), step(path, key or "?"), depth + 1)
        if key in entries:
            _report_twin(reading, mark, path, key, entries[key].place)
        elif key:
            entries[key] = replace(node, key_mark=mark)
        keyless = keyless or not key
    return UNREADABLE if keyless else entries


def _report_twin(reading: _Reading, mark: Mark, path: str, key: str, first: Mark) -> None:
    hint = f"it stands first in line {first.line}; keep one of the two"
    reading.report(mark, f"the key '{key}' stands twice", step(path, key), hint)


def _read_key(reading: _Reading, event: Any, path: str, depth: int) -> str:
    """The text of a key; of what can be no key nothing, and the problem is said."""
    if isinstance(event, yaml.ScalarEvent) and event.value:
        return str(event.value)
    mark = reading.mark(event)
    found = _read_node(reading, event, path, depth + 1).shown
    hint = "put {{ }} into quotes" if isinstance(event, yaml.MappingStartEvent) else "write a name"
    reading.report(mark, f"found {found} as a key, expected a name", path, hint)
    return ""


def _read_alias(reading: _Reading, event: Any, path: str) -> Node:
    mark = reading.mark(event)
    if event.anchor not in reading.anchors:
        message = f"found '*{event.anchor}', which refers to an anchor that is not there"
        reading.report(mark, message, path, "put a text that begins with * into quotes")
        return Node(None, mark, path)
    return _copied(reading, reading.anchors[event.anchor], path)


def _copied(reading: _Reading, node: Node, path: str) -> Node:
    """The anchored value at another place in the tree; its marks stay where it was written."""
    reading.copies += 1
    if reading.copies > MAX_COPIES:
        hint = "write the values out"
        reading.report(node.mark, f"aliases repeat more than {MAX_COPIES} values", path, hint)
        raise _AbandonedError
    value = node.value
    if isinstance(value, tuple):
        value = tuple(_copied(reading, one, step(path, at)) for at, one in enumerate(value))
    elif isinstance(value, dict):
        value = {
            key: replace(_copied(reading, one, step(path, key)), key_mark=one.key_mark)
            for key, one in value.items()
        }
    return replace(node, value=value, path=path)


def step(path: str, key: str | int) -> str:
    """The path one step further in."""
    return f"{path}/{key}" if path else str(key)
