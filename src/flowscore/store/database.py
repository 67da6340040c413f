"""Opens the store and keeps its transactions, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from flowscore.errors import FlowscoreError
from flowscore.store import functions, schema
from flowscore.store.dialects import (
    each_element,
    each_json,
    insert_from,
    insert_new,
    json_text,
)
from flowscore.store.locks import Work, lock_database, lock_file
from flowscore.store.waiting import offer_waiting

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = [
    "Store",
    "each_element",
    "each_json",
    "insert_from",
    "insert_new",
    "json_text",
    "open_store",
]

BUSY_SECONDS = 30
# Pages of the inbox's log before they are copied into its file: a page that changes with each
# batch is copied once for many of them.
INBOX_PAGES = 10_000
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "case_sensitive_like=ON",  # PostgreSQL's LIKE is
    "temp_store=FILE",
    "cache_size=-65536",
)


@dataclass(frozen=True)
class Store:
    """An open store. On SQLite the inbox is a file of its own, so that intake never waits."""

    engine: Engine
    inbox_engine: Engine
    place: str  # for messages: the file, or the URL without its password

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @property
    def path(self) -> Path | None:
        """The file of a SQLite store."""
        return Path(self.place) if self.dialect == "sqlite" else None

    @contextmanager
    def transact(self, durable: bool = False) -> Iterator[Connection]:
        """A writing transaction; once a durable one has ended, its rows survive a power cut."""
        with told(self.place), self.engine.connect() as plain:
            connection = plain.execution_options(flowscore_begin="BEGIN IMMEDIATE")
            with _synchronous(connection, durable), connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the store and writes nothing."""
        with told(self.place), self.engine.connect() as plain:
            snapshot = {"isolation_level": "REPEATABLE READ"} if self.path is None else {}
            connection = plain.execution_options(**snapshot)
            with connection.begin():
                yield connection

    @contextmanager
    def receive(self) -> Iterator[Connection]:
        """A durable transaction on the inbox; on SQLite no other table is in sight."""
        with told(self.place), self.inbox_engine.connect() as plain:
            connection = plain.execution_options(flowscore_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def lock_tick(self) -> AbstractContextManager[None]:
        """Held by one process at a time; the second gets an error that names the holder."""
        return self._lock("tick")

    def lock_run(self) -> AbstractContextManager[None]:
        """Held by `flowscore run` for as long as it lives; ticks by hand go on beside it."""
        return self._lock("run")

    def _lock(self, work: Work) -> AbstractContextManager[None]:
        return lock_file(self.path, work) if self.path else lock_database(self.engine, work)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
        self.inbox_engine.dispose()  # last, since it alone may tidy up after inbox.db


def open_store(url_or_path: str | Path, *, create: bool = False) -> Store:
    """The store at a path or URL, with every table of this version of flowscore.

    An older store is brought up to date. What is missing (without `create`), is not a
    flowscore store, or was written by a newer flowscore is refused and left as it is.
    """
    text = str(url_or_path)
    if text.startswith(("postgresql:", "postgresql+", "postgres:")):
        store = _open_postgresql(text)
    elif "://" in text and not text.startswith("sqlite:"):
        raise FlowscoreError(f"{_shown(text)}: stores are SQLite files or postgresql:// URLs")
    else:
        store = _open_sqlite(_sqlite_path(text), create)
    offer_waiting(store)
    return store


def _open_sqlite(path: Path, create: bool) -> Store:
    if not create and not path.is_file():
        raise FlowscoreError(
            f"{path}: no store here; `flowscore init` makes a project, `flowscore apply` its store"
        )
    if not path.parent.is_dir():
        raise FlowscoreError(f"{path.parent}: no such folder, so no store can be made in it")
    inbox = path.with_name("inbox.db")
    with told(str(path)):
        _refuse_untouched(path)
        bare, bare_inbox = _sqlite_engine(path), _sqlite_engine(inbox, "FULL")
        try:
            schema.bring_up_to_date(bare, "store", str(path))
            schema.bring_up_to_date(bare_inbox, "inbox", str(inbox))
        finally:
            bare.dispose()
    return Store(_sqlite_engine(path, inbox=inbox), bare_inbox, str(path))


def _refuse_untouched(path: Path) -> None:
    """A database of another program is looked at read-only: not even its journal mode changes.

    Only SQLite itself may look. Were the file opened and closed by hand, this process would
    lose its locks on it, and another one could tidy away the WAL that is being written.
    """
    if not path.is_file() or not path.stat().st_size:
        return
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as looking:
        found = looking.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {row[0] for row in found}
    if schema.VERSIONS not in names:
        schema.refuse_foreign("sqlite", names, str(path))


def _open_postgresql(text: str) -> Store:
    url = make_url(re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql+psycopg:", text))
    engine = create_engine(
        url,
        pool_pre_ping=True,
        connect_args={"application_name": functions.process_name()},
    )
    place = _shown(str(text))
    with told(place):
        schema.bring_up_to_date(engine, "all", place)
    return Store(engine, engine, place)


def _sqlite_engine(path: Path, synchronous: str = "NORMAL", inbox: Path | None = None) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # `uri`, since not every build of SQLite reads the ATTACH below without it.
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "uri": True},
    )

    @event.listens_for(engine, "connect")
    def prepare(dbapi: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        dbapi.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")
        dbapi.execute(f"PRAGMA synchronous={synchronous}")
        if synchronous == "FULL":
            dbapi.execute(f"PRAGMA wal_autocheckpoint={INBOX_PAGES}")
        functions.register(dbapi)
        if inbox:
            # Read-only, so that BEGIN IMMEDIATE takes no lock on what intake is writing.
            dbapi.execute("ATTACH ? AS inbox_file", (inbox.resolve().as_uri() + "?mode=ro",))

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        words = connection.get_execution_options().get("flowscore_begin", "BEGIN")
        connection.exec_driver_sql(words)

    return engine


@contextmanager
def _synchronous(connection: Connection, durable: bool) -> Iterator[None]:
    """SQLite in WAL mode flushes at commit only when told to; PostgreSQL always does."""
    dbapi: Any = connection.connection.dbapi_connection
    if not durable or not isinstance(dbapi, sqlite3.Connection):
        yield
        return
    dbapi.execute("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        dbapi.execute("PRAGMA synchronous=NORMAL")


SAYINGS = {
    "locked": "another process is writing to it and did not finish in time; try again",
    "readonly": "it cannot be written to; check the permissions of the file and of its folder",
    "unable to open": "it cannot be opened; check that its folder exists and can be written to",
    "is full": "the disk is full; make room and run the same command again, nothing counts twice",
    "disk i/o error": "the disk could not be written; check that it has room and is writable",
    "not a database": "this file is not a flowscore store; name another file",
    "malformed": "the file is damaged; restore it from a backup",
    "connection": "the database cannot be reached; check that it runs and the URL is right",
}


@contextmanager
def told(place: str) -> Iterator[None]:
    """What a person can mend becomes a FlowscoreError; everything else passes unchanged."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        text = str(cause).lower() + (" connection" if lost else "")
        for words, saying in SAYINGS.items():
            if words in text:
                raise FlowscoreError(f"{place}: {saying} ({_first_line(cause)})") from error
        raise


def _first_line(cause: object) -> str:
    return (str(cause).strip().splitlines() or [""])[0]


def _sqlite_path(text: str) -> Path:
    return Path(text.removeprefix("sqlite:///") if text.startswith("sqlite:") else text)


def _shown(url: str) -> str:
    """A URL without its password."""
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:…@", url)
