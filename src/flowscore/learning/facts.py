"""What can be known of leads, as sets: who has what, and since when; one statement a family.

Every SELECT gives `contact_id`, `name`, `known_at` and, for values, `text` and `number`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, literal, or_, select

from flowscore.language.conditions import (
    All,
    AnyOf,
    AttributeIs,
    CompanyIs,
    Condition,
    Not,
)
from flowscore.language.words import walk
from flowscore.learning.population import WINS, leads
from flowscore.rules.conditions import holds
from flowscore.rules.who import Who
from flowscore.store.tables import attributes, company_attributes, events, ledger

if TYPE_CHECKING:
    from flowscore.language.scoring import Rule
    from flowscore.rules.book import Book

PAGE = "page_viewed"
MAIL = ("email_opened", "email_clicked", "email_replied")
SAID = ("subscribed", "unsubscribed")
LASTING = (All, AnyOf, Not, AttributeIs, CompanyIs)
KNOWN = "known_at"


def attribute_facts() -> Select[Any]:
    """Every attribute of every lead that has a value."""
    rows = attributes.c
    return select(
        rows.contact_id, rows.name, rows.set_at.label(KNOWN), rows.text, rows.number
    ).join_from(leads, attributes, and_(rows.contact_id == leads.c.contact_id, rows.element == 0))


def company_facts() -> Select[Any]:
    """Every attribute of the leads' companies, known once both are: the value and the company."""
    rows = company_attributes.c
    joined = func.coalesce(leads.c.company_at, leads.c.came_at)
    since = case((rows.set_at > joined, rows.set_at), else_=joined)
    return select(
        leads.c.contact_id, rows.name, since.label(KNOWN), rows.text, rows.number
    ).join_from(
        leads,
        company_attributes,
        and_(rows.company_id == leads.c.company_id, rows.element == 0),
    )


def event_facts() -> Select[Any]:
    """What leads did, by the event's name, since the first time; a machine's opens do not count."""
    mail = and_(events.c.name.in_(MAIL), events.c.machine.is_(False))
    done = and_(events.c.behaviour, events.c.name.not_in((*MAIL, PAGE)))
    return _first(events.c.name, or_(done, mail, events.c.name.in_(SAID)))


def page_facts() -> Select[Any]:
    """Pages by their path."""
    return _first(events.c.subject, and_(events.c.name == PAGE, events.c.subject.is_not(None)))


def section_facts(dialect: str) -> Select[Any]:
    """Sections of the site: the first part of a path that has more (`/blog/*`)."""
    place = func.strpos if dialect == "postgresql" else func.instr
    path = events.c.subject
    slash = place(func.substr(path, 2), "/")
    section = func.substr(path, 1, slash + 1) + "*"
    return _first(cast(section, Text), and_(events.c.name == PAGE, path.like("/%"), slash > 1))


def _first(name: Any, wanted: ColumnElement[bool]) -> Select[Any]:
    return (
        select(events.c.contact_id, name.label("name"), func.min(events.c.own_at).label(KNOWN))
        .join_from(leads, events, events.c.contact_id == leads.c.contact_id)
        .where(wanted)
        .group_by(events.c.contact_id, name)
    )


def ledger_facts() -> Select[Any]:
    """Which `on` rules gave points, since the first time; `times` before the lead's own limit."""
    before = case((ledger.c.own_at < leads.c.until_at, 1), else_=0)
    name = ledger.c.score + "/" + ledger.c.rule
    return (
        select(
            ledger.c.contact_id,
            name.label("name"),
            func.min(ledger.c.own_at).label(KNOWN),
            func.sum(before).label("times"),
        )
        .join_from(leads, ledger, ledger.c.contact_id == leads.c.contact_id)
        .where(ledger.c.kind == "rule")
        .group_by(ledger.c.contact_id, name)
    )


def when_facts(name: str, rule: Rule, book: Book) -> Select[Any]:
    """Of whom a `when` rule holds that asks what people and companies are, since it was known."""
    assert rule.when is not None
    asked = literal(name).label("name")
    return select(leads.c.contact_id, asked, _known_since(rule.when).label(KNOWN)).where(
        holds(rule.when, book, Who(leads.c.contact_id))
    )


def is_lasting(rule: Rule) -> bool:
    """Whether a `when` rule reads attributes alone, of which it is known since when they stand."""
    words = [one for one in walk(rule.when) if isinstance(one, Condition)]
    return bool(words) and all(isinstance(one, LASTING) for one in words)


def _known_since(condition: Condition) -> ColumnElement[Any]:
    """The newest own time of the attributes it reads; where there is none, the first touch."""
    own = {one.name for word in walk(condition) if isinstance(word, AttributeIs)
           for one in word.attributes}  # fmt: skip
    firms = {one.name for word in walk(condition) if isinstance(word, CompanyIs)
             for one in word.attributes}  # fmt: skip
    found: ColumnElement[Any] = leads.c.came_at
    for table, key, column, names in (
        (attributes, attributes.c.contact_id, leads.c.contact_id, own),
        (company_attributes, company_attributes.c.company_id, leads.c.company_id, firms),
    ):
        if names:
            newest = (
                select(func.max(table.c.set_at))
                .where(key == column, table.c.name.in_(sorted(names)))
                .correlate(leads)
                .scalar_subquery()
            )
            found = case((func.coalesce(newest, found) > found, newest), else_=found)
    return found


# --- counting ---------------------------------------------------------------------------------


def counted(facts: Select[Any], *more: str) -> Select[Any]:
    """By name (and `more` columns): leads and customers with it in time, customers too late."""
    found = facts.subquery()
    keys = [found.c[one] for one in ("name", *more)]
    in_time = case((found.c[KNOWN] < leads.c.until_at, 1), else_=0)
    late = case((found.c[KNOWN] >= leads.c.won_at, 1), else_=0)
    return (
        select(
            *keys,
            func.sum(in_time).label("leads"),
            func.sum(in_time * WINS).label("won"),
            func.sum(late * WINS).label("late"),
        )
        .join_from(found, leads, leads.c.contact_id == found.c.contact_id)
        .group_by(*keys)
    )


def in_time(facts: Select[Any], names: list[str]) -> Select[Any]:
    """The facts of these names that were known in time, of the leads in the sample."""
    found = facts.subquery()
    return (
        select(found)
        .join_from(found, leads, leads.c.contact_id == found.c.contact_id)
        .where(leads.c.sampled == 1, found.c[KNOWN] < leads.c.until_at, found.c.name.in_(names))
    )
