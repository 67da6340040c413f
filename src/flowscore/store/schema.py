"""Tells whether a database is ours and of which version, and brings an older one up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, inspect, text

from flowscore.errors import FlowscoreError
from flowscore.store import statistics

Part = Literal["store", "inbox", "all"]  # SQLite keeps the inbox in a file of its own

LATEST = "0004"
VERSIONS = "flowscore_version"
MIGRATIONS = Path(__file__).with_name("migrations")


def bring_up_to_date(engine: Engine, part: Part, place: str) -> None:
    """Create or migrate the tables in one transaction; refuse what is not ours or too new."""
    with engine.connect() as connection, connection.begin():
        if _version(connection, place) == LATEST:
            return
    with (
        engine.connect().execution_options(flowscore_begin="BEGIN IMMEDIATE") as connection,
        connection.begin(),
    ):
        migrate(connection, part, "head")


def _version(connection: Connection, place: str) -> str | None:
    """The version of the tables; None for an empty database."""
    names = set(inspect(connection).get_table_names())
    if VERSIONS not in names:
        refuse_foreign(connection.dialect.name, names, place)
        return None
    version = connection.scalar(text(f"SELECT version_num FROM {VERSIONS}"))
    if version is not None and version > LATEST:
        raise FlowscoreError(
            f"{place}: written by a newer flowscore (tables {version}, this one knows {LATEST}); "
            "upgrade flowscore, the store was left as it is"
        )
    return version


def refuse_foreign(dialect: str, names: set[str], place: str) -> None:
    """A SQLite file belongs to one program; a PostgreSQL database may be shared."""
    from flowscore.store.tables import OURS

    strange = names if dialect == "sqlite" else names & OURS
    if strange:
        found = ", ".join(sorted(strange)[:3])
        raise FlowscoreError(
            f"{place}: this is a database of another program (it has {found}) and was left as it "
            "is; name another one in FLOWSCORE_DATABASE_URL"
        )


def migrate(connection: Connection, part: Part, revision: str) -> None:
    """Run the migrations of one database up to a revision, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, part=part)
    if connection.dialect.name == "postgresql":  # two openers at once: the second finds it done
        connection.execute(text("SELECT pg_advisory_xact_lock(1718382455)"))
    command.upgrade(config, revision)
    if connection.dialect.name == "sqlite" and part == "store":
        statistics.expect(connection, "main", statistics.STORE)
