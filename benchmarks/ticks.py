"""One tick on a prepared store, in a process of its own: seconds by phase, rows, memory.

    python benchmarks/ticks.py STORE CONTACTS EVENTS ARRIVING engine|hand|idle [--statements N]

The tick really commits, but into the write-ahead log only: nothing is moved into the store's
file, and whoever called throws the log away, so that every run finds the same store.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import peak_mb
from people import arriving
from sizes import DAWN, GRID, MIDNIGHT, NIGHT, Size
from sqlalchemy import event

from flowscore.engine import enrollment, goals, lists, rounds, scoring, steps
from flowscore.engine import tick as ticking
from flowscore.store.calls import read_call
from flowscore.store.database import Store, open_store
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive

if TYPE_CHECKING:
    from sqlalchemy import Connection

OFTEN = GRID // 3  # between ticks in the night
COUNTED = dict.fromkeys(
    ("events", "ledger", "members", "enrollments", "messages", "decisions"), "id"
)
COUNTED["steps"] = "rowid"


def open_as_it_is(place: Path) -> Store:
    """The store, whose file no commit of this process touches."""
    store = open_store(place / "flowscore.db")
    for engine in (store.engine, store.inbox_engine):

        @event.listens_for(engine, "connect")
        def keep(dbapi: Any, _: object) -> None:
            dbapi.execute("PRAGMA wal_autocheckpoint=0")

        engine.dispose()
    return store


def forget_log(place: Path) -> None:
    """Undo what a process did that ended without closing the store."""
    for name in ("flowscore.db", "inbox.db"):
        for end in ("-wal", "-shm"):
            (place / (name + end)).unlink(missing_ok=True)


# --- where the time goes ----------------------------------------------------------------------

VERBS = (
    (rounds, "take_in"),
    (scoring, "award"),
    (scoring, "stand"),
    (lists, "refresh"),
    (goals, "convert"),
    (goals, "answer"),
    (goals, "exit_people"),
    (enrollment, "enroll"),
    (steps, "walk"),
    (ticking, "forget_taken"),
)


@contextmanager
def phases_timed() -> Iterator[dict[str, float]]:
    """Seconds of processor in each verb while this lasts."""
    spent: dict[str, float] = defaultdict(float)
    kept = [(room, name, getattr(room, name)) for room, name in VERBS]

    def timed(name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            begin = time.process_time()
            try:
                return verb(*args, **named)
            finally:
                spent[name] += time.process_time() - begin

        return run

    for room, name, verb in kept:
        setattr(room, name, timed(name, verb))
    try:
        yield spent
    finally:
        for room, name, verb in kept:
            setattr(room, name, verb)


class Statements:
    """Seconds of processor and runs of each statement, with the rows it touched."""

    def __init__(self, store: Store) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0, 0])
        self.values: dict[str, Any] = {}
        self.begun = 0.0
        event.listen(store.engine, "before_cursor_execute", self._before)
        event.listen(store.engine, "after_cursor_execute", self._after)

    def _before(self, *_: Any) -> None:
        self.begun = time.process_time()

    def _after(self, _: Any, cursor: Any, words: str, values: Any, *__: Any) -> None:
        row = self.spent[words]
        row[0] += time.process_time() - self.begun
        row[1] += 1
        row[2] += max(0, cursor.rowcount)
        self.values.setdefault(words, values)

    def costly(self, count: int) -> Iterator[tuple[str, list[float]]]:
        """The statements that took longest."""
        yield from sorted(self.spent.items(), key=lambda one: -one[1][0])[:count]


# Steps of a plan whose cost grows with the store, though only a little has changed.
WIDE = re.compile(
    r"SCAN (contacts|events|ledger|balances|members|enrollments|messages|attributes|steps)(_\d+)?\b"
    r"|SEARCH \w+$|\((name=\?|name=\? AND own_at<\?|rowid<\?|created_at<\?|own_at<\?|score=\?"
    r"|list=\?|list=\? AND left_at=\?|name=\? AND text=\?|status=\?|scenario=\?)\)$"
)


def print_wide(found: Statements, connection: Connection) -> None:
    """The statements that look at more than what changed."""
    for words, (seconds, times, rows) in found.costly(10_000):
        try:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", found.values[words])
            lines = [line[3] for line in plan if WIDE.search(line[3]) and " fresh " not in line[3]]
        except Exception:  # many values at once, or a savepoint, have no plan
            continue
        if lines and "max(" not in words[:30]:
            print(f"\n{seconds:.4f} s, {times} ×, {rows} rows: {' '.join(words.split())}")
            print("\n".join(f"      {line}" for line in lines), flush=True)


def print_statements(found: Statements, connection: Connection, count: int) -> None:
    """The costliest statements with their plans, to the terminal."""
    total = sum(row[0] for row in found.spent.values())
    runs = sum(int(row[1]) for row in found.spent.values())
    print(f"{runs} statements, {total:.3f} s in the database", file=sys.stderr)
    for words, (seconds, times, rows) in found.costly(count):
        short = " ".join(words.split())
        print(f"\n{seconds:.4f} s, {times:.0f} ×, {rows:.0f} rows: {short[:1500]}", file=sys.stderr)
        try:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", found.values[words])
            for line in plan:
                print(f"      {'SCAN' in line[3] and '!!' or '  '} {line[3]}", file=sys.stderr)
        except Exception as error:  # many values at once have no plan
            print(f"      {str(error)[:100]}", file=sys.stderr)


# --- what is measured -------------------------------------------------------------------------


def bring(store: Store, size: Size, since: int, until: int, count: int, seed: int) -> None:
    """Put so many calls into the inbox."""
    reading = Reading(until, as_live=True)
    rows = [read_call(one, reading) for one in arriving(size.contacts, count, since, until, seed)]
    receive(store, (row for row in rows if isinstance(row, InboxRow)))


def warm_up(store: Store, size: Size) -> None:
    """The day's first tick, with a few calls of every kind: statements are built and known."""
    bring(store, size, MIDNIGHT + DAWN, size.start, size.arriving // 10, seed=11)
    ticking.run_ticks(store, from_=size.start, until=size.start, step=GRID)


def last_ids(store: Store) -> dict[str, int]:
    """The greatest id in each table that a tick writes to."""
    with store.read() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT max({key}) FROM {name}").scalar() or 0
            for name, key in COUNTED.items()
        }


def grown(store: Store, before: dict[str, int]) -> dict[str, int]:
    """How many rows each of them has gained."""
    with store.read() as connection:
        return {
            name: connection.exec_driver_sql(
                f"SELECT count(*) FROM {name} WHERE {key} > {before[name]}"
            ).scalar_one()
            for name, key in COUNTED.items()
        }


def run_engine(store: Store, size: Size, count: int) -> dict[str, Any]:
    """The measured tick by the engine."""
    before = last_ids(store)
    statements = Statements(store) if count else None
    with phases_timed() as spent:
        begin, cpu = time.perf_counter(), time.process_time()
        report = ticking.run_ticks(store, from_=size.end, until=size.end, step=GRID)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    assert report.worked == 1, report
    if statements is not None:
        with store.read() as connection:
            print_statements(statements, connection, count)
            print_wide(statements, connection)
    return {"seconds": seconds, "cpu": cpu, "phases": dict(spent), "rows": grown(store, before)} | {
        "counts": {k: v for k, v in vars(report.counts).items() if isinstance(v, int)}
    }


def run_hand(store: Store, size: Size) -> dict[str, Any]:
    """The same tick, written by hand."""
    from by_hand import tick_by_hand

    before = last_ids(store)
    begin, cpu = time.perf_counter(), time.process_time()
    spent = tick_by_hand(store, size.start, size.end)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "phases": spent, "rows": grown(store, before)}


def run_idle(store: Store, count: int) -> dict[str, Any]:
    """Ticks in the night: passed over as the scheduler does, and walked through all the same."""
    passed, walked = [], []
    statements = Statements(store) if count else None
    for n in range(1, 23):
        now = NIGHT + n * OFTEN
        begin = time.perf_counter()
        report = ticking.run_ticks(store, until=now, step=OFTEN, every_instant=n % 2 == 0)
        (walked if n % 2 == 0 else passed).append(time.perf_counter() - begin)
        assert n % 2 == 0 or not report.worked, report
    if statements is not None:
        with store.read() as connection:
            print_statements(statements, connection, count)
    first, *passed = passed
    return {"seconds": statistics.median(passed), "walked": statistics.median(walked)} | {
        "first": first
    }


def main() -> None:
    """One line of JSON; ends without closing the store."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("store", type=Path)
    for name in ("contacts", "events", "arriving"):
        options.add_argument(name, type=int)
    options.add_argument("what", choices=("engine", "hand", "idle"))
    options.add_argument("--statements", type=int, default=0)
    chosen = options.parse_args()
    code = 1
    try:
        print(json.dumps(measure(chosen) | {"memory": peak_mb()}), flush=True)
        code = 0
    except Exception:
        traceback.print_exc()
    forget_log(chosen.store)
    os._exit(code)  # without closing the store, which would move the log into its file


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Warm up, bring what is to arrive, and run what was asked for."""
    size = Size(chosen.contacts, chosen.events, chosen.arriving)
    forget_log(chosen.store)
    store = open_as_it_is(chosen.store)
    if chosen.what == "idle":
        return run_idle(store, chosen.statements)
    warm_up(store, size)
    bring(store, size, size.start, size.end, size.arriving, seed=12)
    if chosen.what == "hand":
        return run_hand(store, size)
    return run_engine(store, size, chosen.statements)


if __name__ == "__main__":
    main()
