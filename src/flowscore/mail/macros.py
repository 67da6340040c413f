"""Macro calls replaced by the macro's own text, so that its HTML is finished with the page's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markupsafe import escape

if TYPE_CHECKING:
    from jinja2 import Environment

OPENING, CLOSING = "([{", ")]}"
UNKNOWABLE = frozenset(("varargs", "kwargs", "caller"))


class NotFlatError(Exception):
    """The whole text is only known when a mail is rendered."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Plain text, a `{{ print }}` or a `{% tag %}`; `words` are its tokens."""

    kind: Literal["data", "print", "tag"]
    text: str
    words: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """`for`, `endfor`, `block` …; empty where it is no tag."""
        return self.words[0] if self.kind == "tag" and self.words else ""


@dataclass(frozen=True, slots=True)
class Macro:
    """Parameters with their defaults (as expressions), and the body."""

    parameters: tuple[tuple[str, str | None], ...]
    body: tuple[Segment, ...]


KINDS: dict[str, Literal["print", "tag"]] = {"variable": "print", "block": "tag", "raw": "print"}


def cut(env: Environment, text: str) -> list[Segment]:
    """The text in segments; comments are gone, a raw section is one segment."""
    segments: list[Segment] = []
    inside, parts = "", list[str]()
    words: list[str] = []
    for _, kind, value in env.lexer.tokeniter(text, None):
        stem = kind.removesuffix("_begin").removesuffix("_end")
        if kind == "data" and not inside:
            segments.append(Segment("data", value))
        elif kind.endswith("_begin") and not inside:
            inside, parts, words = stem, [value], []
        elif kind.endswith("_end") and stem == inside:
            if inside in KINDS:
                closed = "".join([*parts, value])
                segments.append(Segment(KINDS[inside], closed, tuple(words)))
            inside = ""
        else:
            parts.append(value)
            words += [value] if kind != "whitespace" and inside != "raw" else []
    return segments


def end_of(segments: Sequence[Segment], start: int) -> int:
    """Where the block or macro that begins there ends."""
    verb, depth = segments[start].verb, 0
    for at in range(start, len(segments)):
        depth += (segments[at].verb == verb) - (segments[at].verb == f"end{verb}")
        if depth == 0:
            return at
    raise NotFlatError(f"a {verb} without an end")


def read_macros(segments: Sequence[Segment]) -> dict[str, Macro]:
    """Every macro that these segments define."""
    return {
        s.words[1]: Macro(
            _parameters(s.words[3:-1]), tuple(segments[at + 1 : end_of(segments, at)])
        )
        for at, s in enumerate(segments)
        if s.verb == "macro"
    }


def _parameters(words: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """`text, url="#"` as names with the expression of their default."""
    found = []
    for part in _split(words):
        default = " ".join(part[2:]) if len(part) > 1 else None
        found.append((part[0], default))
    return tuple(found)


def _split(words: Sequence[str]) -> Iterator[list[str]]:
    """At the commas that stand in no bracket."""
    part: list[str] = []
    depth = 0
    for word in words:
        depth += (word in OPENING) - (word in CLOSING)
        if word == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def imported_names(words: Sequence[str]) -> dict[str, str]:
    """`from "x" import a, b as c` as the name here and the name there."""
    plain = list(words[3:])
    if plain[-1:] == ["context"]:
        plain = plain[:-2]
    return {part[-1]: part[0] for part in _split(plain)}


def called_macro(segment: Segment, macros: Mapping[str, Macro]) -> str | None:
    """The name, where a print is a macro call and nothing else."""
    words = segment.words
    if segment.kind != "print" or macros.keys().isdisjoint(words):
        return None
    whole = words[0] in macros and words[1:2] == ("(",) and words[-1] == ")"
    depth = 0
    for at, word in enumerate(words):
        depth += (word in OPENING) - (word in CLOSING)
        whole &= depth > 0 or at in (0, len(words) - 1)
    if not whole:
        raise NotFlatError(segment.text)
    return words[0]


def expand(segment: Segment, macro: Macro) -> list[Segment]:
    """The body with its parameters set; plain texts stand right where they are printed."""
    given = _bind(segment, macro)
    texts = {name: _literal(value) for name, value in given.items()}
    body = [_printed(s, texts) for s in macro.body]
    if any(not UNKNOWABLE.isdisjoint(s.words) for s in body):
        raise NotFlatError(segment.text)
    if not given:
        return body
    assigned = ", ".join(f"{name} = {value}" for name, value in given.items())
    opened = Segment("tag", f"{{% with {assigned} %}}", ("with", *given))
    return [opened, *body, Segment("tag", "{% endwith %}", ("endwith",))]


def _bind(segment: Segment, macro: Macro) -> dict[str, str]:
    """Each parameter's expression: by place, by name, by default."""
    names = [name for name, _ in macro.parameters]
    given = {name: default for name, default in macro.parameters if default is not None}
    for place, part in enumerate(_split(segment.words[2:-1])):
        named = len(part) > 2 and part[1] == "="
        name = part[0] if named else names[place] if place < len(names) else ""
        if name not in names or part[0].startswith("*"):
            raise NotFlatError(segment.text)
        given[name] = " ".join(part[2:] if named else part)
    if len(given) < len(names):
        raise NotFlatError(segment.text)
    return given


def _literal(expression: str) -> str | None:
    """The text of a plain string, for a class or a link written out in the call."""
    quote = expression[:1]
    if quote not in "'\"" or not quote or expression.find(quote, 1) != len(expression) - 1:
        return None
    inner = expression[1:-1]
    return inner.encode("ascii", "backslashreplace").decode("unicode-escape")


def _printed(segment: Segment, texts: Mapping[str, str | None]) -> Segment:
    text = texts.get(segment.words[0]) if len(segment.words) == 1 else None
    if segment.kind != "print" or text is None or "{" in text:
        return segment
    return Segment("data", str(escape(text)))
