"""Scores, the ways their points fade, and grades over two of them (LANGUAGE 5)."""

from __future__ import annotations

from typing import ClassVar, Literal

from flowscore.language.conditions import Condition
from flowscore.language.triggers import Trigger
from flowscore.language.words import Scope, Word


class Cap(Word):
    """At most so many `times` or `points` within any rolling `per` (microseconds, None: ever)."""

    times: int | None = None
    points: float | None = None
    per: int | None = None


class Range(Word):
    """Cuts what is read, not what is kept."""

    min: float | None = None
    max: float | None = None


class Decay(Word):
    """How points fade with time, at the policy's decay instants (rulings 50, 51 and 56)."""


class Expires(Decay):
    """All at once, `after` microseconds."""

    after: int


class Linear(Decay):
    """Evenly, to nothing `over` microseconds."""

    over: int


class HalfLife(Decay):
    """To half of what is there in every `half` microseconds."""

    half: int


class Steps(Decay):
    """`lose` millionths of what is left, `every` so many microseconds."""

    lose: int
    every: int


class Idle(Decay):
    """The score as a whole loses when nothing was done for `after` microseconds.

    It loses `lose` points then and again `every` microseconds, or is reset once.
    """

    after: int
    lose: float | None = None
    every: int | None = None
    reset: bool = False


class Steady(Decay):
    """`none`: points stay, whatever the score says."""


class Rule(Word):
    """Points for each occurrence (`on`), or while a condition holds (`when`): one of the two."""

    younger: ClassVar[frozenset[str]] = frozenset({"decay"})

    name: str
    points: float
    on: tuple[Trigger, ...] = ()
    when: Condition | None = None
    conditions: Condition | None = None
    cap: Cap | None = None
    decay: Decay | None = None  # None: the score's
    because: str = ""  # why a sensitive attribute is read (ruling 105)


class Score(Scope):
    """One scoring dimension; `bands` are (name, number), highest first.

    `scale` is (lowest, highest) of the whole numbers on which it is also shown (ruling 59).
    """

    younger: ClassVar[frozenset[str]] = frozenset({"decay", "scale", "of"})

    objective: str = ""
    rules: tuple[Rule, ...] = ()
    range: Range | None = None
    cap: Cap | None = None
    bands: tuple[tuple[str, float], ...] = ()
    decay: Decay | None = None
    scale: tuple[int, int] | None = None
    of: Literal["contact", "company"] = "contact"

    def fading_of(self, rule: Rule) -> Decay | None:
        """How this rule's lines fade, each by itself; None where they do not."""
        if rule.when is not None:
            return None
        return each_line(rule.decay if rule.decay is not None else self.decay)

    @property
    def fading_of_gifts(self) -> Decay | None:
        """How the points fade that scenarios gave (ruling 57)."""
        return each_line(self.decay)

    @property
    def idle(self) -> Idle | None:
        """The loss of the score as a whole, if it has one."""
        return self.decay if isinstance(self.decay, Idle) else None


def each_line(decay: Decay | None) -> Decay | None:
    """The decay, if it is one of single lines."""
    return None if isinstance(decay, Idle | Steady) else decay


class Axis(Word):
    """One side of a grade: a score, and its labels with the points from which each is given.

    Highest first; the last label has no number: it is whatever lies below. `turned`: an
    engagement axis on which 1 is the most active (`axis: descending`).
    """

    score: str
    labels: tuple[tuple[str, float | None], ...]
    turned: bool = False


class Grade(Scope):
    """A fit × engagement matrix over two scores (A4 … D1); `green` cells are worth a call."""

    fit: Axis
    engagement: Axis
    green: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """Every cell, best fit first, in it the most active first."""
        return tuple(
            cell_name(fit, engagement)
            for fit, _ in self.fit.labels
            for engagement, _ in self.engagement.labels
        )


def cell_name(fit: str, engagement: str) -> str:
    """`A4`; own words of more than one character are joined with a hyphen: `ideal-4`."""
    return fit + engagement if len(fit) == len(engagement) == 1 else f"{fit}-{engagement}"
