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
    func,
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
from flowscore.rules.sight import CHANGES_SEEN, ROUND, Sight, batch, fresh
from flowscore.store.tables import (
    SHOWN,
    balances,
    cells,
    changes,
    company_balances,
    contacts,
    ledger,
)


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
    moved = told_of("score", trigger.score)
    key = f"{trigger.score} {trigger.direction} {trigger.threshold:g}"
    if trigger.score in book.company_scores:
        tipped = _tipped(trigger.score, moved, _crossed(trigger, company_balances))
        return _at_this_look(tipped.c.contact_id, key, book).select_from(tipped)
    return (
        _at_this_look(balances.c.contact_id, key, book)
        .select_from(moved.join(balances, balances.c.contact_id == moved.c.contact_id))
        .where(balances.c.score == trigger.score, _crossed(trigger, balances))
    )


def _crossed(trigger: words.ScoreCrosses, rows: Any) -> ColumnElement[bool]:
    line = scaled(trigger.threshold, SHOWN)
    if trigger.direction == "reaches":
        return and_(rows.c.looked < line, rows.c.balance >= line)
    return and_(rows.c.looked > line, rows.c.balance <= line)


def _tipped(score: str, moved: Any, crossed: ColumnElement[bool]) -> Any:
    """Of each company that crossed, the member whose line came last (rulings 96 and 115)."""
    member = contacts.alias()
    last = (
        select(func.max(ledger.c.id).label("line_id"))
        .select_from(
            moved.join(contacts, contacts.c.id == moved.c.contact_id)
            .join(company_balances, company_balances.c.company_id == contacts.c.company_id)
            .join(member, member.c.company_id == company_balances.c.company_id)
            .join(ledger, ledger.c.contact_id == member.c.id)
        )
        .where(company_balances.c.score == score, crossed, ledger.c.score == score)
        .group_by(company_balances.c.company_id)
        .subquery()
    )
    line = ledger.alias()
    return select(line.c.contact_id).join(last, last.c.line_id == line.c.id).subquery()


@occurrences.register
def _(trigger: words.GradeEnters, book: Book, sight: Sight) -> Select[Any] | None:
    if sight.everything or sight.historical:
        return None
    outside = or_(cells.c.looked.is_(null()), cells.c.looked.not_in(trigger.cells))
    moved = told_of("grade", trigger.grade)
    return (
        _at_this_look(cells.c.contact_id, f"{trigger.grade} enters {'|'.join(trigger.cells)}", book)
        .select_from(moved.join(cells, cells.c.contact_id == moved.c.contact_id))
        .where(cells.c.grade == trigger.grade, cells.c.cell.in_(trigger.cells), outside)
    )


def told_of(kind: str, name: str) -> Any:
    """The contacts of whom this has changed since the last phase 3."""
    rows = changes.c
    told = and_(rows.kind == kind, rows.name == name, rows.id > CHANGES_SEEN)
    return select(rows.contact_id).where(told).distinct().subquery()


def _at_this_look(who: ColumnElement[Any], key: str, book: Book) -> Select[Any]:
    """Occurrences dated T, told apart by the tick and round that see them (15, 21)."""
    place = literal(f"{key} @", String) + cast(book.now, Text) + "/" + cast(ROUND, Text)
    return select(
        who.label("contact_id"),
        book.now.label("own_at"),
        place.label("key"),
        cast(null(), BigInteger).label("event_id"),
    )


@occurrences.register
def _(trigger: words.StageEnters, book: Book, sight: Sight) -> Select[Any]:
    log = log_alias()
    such = and_(log.c.name == "stage_changed", log.c.subject.in_(trigger.stages))
    return events_seen(log, such, ("stage_changed",), sight)


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
        mine = batch.join(log, log.c.contact_id == batch.c.contact_id)
        return row.select_from(mine).where(such)
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


@listens_to.register
def _(trigger: words.StageEnters) -> set[str]:
    return {"stage_changed"}
