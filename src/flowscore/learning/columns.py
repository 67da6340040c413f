"""What is known of each lead, a column at a time, and the answers into which a column is cut."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flowscore.learning.rates import NOBODY, Rate
from flowscore.learning.yaml_words import key, scalar, slug

Value = str | float | None  # None: not known; of a counted column how often
Kind = Literal["text", "number", "flag", "count"]
MOST_TIMES = 20  # a count above is held to this


@dataclass(frozen=True)
class Subject:
    """What a column is about, and the words a rule would use.

    `place` is how a rule reads it: the attribute's key, the trigger's YAML, or SCORE/RULE of a
    rule that is there already.
    """

    key: str  # unique: source/name
    source: Literal["attribute", "company", "event", "rule"]
    label: str
    family: str
    place: str
    kind: Kind
    empties: tuple[str, ...] = ()  # words that say in a file that nothing is known

    @property
    def is_yes_or_no(self) -> bool:
        """Whether only its presence gives points."""
        return self.kind in ("flag", "count")


@dataclass(frozen=True)
class Answer:
    """One answer: how people say it, how a rule asks for it (empty: no rule can), who gave it."""

    label: str
    words: str
    name: str
    rate: Rate = NOBODY


@dataclass(frozen=True)
class Cut:
    """A column cut into answers; `code` finds the answer of a value.

    A text column knows its own answers and pools the others; a number column has edges, each the
    first number of the answer above. The answer of leads of whom nothing is known comes first.
    """

    subject: Subject
    answers: tuple[Answer, ...]
    texts: Mapping[str, int] = field(default_factory=dict)
    pooled: int = 0
    edges: tuple[float, ...] = ()

    def code(self, value: Value) -> int:
        """Which answer this value is."""
        if self.subject.is_yes_or_no:
            return 1 if value else 0
        if value is None:
            return 0
        if self.subject.kind == "number":
            return 1 + bisect_right(self.edges, float(value))
        return self.texts.get(str(value), self.pooled)

    def together(self, places: Sequence[int]) -> Answer:
        """Several answers of a text column as one, which a rule asks for with a list."""
        if len(places) == 1:
            return self.answers[places[0]]
        texts = [text for text, place in self.texts.items() if place in places]
        some = [self.answers[place] for place in places]
        listed = ", ".join(scalar(text) for text in texts)
        words = f"when: {{{self.subject.source}: {{{key(self.subject.place)}: [{listed}]}}}}"
        label = ", ".join(texts)
        return Answer(label, words, slug(some[0].name, f"and {len(some) - 1} more"))


@dataclass(frozen=True)
class Column:
    """The values of one subject, one for each lead of the sheet."""

    subject: Subject
    values: Sequence[Value]


@dataclass(frozen=True)
class Sheet:
    """Leads with their outcome (1 won, 0 not), a name for each that never changes, and columns."""

    leads: Sequence[str]
    won: Sequence[int]
    columns: tuple[Column, ...]

    @property
    def overall(self) -> Rate:
        """Everybody."""
        return Rate(len(self.won), sum(self.won))


def rate_answers(codes: Iterable[int], won: Iterable[int], answers: int) -> list[Rate]:
    """Who gave each answer, counted."""
    leads, winners = [0] * answers, [0] * answers
    for code, one in zip(codes, won, strict=True):
        leads[code] += 1
        winners[code] += one
    return [Rate(*pair) for pair in zip(leads, winners, strict=True)]
