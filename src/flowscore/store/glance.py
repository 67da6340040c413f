"""Which events have ever come in, seen without opening the store: `validate` starts in a moment.

SQLite itself looks, read-only; the files are never opened by hand (see `database.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

# One look-up in the index for each name, however many events have it.
NAMES = """
    WITH RECURSIVE seen(name) AS (
        SELECT min(name) FROM events
        UNION ALL
        SELECT (SELECT min(name) FROM events WHERE name > seen.name) FROM seen
        WHERE seen.name IS NOT NULL
    )
    SELECT name FROM seen WHERE name IS NOT NULL
"""
MOST_WAITING = 20_000
WAITING = f"SELECT name FROM inbox LIMIT {MOST_WAITING + 1}"
"""What came in and no tick has taken has no index: of more than so many lines nothing is said."""

INTERNAL = frozenset({"enroll_requested"})  # asked for by hand, no event of anybody
SECONDS = 0.2  # to wait for another process


def seen_events(store: Path) -> frozenset[str]:
    """The names of all events of a SQLite store; none where it cannot be looked at."""
    if not store.is_file():
        return frozenset()
    import sqlite3

    try:
        return together(_ask(store, NAMES), _ask(store.with_name("inbox.db"), WAITING))
    except sqlite3.Error:
        return frozenset()


def together(taken: Sequence[str], waiting: Sequence[str | None]) -> frozenset[str]:
    """All names; none where more is waiting than was looked at."""
    if len(waiting) > MOST_WAITING:
        return frozenset()
    return frozenset(name for name in (*taken, *waiting) if name) - INTERNAL


def _ask(file: Path, query: str) -> list[str]:
    """While nobody has it open there is no log beside it, and a look must not leave one there."""
    import sqlite3

    is_open = file.with_name(f"{file.name}-wal").exists()
    address = f"{file.resolve().as_uri()}?{'mode=ro' if is_open else 'immutable=1'}"
    with closing(sqlite3.connect(address, uri=True, timeout=SECONDS)) as looking:
        return [row[0] for row in looking.execute(query)]
