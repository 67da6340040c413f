"""Conditions and triggers in English, and the value a condition saw, as SQL."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Numeric, Text, case, cast, func, literal, select

from flowscore.clock import duration_text
from flowscore.language import conditions as words
from flowscore.language import triggers
from flowscore.rules.book import Book
from flowscore.rules.conditions import (
    AT_LEAST_ONCE,
    COLUMNS_THAT_COUNT_AS_ATTRIBUTES,
    balance_of,
    column_forms,
    holds,
)
from flowscore.rules.events import log_alias, matching
from flowscore.rules.operators import test_in_english
from flowscore.rules.who import Who
from flowscore.store.tables import SHOWN, attributes, contacts

if TYPE_CHECKING:
    from flowscore.language.words import Bounds, EventQuery, ValueTests

# ---------------------------------------------------------------- sentences


@singledispatch
def sentence(word: Any) -> str:
    """The condition or trigger as a person would say it; one function for each word."""
    raise TypeError(f"no English for {type(word).__name__}")


@sentence.register
def _(word: words.All) -> str:
    return " and ".join(_grouped(one) for one in word.of) or "always"


@sentence.register
def _(word: words.AnyOf) -> str:
    return " or ".join(_grouped(one) for one in word.of) or "never"


def _grouped(word: words.Condition) -> str:
    said = sentence(word)
    return f"({said})" if isinstance(word, (words.All, words.AnyOf)) and len(word.of) > 1 else said


@sentence.register
def _(word: words.Not) -> str:
    return f"not: {_grouped(word.of)}"


@sentence.register
def _(word: words.ScoreIs) -> str:
    return f"score {word.score} {bounds_text(word.bounds)}"


@sentence.register
def _(word: words.AttributeIs) -> str:
    return " and ".join(asked_text(one) for one in word.attributes)


@sentence.register
def _(word: words.InList) -> str:
    return f"in list {' or '.join(word.lists)}"


@sentence.register
def _(word: words.Happened) -> str:
    return query_text(word.query)


@sentence.register
def _(word: words.MailIgnored) -> str:
    return f"{_mail_text(word)} {_not_answered(word.awaited)} within {duration_text(word.within)}"


@sentence.register
def _(word: words.Inactive) -> str:
    return f"no behaviour for {duration_text(word.duration)}"


@sentence.register
def _(word: words.MayMail) -> str:
    return f"may be mailed ({' or '.join(word.topics) or 'in general'})"


@sentence.register
def _(word: triggers.ScoreCrosses) -> str:
    return f"score {word.score} {word.direction.replace('_', ' ')} {word.threshold:g}"


@sentence.register
def _(word: triggers.OnEvent) -> str:
    return query_text(word.query)


@sentence.register
def _(word: triggers.NoEvent) -> str:
    return (
        f"no {' or '.join(word.awaited.names)} within {duration_text(word.within)} "
        f"after {query_text(word.after)}"
    )


@sentence.register
def _(word: triggers.MailNotAnswered) -> str:
    return f"{_mail_text(word)} {_not_answered(word.awaited)} within {duration_text(word.within)}"


@sentence.register
def _(word: triggers.GoneQuiet) -> str:
    return f"no behaviour for {duration_text(word.duration)}"


@sentence.register
def _(word: triggers.ContactCreated) -> str:
    return "contact created"


@sentence.register
def _(word: triggers.AttributeChanges) -> str:
    parts = [f"attribute {word.attribute} changes"]
    if word.origin is not None:
        parts.append("from a value that " + _tests_text(word.origin))
    if word.to is not None:
        parts.append("to a value that " + _tests_text(word.to))
    return " ".join(parts)


@sentence.register
def _(word: triggers.ListJoined) -> str:
    return f"joins list {' or '.join(word.lists)}"


@sentence.register
def _(word: triggers.ListLeft) -> str:
    return f"leaves list {' or '.join(word.lists)}"


@sentence.register
def _(word: triggers.Schedule) -> str:
    return f"on schedule ({word.cron or word.at})"


@sentence.register
def _(word: triggers.Manual) -> str:
    return "enrolled by hand"


def bounds_text(bounds: Bounds) -> str:
    """`at least 50 and below 80`."""
    said = [
        f"{key.replace('_', ' ')} {value:g}"
        for key, value in bounds.model_dump().items()
        if value is not None
    ]
    return " and ".join(said)


def asked_text(asked: ValueTests) -> str:
    """`country is ES and is not known`."""
    return f"{asked.name} {_tests_text(asked)}"


def _tests_text(asked: ValueTests) -> str:
    return " and ".join(test_in_english(test) for test in asked.tests)


def query_text(query: EventQuery) -> str:
    """`page_viewed /pricing at least 3 times within 30 days`."""
    parts = [" or ".join(query.names)]
    if query.subjects:
        parts.append(" or ".join(query.subjects))
    if query.topics:
        parts.append("on " + " or ".join(query.topics))
    if query.where:
        parts.append("where " + " and ".join(asked_text(one) for one in query.where))
    if query.times != AT_LEAST_ONCE:
        parts.append(bounds_text(query.times) + " times")
    if query.within is not None:
        parts.append(f"within {duration_text(query.within)}")
    return " ".join(parts)


def _mail_text(word: words.MailIgnored | triggers.MailNotAnswered) -> str:
    named = " or ".join(word.templates) or "any mail"
    return named + (f" on {' or '.join(word.topics)}" if word.topics else "")


def _not_answered(awaited: str) -> str:
    return "not " + awaited.removeprefix("email_")


# ---------------------------------------------------------------- the value seen


@singledispatch
def seen(word: words.Condition, book: Book, who: Who) -> ColumnElement[str]:
    """What the condition saw of the contact, as text; one function for each word."""
    raise TypeError(f"nothing to see for {type(word).__name__}")


@seen.register(words.All)
@seen.register(words.AnyOf)
def _(word: words.All | words.AnyOf, book: Book, who: Who) -> ColumnElement[str]:
    joined: ColumnElement[str] = cast(literal(""), Text)
    for place, one in enumerate(word.of):
        part = seen(one, book, who)
        joined = part if place == 0 else joined + literal("; ") + part
    return joined


@seen.register
def _(word: words.Not, book: Book, who: Who) -> ColumnElement[str]:
    return seen(word.of, book, who)


@seen.register
def _(word: words.ScoreIs, book: Book, who: Who) -> ColumnElement[str]:
    return literal(f"{word.score} ") + _points_text(balance_of(word.score, who.contact), book)


def _points_text(balance: ColumnElement[Any], book: Book) -> ColumnElement[str]:
    """`6`, `8.7`: the same on both databases."""
    if book.dialect == "postgresql":
        text: ColumnElement[str] = cast(func.round(cast(balance, Numeric) / SHOWN, 4), Text)
    else:
        text = func.printf("%.4f", balance * 1.0 / SHOWN)
    return func.rtrim(func.rtrim(text, "0"), ".")


@seen.register
def _(word: words.AttributeIs, book: Book, who: Who) -> ColumnElement[str]:
    parts = [
        literal(f"{one.name} = ") + _value_of(one.name, book, who.contact)
        for one in word.attributes
    ]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + literal("; ") + part
    return joined


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
    log = log_alias()
    found = [
        log.c.contact_id == who.contact,
        matching(book, word.query, log),
        log.c.own_at <= book.now,
    ]
    if word.query.within is not None:
        found.append(log.c.own_at > book.now - word.query.within)
    count = select(func.count()).select_from(log).where(*found).correlate_except(log)
    return cast(count.scalar_subquery(), Text) + literal(" times")


@seen.register(words.InList)
@seen.register(words.MailIgnored)
@seen.register(words.Inactive)
@seen.register(words.MayMail)
def _(word: words.Condition, book: Book, who: Who) -> ColumnElement[str]:
    said = sentence(word)
    return case((holds(word, book, who), f"true: {said}"), else_=f"false: {said}")
