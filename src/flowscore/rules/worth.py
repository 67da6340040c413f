"""What a ledger line is worth: its points, less what faded by the last decay instant.

The formulas are those of ruling 51; their result is normalised to 15 significant digits and
rounded half away from zero to 8 decimals (ruling 126), the same on both databases and in Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import singledispatch
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Numeric,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from flowscore.language import scoring as words
from flowscore.language.words import WHOLE_SHARE
from flowscore.rules.instants import last_decay
from flowscore.store.tables import POINT, events, ledger

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.rules.book import Book

ENOUGH = 1000.0  # halvings after which nothing is left; PostgreSQL refuses what underflows
VOID = "void:"  # how the key begins of what takes back a line dated before a reset


# ---------------------------------------------------------------- one line


class Left(NamedTuple):
    """What is left of a line, in SQL: whether nothing is, and else how much."""

    gone: ColumnElement[bool]
    points: Any


@singledispatch
def left(decay: words.Decay, points: Any, age: Any) -> Left:
    """What is left of so many points (a double) at an age (microseconds, not below 0)."""
    raise TypeError(f"{type(decay).__name__} does not fade single lines")


@left.register
def _(decay: words.Expires, points: Any, age: Any) -> Left:
    return Left(age >= decay.after, points)


@left.register
def _(decay: words.Linear, points: Any, age: Any) -> Left:
    return Left(age >= decay.over, points * (1.0 - cast(age, Double) / float(decay.over)))


@left.register
def _(decay: words.HalfLife, points: Any, age: Any) -> Left:
    halvings = cast(age, Double) / float(decay.half)
    return Left(halvings > ENOUGH, points * func.power(0.5, halvings))


@left.register
def _(decay: words.Steps, points: Any, age: Any) -> Left:
    steps = cast(age // decay.every, Double)
    kept = kept_by(decay)
    enough = ENOUGH / -math.log2(kept) if 0 < kept < 1 else ENOUGH
    return Left(steps > enough, points * func.power(cast(kept, Double), steps))


def kept_by(decay: words.Steps) -> float:
    """The share of what is left that a step leaves."""
    return 1 - decay.lose / WHOLE_SHARE


def worth(decay: words.Decay, points: Any, own_at: Any, at: Any, dialect: str) -> Any:
    """SQL: the worth (10⁻⁸ points) at decay instant `at` of a line of so many (10⁻⁸) points."""
    age = case((at > own_at, at - own_at), else_=0)
    found = left(decay, cast(points, Double) / float(POINT), age)
    return case((found.gone, 0), else_=rounded(found.points, dialect))


def rounded(value: Any, dialect: str) -> ColumnElement[int]:
    """SQL: points as an integer of 10⁻⁸, half away from zero, after 15 significant digits."""
    if dialect == "postgresql":
        exact = func.round(cast(value, Numeric), 8)  # the cast keeps 15 digits
        return cast(exact * POINT, BigInteger)
    digits = func.printf("%.15g", value * float(POINT), type_=String)
    return cast(func.round(cast(digits, Double)), BigInteger)


def worth_of(decay: words.Decay, points: int, age: int) -> int:
    """The same in Python, of one line (ruling 126)."""
    value, age = points / POINT, max(0, age)
    match decay:
        case words.Expires():
            return 0 if age >= decay.after else points
        case words.Linear():
            value = 0.0 if age >= decay.over else value * (1.0 - age / decay.over)
        case words.HalfLife():
            value = value * math.pow(0.5, age / decay.half)
        case words.Steps():
            value = value * math.pow(kept_by(decay), age // decay.every)
        case _:
            raise TypeError(f"{type(decay).__name__} does not fade single lines")
    exact = (Decimal(f"{value:.15g}") * POINT).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return int(exact)


# ---------------------------------------------------------------- all lines


@dataclass(frozen=True)
class Fade:
    """The lines that fade alike: which, and how."""

    decay: words.Decay
    score: str
    rules: tuple[str, ...]
    gifts: bool  # also what scenarios gave

    def lines(self, line: Any) -> ColumnElement[bool]:
        """Whether a line of the ledger is one of these."""
        kinds = []
        if self.rules:
            kinds.append(and_(line.c.kind == "rule", line.c.rule.in_(self.rules)))
        if self.gifts:
            kinds.append(line.c.kind == "scenario")
        return and_(line.c.score == self.score, or_(*kinds))


def fades(scores: Iterable[words.Score]) -> Iterator[Fade]:
    """Every way in which lines of these scores fade."""
    for score in scores:
        alike: dict[words.Decay, list[str]] = {}
        for rule in score.rules:
            decay = score.fading_of(rule)
            if decay is not None:
                alike.setdefault(decay, []).append(rule.name)
        gifts = score.fading_of_gifts
        if gifts is not None:
            alike.setdefault(gifts, [])
        for decay, rules in alike.items():
            yield Fade(decay, score.name, tuple(rules), decay == gifts)


def left_of(line: Any, ways: Iterable[Fade], at: int) -> int:
    """What is left at decay instant `at` of a row of the ledger (10⁻⁸ points), in Python."""
    for one in ways:
        named = line.kind == "rule" and line.rule in one.rules
        if line.score == one.score and (named or (one.gifts and line.kind == "scenario")):
            return worth_of(one.decay, line.points, at - line.own_at)
    return int(line.points)


def present_worth(
    scores: Iterable[words.Score], line: Any, at: Any, dialect: str
) -> ColumnElement[int]:
    """SQL: what a line is worth at decay instant `at`, resets left aside."""
    found = [
        (one.lines(line), worth(one.decay, line.c.points, line.c.own_at, at, dialect))
        for one in fades(scores)
    ]
    return case(*found, else_=line.c.points) if found else line.c.points


def is_void(line: Any) -> ColumnElement[bool]:
    """Whether a reset made the line worth nothing (ruling 54), or it is that reset itself.

    Of a reset's own instant those that were known to its tick. What takes a late line back counts
    as nothing together with that line.
    """
    reset, seen = ledger.alias(), events.alias()
    late = select(1).where(seen.c.id == line.c.event_id, seen.c.seen_at > reset.c.tick_at)
    anew = and_(
        line.c.kind == "rule",
        line.c.event_id.is_not(None),
        line.c.tick_at > reset.c.tick_at,
        ~late.correlate(line, reset).exists(),
    )
    before = or_(line.c.id <= reset.c.id, anew)
    found = exists().where(
        reset.c.contact_id == line.c.contact_id,
        reset.c.score == line.c.score,
        reset.c.kind == literal_column("'reset'"),  # as its partial index says it
        ~reset.c.key.startswith(VOID),
        or_(reset.c.own_at > line.c.own_at, and_(reset.c.own_at == line.c.own_at, before)),
    )
    taken_back = and_(line.c.kind == "reset", line.c.key.startswith(VOID))
    return or_(taken_back, found.correlate(line))


def present(project: Project, book: Book, at: int) -> Select[Any]:
    """Every line of the ledger with its present `worth`; they add up to `balances.raw`.

    Columns: those of the ledger and `worth`, both kinds of points in 10⁻⁸. Narrow it with
    `.where(ledger.c.contact_id == …)`. `at` is the watermark.
    """
    decayed_at = literal(last_decay(project.policy, at), BigInteger)
    now = present_worth(project.scores.values(), ledger, decayed_at, book.dialect)
    return select(ledger, case((is_void(ledger), 0), else_=now).label("worth"))
