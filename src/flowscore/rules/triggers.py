"""Trigger -> the occurrences that a tick notices, as a SELECT.

Every SELECT gives `contact_id, own_at, key, event_id`; its rows are what is *new*: events that
no phase has looked at yet (the table `fresh`), deadlines in (prev, now], balances that moved.
Asked of all history instead, the same triggers judge a whole log anew (a recompute).
"""

from __future__ import annotations

from functools import singledispatch
from math import ceil, floor
from typing import Any

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
    or_,
    select,
)
from sqlalchemy import not_ as sql_not

from flowscore.language import triggers as words
from flowscore.language.words import EventQuery, ValueTests
from flowscore.rules.answers import completing, is_anchor, is_unanswered
from flowscore.rules.book import Book
from flowscore.rules.conditions import answers, mail_sent
from flowscore.rules.deadlines import deadlines, silences
from flowscore.rules.events import log_alias, property_passes
from flowscore.rules.happened import scaled
from flowscore.rules.sight import CHANGES_SEEN, ROUND, Sight, fresh
from flowscore.store.tables import SHOWN, balances, changes


@singledispatch
def occurrences(trigger: words.Trigger, book: Book, sight: Sight) -> Select[Any] | None:
    """What the trigger notices; None where a room of the engine does.

    Those are counts (`counting`, `anchors`), calendars (`schedule`, `dates`), and `gains`.
    """
    raise TypeError(f"no SQL for {type(trigger).__name__}")


@occurrences.register
def _(trigger: words.OnEvent, book: Book, sight: Sight) -> Select[Any] | None:
    if is_counted(trigger.query):
        return None
    log = log_alias()
    return events_seen(log, completing(book, trigger.query, log), trigger.query.names, sight)


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
def _(trigger: words.ConsentChanges, book: Book, sight: Sight) -> Select[Any]:
    log = log_alias()
    such = and_(log.c.name == trigger.word, _is_told_of(book, log, trigger))
    return events_seen(log, such, (trigger.word,), sight)


def _is_told_of(book: Book, log: Any, trigger: words.ConsentChanges) -> ColumnElement[bool]:
    """The event names the topic, or names everything and newly refuses it too (ruling 121)."""
    named = log.c.topic.in_(trigger.topics)
    refused = book.elements(log.c.forms, "refused")
    too = select(1).select_from(refused.rows).where(refused.form(0, Text).in_(trigger.topics))
    return or_(named, and_(log.c.topic == "all", too.correlate_except(refused.rows).exists()))


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
    return silences(book, trigger, sight)


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


@occurrences.register(words.ScoreGains)
@occurrences.register(words.DateComes)
@occurrences.register(words.Schedule)
def _(trigger: words.Trigger, book: Book, sight: Sight) -> Select[Any] | None:
    return None


def is_counted(query: EventQuery) -> bool:
    """Whether more than one event makes the occurrence (walked in `engine/counting.py`)."""
    return bool(query.sums) or needed(query) > 1


def is_walked(trigger: words.Trigger) -> bool:
    """Whether only a walk over a contact's events finds the trigger's occurrences or anchors."""
    match trigger:
        case words.OnEvent(query=query) | words.NoEvent(after=query):
            return is_counted(query)
    return False


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
def _(trigger: words.ConsentChanges) -> set[str]:
    return {trigger.word}


@listens_to.register
def _(trigger: words.ListJoined) -> set[str]:
    return {"list_joined"}


@listens_to.register
def _(trigger: words.ListLeft) -> set[str]:
    return {"list_left"}
