"""Locks of the store: one process at a time, let go by the system when that process dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from flowscore.clock import SECOND, instant_of, rfc3339
from flowscore.errors import FlowscoreError
from flowscore.store.functions import process_name

Work = Literal["tick", "run"]

KEYS: dict[Work, int] = {"tick": 0x666C6F77, "run": 0x666C6F78}  # "flow", "flox"
HELD: dict[Work, str] = {
    "tick": "a tick is being run by {}; one at a time, wait for it or stop it",
    "run": "`flowscore run` is at work on this store already: {}; stop that one first",
}
NOBODY_KNOWN = "another process"


@contextmanager
def lock_file(database: Path, work: Work) -> Iterator[None]:
    """An OS lock on a file beside the SQLite store, which also says who holds it."""
    suffix = ".lock" if work == "tick" else f".{work}.lock"
    with database.with_name(database.name + suffix).open("a+") as file:
        _take(file, database, work)
        file.truncate(0)
        file.write(process_name())
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _take(file: IO[str], database: Path, work: Work) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _held(str(database), work, _written_holder(file)) from error


def _written_holder(file: IO[str]) -> str:
    """Who holds the lock, since when: the file was written the moment it was taken."""
    file.seek(0)
    name = file.read()
    taken = datetime.fromtimestamp(Path(file.name).stat().st_mtime, UTC)
    return (
        f"{name}, since {rfc3339(instant_of(taken) // SECOND * SECOND)}" if name else NOBODY_KNOWN
    )


@contextmanager
def lock_database(engine: Engine, work: Work) -> Iterator[None]:
    """A session lock of PostgreSQL, on a connection of its own."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": KEYS[work]}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            holder = connection.scalar(text(HOLDER), key)
            raise _held(engine.url.render_as_string(), work, holder or NOBODY_KNOWN)
        try:
            yield
        finally:
            _unlock(connection, key)


def _unlock(connection: Connection, key: dict[str, int]) -> None:
    """A connection that broke took its lock with it."""
    try:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
    except DBAPIError:
        connection.invalidate()


HOLDER = """
    SELECT a.application_name || ' (server process ' || a.pid || '), since '
        || to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.objid = :key AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _held(place: str, work: Work, holder: str) -> FlowscoreError:
    return FlowscoreError(f"{place}: {HELD[work].format(holder)}")
