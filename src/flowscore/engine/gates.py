"""The gates of a scenario: enabled, reenroll, conditions; who enters, and why others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from flowscore.engine.scratch import happened
from flowscore.language import conditions as asks
from flowscore.rules.conditions import holds
from flowscore.rules.explain import sentence
from flowscore.rules.seen import seen
from flowscore.rules.shares import is_drawn
from flowscore.rules.who import Who
from flowscore.store.dialects import insert_from
from flowscore.store.tables import decisions, enrollments

if TYPE_CHECKING:
    from flowscore.language.scenario import Reenroll, Scenario
    from flowscore.rules.book import Book


def whose(rows: Any) -> Who:
    """The contact of an occurrence, with the event and the time that would enroll it."""
    return Who(rows.c.contact_id, rows.c.event_id, rows.c.own_at)


def judge(scenario: Scenario, book: Book) -> Update | None:
    if scenario.conditions is None:
        return None
    passes = holds(scenario.conditions, book, whose(happened))
    return update(happened).values(passes=case((passes, true()), else_=false()))


# ------------------------------------------------------------ the gates, as one ranking


def _judged(scenario: Scenario, book: Book, nobody_enters: bool = False) -> Any:
    """Each occurrence with whether the reenroll gate is shut when its turn comes (ruling 19).

    `nobody_enters`: the scenario is stopped, so that none stands in the way of the next (20).
    """
    shut = _shut(scenario.name, scenario.reenroll, book)
    order = (happened.c.own_at, happened.c.position, happened.c.key)
    entered_before = func.coalesce(
        func.sum(case((happened.c.passes, 1), else_=0)).over(
            partition_by=happened.c.contact_id, order_by=order, rows=(None, -1)
        ),
        0,
    )
    alone = nobody_enters or scenario.reenroll.mode == "every_time"
    blocked = shut if alone else or_(shut, entered_before > 0)
    return select(happened, case((blocked, 1), else_=0).label("blocked")).subquery()


def _shut(name: str, reenroll: Reenroll, book: Book) -> Any:
    mine = and_(enrollments.c.scenario == name, enrollments.c.contact_id == happened.c.contact_id)
    inside = and_(mine, enrollments.c.ended_at.is_(null()))
    if reenroll.mode == "every_time":
        return false()
    if reenroll.mode == "never":
        return exists().where(mine).correlate(happened)
    if reenroll.mode == "when_finished":
        return exists().where(inside).correlate(happened)
    recent = and_(mine, enrollments.c.entered_at > book.now - reenroll.after)
    return or_(
        exists().where(recent).correlate(happened), exists().where(inside).correlate(happened)
    )


ENROLLMENT = [
    "contact_id", "scenario", "definition_id", "key", "own_at", "event_id", "entered_at",
    "position", "due_at", "reason", "held", "came", "entered_after", "goal_until",
]  # fmt: skip


def enter(scenario: Scenario, definition_id: int, book: Book) -> Insert:
    judged = _judged(scenario, book)
    rows = (
        select(
            judged.c.contact_id,
            literal(scenario.name),
            literal(definition_id),
            judged.c.key,
            judged.c.own_at,
            judged.c.event_id,
            cast(book.now, BigInteger),
            literal(0),
            bindparam("first_step_due", type_=BigInteger),
            literal(""),
            _held(scenario, judged.c.contact_id),
            false(),
            bindparam("known_events", type_=BigInteger),
            _goal_until(scenario, book),
        )
        .where(judged.c.passes, judged.c.blocked == 0)
        .order_by(judged.c.own_at, judged.c.contact_id, judged.c.position, judged.c.key)
    )
    return insert_from(enrollments, ENROLLMENT, rows)


def _held(scenario: Scenario, who: Any) -> Any:
    """Whether the contact is in the holdout: drawn once for contact and scenario (ruling 43)."""
    if not scenario.holdout:
        return false()
    drawn = is_drawn(f"scenario/{scenario.name}/holdout", scenario.holdout, who)
    return case((drawn, true()), else_=false())


def _goal_until(scenario: Scenario, book: Book) -> Any:
    """How long a goal is watched; null where it is none, or only while inside."""
    up_to = scenario.goal.up_to if scenario.goal else None
    return cast(null() if up_to is None else book.now + up_to, BigInteger)


DECISION = [
    "contact_id", "scenario", "definition_id", "key", "at", "own_at", "event_id", "reason",
    "detail",
]  # fmt: skip


def refusals(
    scenario: Scenario, definition_id: int, book: Book, nobody_enters: bool = False
) -> tuple[Insert, ...]:
    """One statement for the reenroll gate and one for each condition that may fail first."""
    alone = nobody_enters
    refused = [
        _refuse(scenario, definition_id, "reenroll", lambda j: j.c.blocked == 1, book, None, alone)
    ]
    if scenario.conditions is None:
        return tuple(refused)
    before: list[Any] = []
    for place, one in enumerate(_top_level(scenario.conditions)):
        refused.append(_refuse_for(scenario, definition_id, place, one, list(before), book, alone))
        before.append(one)
    return tuple(refused)


def _top_level(condition: asks.Condition) -> tuple[asks.Condition, ...]:
    return condition.of if isinstance(condition, asks.All) else (condition,)


def _refuse_for(
    scenario: Scenario,
    definition_id: int,
    place: int,
    failed: asks.Condition,
    before: list[asks.Condition],
    book: Book,
    alone: bool,
) -> Insert:
    def fits(judged: Any) -> Any:
        who = whose(judged)
        passed = [holds(one, book, who) for one in before]
        fails = case((holds(failed, book, who), 0), else_=1) == 1
        return and_(judged.c.blocked == 0, ~judged.c.passes, fails, *passed)

    return _refuse(
        scenario, definition_id, "conditions", fits, book, (f"conditions/{place}", failed), alone
    )


def _refuse(
    scenario: Scenario,
    definition_id: int,
    reason: str,
    fits: Any,
    book: Book,
    failed: tuple[str, asks.Condition] | None,
    nobody_enters: bool,
) -> Insert:
    judged = _judged(scenario, book, nobody_enters)
    rows = select(
        judged.c.contact_id,
        literal(scenario.name),
        literal(definition_id),
        judged.c.key,
        cast(book.now, BigInteger),
        judged.c.own_at,
        judged.c.event_id,
        literal(reason),
        _detail(book, judged, failed, scenario),
    ).where(fits(judged))
    return insert_from(decisions, DECISION, rows.order_by(judged.c.own_at, judged.c.contact_id))


def _detail(
    book: Book, judged: Any, failed: tuple[str, asks.Condition] | None, scenario: Scenario
) -> Any:
    if failed is None:
        said = f"reenroll: {scenario.reenroll.mode.replace('_', ' ')}"
        return book.json_object(sentence=cast(literal(said), Text))
    path, condition = failed
    return book.json_object(
        path=cast(literal(path), Text),
        sentence=cast(literal(sentence(condition)), Text),
        seen=seen(condition, book, whose(judged)),
        mark=cast(literal(str(condition.mark)), Text),
    )


def refuse_entrants(scenario: Scenario, definition_id: int, book: Book) -> Insert:
    """Statement: who would enter is refused because the scenario keeps firing itself."""

    def would_enter(judged: Any) -> Any:
        return and_(judged.c.passes, judged.c.blocked == 0)

    return _refuse(scenario, definition_id, "loop", would_enter, book, None, nobody_enters=True)
