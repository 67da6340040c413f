"""Events that belong together: what agrees with what, what answers an anchor (24 and 85)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy import not_ as sql_not

from flowscore.rules.events import log_alias, matching

if TYPE_CHECKING:
    from flowscore.language.triggers import NoEvent
    from flowscore.language.words import EventQuery
    from flowscore.rules.book import Book


def completing(book: Book, query: EventQuery, log: Any) -> ColumnElement[bool]:
    """The event matches, and carries the properties on which those that count agree."""
    carries = (has_property(book, log, name) for name in query.same)
    return and_(matching(book, query, log), *carries)


def is_anchor(book: Book, trigger: NoEvent, log: Any) -> ColumnElement[bool]:
    """The event starts the waiting; one that lacks what answers must share has none (24)."""
    return completing(book, trigger.after, log)


def is_unanswered(book: Book, trigger: NoEvent, anchor: Any) -> ColumnElement[bool]:
    """None of the awaited events came in (anchor, anchor + within]."""
    other = log_alias()
    came = [
        other.c.contact_id == anchor.c.contact_id,
        other.c.id != anchor.c.id,
        matching(book, trigger.awaited, other),
        other.c.own_at > anchor.c.own_at,
        other.c.own_at <= anchor.c.own_at + trigger.within,
        *(agrees(book, anchor, other, name) for name in trigger.same),
    ]
    return sql_not(select(1).where(*came).correlate_except(other).exists())


def agrees(book: Book, one: Any, other: Any, name: str) -> ColumnElement[bool]:
    """Both events carry the property and agree on it, compared like `is` (ruling 85)."""
    return or_(
        book.first_text(one.c.forms, name) == book.first_text(other.c.forms, name),
        book.first_number(one.c.forms, name) == book.first_number(other.c.forms, name),
    )


def has_property(book: Book, log: Any, name: str) -> ColumnElement[bool]:
    """The event carries the property."""
    return book.first_text(log.c.forms, name).is_not(None)
