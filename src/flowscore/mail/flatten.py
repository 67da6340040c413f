"""A template with its layout, includes and macros as one text: its CSS is inlined once.

What cannot be put together beforehand (computed names, calls with a body) raises
`NotFlatError`; such a template is finished mail by mail, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flowscore.mail.macros import (
    Macro,
    NotFlatError,
    Segment,
    called_macro,
    cut,
    end_of,
    expand,
    imported_names,
    read_macros,
)

if TYPE_CHECKING:
    from jinja2 import Environment

DEEPEST = 20
Blocks = Mapping[str, Sequence[Segment]]


def flatten(env: Environment, text: str, partials: Mapping[str, str]) -> list[Segment]:
    """The text with every `extends`, `block`, `include` and macro call put in place."""
    return _Flattener(env, partials).put_together(cut(env, text), {}, 0)


def text_of(segments: Sequence[Segment]) -> str:
    """The segments as one Jinja2 text."""
    return "".join(segment.text for segment in segments)


class _Flattener:
    def __init__(self, env: Environment, partials: Mapping[str, str]) -> None:
        self.env = env
        self.partials = partials
        self.macros: dict[str, Macro] = {}

    def put_together(self, segments: list[Segment], over: Blocks, depth: int) -> list[Segment]:
        if depth > DEEPEST:
            raise NotFlatError("files that include one another")
        self._learn_macros(segments)
        extends = [s for s in segments if s.verb == "extends"]
        if not extends:
            return self._resolve(segments, over, depth)
        own = _blocks(segments)
        merged = {**own, **{k: _with_super(v, own.get(k)) for k, v in over.items()}}
        parent = self._read(extends[0])
        return [*_settings(segments), *self.put_together(parent, merged, depth + 1)]

    def _learn_macros(self, segments: list[Segment]) -> None:
        """Those defined here, and those imported by name with all that stand beside them."""
        found = read_macros(segments)
        for segment in (s for s in segments if s.verb == "from"):
            there = read_macros(self._read(segment, words=None))
            found |= there
            for here, name in imported_names(segment.words).items():
                if name not in there:
                    raise NotFlatError(segment.text)
                found[here] = there[name]
        if any(self.macros.get(name, macro) != macro for name, macro in found.items()):
            raise NotFlatError("two macros of one name")
        self.macros |= found

    def _resolve(self, segments: Sequence[Segment], over: Blocks, depth: int) -> list[Segment]:
        out: list[Segment] = []
        at = 0
        while at < len(segments):
            segment = segments[at]
            if segment.verb in ("block", "macro"):
                end = end_of(segments, at)
                if segment.verb == "block":
                    inner, name = segments[at + 1 : end], segment.words[1]
                    chosen = _with_super(over[name], inner) if name in over else inner
                    out += self._resolve(chosen, over, depth)
                at = end
            else:
                out += self._resolve_one(segment, depth)
            at += 1
        return out

    def _resolve_one(self, segment: Segment, depth: int) -> list[Segment]:
        if depth > DEEPEST:
            raise NotFlatError("macros that call one another")
        if segment.verb == "include":
            return self.put_together(self._read(segment), {}, depth + 1)
        if segment.verb == "from":
            return []
        if segment.verb in ("import", "extends", "call") or _computes_blocks(segment):
            raise NotFlatError(segment.text)
        if name := called_macro(segment, self.macros):
            return self._resolve(expand(segment, self.macros[name]), {}, depth + 1)
        return [segment]

    def _read(self, segment: Segment, words: int | None = 2) -> list[Segment]:
        """The file that a tag names, where it names one in so many words."""
        name = segment.words[1].strip("'\"") if words in (None, len(segment.words)) else ""
        if name not in self.partials:
            raise NotFlatError(segment.text)
        return cut(self.env, self.partials[name])


def _computes_blocks(segment: Segment) -> bool:
    return segment.kind != "data" and ("super" in segment.words or "self" in segment.words)


def _blocks(segments: Sequence[Segment]) -> dict[str, Sequence[Segment]]:
    """Every block by name, nested ones too: each can stand for the layout's."""
    return {
        s.words[1]: segments[at + 1 : end_of(segments, at)]
        for at, s in enumerate(segments)
        if s.verb == "block"
    }


def _settings(segments: Sequence[Segment]) -> list[Segment]:
    """The `set` lines of a page outside of its blocks; they work before its layout does."""
    kept: list[Segment] = []
    at = 0
    while at < len(segments):
        segment = segments[at]
        if segment.verb in ("block", "macro"):
            at = end_of(segments, at)
        elif segment.verb == "set" and "=" in segment.words:
            kept.append(segment)
        elif segment.verb not in ("", "extends", "from"):
            raise NotFlatError(segment.text)
        at += 1
    return kept


def _with_super(block: Sequence[Segment], base: Sequence[Segment] | None) -> list[Segment]:
    """`{{ super() }}` replaced by what the layout has there."""
    out: list[Segment] = []
    for segment in block:
        is_super = segment.kind == "print" and segment.words == ("super", "(", ")")
        out += base if is_super and base is not None else [segment]
    return out
