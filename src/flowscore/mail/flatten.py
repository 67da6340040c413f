"""A template with its layout and includes as one Jinja2 text, so that its CSS is inlined once.

What cannot be put together beforehand (computed names, imports) raises `NotFlatError`; such a
template is finished mail by mail, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment

DEEPEST = 20


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


Blocks = Mapping[str, Sequence[Segment]]
KINDS: dict[str, Literal["print", "tag"]] = {"variable": "print", "block": "tag", "raw": "print"}


def cut(env: Environment, text: str) -> list[Segment]:
    """The text in segments; comments are gone, a raw section is one segment."""
    segments: list[Segment] = []
    inside, parts, words = "", [], []
    for _, token, value in env.lexer.tokeniter(text, None):
        stem = token.removesuffix("_begin").removesuffix("_end")
        if token == "data" and not inside:
            segments.append(Segment("data", value))
        elif token.endswith("_begin") and not inside:
            inside, parts, words = stem, [value], []
        elif token.endswith("_end") and stem == inside:
            if inside in KINDS:
                closed = "".join([*parts, value])
                segments.append(Segment(KINDS[inside], closed, tuple(words)))
            inside = ""
        else:
            parts.append(value)
            words += [value] if token != "whitespace" and inside != "raw" else []
    return segments


def flatten(env: Environment, text: str, partials: Mapping[str, str]) -> list[Segment]:
    """The text with every `extends`, `block` and `include` put in place."""
    return _Flattener(env, partials).put_together(cut(env, text), {}, 0)


class _Flattener:
    def __init__(self, env: Environment, partials: Mapping[str, str]) -> None:
        self.env = env
        self.partials = partials

    def put_together(self, segments: list[Segment], over: Blocks, depth: int) -> list[Segment]:
        if depth > DEEPEST:
            raise NotFlatError("files that include one another")
        extends = [s for s in segments if s.verb == "extends"]
        if not extends:
            return self._resolve(segments, over, depth)
        own = _blocks(segments)
        merged = {**own, **{k: _with_super(v, own.get(k)) for k, v in over.items()}}
        parent = self._read(extends[0])
        return [*_settings(segments), *self.put_together(parent, merged, depth + 1)]

    def _resolve(self, segments: Sequence[Segment], over: Blocks, depth: int) -> list[Segment]:
        out: list[Segment] = []
        at = 0
        while at < len(segments):
            segment = segments[at]
            if segment.verb == "block":
                end = _end_of_block(segments, at)
                inner = segments[at + 1 : end]
                name = segment.words[1]
                chosen = _with_super(over[name], inner) if name in over else inner
                out += self._resolve(chosen, over, depth)
                at = end
            else:
                out += self._resolve_one(segment, depth)
            at += 1
        return out

    def _resolve_one(self, segment: Segment, depth: int) -> list[Segment]:
        if segment.verb == "include":
            return self.put_together(self._read(segment), {}, depth + 1)
        if segment.verb in ("import", "from", "extends") or _computes_blocks(segment):
            raise NotFlatError(segment.text)
        return [segment]

    def _read(self, segment: Segment) -> list[Segment]:
        name = segment.words[1].strip("'\"") if len(segment.words) == 2 else ""
        if name not in self.partials:
            raise NotFlatError(segment.text)
        return cut(self.env, self.partials[name])


def _computes_blocks(segment: Segment) -> bool:
    return segment.kind != "data" and ("super" in segment.words or "self" in segment.words)


def _end_of_block(segments: Sequence[Segment], start: int) -> int:
    depth = 0
    for at in range(start, len(segments)):
        depth += (segments[at].verb == "block") - (segments[at].verb == "endblock")
        if depth == 0:
            return at
    raise NotFlatError("a block without an end")


def _blocks(segments: Sequence[Segment]) -> dict[str, Sequence[Segment]]:
    """Every block by name, nested ones too: each can stand for the layout's."""
    return {
        s.words[1]: segments[at + 1 : _end_of_block(segments, at)]
        for at, s in enumerate(segments)
        if s.verb == "block"
    }


def _settings(segments: Sequence[Segment]) -> list[Segment]:
    """The `set` lines of a page outside of its blocks; they work before its layout does."""
    kept: list[Segment] = []
    at = 0
    while at < len(segments):
        if segments[at].verb == "block":
            at = _end_of_block(segments, at)
        elif segments[at].verb == "set" and "=" in segments[at].words:
            kept.append(segments[at])
        elif segments[at].verb not in ("", "extends"):
            raise NotFlatError(segments[at].text)
        at += 1
    return kept


def _with_super(block: Sequence[Segment], base: Sequence[Segment] | None) -> list[Segment]:
    """`{{ super() }}` replaced by what the layout has there."""
    out: list[Segment] = []
    for segment in block:
        is_super = segment.kind == "print" and segment.words == ("super", "(", ")")
        out += (base or ()) if is_super and base is not None else [segment]
    return out


def text_of(segments: Sequence[Segment]) -> str:
    """The segments as one Jinja2 text."""
    return "".join(segment.text for segment in segments)
