"""Where leads came from: the first touch of each page, source, campaign, referrer by each contact.

A touch is a page they saw, or an event or attribute that names where they came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from flowscore.store.tables import attributes, events

if TYPE_CHECKING:
    from flowscore.rules.book import Book

PAGE = "page"
KINDS = (PAGE, "source", "campaign", "referrer")
PROPERTIES = {
    "source": ("context.campaign.source", "utm_source", "source"),
    "campaign": ("context.campaign.name", "utm_campaign", "campaign"),
    "referrer": ("referrer",),
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


def touches(book: Book, until: int) -> Select[Any]:
    """`kind`, `contact_id`, `value`, `at`: when each contact first met it, in one walk of the log.

    Each step is kept as a table: SQLite would else read an event's JSON for every use of it.
    """
    said = _said(book)
    kinds = [
        select(literal(kind).label("kind"), said.c.contact_id, value.label("value"), said.c.own_at)
        .where(said.c[kind].is_not(None), said.c.own_at <= until)
        .cte(f"{kind}_touches")
        .prefix_with("MATERIALIZED")
        for kind, value in (
            (PAGE, said.c.page),
            ("source", said.c.source),
            ("campaign", said.c.campaign),
            ("referrer", _foreign_host(book, said)),
        )
    ]
    every = union_all(*(select(one) for one in kinds), _brought(until)).subquery()
    first = func.min(every.c.own_at).label("at")
    return (
        select(every.c.kind, every.c.contact_id, every.c.value, first)
        .where(every.c.value.is_not(None), every.c.value != "")
        .group_by(every.c.kind, every.c.contact_id, every.c.value)
    )


def _said(book: Book) -> CTE:
    """Pages seen, and events that name where somebody came from; their JSON is read once."""
    log, is_page = events.c, events.c.name == "page_viewed"
    read = {kind: _first_of(book, keys) for kind, keys in PROPERTIES.items()}
    columns = {PAGE: case((is_page, log.subject)), "url": book.first_text(log.forms, "url"), **read}
    keys = [key for keys in PROPERTIES.values() for key in keys]
    query = select(log.contact_id, log.own_at, *(it.label(name) for name, it in columns.items()))
    found = query.where(log.behaviour, or_(is_page, _mentions(book, keys)))
    return found.cte("said").prefix_with("MATERIALIZED")


def _first_of(book: Book, keys: tuple[str, ...]) -> ColumnElement[str]:
    return func.coalesce(*(book.first_text(events.c.forms, key) for key in keys), literal(None))


def _mentions(book: Book, keys: list[str]) -> ColumnElement[bool]:
    """Whether an event has such a property at all: found without reading its JSON."""
    if book.dialect == "postgresql":
        return cast(events.c.forms, JSONB).has_any(cast(keys, ARRAY(Text)))
    whole = cast(events.c.forms, Text)
    return or_(*(func.instr(whole, f'"{key}"') > 0 for key in keys))


def _foreign_host(book: Book, said: CTE) -> ColumnElement[str]:
    """The host of the page they came from; nothing where it is the site's own."""
    came, here = _host(book, said.c.referrer), _host(book, said.c.url)
    return func.nullif(came, func.coalesce(here, ""))


def _host(book: Book, address: ColumnElement[str]) -> ColumnElement[str]:
    bare: Any = address
    for scheme in ("https://", "http://"):
        bare = func.replace(bare, scheme, "")
    return func.replace(book.before(bare, "/"), "www.", "")


def _brought(until: int) -> Select[Any]:
    """Attributes that say it, as old as their newest value."""
    of = attributes.c
    kind = case(ATTRIBUTES, value=of.name)
    return select(kind.label("kind"), of.contact_id, of.text, of.set_at).where(
        of.name.in_(ATTRIBUTES), of.element == 0, of.set_at <= until
    )
