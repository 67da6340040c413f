"""Trigger -> the occurrences that a tick notices, as a SELECT.

Every SELECT gives `contact_id, own_at, key, event_id`; its rows are what is *new*: events that
no phase has looked at yet (the table `fresh`), deadlines in (prev, now], balances that moved.
Asked of all history instead, the same triggers judge a whole log anew (a recompute).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from math import ceil, floor
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    literal,
    null,
    select,
    union,
)
from sqlalchemy import not_ as sql_not

from flowscore.language import triggers as words
from flowscore.language.words import EventQuery, ValueTests
from flowscore.rules.answers import is_anchor, is_unanswered
from flowscore.rules.book import Book
from flowscore.rules.conditions import answers, mail_sent
from flowscore.rules.events import log_alias, matching, property_passes
from flowscore.rules.happened import AT_LEAST_ONCE, scaled
from flowscore.rules.watch import Edge
from flowscore.store.tables import SHOWN, balances, changes, contacts, events

scratch = MetaData()

# Events that this phase has not looked at yet; filled by the tick before each phase.
fresh = Table(
    "fresh",
    scratch,
    Column("name", Text, primary_key=True),
    Column("event_id", BigInteger, primary_key=True),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)

# Where this tick stands, handed in with its instants.
CHANGES_SEEN = bindparam("changes_seen", type_=BigInteger)  # changes up to this id are known
ROUND = bindparam("round", type_=BigInteger)
FIRST_ID = bindparam("first_id", type_=BigInteger)  # events from this id on are this tick's
LAST_CONTACT = bindparam("last_contact", type_=BigInteger)  # contacts that were there before


@dataclass(frozen=True)
class Sight:
    """How a SELECT looks at the world.

    `everything`: all history instead of what is new. `historical`: history that is just being
    taken in, silently (ruling 88). `for_points`: a deadline that was past when its anchor was
    first known still scores, though it enrolls nobody (rulings 88, 119).
    """

    everything: bool = False
    historical: bool = False
    for_points: bool = False


@singledispatch
def occurrences(trigger: words.Trigger, book: Book, sight: Sight) -> Select[Any] | None:
    """What the trigger notices; None where another room counts (counts, schedules)."""
    raise TypeError(f"no SQL for {type(trigger).__name__}")


@occurrences.register
def _(trigger: words.OnEvent, book: Book, sight: Sight) -> Select[Any] | None:
    if is_counted(trigger.query):
        return None
    log = log_alias()
    return events_seen(log, matching(book, trigger.query, log), trigger.query.names, sight)


@occurrences.register
def _(trigger: words.ContactCreated, book: Book, sight: Sight) -> Select[Any]:
    log = log_alias()
    return events_seen(log, log.c.name == "contact_created", ("contact_created",), sight)


@occurrences.register
def _(trigger: words.Manual, book: Book, sight: Sight) -> Select[Any] | None:
    return None


@occurrences.register
def _(trigger: words.AttributeChanges, book: Book, sight: Sight) -> Select[Any]:
    log = log_alias()
    parts = [log.c.name == "attribute_changed", log.c.subject == trigger.attribute]
    for key, asked in (("to", trigger.to), ("from", trigger.origin)):
        if asked is not None:
            parts.append(property_passes(book, log, ValueTests(name=key, tests=asked.tests)))
    return events_seen(log, and_(*parts), ("attribute_changed",), sight)


@occurrences.register
def _(trigger: words.ListJoined, book: Book, sight: Sight) -> Select[Any]:
    return _moved("list_joined", trigger.lists, sight)


@occurrences.register
def _(trigger: words.ListLeft, book: Book, sight: Sight) -> Select[Any]:
    return _moved("list_left", trigger.lists, sight)


def _moved(name: str, lists: tuple[str, ...], sight: Sight) -> Select[Any]:
    log = log_alias()
    return events_seen(log, and_(log.c.name == name, log.c.subject.in_(lists)), (name,), sight)


@occurrences.register
def _(trigger: words.NoEvent, book: Book, sight: Sight) -> Select[Any] | None:
    if is_counted(trigger.after):
        return None
    anchor = log_alias()
    such = is_anchor(book, trigger, anchor)
    quiet = is_unanswered(book, trigger, anchor)
    return deadlines(book, anchor, such, quiet, trigger.within, trigger.after.names, sight)


@occurrences.register
def _(trigger: words.MailNotAnswered, book: Book, sight: Sight) -> Select[Any]:
    sent, answer = log_alias(), log_alias()
    such = mail_sent(trigger, sent, sent.c.contact_id)
    answered = select(1).where(answers(answer, sent, trigger.awaited, trigger.within))
    quiet = sql_not(answered.correlate_except(answer).exists())
    return deadlines(book, sent, such, quiet, trigger.within, ("email_sent",), sight)


@occurrences.register
def _(trigger: words.GoneQuiet, book: Book, sight: Sight) -> Any:
    anchor, other = log_alias(), log_alias()
    after_event = and_(
        other.c.contact_id == anchor.c.contact_id,
        other.c.behaviour,
        other.c.own_at > anchor.c.own_at,
        other.c.own_at <= anchor.c.own_at + trigger.duration,
    )
    quiet = sql_not(select(1).where(after_event).correlate_except(other).exists())
    moments = deadline_moments(book, anchor, anchor.c.behaviour, quiet, trigger.duration, sight)
    moments += _since_creation(book, trigger, sight)
    return union(*(_stretch(row) for row in moments))


@occurrences.register
def _(trigger: words.ScoreCrosses, book: Book, sight: Sight) -> Select[Any] | None:
    if sight.everything or sight.historical:
        return None
    line = scaled(trigger.threshold, SHOWN)
    up = trigger.direction == "reaches"
    crossed = (
        and_(balances.c.looked < line, balances.c.balance >= line)
        if up
        else and_(balances.c.looked > line, balances.c.balance <= line)
    )
    moved = (
        select(changes.c.contact_id)
        .where(
            changes.c.kind == "score", changes.c.name == trigger.score, changes.c.id > CHANGES_SEEN
        )
        .distinct()
        .subquery()
    )
    key = literal(f"{trigger.score} {trigger.direction} {trigger.threshold:g} @", String)
    return (
        select(
            balances.c.contact_id,
            book.now.label("own_at"),
            (key + cast(book.now, Text) + "/" + cast(ROUND, Text)).label("key"),
            cast(null(), BigInteger).label("event_id"),
        )
        .select_from(moved.join(balances, balances.c.contact_id == moved.c.contact_id))
        .where(balances.c.score == trigger.score, crossed)
    )


@occurrences.register
def _(trigger: words.Schedule, book: Book, sight: Sight) -> Select[Any] | None:
    return None


def is_counted(query: EventQuery) -> bool:
    """Whether more than one event makes the occurrence (walked in `rules/counting.py`)."""
    return query.times != AT_LEAST_ONCE and needed(query) > 1


def needed(query: EventQuery) -> int:
    """How many matching events complete an occurrence."""
    times = query.times
    at_least = ceil(times.at_least) if times.at_least is not None else 1
    above = floor(times.above) + 1 if times.above is not None else 1
    return max(1, at_least, above)


def events_seen(
    log: Any, such: ColumnElement[bool], names: tuple[str, ...], sight: Sight
) -> Select[Any]:
    """The events of these names that this look notices, each its own occurrence."""
    row = select(
        log.c.contact_id, log.c.own_at, log.c.message_id.label("key"), log.c.id.label("event_id")
    )
    if sight.everything:
        return row.where(such)
    return row.select_from(fresh.join(log, log.c.id == fresh.c.event_id)).where(
        fresh.c.name.in_(names), such
    )


def deadlines(
    book: Book,
    anchor: Any,
    such: ColumnElement[bool],
    quiet: ColumnElement[bool],
    within: int,
    names: tuple[str, ...],
    sight: Sight,
) -> Any:
    """Each anchor's deadline that has passed without an answer: an occurrence of its own."""
    moments = deadline_moments(book, anchor, such, quiet, within, sight, names)
    return moments[0] if len(moments) == 1 else union(*moments)


def deadline_moments(
    book: Book,
    anchor: Any,
    such: ColumnElement[bool],
    quiet: ColumnElement[bool],
    within: int,
    sight: Sight,
    names: tuple[str, ...] = (),
) -> list[Select[Any]]:
    """Anchors known before whose deadline lies in (prev, now], and fresh ones already due.

    A fresh anchor that is history fires only if its deadline is still to come (ruling 88), so
    it is left to the first kind; while history is taken in it scores at once.
    """
    due = (anchor.c.own_at + within).label("own_at")
    key = (anchor.c.message_id + "@" + cast(anchor.c.own_at + within, Text)).label("key")
    row = select(anchor.c.contact_id, due, key, anchor.c.id.label("event_id"))
    passed = anchor.c.own_at <= book.now - within
    if sight.everything:
        return [row.where(such, passed, quiet)]
    arrived = row.select_from(fresh.join(anchor, anchor.c.id == fresh.c.event_id)).where(
        such, passed, quiet, *([fresh.c.name.in_(names)] if names else [])
    )
    if sight.historical:
        return [arrived]
    just_now = and_(anchor.c.own_at > book.prev - within, passed, anchor.c.id < FIRST_ID)
    return [row.where(such, just_now, quiet), arrived.where(sql_not(anchor.c.historical))]


def _since_creation(book: Book, trigger: words.GoneQuiet, sight: Sight) -> list[Select[Any]]:
    """Contacts who have been quiet ever since they came to be (ruling 25)."""
    born = contacts.c.created_at
    row = select(
        contacts.c.id.label("contact_id"),
        (born + trigger.duration).label("own_at"),
        cast(null(), Text).label("key"),
        cast(null(), BigInteger).label("event_id"),
    ).where(_never_active(trigger.duration))
    since = book.now - trigger.duration
    if sight.everything:
        return [row.where(born <= since)]
    # Plus nothing, else SQLite walks all who are that old instead of the few who are new.
    arrived = [row.where(contacts.c.id > LAST_CONTACT, born + 0 <= since)]
    if sight.historical:
        return arrived
    row = row.where(born <= since)
    arrived.append(row.where(born > book.prev))  # the first tick that knows them
    known_before = and_(contacts.c.id <= LAST_CONTACT, born <= book.prev)
    just_now = row.where(born > book.prev - trigger.duration, known_before)
    if not sight.for_points:
        arrived = [one.where(_announced()) for one in arrived]
    return [just_now, *arrived]


def _never_active(duration: int) -> ColumnElement[bool]:
    log = log_alias()
    active = select(1).where(
        log.c.contact_id == contacts.c.id,
        log.c.behaviour,
        log.c.own_at <= contacts.c.created_at + duration,
    )
    return sql_not(active.correlate_except(log).exists())


def _announced() -> ColumnElement[bool]:
    """The contact's creation is among the fresh events: it came in live, not by import."""
    created = log_alias()
    announced = select(1).where(
        fresh.c.name == "contact_created",
        created.c.id == fresh.c.event_id,
        created.c.contact_id == contacts.c.id,
        sql_not(created.c.historical),
    )
    return announced.correlate_except(fresh, created).exists()


def _stretch(row: Select[Any]) -> Select[Any]:
    """One occurrence for a stretch of silence, however many events began it."""
    moment = row.subquery()
    key = literal("quiet@", String) + cast(moment.c.own_at, Text)
    return select(
        moment.c.contact_id,
        moment.c.own_at,
        key.label("key"),
        cast(null(), BigInteger).label("event_id"),
    )


@singledispatch
def listens_to(trigger: words.Trigger) -> set[str]:
    """Names of events without which the trigger has nothing new to notice ('' if by the clock)."""
    return {""}


@listens_to.register
def _(trigger: words.OnEvent) -> set[str]:
    return set(trigger.query.names)


@listens_to.register
def _(trigger: words.ContactCreated) -> set[str]:
    return {"contact_created"}


@listens_to.register
def _(trigger: words.AttributeChanges) -> set[str]:
    return {"attribute_changed"}


@listens_to.register
def _(trigger: words.ListJoined) -> set[str]:
    return {"list_joined"}


@listens_to.register
def _(trigger: words.ListLeft) -> set[str]:
    return {"list_left"}


@singledispatch
def deadline_edges(trigger: words.Trigger) -> list[Edge]:
    """The instants at which the clock alone makes the trigger occur."""
    return []


@deadline_edges.register
def _(trigger: words.NoEvent) -> list[Edge]:
    return [_name_edge(name, trigger.within) for name in trigger.after.names]


@deadline_edges.register
def _(trigger: words.MailNotAnswered) -> list[Edge]:
    return [_name_edge("email_sent", trigger.within)]


@deadline_edges.register
def _(trigger: words.GoneQuiet) -> list[Edge]:
    return [
        Edge(events.c.contact_id, events.c.own_at, (events.c.behaviour,), trigger.duration),
        Edge(contacts.c.id, contacts.c.created_at, (), trigger.duration),
    ]


def _name_edge(name: str, within: int) -> Edge:
    return Edge(events.c.contact_id, events.c.own_at, (events.c.name == name,), within)
