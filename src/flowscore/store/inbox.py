"""The inbox: what came in, durable and untouched, until a tick takes it (ruling 123)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from flowscore.store.database import Store

BATCH = 5000


class InboxRow(NamedTuple):
    """A line of the inbox, as `tables.InboxLine` has it: JSON as text, and a boolean as 0 or 1,
    which the driver of SQLite binds much faster.
    """

    message_id: str
    kind: str
    name: str | None
    user_kind: str | None
    user_value: str | None
    email: str | None
    email_folded: str | None
    anonymous_id: str | None
    own_at: int
    received_at: int
    historical: int = 0
    quiet: int = 0
    subject: str | None = None
    topic: str | None = None
    mail_key: str | None = None
    machine: int = 0
    behaviour: int = 0
    properties: str | None = None
    forms: str | None = None
    traits: str | None = None
    consents: str | None = None
    consent_at: int | None = None
    consent_source: str = ""
    source: str | None = None


COLUMNS = ", ".join(InboxRow._fields)
MARKS = ", ".join("?" for _ in InboxRow._fields)

# Many rows a statement: Python's lock is given up once for all of them, not once for each, so
# that whoever reads requests meanwhile is not held up. So few sizes that all stay prepared.
TOGETHER = (100, 10, 1)
SQLITE_INSERT = {
    number: f"INSERT INTO inbox ({COLUMNS}) VALUES {', '.join([f'({MARKS})'] * number)}"
    " ON CONFLICT DO NOTHING"
    for number in TOGETHER
}
SQLITE_GIVE_WAY = "DELETE FROM inbox WHERE message_id = ? AND received_at > ?"

POSTGRESQL_DESK = f"""
    CREATE TEMP TABLE IF NOT EXISTS arriving ON COMMIT DELETE ROWS
    AS SELECT 0 AS place, {COLUMNS} FROM inbox LIMIT 0
"""
POSTGRESQL_COPY = f"COPY arriving (place, {COLUMNS}) FROM STDIN"
# In the order of the ids, so that two receivers of the same calls never wait for each other.
POSTGRESQL_INSERT = f"""
    INSERT INTO inbox ({COLUMNS})
    SELECT {COLUMNS} FROM (
        SELECT DISTINCT ON (message_id) * FROM arriving ORDER BY message_id, received_at, place
    ) AS first ORDER BY message_id ON CONFLICT DO NOTHING
"""
POSTGRESQL_GIVE_WAY = """
    DELETE FROM inbox USING arriving
    WHERE inbox.message_id = arriving.message_id AND inbox.received_at > arriving.received_at
"""


@dataclass
class Received:
    """How many lines are new, and how many carry a messageId that was there already."""

    taken: int = 0
    duplicates: int = 0


def receive(store: Store, lines: Iterable[InboxRow], *, look: bool = False) -> Received:
    """Write lines durably, batch by batch; of equal messageIds the first received stays.

    With `look` what a tick has taken already is a duplicate too; else the next tick drops it.
    """
    received = Received()
    look = look and _has_log(store)
    for batch in batches(lines):
        unknown = _unknown(store, batch) if look else batch
        with store.receive() as connection:
            new = _insert(connection, unknown) if unknown else 0
        received.taken += new
        received.duplicates += len(batch) - new
    return received


TAKEN = "SELECT message_id FROM {table} WHERE message_id {among}"
AMONG = {
    "sqlite": "IN (SELECT value FROM json_each(:ids))",
    "postgresql": "IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))",
}


def _has_log(store: Store) -> bool:
    there = "SELECT EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM calls)"
    with store.read() as connection:
        return bool(connection.scalar(text(there)))


def _unknown(store: Store, batch: list[InboxRow]) -> list[InboxRow]:
    """The lines whose messageId neither an event nor a call has."""
    among = AMONG[store.dialect]
    both = " UNION ALL ".join(TAKEN.format(table=t, among=among) for t in ("events", "calls"))
    ids = orjson.dumps([row.message_id for row in batch]).decode()
    with store.read() as connection:
        known = set(connection.scalars(text(both), {"ids": ids}))
    return [row for row in batch if row.message_id not in known] if known else batch


def batches(lines: Iterable[InboxRow], size: int = BATCH) -> Iterator[list[InboxRow]]:
    """Lists of so many lines, the last one shorter."""
    iterator = iter(lines)
    while batch := list(islice(iterator, size)):
        yield batch


def write(connection: Connection, batch: list[InboxRow]) -> int:
    """Write lines in a transaction of `Store.receive`; gives how many are new."""
    return _insert(connection, batch) if batch else 0


def _insert(connection: Connection, batch: list[InboxRow]) -> int:
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        return _insert_sqlite(cursor, batch)
    return _insert_postgresql(cursor, batch)


def _insert_sqlite(cursor: Any, batch: list[InboxRow]) -> int:
    """A line never changes in the inbox, since a tick may be looking: a better one replaces it."""
    new = _insert_by_the_hundred(cursor, batch)
    if new < len(batch):
        cursor.executemany(SQLITE_GIVE_WAY, [(row.message_id, row.received_at) for row in batch])
        earliest_first = sorted(batch, key=lambda row: row.received_at)
        _insert_by_the_hundred(cursor, earliest_first)
    return new


def _insert_by_the_hundred(cursor: Any, batch: list[InboxRow]) -> int:
    """Gives how many are new."""
    new = begin = 0
    for number in TOGETHER:
        while len(batch) - begin >= number:
            values = list(chain.from_iterable(batch[begin : begin + number]))
            new += cursor.execute(SQLITE_INSERT[number], values).rowcount
            begin += number
    return new


def _insert_postgresql(cursor: Any, batch: list[InboxRow]) -> int:
    cursor.execute(POSTGRESQL_DESK)
    with cursor.copy(POSTGRESQL_COPY) as copy:
        for place, row in enumerate(batch):
            copy.write_row((place, *row))
    new: int = cursor.execute(POSTGRESQL_INSERT).rowcount
    if new < len(batch) and cursor.execute(POSTGRESQL_GIVE_WAY).rowcount:
        cursor.execute(POSTGRESQL_INSERT)
    return new
