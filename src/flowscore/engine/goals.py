"""What people inside wait for: goals, the occurrences that a `wait_for` awaits, and exits.

All of it is noticed in phase 3, before anybody enters (ruling 13): goals first, then exits. Each
version of a scenario that has people inside, or finished ones whose goal is still measured,
listens to its own words (ruling 129), also while the scenario is disabled (ruling 42).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    false,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.types import BigInteger

from flowscore.engine.audience import Asking, asking, gather
from flowscore.engine.noticing import Listener, hear, listener
from flowscore.engine.scratch import answered, asked, happened
from flowscore.engine.since import counted_since, reached
from flowscore.engine.walk import Await, program
from flowscore.engine.work import Work, rows_of
from flowscore.language import triggers as words
from flowscore.rules.answers import agrees
from flowscore.rules.conditions import holds
from flowscore.rules.events import log_alias
from flowscore.rules.triggers import is_counted
from flowscore.rules.watch import watch
from flowscore.rules.who import Who
from flowscore.store.dialects import insert_from
from flowscore.store.tables import enrollments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowscore.engine.path import Path
    from flowscore.language.words import EventQuery
    from flowscore.rules.book import Book

# ---------------------------------------------------------------- what is waited for


@dataclass(frozen=True)
class Span:
    """Which enrollments wait, and from when until when an occurrence counts for each."""

    waits: Any  # clause over enrollments
    since: Any
    after: Any  # the last event known when it began
    until: Any  # null: without end


@dataclass(frozen=True)
class Hope:
    """A trigger that people inside wait for: `find` puts whom it came for into `answered`."""

    listener: Listener
    since: Select[Any] | None  # the events that are counted, where more than one is asked
    find: Insert
    settle: tuple[Update, ...]

    @property
    def trigger(self) -> words.Trigger:
        """What is waited for."""
        return self.listener.trigger


def build_hopes(path: Path) -> tuple[list[Hope], list[Hope]]:
    """The goal of a version (one or none), and what its `wait_for` steps await."""
    goals, waits = [], []
    if path.scenario.goal is not None:
        trigger = path.scenario.goal.trigger
        goals.append(_hope(path, "goal", trigger, _goal_span(path), _convert(path)))
    for number, place in enumerate(program(path.scenario.actions)):
        if isinstance(place, Await) and not _is_known_beforehand(place.action.trigger):
            span = _wait_span(path, number)
            waits.append(_hope(path, place.path, place.action.trigger, span, _answer(path)))
    return goals, waits


def _is_known_beforehand(trigger: words.Trigger) -> bool:
    """A date of the enrolling event is worked out when the wait begins."""
    return isinstance(trigger, words.DateComes) and trigger.of_event


def _hope(
    path: Path, step: str, trigger: words.Trigger, span: Span, settle: tuple[Update, ...]
) -> Hope:
    place = f"scenario/{path.scenario.name}/{step}"
    who = select(enrollments.c.contact_id).where(span.waits)
    since = None
    if isinstance(trigger, words.OnEvent) and is_counted(trigger.query):
        since = counted_since(trigger.query, span, path.book)
    return Hope(
        listener=listener(trigger, 0, place, None, path.book, who),
        since=since,
        find=_find(trigger, span, path.book),
        settle=settle,
    )


def _goal_span(path: Path) -> Span:
    """Inside, or finished and still measured; noticed in time (rulings 37, 41 and 90)."""
    rows = enrollments.c
    measured = and_(rows.outcome == "finished", rows.goal_until.is_not(null()))
    in_time = rows.goal_until > path.book.now - bindparam("grid", type_=BigInteger)
    waits = and_(
        rows.definition_id == path.definition_id,
        or_(rows.ended_at.is_(null()), measured),
        or_(rows.goal_until.is_(null()), in_time),
    )
    return Span(waits, rows.entered_at, rows.entered_after, rows.goal_until)


def _wait_span(path: Path, number: int) -> Span:
    rows = enrollments.c
    waits = and_(
        rows.definition_id == path.definition_id,
        rows.ended_at.is_(null()),
        rows.position == number,
        rows.awaiting_since.is_not(null()),
        rows.came.is_(false()),
    )
    return Span(waits, rows.awaiting_since, rows.awaiting_after, rows.awaiting_until)


def _find(trigger: words.Trigger, span: Span, book: Book) -> Insert:
    """Statement: of the occurrences in `happened`, the enrollments they count for."""
    source = happened.join(enrollments, enrollments.c.contact_id == happened.c.contact_id)
    bounds = [span.waits, happened.c.own_at >= span.since]
    bounds.append(or_(span.until.is_(null()), happened.c.own_at <= span.until))
    if isinstance(trigger, words.OnEvent) and trigger.query.same:
        came, enrolling = log_alias(), log_alias()
        source = source.join(came, came.c.id == happened.c.event_id)
        source = source.join(enrolling, enrolling.c.id == enrollments.c.event_id)
        bounds += [agrees(book, came, enrolling, name) for name in trigger.query.same]
    rows = select(enrollments.c.id).select_from(source).where(*bounds)
    return insert_from(answered, ["enrollment_id"], rows)


THESE = enrollments.c.id.in_(select(answered.c.enrollment_id))


def _convert(path: Path) -> tuple[Update, ...]:
    """Statements: the finished become converted, those inside end so at once (ruling 41)."""
    done = {"outcome": "converted", "converted_at": path.now}
    outside = update(enrollments).where(THESE, enrollments.c.ended_at.is_not(null()))
    inside = update(enrollments).where(THESE, enrollments.c.ended_at.is_(null()))
    return outside.values(done), inside.values({**done, "ended_at": path.now, "reason": "goal"})


def _answer(path: Path) -> tuple[Update, ...]:
    """Statement: those who waited are due now; their step goes on by `then`."""
    return (update(enrollments).where(THESE).values(came=true(), due_at=path.now),)


# ---------------------------------------------------------------- who leaves


@dataclass(frozen=True)
class Way:
    """A version's way out by `exit_when`, asked of those whose answer may have changed."""

    asking: Asking
    some: Update
    everybody: Update


def build_way_out(path: Path) -> Way | None:
    """The exits of a version, or None where it has no `exit_when`."""
    condition = path.scenario.exit_when
    if condition is None:
        return None
    rows = enrollments.alias()
    inside = and_(rows.c.definition_id == path.definition_id, rows.c.ended_at.is_(null()))
    whose = Who(rows.c.contact_id, rows.c.event_id, rows.c.own_at)
    leaving = select(rows.c.id).where(inside, holds(condition, path.book, whose))
    stirred = leaving.where(rows.c.contact_id.in_(select(asked.c.contact_id)))
    return Way(asking(watch(condition), path.book), _exit(path, stirred), _exit(path, leaving))


def _exit(path: Path, who: Any) -> Update:
    left = {"ended_at": path.now, "outcome": "exited", "reason": "exit_when"}
    return update(enrollments).where(enrollments.c.id.in_(who)).values(left)


# ---------------------------------------------------------------- verbs


def convert(work: Work, goals: Iterable[Hope]) -> None:
    """Goals: who reached theirs is converted, inside or after the last step."""
    for one in goals:
        if _listen(work, one):
            outside, inside = one.settle
            work.changed += rows_of(work.run(outside))
            ended = rows_of(work.run(inside))
            work.counts.ended += ended
            work.changed += ended


def answer(work: Work, waits: Iterable[Hope]) -> None:
    """What a `wait_for` awaits has come: the walk goes on in phase 4."""
    for one in waits:
        if _listen(work, one):
            for statement in one.settle:
                work.changed += rows_of(work.run(statement))


def _listen(work: Work, one: Hope) -> bool:
    """Fill `answered` with the enrollments for which it newly occurred."""
    work.clear(answered)
    if one.since is not None and isinstance(one.trigger, words.OnEvent):
        return _count(work, one.trigger.query, one.since)
    work.clear(happened)
    hear(work, one.listener)
    if not work.filled(happened):
        return False
    return bool(work.fill(answered, one.find))


def _count(work: Work, query: EventQuery, since: Select[Any]) -> bool:
    """`times` and `sum` count only what came since the start (ruling 37).

    As any goal it is met when something comes in, not by what a merge brings along.
    """
    if work.names.isdisjoint(query.names):
        return False
    rows = work.run(since).all()
    found = [{"enrollment_id": number} for number in reached(rows, query)]
    if found:
        work.fill_with(answered, found)
    return bool(found)


def exit_people(work: Work, ways: Iterable[Way], changes_seen: int, everybody: bool) -> None:
    """Exits: whose `exit_when` holds leaves; `everybody`: all inside are asked (after an apply)."""
    for one in ways:
        statement = one.everybody
        if not everybody:
            if not gather(work, one.asking, changes_seen, work.round == 1):
                continue
            statement = one.some
        left = rows_of(work.run(statement))
        work.counts.ended += left
        work.changed += left
