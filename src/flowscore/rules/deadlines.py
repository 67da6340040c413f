"""Deadlines: what occurs so long after an anchor unless something came in between."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Text,
    and_,
    cast,
    literal,
    null,
    select,
    union,
)
from sqlalchemy import not_ as sql_not

from flowscore.language import triggers as words
from flowscore.rules.events import log_alias
from flowscore.rules.sight import FIRST_ID, LAST_CONTACT, Sight, batch, fresh
from flowscore.rules.watch import Edge
from flowscore.store.tables import contacts, events

if TYPE_CHECKING:
    from flowscore.rules.book import Book


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
        mine = batch.join(anchor, anchor.c.contact_id == batch.c.contact_id)
        return [row.select_from(mine).where(such, passed, quiet)]
    arrived = row.select_from(fresh.join(anchor, anchor.c.id == fresh.c.event_id)).where(
        such, passed, quiet, *([fresh.c.name.in_(names)] if names else [])
    )
    if sight.historical:
        return [arrived]
    # Events of whoever was erased stay in the log, and nothing occurs to them any more.
    there = select(1).where(contacts.c.id == anchor.c.contact_id)
    just_now = and_(
        anchor.c.own_at > book.prev - within,
        passed,
        anchor.c.id < FIRST_ID,
        there.correlate_except(contacts).exists(),
    )
    return [row.where(such, just_now, quiet), arrived.where(sql_not(anchor.c.historical))]


def silences(book: Book, trigger: words.GoneQuiet, sight: Sight) -> Any:
    """Ends of stretches without behaviour, after an event of it or after creation (ruling 25)."""
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
        mine = batch.join(contacts, contacts.c.id == batch.c.contact_id)
        return [row.select_from(mine).where(born <= since)]
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
