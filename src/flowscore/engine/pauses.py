"""Pauses: a walk waits for so long, until a time of day, or for something to happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, delete, false, not_, select, true, update
from sqlalchemy.types import BigInteger

from flowscore.clock import datetime_of, find_zone, instant_of_local, known_zone, local_midnight
from flowscore.engine.expected import expected_instants
from flowscore.engine.path import Path, Verb, leave, record, standing
from flowscore.engine.schedule import has_zone
from flowscore.engine.scratch import walking
from flowscore.engine.work import Work, rows_of
from flowscore.language.triggers import DateComes
from flowscore.store.tables import attributes, enrollments

if TYPE_CHECKING:
    from flowscore.engine.walk import Await
    from flowscore.language.actions import Wait

# ---------------------------------------------------------------- for so long


def wait(action: Wait, path: Path) -> Verb:
    """A pause by the clock; who waits is due again at its end, at the next place."""
    if action.duration is None:
        return _wait_until(action, path)
    told, gone = record(path, action.path), leave(path)
    pause = _pause(path, path.here(), path.now + action.duration)

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(pause, this_turn=work.turn)
        work.run(gone, this_turn=work.turn)

    return verb


def _pause(path: Path, who: Any, until: Any) -> Any:
    return (
        update(enrollments)
        .where(enrollments.c.id.in_(standing(who)))
        .values(position=path.place + 1, due_at=until)
    )


# ---------------------------------------------------------------- until a time of day


def _wait_until(action: Wait, path: Path) -> Verb:
    """Who is there at that very instant goes on at once (rulings 39 and 117)."""
    told, here, place = record(path, action.path), path.here(), path.place

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        for zone, there in list(_zones(work, action, path, here)):
            instant = next_time(action, zone, work.now)
            if instant == work.now:
                on = update(walking).where(here, there).values(position=place + 1)
                work.once(on, this_turn=work.turn)
                continue
            pause = update(enrollments).where(enrollments.c.id.in_(standing(and_(here, there))))
            pause = pause.values(position=place + 1, due_at=instant)
            work.once(pause, this_turn=work.turn)
            work.once(delete(walking).where(here, there), this_turn=work.turn)

    return verb


def _zones(work: Work, action: Wait, path: Path, here: Any) -> Iterator[tuple[str, Any]]:
    """Each zone to read the clock in, and whose clock it is of those who stand here."""
    policy = path.book.policy.timezone
    if action.timezone != "contact":
        yield action.timezone or policy, true()
        return
    said = select(attributes.c.value).distinct()
    said = said.where(
        attributes.c.name == "timezone",
        attributes.c.contact_id.in_(select(walking.c.contact_id).where(here)),
    )
    found = work.once(said, this_turn=work.turn).scalars()
    named = sorted(str(one) for one in found if find_zone(str(one)))
    for zone in named:
        yield zone, has_zone([zone], walking.c.contact_id)
    yield policy, not_(has_zone(named, walking.c.contact_id))


def next_time(action: Wait, zone_name: str, now: int) -> int:
    """The first instant at or after `now` that the wait names, in the zone."""
    zone = known_zone(zone_name)
    today = datetime_of(now).astimezone(zone).date()
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        if action.days and day.weekday() not in action.days:
            continue
        if action.until is None:
            return max(now, local_midnight(day, zone))
        at = datetime.combine(day, time()) + timedelta(microseconds=action.until)
        instant = instant_of_local(at, zone)
        if instant >= now:
            return instant
    raise AssertionError("a weekday comes every week")


# ---------------------------------------------------------------- for something to happen


def await_occurrence(place: Await, path: Path) -> Verb:
    """Who arrives pauses; who comes back goes the way that was answered (ruling 38)."""
    answered = and_(path.here(), walking.c.came.is_not(None))
    way = case((walking.c.came, "then"), else_="else")
    told = record(path, place.path, way, answered)
    forget = update(enrollments).where(enrollments.c.id.in_(standing(answered)))
    forget = forget.values(awaiting_since=None, came=False)
    on = update(walking).where(answered)
    on = on.values(
        position=case((walking.c.came, path.place + 1), else_=place.otherwise), came=None
    )
    begin, gone = _begin(place, path), leave(path)
    dated = _judge_date(place, path)

    def verb(work: Work) -> None:
        until = dated(work)
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(forget, this_turn=work.turn)
        work.run(on, this_turn=work.turn)
        work.changed += rows_of(work.run(begin, this_turn=work.turn, known=work.noticed_upto))
        work.run(gone, this_turn=work.turn)
        if until:
            work.connection.execute(WAKE, until)

    return verb


def _begin(place: Await, path: Path) -> Any:
    until = path.now + place.action.up_to
    return (
        update(enrollments)
        .where(enrollments.c.id.in_(standing(path.here())))
        .values(
            position=path.place,
            due_at=until,
            awaiting_since=path.now,
            awaiting_after=bindparam("known", type_=BigInteger),
            awaiting_until=until,
            came=false(),
        )
    )


WAKE = (
    update(enrollments)
    .where(enrollments.c.id == bindparam("number"))
    .values(due_at=bindparam("instant"), came=true())
)
ANSWER = (
    update(walking)
    .where(walking.c.enrollment_id == bindparam("number"))
    .values(came=bindparam("answer"))
)


def _judge_date(place: Await, path: Path) -> Any:
    """A date that is past answers at once; one of the enrolling event is known beforehand (92).

    Gives, of those whose event's date is still to come in time, the instant to go on at.
    """
    trigger, up_to = place.action.trigger, place.action.up_to
    if not isinstance(trigger, DateComes):
        return lambda work: []
    arrived = select(walking.c.enrollment_id, walking.c.contact_id, walking.c.event_id)
    arrived = arrived.where(path.here(), walking.c.came.is_(None))

    def judge(work: Work) -> list[dict[str, Any]]:
        rows = work.run(arrived, this_turn=work.turn).all()
        instants = expected_instants(work, trigger, rows)
        due = [(number, at) for number, at in instants.items() if at is not None]
        past = [
            {"number": number, "answer": at == work.now} for number, at in due if at <= work.now
        ]
        if past:
            work.connection.execute(ANSWER, past)
        if not trigger.of_event:
            return []
        coming = [(number, at) for number, at in due if work.now < at <= work.now + up_to]
        return [{"number": number, "instant": at} for number, at in coming]

    return judge
