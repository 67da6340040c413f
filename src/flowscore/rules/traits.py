"""What a contact and its company are: tests over their attributes, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, literal, null, select, true
from sqlalchemy import not_ as sql_not

from flowscore.rules.operators import Forms, element_passes, wants
from flowscore.store.tables import attributes, company_attributes, contacts

if TYPE_CHECKING:
    from flowscore.language.words import ValueTest, ValueTests
    from flowscore.rules.book import Book

Contact = ColumnElement[Any]  # the column with its id

COLUMNS_THAT_COUNT_AS_ATTRIBUTES = ("created_at", "email")


def attribute_passes(book: Book, who: Contact, asked: ValueTests) -> ColumnElement[bool]:
    """Every test passes for the attribute; absent fails all but the negative ones."""
    return and_(true(), *(_wanted(_passes(book, who, asked.name, t), t) for t in asked.tests))


def company_passes(book: Book, who: Contact, asked: ValueTests) -> ColumnElement[bool]:
    """The same over the contact's company; who has none has no value."""
    return and_(true(), *(_wanted(_of_company(book, who, asked.name, t), t) for t in asked.tests))


def _wanted(passes: ColumnElement[bool], test: ValueTest) -> ColumnElement[bool]:
    return passes if wants(test) else sql_not(passes)


def _passes(book: Book, who: Contact, name: str, test: ValueTest) -> ColumnElement[bool]:
    if name in COLUMNS_THAT_COUNT_AS_ATTRIBUTES:
        return contact_is(who, element_passes(book, column_forms(name), test))
    rows = attributes.alias()
    found = select(1).where(
        rows.c.contact_id == who, rows.c.name == name, element_passes(book, forms_in(rows), test)
    )
    return found.correlate_except(rows).exists()


def _of_company(book: Book, who: Contact, name: str, test: ValueTest) -> ColumnElement[bool]:
    rows, people = company_attributes.alias(), contacts.alias()
    found = select(1).where(
        people.c.id == who,
        rows.c.company_id == people.c.company_id,
        rows.c.name == name,
        element_passes(book, forms_in(rows), test),
    )
    return found.correlate_except(rows, people).exists()


def forms_in(rows: Any) -> Forms:
    """The comparison forms that stand in a row of attributes."""
    return Forms(rows.c.text, rows.c.number, rows.c.instant, rows.c.local)


def contact_is(who: Contact, *clauses: ColumnElement[bool]) -> ColumnElement[bool]:
    """Clauses on the contact's own row (on the plain `contacts` table)."""
    return select(1).where(contacts.c.id == who, *clauses).correlate_except(contacts).exists()


def column_forms(name: str) -> Forms:
    """`created_at` and `email` of the contact's row, as comparison forms."""
    nothing: ColumnElement[Any] = null()
    if name == "email":
        return Forms(contacts.c.email_folded, nothing, nothing, nothing)
    return Forms(literal("known"), nothing, contacts.c.created_at, nothing)


def colleagues(who: Contact) -> Any:
    """SELECT of everybody who is with the contact's company now, the contact among them."""
    me, other = contacts.alias(), contacts.alias()
    same = other.c.company_id == me.c.company_id
    return select(other.c.id).join(me, same).where(me.c.id == who).correlate_except(me, other)
