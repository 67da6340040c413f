"""Counts since a start: `times` and `sum` of a goal or a `wait_for` begin where the wait began."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, or_, select

from flowscore.engine import counting
from flowscore.rules.answers import agrees
from flowscore.rules.events import log_alias, matching
from flowscore.rules.sight import fresh
from flowscore.store.tables import enrollments

if TYPE_CHECKING:
    from flowscore.engine.goals import Span
    from flowscore.language.words import EventQuery
    from flowscore.rules.book import Book


def counted_since(query: EventQuery, span: Span, book: Book) -> Select[Any]:
    """The matching events since the start of those of whom something new came, in order."""
    log, new, enrolling = log_alias(), log_alias(), log_alias()
    stirred = (
        select(new.c.contact_id)
        .select_from(fresh.join(new, new.c.id == fresh.c.event_id))
        .where(fresh.c.name.in_(query.names))
    )
    source = enrollments.join(log, log.c.contact_id == enrollments.c.contact_id)
    clauses = [
        span.waits,
        enrollments.c.contact_id.in_(stirred),
        matching(book, query, log),
        log.c.id > span.after,
        log.c.own_at >= span.since,
        or_(span.until.is_(None), log.c.own_at <= span.until),
    ]
    if query.same:
        source = source.join(enrolling, enrolling.c.id == enrollments.c.event_id)
        clauses += [agrees(book, log, enrolling, name) for name in query.same]
    rows = select(
        enrollments.c.id.label("enrollment_id"), log.c.own_at, *counting.measures(book, query, log)
    )
    order = (log.c.own_at, log.c.received_at, log.c.message_id)
    return rows.select_from(source).where(*clauses).order_by(enrollments.c.id, *order)


def reached(rows: list[Any], query: EventQuery) -> Iterator[int]:
    """The enrollments whose events complete the count."""
    for number, own in groupby(rows, key=lambda row: row.enrollment_id):
        if next(counting.completions(own, query), None) is not None:
            yield number
