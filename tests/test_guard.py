"""The fixtures that everything else leans on: both databases, and the guard around them."""

from __future__ import annotations

import os
import smtplib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from flowscore.store.database import Store
from required import REQUIRE


def test_store_is_empty_and_writable_on_both_databases(store: Store) -> None:
    with store.transact() as connection:
        assert connection.scalar(text("SELECT count(*) FROM contacts")) == 0
        connection.execute(
            text(
                "INSERT INTO contacts (email, known, created_at, draw_a, draw_b)"
                " VALUES ('ada@example.com', true, 0, 0, 0)"
            )
        )


def test_stores_of_two_tests_do_not_meet(store: Store) -> None:
    with store.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM contacts")) == 0


def test_real_smtp_raises() -> None:
    with pytest.raises(RuntimeError, match="stay on this machine"):
        smtplib.SMTP("192.0.2.1", 25, timeout=1)


def test_databases_of_the_user_raise(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="use tmp_path"):
        create_engine("sqlite:////srv/academy/flowscore.db").connect()
    with pytest.raises(RuntimeError, match="use the fixture store"):
        create_engine("postgresql+psycopg://me@db.example.com/crm").connect()
    sqlite3.connect(tmp_path / "mine.db").close()


def test_settings_of_the_user_do_not_reach_tests() -> None:
    settings = {name for name in os.environ if name.startswith("FLOWSCORE_")}
    assert settings <= {REQUIRE}
