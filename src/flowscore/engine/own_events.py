"""flowscore's own events: what the engine did, in the same log as what people do (LANGUAGE 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    Text,
    cast,
    false,
    literal,
    select,
    true,
)

from flowscore.store.dialects import insert_from
from flowscore.store.tables import Json, events

if TYPE_CHECKING:
    from flowscore.rules.book import Book

COLUMNS = [
    "message_id", "contact_id", "name", "subject", "topic", "machine", "behaviour", "own_at",
    "received_at", "seen_at", "historical", "properties", "forms",
]  # fmt: skip


def own_event(
    book: Book,
    name: str,
    subject: str | ColumnElement[Any],
    message_id: ColumnElement[Any],
    rows: Any,
    properties: dict[str, Any] | ColumnElement[Any],
    *,
    topic: str | None = None,
    forms: Any = None,
) -> Insert:
    """Statement: an event at T for each contact of `rows` (a FROM with `contact_id`).

    `forms` are those of the properties where nothing else (an expression over `rows`) is given.
    """
    now = cast(book.now, BigInteger)
    if isinstance(properties, dict) and forms is None:
        folded = {key: [[str(value).casefold()]] for key, value in properties.items()}
        forms = literal(folded, Json)
    chosen: Select[Any] = (
        select(
            message_id,
            rows.c.contact_id,
            literal(name),
            literal(subject) if isinstance(subject, str) else subject,
            cast(literal(topic), Text),
            false(),
            false(),
            now,
            now,
            now,
            false(),
            literal(properties, Json) if isinstance(properties, dict) else properties,
            forms,
        )
        .where(true())
        .order_by(rows.c.contact_id)
    )
    return insert_from(events, COLUMNS, chosen)
