"""The tick's lock: one process at a time, let go by the system when that process dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, text

from flowscore.errors import FlowscoreError
from flowscore.store.functions import process_name

TICK_LOCK = 0x666C6F77  # "flow"
NOBODY_KNOWN = "another process"


@contextmanager
def lock_file(database: Path) -> Iterator[None]:
    """An OS lock on a file beside the SQLite store, which also says who holds it."""
    with database.with_name(database.name + ".lock").open("a+") as file:
        _take(file, database)
        file.truncate(0)
        file.write(process_name())
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _take(file: IO[str], database: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        raise _held(str(database), file.read() or NOBODY_KNOWN) from error


@contextmanager
def lock_database(engine: Engine) -> Iterator[None]:
    """A session lock of PostgreSQL, on a connection of its own."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": TICK_LOCK})
        if not taken:
            holder = connection.scalar(text(HOLDER), {"key": TICK_LOCK})
            raise _held(engine.url.render_as_string(), holder or NOBODY_KNOWN)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": TICK_LOCK})


HOLDER = """
    SELECT a.application_name || ' (server process ' || a.pid || ')'
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.objid = :key AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _held(place: str, holder: str) -> FlowscoreError:
    return FlowscoreError(
        f"{place}: a tick is being run by {holder}; one at a time, wait for it or stop it"
    )
