"""What was learned, as values: the report that a door prints or writes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowscore.learning.rates import Rate


@dataclass(frozen=True)
class LeftOut:
    """Something that was not used, and why; `kind` says which sort of reason it is."""

    name: str
    reason: str
    kind: Literal["asked", "id", "date", "sensitive", "leak", "suspicious", "thin"] = "asked"


@dataclass(frozen=True)
class CloseRate:
    """One attribute or behaviour beside all leads: steps 3 and 4 of the method."""

    family: str
    what: str
    answer: str
    rate: Rate
    smoothed: float
    lift: float  # smoothed ÷ overall
    points: int | None  # None: nothing is proposed of it
    clear: bool


@dataclass(frozen=True)
class Proposal:
    """Points of a rule; `now` is None for one that is new, `rule` its YAML behind the points."""

    score: str
    name: str
    points: int
    rate: Rate
    lift: float
    words: str = ""
    now: float | None = None
    then: Rate | None = None
    because: bool = False  # reads a sensitive attribute
    note: str = ""


@dataclass(frozen=True)
class Line:
    """Who stands at or above a total: how many leads, and how many of the customers."""

    points: int
    leads: int
    won: int
    precision: float
    recall: float
    name: str = ""
    proposed: bool = False


@dataclass(frozen=True)
class Lines:
    """The totals of customers and of the others in one score, and the lines to choose from."""

    score: str
    customers: tuple[int, ...]  # lowest, quarter, middle, three quarters, highest
    others: tuple[int, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Judged:
    """A model on leads that it has not seen."""

    model: str
    auc: float
    top_decile: float


@dataclass(frozen=True)
class Cycle:
    """How long leads take (microseconds): the middle, and the span of nine in ten."""

    middle: int
    most: int
    advice: str


@dataclass
class Lessons:
    """Everything that `learn` found; `stop` says why nothing is proposed, where nothing is."""

    outcome: str
    overall: Rate
    period: str = ""
    notes: list[str] = field(default_factory=list)
    stop: str = ""
    rates: list[CloseRate] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    compared: list[Judged] = field(default_factory=list)
    held_out: Rate | None = None
    cycle: Cycle | None = None
    questions: list[tuple[str, str]] = field(default_factory=list)
    diff: str = ""
    written: list[str] = field(default_factory=list)
    yaml: str = ""

    @property
    def as_json(self) -> Mapping[str, Any]:
        """The same for a program."""
        from dataclasses import asdict

        return asdict(self)
