"""Condition -> predicate: what the language's conditions mean, as SQL asked of a contact.

`who` names the contact's id in the statement that asks. Everything is judged as
of the tick's instant T (ruling 5): windows are half-open and end at T (ruling 1).
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, null, or_, select, true
from sqlalchemy import not_ as sql_not

from flowscore.language import conditions as words
from flowscore.rules.book import Book
from flowscore.rules.events import log_alias, subject_matches
from flowscore.rules.happened import happened_enough, this_event_passes, within_bounds
from flowscore.rules.shares import is_drawn
from flowscore.rules.traits import Contact, attribute_passes, company_passes, contact_is
from flowscore.rules.who import Who
from flowscore.store.tables import (
    SHOWN,
    balances,
    cells,
    company_balances,
    consents,
    contacts,
    members,
    stages,
)


@singledispatch
def holds(condition: words.Condition, book: Book, who: Who) -> ColumnElement[bool]:
    """The condition as a predicate on the contact `who`; one function for each word."""
    raise TypeError(f"no SQL for {type(condition).__name__}")


@holds.register
def _(condition: words.All, book: Book, who: Who) -> ColumnElement[bool]:
    return and_(true(), *(holds(one, book, who) for one in condition.of))


@holds.register
def _(condition: words.AnyOf, book: Book, who: Who) -> ColumnElement[bool]:
    return or_(false(), *(holds(one, book, who) for one in condition.of))


@holds.register
def _(condition: words.Not, book: Book, who: Who) -> ColumnElement[bool]:
    return sql_not(holds(condition.of, book, who))


@holds.register
def _(condition: words.ScoreIs, book: Book, who: Who) -> ColumnElement[bool]:
    return within_bounds(balance_of(condition.score, who.contact, book), condition.bounds, SHOWN)


@holds.register
def _(condition: words.GradeIs, book: Book, who: Who) -> ColumnElement[bool]:
    there = and_(cells.c.contact_id == who.contact, cells.c.grade == condition.grade)
    stands = select(1).where(there, cells.c.cell.in_(condition.cells))
    return stands.correlate_except(cells).exists()


@holds.register
def _(condition: words.StageIs, book: Book, who: Who) -> ColumnElement[bool]:
    """Who has no stay is in the first stage: there they are unless they stand elsewhere."""
    first = book.first_stage in condition.stages
    named = stages.c.stage.in_(condition.stages)
    here = and_(stages.c.contact_id == who.contact, stages.c.left_at.is_(null()))
    stands = select(1).where(here, sql_not(named) if first else named)
    found = stands.correlate_except(stages).exists()
    return sql_not(found) if first else found


@holds.register
def _(condition: words.AttributeIs, book: Book, who: Who) -> ColumnElement[bool]:
    return and_(true(), *(attribute_passes(book, who.contact, one) for one in condition.attributes))


@holds.register
def _(condition: words.CompanyIs, book: Book, who: Who) -> ColumnElement[bool]:
    return and_(true(), *(company_passes(book, who.contact, one) for one in condition.attributes))


@holds.register
def _(condition: words.InList, book: Book, who: Who) -> ColumnElement[bool]:
    return is_member(condition.lists, who.contact)


@holds.register
def _(condition: words.Happened, book: Book, who: Who) -> ColumnElement[bool]:
    return happened_enough(book, condition.query, who)


@holds.register
def _(condition: words.ThisEvent, book: Book, who: Who) -> ColumnElement[bool]:
    return this_event_passes(book, condition.properties, who)


@holds.register
def _(condition: words.MailIgnored, book: Book, who: Who) -> ColumnElement[bool]:
    sent, answer, later = log_alias(), log_alias(), log_alias()
    old_enough = sent.c.own_at <= book.now - condition.within
    such = mail_sent(condition, sent, who.contact) & old_enough
    newer = mail_sent(condition, later, who.contact) & (
        later.c.own_at <= book.now - condition.within
    )
    order = (later.c.own_at > sent.c.own_at) | (
        (later.c.own_at == sent.c.own_at) & (later.c.id > sent.c.id)
    )
    newest = sql_not(select(1).where(newer, order).correlate_except(later).exists())
    answered = (
        select(1)
        .where(answers(answer, sent, condition.awaited, condition.within))
        .correlate_except(answer)
        .exists()
    )
    return select(1).where(such, newest, sql_not(answered)).correlate_except(sent).exists()


@holds.register
def _(condition: words.Inactive, book: Book, who: Who) -> ColumnElement[bool]:
    log = log_alias()
    since = book.now - condition.duration
    active = (
        select(1)
        .where(
            log.c.contact_id == who.contact,
            log.c.behaviour,
            log.c.own_at > since,
            log.c.own_at <= book.now,
        )
        .correlate_except(log)
        .exists()
    )
    return and_(sql_not(active), contact_is(who.contact, contacts.c.created_at <= since))


@holds.register
def _(condition: words.MayMail, book: Book, who: Who) -> ColumnElement[bool]:
    topics = condition.topics or ("email",)
    granted = or_(*(is_granted(topic, book.policy.consent, who.contact) for topic in topics))
    return and_(granted, contact_is(who.contact, contacts.c.suppressed.is_(null())))


@holds.register
def _(condition: words.Drawn, book: Book, who: Who) -> ColumnElement[bool]:
    return is_drawn(condition.place, condition.share, who.contact)


def balance_of(score: str, who: Contact, book: Book) -> ColumnElement[Any]:
    """The balance that a contact reads in 10⁻⁴ points; 0 without a line (rulings 67 and 96)."""
    if score in book.company_scores:
        return _balance_of_company(score, who)
    found = (
        select(balances.c.balance)
        .where(balances.c.contact_id == who, balances.c.score == score)
        .correlate_except(balances)
    )
    return func.coalesce(found.scalar_subquery(), 0)


def _balance_of_company(score: str, who: Contact) -> ColumnElement[Any]:
    me = contacts.alias()
    found = (
        select(company_balances.c.balance)
        .join(me, me.c.company_id == company_balances.c.company_id)
        .where(me.c.id == who, company_balances.c.score == score)
        .correlate_except(company_balances, me)
    )
    return func.coalesce(found.scalar_subquery(), 0)


def is_member(lists: tuple[str, ...], who: Contact) -> ColumnElement[bool]:
    """In one of these lists now."""
    stay = members.alias()
    return (
        select(1)
        .where(stay.c.contact_id == who, stay.c.list.in_(lists), stay.c.left_at.is_(null()))
        .correlate_except(stay)
        .exists()
    )


def is_granted(topic: str, consent: str, who: Contact) -> ColumnElement[bool]:
    """The topic's own word first, else the general one; unknown as the policy says (ruling 82)."""

    def word(name: str) -> ColumnElement[Any]:
        found = select(consents.c.granted).where(
            consents.c.contact_id == who, consents.c.topic == name
        )
        return found.correlate_except(consents).scalar_subquery()

    spoken = [word(topic), word("email")] if topic != "email" else [word("email")]
    return func.coalesce(*spoken, true() if consent == "implied" else false())


def mail_sent(ask: Any, log: Any, who: Contact) -> ColumnElement[bool]:
    """The mails that `email_not_…` asks about (any, by template, by topic)."""
    parts = [log.c.contact_id == who, log.c.name == "email_sent"]
    if ask.templates:
        parts.append(subject_matches(log, ask.templates))
    if ask.topics:
        parts.append(log.c.topic.in_(ask.topics))
    return and_(*parts)


def answers(answer: Any, sent: Any, awaited: str, within: int) -> ColumnElement[bool]:
    """A person's open (or click) of that very mail within the time after it (ruling 30)."""
    both = answer.c.mail_key.is_not(None) & sent.c.mail_key.is_not(None)
    same_mail = or_(
        and_(both, answer.c.mail_key == sent.c.mail_key),
        and_(sql_not(both), answer.c.subject == sent.c.subject),
    )
    return and_(
        answer.c.contact_id == sent.c.contact_id,
        answer.c.name == awaited,
        sql_not(answer.c.machine),
        answer.c.own_at > sent.c.own_at,
        answer.c.own_at <= sent.c.own_at + within,
        same_mail,
    )
