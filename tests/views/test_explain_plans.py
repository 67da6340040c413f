"""Explaining one of a million: every statement finds its rows by an index, on both databases.

SQLite plans as if the store were full (store/statistics.py); PostgreSQL is told to walk whole
tables only where nothing else is possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from engine.world import START
from flowscore.clock import HOUR, MINUTE

from .explained import ANA, BEN, Explained
from .test_explain_why import PROJECT

if TYPE_CHECKING:
    from flowscore.store.database import Store

MORE = """
---
score: shared
of: company
rules: [{name: s, points: 10, on: {event: hello}}]
---
grade: g
fit: {score: shared, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: [{grade: A4}, {inactive: 3 days}, {consent: news}, {email_opened: any}]}
"""
SMALL = "definitions|state|inbox|taken"
WIDE_SQLITE = re.compile(rf"SCAN (?!({SMALL})\b|CONSTANT|\(|\d|_?anon)\w+")
WIDE_POSTGRESQL = re.compile(rf"Seq Scan on (?!({SMALL})\b)\w+")


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """What is asked meanwhile, with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine, "before_cursor_execute", note)


def plans(store: Store, asked: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each statement with how the database would run it."""
    sqlite = store.dialect == "sqlite"
    with store.read() as connection:
        if not sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in asked:
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            rows = connection.exec_driver_sql(explain + statement, parameters)
            yield statement, "\n".join(str(row[-1]) for row in rows)


def test_d07_nothing_is_walked_whole_to_explain_one_contact(world: Explained) -> None:
    world.apply(PROJECT + MORE)
    for who in (ANA, BEN):
        world.group(who, "acme", START)
        for minute in range(3):
            world.track(who, "hello", START + minute * MINUTE)
    world.tick(START + HOUR)
    with statements(world.store) as asked:
        world.explain()
        world.scenario("offer")
        world.list("hot")
    wide = WIDE_SQLITE if world.store.dialect == "sqlite" else WIDE_POSTGRESQL
    found = [(wide.findall(plan), statement) for statement, plan in plans(world.store, asked)]
    assert not [one for one in found if one[0]]
    assert len(asked) < 60, "few statements, however many lines there are"
