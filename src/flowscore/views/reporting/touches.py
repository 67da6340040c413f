"""Where leads came from: the first touch of each page, source, campaign, referrer by each contact.

A touch is a page they saw, or an event or attribute that names where they came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    cast,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from flowscore.store.tables import attributes, events

if TYPE_CHECKING:
    from flowscore.rules.book import Book

KINDS = ("page", "source", "campaign", "referrer")
PROPERTIES = {
    "source": ("context.campaign.source", "utm_source", "source"),
    "campaign": ("context.campaign.name", "utm_campaign", "campaign"),
}
ATTRIBUTES = {
    "utm_source": "source",
    "source": "source",
    "lead_source": "source",
    "utm_campaign": "campaign",
    "campaign": "campaign",
    "referrer": "referrer",
}
"""What contacts bring with them, for instance in a column of a CSV file."""


def touches(book: Book, kind: str, until: int) -> Select[Any]:
    """`contact_id`, `value`, `at`: the first touch of each value by each contact."""
    every = [_pages()] if kind == "page" else [_named(book, kind), _brought(kind)]
    found = union_all(*every).subquery()
    return (
        select(found.c.contact_id, found.c.value, func.min(found.c.at).label("at"))
        .where(found.c.value.is_not(None), found.c.value != "", found.c.at <= until)
        .group_by(found.c.contact_id, found.c.value)
    )


def _pages() -> Select[Any]:
    log = events.c
    return select(log.contact_id, log.subject.label("value"), log.own_at.label("at")).where(
        log.name == "page_viewed", log.subject.is_not(None)
    )


def _named(book: Book, kind: str) -> Select[Any]:
    """Events that say it."""
    log = events.c
    keys = PROPERTIES.get(kind, ("referrer",))
    value: Any
    if kind == "referrer":
        value = _foreign_host(book)
    else:
        value = func.coalesce(*(book.first_text(log.forms, key) for key in keys))
    return select(log.contact_id, value.label("value"), log.own_at.label("at")).where(
        log.behaviour, _mentions(book, keys)
    )


def _mentions(book: Book, keys: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether an event has such a property at all: found without reading its JSON."""
    if book.dialect == "postgresql":
        wanted = cast(list(keys), ARRAY(Text))
        return cast(events.c.forms, JSONB).has_any(wanted)
    whole = cast(events.c.forms, Text)
    return or_(*(func.instr(whole, f'"{key}"') > 0 for key in keys))


def _foreign_host(book: Book) -> Any:
    """The host of the page they came from; nothing where it is the site's own."""
    came, here = (_host(book, book.first_text(events.c.forms, key)) for key in ("referrer", "url"))
    return func.nullif(came, func.coalesce(here, ""))


def _host(book: Book, address: ColumnElement[str]) -> ColumnElement[str]:
    bare: Any = address
    for scheme in ("https://", "http://"):
        bare = func.replace(bare, scheme, "")
    host = book.before(book.before(bare, "/"), "?")
    return func.replace(host, "www.", "")


def _brought(kind: str) -> Select[Any]:
    """Attributes that say it, as old as their newest value."""
    of, names = attributes.c, [name for name, one in ATTRIBUTES.items() if one == kind]
    return select(of.contact_id, of.text.label("value"), of.set_at.label("at")).where(
        of.name.in_(names), of.element == 0
    )
