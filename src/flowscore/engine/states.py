"""What the store knows of itself, by key: the watermark, counters, notes from tick to tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from flowscore.store.tables import state

if TYPE_CHECKING:
    from sqlalchemy import Connection


def read_state(connection: Connection, key: str) -> Any:
    """A value the store keeps about itself, or None."""
    return connection.execute(select(state.c.value).where(state.c.key == key)).scalar()


def write_state(connection: Connection, key: str, value: Any) -> None:
    """Keep a value under its key."""
    connection.execute(delete(state).where(state.c.key == key))
    connection.execute(insert(state).values(key=key, value=value))


def take_note(connection: Connection, key: str) -> Any:
    """A value that is read once: whoever takes it leaves nothing behind."""
    found = read_state(connection, key)
    if found is not None:
        connection.execute(delete(state).where(state.c.key == key))
    return found
