"""Migrations: the revisions make the tables that the program knows, and keep old data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from flowscore.store import schema
from flowscore.store.database import Store, open_store
from flowscore.store.tables import PLACED
from store.taking import look, names, send, tick, track

LATER = '''
"""One revision more, as a later flowscore may bring it."""
import sqlalchemy as sa
from alembic import context, op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    part = context.config.attributes["part"]
    if part in ("store", "all"):
        op.add_column("contacts", sa.Column("phone_folded", sa.Text()))
        op.execute("UPDATE contacts SET phone_folded = email_folded")
        LATER
    if part in ("inbox", "all"):
        op.add_column("inbox", sa.Column("door", sa.Text()))
'''


def test_revisions_make_the_tables_of_the_models(store: Store) -> None:
    """Where this fails: add a revision, the tables have changed."""
    for engine, part in ((store.engine, "store"), (store.inbox_engine, "inbox")):
        placed = PLACED[part if store.path else "all"]

        def ours(name: str | None, kind: str, _: object, placed: frozenset[str] = placed) -> bool:
            return kind != "table" or name in placed

        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "version_table": schema.VERSIONS,
                    "include_name": ours,
                    "include_object": lambda table, name, kind, *_: ours(name, kind, None),
                },
            )
            assert compare_metadata(context, SQLModel.metadata) == []


def test_indexes_are_partial_where_the_models_say(store: Store) -> None:
    """Alembic does not compare what a partial index covers."""
    wanted = {
        index.name: str(index.dialect_options[store.dialect]["where"])
        for table in SQLModel.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options[store.dialect]["where"] is not None
    }
    found = {}
    for engine in {store.engine, store.inbox_engine}:
        looking = inspect(engine)
        for table in looking.get_table_names():
            for index in looking.get_indexes(table):
                where = index.get("dialect_options", {}).get(f"{store.dialect}_where")
                if where is not None:
                    found[index["name"]] = str(where)
    assert found.keys() == wanted.keys()
    if store.path:
        assert found == wanted


def test_latest_is_the_head() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.LATEST


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flowscore with one revision more; gives its file."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    one_more = migrations / "versions" / "0005_later.py"
    one_more.write_text(LATER.replace("LATER", "pass"))
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "LATEST", "0005")
    return one_more


def test_an_old_store_is_upgraded_with_its_data(store: Store, store_url: str, later: Path) -> None:
    send(store, track("a", 1, user="ana@x.es"))
    tick(store, 1)
    send(store, track("b", 2, user="ana@x.es"))
    new = open_store(store_url)
    assert look(new, "SELECT email, phone_folded FROM contacts") == [("ana@x.es", "ana@x.es")]
    tick(new, 2)
    assert names(new) == ["contact_created", "a", "b"]
    new.close()


def test_a_failed_upgrade_leaves_the_store_as_it_was(
    store: Store, store_url: str, later: Path
) -> None:
    later.write_text(LATER.replace("LATER", "raise RuntimeError('mishap')"))
    with pytest.raises(RuntimeError, match="mishap"):
        open_store(store_url)
    columns = {column["name"] for column in inspect(store.engine).get_columns("contacts")}
    assert "phone_folded" not in columns
    with store.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM flowscore_version")) == "0004"
