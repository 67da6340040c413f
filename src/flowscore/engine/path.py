"""A version of a scenario as a path of places, and what every verb on it is built from.

`here` are the enrollments that stand at the place being built; each verb acts on all of them at
once. The holdout walks the same path with every effect left out (ruling 43).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Executable,
    and_,
    bindparam,
    cast,
    delete,
    literal,
    not_,
    select,
    update,
)

from flowscore.engine.scoring import Scoring
from flowscore.engine.scratch import walking
from flowscore.engine.work import Work, rows_of
from flowscore.language.scenario import Scenario
from flowscore.rules.book import Book
from flowscore.rules.who import Who
from flowscore.store.dialects import insert_from
from flowscore.store.tables import enrollments, steps

Verb = Callable[[Work], None]


@dataclass
class Path:
    """One version of a scenario, its places as verbs; `order` is the scenario's place (16)."""

    scenario: Scenario
    definition_id: int
    order: int
    book: Book
    scoring: Scoring
    topics: dict[str, str]  # template -> topic
    stages: tuple[str, ...] = ()  # of the lifecycle, in order
    reply_to: str = ""  # of the policy: who is told where a contact has no owner
    verbs: list[Verb] = field(default_factory=list)
    place: int = 0

    whose: ClassVar[Who] = Who(walking.c.contact_id, walking.c.event_id, walking.c.own_at)

    def here(self) -> Any:
        """The walking rows that stand at the place being built, in this turn."""
        return and_(
            walking.c.definition_id == self.definition_id,
            walking.c.turn == bindparam("this_turn", type_=BigInteger),
            walking.c.position == self.place,
        )

    def touched(self) -> Any:
        """Those of `here` to whom something is done: all but the holdout."""
        return and_(self.here(), not_(walking.c.held))

    @property
    def now(self) -> Any:
        """The tick's instant, typed."""
        return cast(self.book.now, BigInteger)


def standing(where: Any) -> Any:
    """The ids of the enrollments in these walking rows."""
    return select(walking.c.enrollment_id).where(where)


def go(path: Path, to: Any, where: Any = None) -> Executable:
    """Statement: those who stand here (or in `where`) go on at another place."""
    return update(walking).where(path.here() if where is None else where).values(position=to)


def leave(path: Path) -> Executable:
    """Statement: those who stand here walk no further in this tick's round."""
    return delete(walking).where(path.here())


def record(path: Path, step: str, outcome: Any = "", where: Any = None) -> Executable:
    """Statement: the step has been done by those who stand here (or in `where`)."""
    said = literal(outcome) if isinstance(outcome, str) else outcome
    rows = select(walking.c.enrollment_id, literal(step), path.now, said)
    rows = rows.where(path.here() if where is None else where)
    return insert_from(steps, ["enrollment_id", "step", "at", "outcome"], rows)


def running(*statements: Executable) -> Verb:
    """The verb that runs these statements in turn."""

    def verb(work: Work) -> None:
        for statement in statements:
            work.run(statement, this_turn=work.turn)

    return verb


def then_on(path: Path, step: str, effect: Verb) -> Verb:
    """The effect, its record, and on to the next place."""
    told, on = record(path, step), go(path, path.place + 1)

    def verb(work: Work) -> None:
        effect(work)
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(on, this_turn=work.turn)

    return verb


def one_after_another(effects: Iterable[Verb]) -> Verb:
    """The effect that is these effects in turn."""
    several = tuple(effects)

    def effect(work: Work) -> None:
        for one in several:
            one(work)

    return effect


def ending(path: Path, outcome: str, reason: str, where: Any = None) -> Verb:
    """The walk of those who stand here (or in `where`) is over."""
    there = path.here() if where is None else where
    end = (
        update(enrollments)
        .where(enrollments.c.id.in_(standing(there)))
        .values(ended_at=path.now, outcome=outcome, reason=reason, position=path.place)
    )
    gone = delete(walking).where(there)

    def verb(work: Work) -> None:
        ended = rows_of(work.run(end, this_turn=work.turn))
        work.counts.ended += ended
        work.changed += ended
        if ended:
            work.run(gone, this_turn=work.turn)

    return verb
