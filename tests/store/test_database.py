"""Opening, refusing, transactions, the tick's lock, and SQL that both databases read."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from flowscore.errors import FlowscoreError
from flowscore.store.database import (
    Store,
    each_element,
    each_json,
    insert_from,
    insert_new,
    json_text,
    open_store,
)
from flowscore.store.tables import State

STATE = State.__table__


def put(store: Store, key: str, value: object) -> None:
    with store.transact() as connection:
        connection.execute(insert_new(STATE), [{"key": key, "value": value}])


def fail_after_writing(connection: Connection) -> None:
    connection.execute(insert_new(STATE), [{"key": "b", "value": 1}])
    raise ZeroDivisionError


def fill_the_disk(connection: Connection) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 3}")
    rows = [{"key": f"{i}", "value": "x" * 9000} for i in range(9)]
    connection.execute(insert_new(STATE), rows)


def keys(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(select(STATE.c.key).order_by(STATE.c.key)))


def test_transact_lands_or_leaves_nothing(store: Store) -> None:
    put(store, "a", 1)
    with pytest.raises(ZeroDivisionError), store.transact() as connection:
        fail_after_writing(connection)
    with store.transact(durable=True) as connection:
        connection.execute(insert_new(STATE), [{"key": "a", "value": 9}, {"key": "c", "value": 1}])
    assert keys(store) == ["a", "c"]


def test_insert_from_twice_inserts_once(store: Store) -> None:
    put(store, "a", 1)
    copies = select(STATE.c.key + "-copy", STATE.c.value)
    for expected in (1, 0):
        with store.transact() as connection:
            only = copies.where(STATE.c.key == "a")
            inserted = connection.execute(insert_from(STATE, ["key", "value"], only))
            assert inserted.rowcount == expected
    with store.transact() as connection:  # the trap: no WHERE in the select
        connection.execute(insert_from(STATE, ["key", "value"], copies))
    assert keys(store) == ["a", "a-copy", "a-copy-copy"]


def test_json_is_read_alike(store: Store) -> None:
    put(store, "o", {"sku.x": [["ab", 1.5], ["cd"]], 'q"': [["z"]]})
    pair = each_json(STATE.c.value)
    element = each_element(pair.c.value)
    query = (
        select(pair.c.key, json_text(element.c.value, 0))
        .select_from(STATE)
        .join(pair, text("true"))
        .join(element, text("true"))
        .order_by(pair.c.key, json_text(element.c.value, 0))
    )
    with store.read() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [
            ('q"', "z"),
            ("sku.x", "ab"),
            ("sku.x", "cd"),
        ]
        reached = select(json_text(STATE.c.value, "sku.x", 1, 0), json_text(STATE.c.value, "none"))
        assert tuple(connection.execute(reached).one()) == ("cd", None)


def test_like_minds_case_on_both(store: Store) -> None:
    put(store, "/Blog", 1)
    with store.read() as connection:
        assert not connection.scalars(select(STATE.c.key).where(STATE.c.key.like("/blog%"))).all()


def test_t14_lock_tick_names_its_holder(store: Store, store_url: str) -> None:
    second = open_store(store_url)
    with store.lock_tick():
        with pytest.raises(FlowscoreError, match=r"process \d+.*one at a time"), second.lock_tick():
            pass
        put(second, "written", "while the lock is held")
    with second.lock_tick():
        pass
    second.close()


def test_open_finds_everything_up_to_date(store: Store, store_url: str) -> None:
    put(store, "a", 1)
    again = open_store(store_url)
    assert keys(again) == ["a"]
    again.close()


def test_open_refuses_a_missing_store(tmp_path: Path) -> None:
    with pytest.raises(FlowscoreError, match="no store here; `flowscore init`"):
        open_store(tmp_path / "flowscore.db")
    with pytest.raises(FlowscoreError, match="no such folder"):
        open_store(tmp_path / "none" / "flowscore.db", create=True)
    assert not list(tmp_path.iterdir())


def test_open_refuses_another_programs_file(tmp_path: Path) -> None:
    path = tmp_path / "flowscore.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    with pytest.raises(FlowscoreError, match=r"database of another program \(it has recipes\)"):
        open_store(path, create=True)
    assert path.read_bytes()[100:] == before[100:]
    path.write_text("Dear diary, " * 100)
    with pytest.raises(FlowscoreError, match="not a flowscore store"):
        open_store(path)


def test_open_refuses_another_programs_tables_on_postgresql(postgres_url: str) -> None:
    opened = open_store(postgres_url)
    with opened.transact() as connection:
        connection.execute(text("DROP TABLE flowscore_version"))
    opened.close()
    with pytest.raises(FlowscoreError, match="database of another program"):
        open_store(postgres_url)


def test_open_refuses_a_newer_store(store: Store, store_url: str) -> None:
    with store.transact() as connection:
        connection.execute(text("UPDATE flowscore_version SET version_num = '9999'"))
    with pytest.raises(FlowscoreError, match="written by a newer flowscore"):
        open_store(store_url)


def test_open_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "flowscore.db").mkdir()
    with pytest.raises(FlowscoreError, match=r"flowscore.db: it cannot be opened; check"):
        open_store(tmp_path / "flowscore.db", create=True)


def test_transact_says_that_it_may_not_write(tmp_path: Path) -> None:
    store = open_store(tmp_path / "flowscore.db", create=True)
    with store.engine.connect() as connection:  # root may write anywhere: forbid it to SQLite
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(FlowscoreError, match="cannot be written to; check the permissions"):
        put(store, "a", 1)
    store.close()


def test_open_refuses_other_databases() -> None:
    with pytest.raises(FlowscoreError, match="SQLite files or postgresql"):
        open_store("mysql://root:secret@db/flowscore")


def test_transact_says_that_the_database_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowscore.store.database.BUSY_SECONDS", 0.05)
    store = open_store(tmp_path / "flowscore.db", create=True)
    with sqlite3.connect(tmp_path / "flowscore.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(FlowscoreError, match="another process is writing"), store.transact():
            pass
        assert keys(store) == []  # readers do not wait
        other.execute("ROLLBACK")
    store.close()


def test_transact_says_that_the_disk_is_full(tmp_path: Path) -> None:
    store = open_store(tmp_path / "flowscore.db", create=True)
    with pytest.raises(FlowscoreError, match="disk is full; make room"), store.transact() as full:
        fill_the_disk(full)
    store.close()


def test_a_folder_with_odd_letters_is_no_matter(tmp_path: Path) -> None:
    folder = tmp_path / "50% off? #1 «ñ»"
    folder.mkdir()
    store = open_store(folder / "flow score.db", create=True)
    put(store, "a", 1)
    with store.receive() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM inbox").scalar() == 0
    assert keys(store) == ["a"]
    store.close()
    assert sorted(path.name for path in folder.iterdir()) == ["flow score.db", "inbox.db"]


def test_opening_a_store_twice_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    """Else another process that leaves takes itself for the last, and tidies away our WAL."""
    path = tmp_path / "flowscore.db"
    first = open_store(path, create=True)
    with first.transact() as connection:
        connection.execute(text("INSERT INTO state (key, value) VALUES ('a', '1')"))
    open_store(path).close()
    leaving = f"from flowscore.store.database import open_store; s = open_store({str(path)!r});"
    leaving += " s.read().__enter__(); s.close()"
    subprocess.run([sys.executable, "-c", leaving], check=True)
    assert path.with_name("flowscore.db-wal").exists()
    with first.transact() as connection:
        connection.execute(text("INSERT INTO state (key, value) VALUES ('b', '2')"))
    first.close()
    again = open_store(path)
    with again.read() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert connection.scalar(text("SELECT count(*) FROM state WHERE key IN ('a', 'b')")) == 2
    again.close()
