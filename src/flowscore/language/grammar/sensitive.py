"""Attributes that a rule may read only with a justification (ruling 105)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flowscore.errors import Mark
from flowscore.language.conditions import AttributeIs
from flowscore.language.triggers import AttributeChanges, DateComes
from flowscore.language.words import Word, walk

SENSITIVE = frozenset(
    {
        "gender", "sex", "age", "birth", "born", "origin", "ethnicity", "race", "nationality",
        "religion", "health", "disability", "pregnant", "orientation", "politics", "union",
    }
)  # fmt: skip


def is_sensitive(attribute: str) -> bool:
    """Whether one of the whole words of its name is sensitive: `birth_date`, `dateOfBirth`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", attribute)
    return bool(SENSITIVE & set(re.split(r"[^a-z0-9]+", spaced.lower())))


def sensitive_places(word: Word) -> Iterator[tuple[str, Mark]]:
    """The sensitive attributes that anything inside the word reads, and where."""
    for inner in walk(word):
        if isinstance(inner, AttributeIs):
            named = ((one.name, one.mark) for one in inner.attributes)
            yield from (place for place in named if is_sensitive(place[0]))
        elif isinstance(inner, AttributeChanges) and is_sensitive(inner.attribute):
            yield inner.attribute, inner.mark
        elif isinstance(inner, DateComes) and is_sensitive(inner.name):
            yield inner.name, inner.mark
