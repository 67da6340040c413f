"""Enrollment: occurrences meet the gates of their scenario (phase 3)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    insert,
    literal,
    null,
    or_,
    select,
    true,
)

from flowscore.engine import gates
from flowscore.engine.noticing import Listener, hear, listener
from flowscore.engine.scratch import HAPPENED, happened, requested
from flowscore.engine.work import MOST_ROUNDS, Work, rows_of
from flowscore.language import conditions as asks
from flowscore.language import triggers as words
from flowscore.language.scenario import Scenario
from flowscore.rules.book import NEVER, Book
from flowscore.rules.conditions import holds
from flowscore.rules.sight import fresh
from flowscore.rules.who import Who
from flowscore.store.tables import consents, contacts, decisions, enrollments, events


class Said(asks.Condition):
    """The contact has granted (or refused) one of these topics; no word that anybody writes."""

    topics: tuple[str, ...]
    granted: bool


@holds.register
def _(condition: Said, book: Book, who: Who) -> ColumnElement[bool]:
    topics = [one if one != "all" else "email" for one in condition.topics]
    said = and_(consents.c.topic.in_(topics), consents.c.granted.is_(condition.granted))
    mine = select(1).where(consents.c.contact_id == who.contact, said)
    return mine.correlate_except(consents).exists()


@dataclass(frozen=True)
class Entry:
    """A scenario's way in: its version, and the statements of its triggers and gates."""

    scenario: Scenario
    definition_id: int
    live_from: int | None
    first_activation: bool
    place: int  # in the order of ruling 16
    listeners: tuple[Listener, ...]
    judge: Update | None
    enter: Insert
    refuse: tuple[Insert, ...]
    existing: Insert | None


def build(
    scenario: Scenario,
    definition_id: int,
    live_from: int | None,
    first: bool,
    place: int,
    book: Book,
) -> Entry:
    """The statements of one scenario."""
    return Entry(
        scenario=scenario,
        definition_id=definition_id,
        live_from=live_from,
        first_activation=first,
        place=place,
        listeners=tuple(
            listener(trigger, place, f"scenario/{scenario.name}/{place}", live_from, book)
            for place, trigger in enumerate(scenario.trigger)
        ),
        judge=gates.judge(scenario, book),
        enter=gates.enter(scenario, definition_id, book),
        refuse=gates.refusals(scenario, definition_id, book),
        existing=_existing(scenario, book) if states_of(scenario) else None,
    )


def _existing(scenario: Scenario, book: Book) -> Insert:
    """Statement: an occurrence for all for whom the trigger's state holds already (ruling 45)."""
    standing = stands_there(scenario, book).subquery()
    has_one = exists().where(happened.c.contact_id == standing.c.id).correlate(standing)
    rows = select(
        standing.c.id,
        cast(book.now, BigInteger),
        bindparam("existing_key", type_=Text),
        cast(null(), BigInteger),
        literal(len(scenario.trigger)),
        true(),
    ).where(~has_one)
    return insert(happened).from_select(HAPPENED, rows)


def stands_there(scenario: Scenario, book: Book) -> Select[tuple[int]]:
    """The known contacts for whom the state of one of the scenario's triggers holds now."""
    people = contacts.alias()  # conditions read the table itself
    return select(people.c.id).where(
        people.c.known,
        people.c.created_at <= book.now,
        holds(asks.AnyOf(of=states_of(scenario)), book, Who(people.c.id)),
    )


def states_of(scenario: Scenario) -> tuple[asks.Condition, ...]:
    """The states that its triggers enter; none where one of them is no state."""
    triggers = [one for one in scenario.trigger if not isinstance(one, words.Manual)]
    states = [state_of(one) for one in triggers]
    return tuple(one for one in states if one is not None) if None not in states else ()


def state_of(trigger: words.Trigger) -> asks.Condition | None:
    """The condition that is true of a contact while the trigger's state holds (ruling 107)."""
    mark = trigger.mark
    match trigger:
        case words.ScoreCrosses(direction=direction):
            side = "at_least" if direction == "reaches" else "at_most"
            bounds = asks.Bounds(**{side: trigger.threshold})
            return asks.ScoreIs(score=trigger.score, bounds=bounds, mark=mark)
        case words.GradeEnters():
            return asks.GradeIs(grade=trigger.grade, cells=trigger.cells, mark=mark)
        case words.StageEnters():
            return asks.StageIs(stages=trigger.stages, mark=mark)
        case words.ListJoined():
            return asks.InList(lists=trigger.lists, mark=mark)
        case words.AttributeChanges(origin=None, to=to) if to is not None:
            named = asks.ValueTests(name=trigger.attribute, tests=to.tests, mark=mark)
            return asks.AttributeIs(attributes=(named,), mark=mark)
        case words.GoneQuiet():
            return asks.Inactive(duration=trigger.duration, mark=mark)
        case words.ConsentChanges():
            return Said(topics=trigger.topics, granted=trigger.word == "subscribed")
    return None


# ---------------------------------------------------------------- the verb


def enroll(work: Work, entry: Entry, looping: bool) -> int:
    """Phase 3 for one scenario; returns how many entered. `looping`: it is refused (ruling 20)."""
    work.clear(happened)
    if not _notice(work, entry) or not entry.scenario.enabled:
        return 0
    _forget_used(work, entry.scenario.name)
    if entry.judge is not None:
        work.run(entry.judge)
    _drop_unscheduled(work, entry)
    if looping:
        return _stop(work, entry)
    for statement in entry.refuse:
        work.counts.refused += rows_of(work.run(statement))
    due = work.now if work.round <= MOST_ROUNDS else work.now + 1
    known = work.noticed_upto
    entered = rows_of(work.run(entry.enter, first_step_due=due, known_events=known))
    work.counts.enrolled += entered
    work.changed += entered
    return entered


def _stop(work: Work, entry: Entry) -> int:
    """Nobody enters: who passes the other gates is refused because the scenario loops (20)."""
    asked = (entry.scenario, entry.definition_id, work.book)
    for statement in gates.refusals(*asked, nobody_enters=True):
        work.counts.refused += rows_of(work.once(statement))
    work.counts.refused += rows_of(work.once(gates.refuse_entrants(*asked)))
    return 0


def _notice(work: Work, entry: Entry) -> bool:
    """Fill `happened` with the scenario's occurrences; false when there are none."""
    for one in entry.listeners:
        hear(work, one)
    if "enroll_requested" in work.names:
        work.fill(happened, _requested(entry.scenario.name), kept=False)
    if work.filled(requested):
        work.fill(happened, REQUESTED, flow=entry.scenario.name)
    if work.round == 1 and entry.existing is not None and (key := _existing_key(work, entry)):
        work.fill(happened, entry.existing, existing_key=key)
    return work.filled(happened)


def _requested(name: str) -> Insert:
    """Statement: enrollments asked for by hand."""
    log = events.alias()
    rows = (
        select(log.c.contact_id, log.c.own_at, log.c.message_id, log.c.id, literal(-1), true())
        .select_from(fresh.join(log, log.c.id == fresh.c.event_id))
        .where(fresh.c.name == "enroll_requested", log.c.subject == name)
    )
    return insert(happened).from_select(HAPPENED, rows)


REQUESTED = insert(happened).from_select(
    HAPPENED,
    select(
        requested.c.contact_id,
        requested.c.own_at,
        requested.c.key,
        requested.c.event_id,
        literal(-1),
        true(),
    ).where(requested.c.scenario == bindparam("flow", type_=Text)),
)


def _existing_key(work: Work, entry: Entry) -> str:
    """The key under which who stands there already is taken in now; nothing when nobody is."""
    if entry.scenario.enroll_existing and _goes_live(work, entry):
        return EXISTING
    if entry.scenario.name not in work.takes_in:
        return ""
    used = work.run(EXISTING_USED, flow=entry.scenario.name).scalar()
    return f"{EXISTING}@{work.prev}" if used else EXISTING


EXISTING = "existing"
EXISTING_USED = select(
    or_(
        *(
            exists().where(
                table.c.scenario == bindparam("flow", type_=Text), table.c.key == EXISTING
            )
            for table in (enrollments, decisions)
        )
    )
)


def _goes_live(work: Work, entry: Entry) -> bool:
    """Whether this is the first tick of the scenario's activation."""
    applied = entry.live_from if entry.live_from is not None else NEVER
    return entry.first_activation and applied == work.prev


def _forget_used(work: Work, name: str) -> None:
    """Drop what cannot enroll: visitors without a name, keys used before, doubles of a key."""
    work.run(DROP_USED, flow=name)
    work.run(DROP_DOUBLES)


def _drop_used() -> Delete:
    used = [
        exists().where(
            table.c.scenario == bindparam("flow", type_=Text),
            table.c.contact_id == happened.c.contact_id,
            table.c.key == happened.c.key,
        )
        for table in (enrollments, decisions)
    ]
    known = exists().where(contacts.c.id == happened.c.contact_id, contacts.c.known)
    return delete(happened).where(or_(~known, *used))


def _drop_doubles() -> Delete:
    first = happened.alias("first")
    earlier = or_(
        first.c.own_at < happened.c.own_at,
        and_(first.c.own_at == happened.c.own_at, first.c.position < happened.c.position),
    )
    same = and_(first.c.contact_id == happened.c.contact_id, first.c.key == happened.c.key)
    return delete(happened).where(exists().where(same, earlier))


DROP_USED, DROP_DOUBLES = _drop_used(), _drop_doubles()


def _drop_unscheduled(work: Work, entry: Entry) -> None:
    """A schedule occurs only for those who pass: the others are not recorded (ruling 33)."""
    scheduled = [
        place for place, one in enumerate(entry.scenario.trigger) if isinstance(one, words.Schedule)
    ]
    if scheduled:
        failing = and_(happened.c.position.in_(scheduled), ~happened.c.passes)
        work.once(delete(happened).where(failing))
