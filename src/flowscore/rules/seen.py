"""What a condition saw of a contact, as SQL that gives text: the same on both databases."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from flowscore.language import conditions as words
from flowscore.rules.book import Book
from flowscore.rules.conditions import balance_of, holds, is_member
from flowscore.rules.events import log_alias
from flowscore.rules.explain import sentence
from flowscore.rules.happened import count_of, sum_of
from flowscore.rules.traits import COLUMNS_THAT_COUNT_AS_ATTRIBUTES, column_forms
from flowscore.rules.who import Who
from flowscore.store.tables import (
    SHOWN,
    attributes,
    cells,
    company_attributes,
    consents,
    contacts,
    stages,
)

if TYPE_CHECKING:
    from flowscore.language.words import EventQuery


@singledispatch
def seen(word: words.Condition, book: Book, who: Who) -> ColumnElement[str]:
    """What the condition saw of the contact, as text; one function for each word."""
    raise TypeError(f"nothing to see for {type(word).__name__}")


@seen.register(words.All)
@seen.register(words.AnyOf)
def _(word: words.All | words.AnyOf, book: Book, who: Who) -> ColumnElement[str]:
    return _joined(seen(one, book, who) for one in word.of) if word.of else cast(literal(""), Text)


@seen.register
def _(word: words.Not, book: Book, who: Who) -> ColumnElement[str]:
    return seen(word.of, book, who)


@seen.register
def _(word: words.ScoreIs, book: Book, who: Who) -> ColumnElement[str]:
    return literal(f"{word.score} ") + _points_text(balance_of(word.score, who.contact, book), book)


def _points_text(balance: ColumnElement[Any], book: Book) -> ColumnElement[str]:
    """`6`, `8.7`: the same on both databases."""
    if book.dialect == "postgresql":
        text: ColumnElement[str] = cast(func.round(cast(balance, Numeric) / SHOWN, 4), Text)
    else:
        text = func.printf("%.4f", balance * 1.0 / SHOWN)
    return func.rtrim(func.rtrim(text, "0"), ".")


@seen.register
def _(word: words.GradeIs, book: Book, who: Who) -> ColumnElement[str]:
    there = and_(cells.c.contact_id == who.contact, cells.c.grade == word.grade)
    cell = select(cells.c.cell).where(there).correlate_except(cells).scalar_subquery()
    return literal(f"{word.grade} ") + func.coalesce(cell, "no cell")


@seen.register
def _(word: words.StageIs, book: Book, who: Who) -> ColumnElement[str]:
    here = and_(stages.c.contact_id == who.contact, stages.c.left_at.is_(None))
    stage = select(stages.c.stage).where(here).correlate_except(stages).scalar_subquery()
    return literal("stage ") + func.coalesce(stage, book.first_stage)


@seen.register
def _(word: words.AttributeIs, book: Book, who: Who) -> ColumnElement[str]:
    return _joined(
        literal(f"{one.name} = ") + _value_of(one.name, book, who.contact)
        for one in word.attributes
    )


def _joined(parts: Iterable[ColumnElement[str]]) -> ColumnElement[str]:
    first, *others = parts
    for part in others:
        first = first + literal("; ") + part
    return first


@seen.register
def _(word: words.CompanyIs, book: Book, who: Who) -> ColumnElement[str]:
    return _joined(
        literal(f"company's {one.name} = ") + _value_of_company(one.name, who.contact)
        for one in word.attributes
    )


def _value_of_company(name: str, who: ColumnElement[Any]) -> ColumnElement[str]:
    rows, people = company_attributes.alias(), contacts.alias()
    found = select(rows.c.text).where(
        people.c.id == who,
        rows.c.company_id == people.c.company_id,
        rows.c.name == name,
        rows.c.element == 0,
    )
    known = found.correlate_except(rows, people).scalar_subquery()
    return func.coalesce(known, "not known")


def _value_of(name: str, book: Book, who: ColumnElement[Any]) -> ColumnElement[str]:
    if name in COLUMNS_THAT_COUNT_AS_ATTRIBUTES:
        email = name == "email"
        column = column_forms(name).text if email else _instant_text(contacts.c.created_at, book)
        found = select(cast(column, Text)).where(contacts.c.id == who).correlate_except(contacts)
    else:
        rows = attributes.alias()
        found = (
            select(rows.c.text)
            .where(rows.c.contact_id == who, rows.c.name == name, rows.c.element == 0)
            .correlate_except(rows)
        )
    return func.coalesce(found.scalar_subquery(), "not known")


def _instant_text(instant: ColumnElement[Any], book: Book) -> ColumnElement[str]:
    """`2026-11-22 09:00 UTC`."""
    seconds = instant // 1_000_000
    if book.dialect == "postgresql":
        utc = func.timezone("UTC", func.to_timestamp(seconds))
        return func.to_char(utc, 'YYYY-MM-DD HH24:MI "UTC"')
    return func.strftime("%Y-%m-%d %H:%M UTC", seconds, "unixepoch")


@seen.register
def _(word: words.Happened, book: Book, who: Who) -> ColumnElement[str]:
    query = word.query
    said = cast(count_of(book, query, who), Text) + literal(" times")
    for one in query.sums:
        said = said + literal(f"; {one.name} adds up to ") + _sum_text(book, query, who, one.name)
    return said


def _sum_text(book: Book, query: EventQuery, who: Who, name: str) -> ColumnElement[str]:
    total = func.round(sum_of(book, query, who, name) * SHOWN)
    return _points_text(cast(total, BigInteger), book)


@seen.register
def _(word: words.ThisEvent, book: Book, who: Who) -> ColumnElement[str]:
    if who.event is None:
        return literal("no event")
    parts = [_property_of(one.name, book, who.event) for one in word.properties]
    return _joined(
        [literal(f"{one.name} = ") + p for one, p in zip(word.properties, parts, strict=True)]
    )


def _property_of(name: str, book: Book, event: ColumnElement[Any]) -> ColumnElement[str]:
    log = log_alias()
    text = select(book.first_text(log.c.forms, name)).where(log.c.id == event)
    return func.coalesce(text.correlate_except(log).scalar_subquery(), "not known")


@seen.register
def _(word: words.InList, book: Book, who: Who) -> ColumnElement[str]:
    return _joined(
        case((is_member((name,), who.contact), f"in {name}"), else_=f"not in {name}")
        for name in word.lists
    )


@seen.register
def _(word: words.Inactive, book: Book, who: Who) -> ColumnElement[str]:
    log = log_alias()
    active = select(func.max(log.c.own_at)).where(
        log.c.contact_id == who.contact, log.c.behaviour, log.c.own_at <= book.now
    )
    last = _instant_text(active.correlate_except(log).scalar_subquery(), book)
    return func.coalesce(literal("last active ") + last, "never active")


@seen.register
def _(word: words.MayMail, book: Book, who: Who) -> ColumnElement[str]:
    topics = dict.fromkeys((*word.topics, "email"))  # the general word counts where no other does
    said = _joined(literal(f"{topic} ") + _consent_text(topic, who) for topic in topics)
    found = select(contacts.c.suppressed).where(contacts.c.id == who.contact)
    suppressed = found.correlate_except(contacts).scalar_subquery()
    return said + func.coalesce(literal("; ") + suppressed, "")


def _consent_text(topic: str, who: Who) -> ColumnElement[str]:
    """`granted`, `refused`, `not on record`."""
    word = case((consents.c.granted, "granted"), else_="refused")
    found = select(word).where(consents.c.contact_id == who.contact, consents.c.topic == topic)
    return func.coalesce(found.correlate_except(consents).scalar_subquery(), "not on record")


@seen.register(words.MailIgnored)
@seen.register(words.Drawn)
def _(word: words.Condition, book: Book, who: Who) -> ColumnElement[str]:
    said = sentence(word)
    return case((holds(word, book, who), f"true: {said}"), else_=f"false: {said}")
