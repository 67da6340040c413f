"""Which events a query means, as clauses over the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Double, Text, and_, not_, or_, select, true
from sqlalchemy.sql.selectable import FromClause

from flowscore.rules.operators import Forms, element_passes, wants
from flowscore.store.tables import events

if TYPE_CHECKING:
    from flowscore.language.words import EventQuery, ValueTests
    from flowscore.rules.book import Book

HUMAN_MATTERS = frozenset({"email_opened", "email_clicked"})


def matching(book: Book, query: EventQuery, log: FromClause) -> ColumnElement[bool]:
    """The events of `log` (an alias of the log) that the query names, whenever they happened."""
    parts = [name_is(log, query.names)]
    if query.subjects:
        parts.append(subject_matches(log, query.subjects))
    if query.topics:
        parts.append(log.c.topic.in_(query.topics))
    if query.links:
        parts.append(or_(*(link_matches(book, log, one) for one in query.links)))
    if not query.machine and HUMAN_MATTERS & set(query.names):
        parts.append(not_(log.c.machine))
    parts += [property_passes(book, log, tests) for tests in query.where]
    return and_(*parts)


def name_is(log: FromClause, names: tuple[str, ...]) -> ColumnElement[bool]:
    """One of these event names."""
    return log.c.name == names[0] if len(names) == 1 else log.c.name.in_(names)


def subject_matches(log: FromClause, patterns: tuple[str, ...]) -> ColumnElement[bool]:
    """The subject is one of these, `*` standing for any run (ruling 63)."""
    plain = [one for one in patterns if "*" not in one]
    parts: list[ColumnElement[bool]] = [log.c.subject.in_(plain)] if plain else []
    parts += [log.c.subject.like(like(one), escape="\\") for one in patterns if "*" in one]
    return or_(*parts)


def link_matches(book: Book, log: FromClause, pattern: str) -> ColumnElement[bool]:
    """The whole link that was clicked, `*` standing for any run; without its query and fragment,
    unless the pattern asks for a query (rulings 99 and 120)."""
    link = book.before(book.first_text(log.c.forms, "link"), "#")
    if "?" not in pattern:
        link = book.before(link, "?")
    return link.like(like(pattern.casefold()), escape="\\")


def like(pattern: str) -> str:
    """A pattern with `*` as one for LIKE with backslash as escape."""
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, "\\" + special)
    return pattern.replace("*", "%")


def property_passes(book: Book, log: FromClause, asked: ValueTests) -> ColumnElement[bool]:
    """Every test passes for the property; a list passes if any element does."""
    parts: list[ColumnElement[bool]] = []
    for test in asked.tests:
        rows = book.elements(log.c.forms, asked.name)
        forms = Forms(*(rows.form(i, kind) for i, kind in enumerate(FORM_TYPES)))
        found = (
            select(1)
            .select_from(rows.rows)
            .where(element_passes(book, forms, test))
            .correlate_except(rows.rows)
            .exists()
        )
        parts.append(found if wants(test) else not_(found))
    return and_(true(), *parts)


FORM_TYPES: tuple[Any, ...] = (Text, Double, BigInteger, BigInteger)


def log_alias(name: str | None = None) -> Any:
    """An alias of the log, so that one statement can read it more than once."""
    return events.alias(name)
