"""Builds the stores of the tick benchmarks: contacts with a year of history, quickly and in bulk.

Rows are written with plain SQL in the shape in which intake and engine write them; what must
agree with the rules (standing points, balances, list members) the engine's own statements fill.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from people import DECK, TEMPLATES, variants, whom
from population import fill_people, insert
from sizes import BEGIN, GRID, MIDNIGHT, NIGHT, Size

from flowscore.clock import DAY

PROJECT = Path(__file__).with_name("project")


def build(folder: Path, size: Size) -> Path:
    """The store of this size; built where it is missing."""
    place = folder / size.name
    if (place / "ready").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob("*.db*"):
        old.unlink()
    _apply(place)
    _fill(place / "flowscore.db", size)
    _settle(place)
    (place / "ready").touch()
    return place


def tell(words: str) -> None:
    """Long work says how far it is, to the terminal."""
    print(f"  {time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _apply(place: Path) -> None:
    from flowscore.engine.registry import apply_project
    from flowscore.language.project import load_project
    from flowscore.store.database import open_store

    project, problems = load_project(PROJECT)
    assert not [one for one in problems if one.severity == "error"], problems
    store = open_store(place / "flowscore.db", create=True)
    apply_project(store, project, BEGIN)
    store.close()


def _fill(path: Path, size: Size) -> None:
    """Everything but what the engine settles; indexes are made when the rows are there."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2500000", "temp_store=FILE"):
        db.execute(f"PRAGMA {pragma}")
    indexes = _take_indexes(db)
    db.execute("BEGIN")
    tell(f"{size.contacts:,} contacts")
    fill_people(db, size)
    tell(f"{size.events:,} events")
    insert(db, "events", EVENT, _events(size))
    db.execute("COMMIT")
    tell("indexes")
    for words in indexes:
        db.execute(words)
    tell("ledger, enrollments, messages")
    db.execute("BEGIN")
    for words in (*LEDGER, *ENROLLMENTS, MESSAGES):
        db.execute(words, _parameters(size))
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode=WAL")
    db.close()


def _take_indexes(db: sqlite3.Connection) -> list[str]:
    rows = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name"
        " IN ('events', 'attributes', 'company_attributes', 'contacts', 'identities')"
    ).fetchall()
    for name, _ in rows:
        db.execute(f"DROP INDEX {name}")
    return [words for _, words in rows]


def _parameters(size: Size) -> dict[str, int]:
    """Of those who wait, so many are due in the measured tick; the others within a month."""
    due = size.arriving // 20
    return {
        "midnight": MIDNIGHT, "day": DAY, "contacts": size.contacts, "start": size.start,
        "end": size.end, "due": due, "inside": size.contacts // 50 + due,
    }  # fmt: skip


# --- the log ----------------------------------------------------------------------------------

EVENT = (
    "message_id, contact_id, own_at, received_at, seen_at, historical,"
    " name, subject, topic, machine, behaviour, properties, forms"
)
MIXER = 0x9E3779B97F4A7C15  # odd, so that no two places give the same id


def _events(size: Size) -> Iterator[Any]:
    pick = random.Random(3)
    ready = {
        kind: [
            (r.name, r.subject, r.topic, r.machine, r.behaviour, r.properties, r.forms)
            for r in rows
        ]
        for kind, rows in variants().items()
    }
    place = 0
    while place < size.events:
        who = whom(pick, size.contacts)
        for kind in DECK[int(pick.random() * len(DECK))][: size.events - place]:
            at = size.instant(place)
            rows = ready[kind]
            ident = f"{place * MIXER & 0xFFFFFFFFFFFFFFFF:016x}"
            yield (ident, who, at, at, at, 0, *rows[int(pick.random() * len(rows))])
            place += 1
            if place % (5 * 1_000_000) == 0:
                tell(f"{place:,}")


# --- what the engine had made of it -----------------------------------------------------------

LINE = (
    "INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at, tick_at, event_id,"
    " definition_id, reason) SELECT contact_id, 'engagement', rule, 'rule', key, 100000000 * worth,"
    " own_at, own_at, id, (SELECT id FROM definitions WHERE kind = 'score' AND name ="
    " 'engagement'), '' "
)
RULE = """CASE name WHEN 'page_viewed' THEN CASE
        WHEN subject LIKE '/articles/%' THEN 'article' WHEN subject LIKE '/courses/%' THEN 'course'
        WHEN subject = '/pricing' THEN 'pricing' END
    WHEN 'email_opened' THEN CASE WHEN NOT machine THEN 'opened' END
    WHEN 'email_clicked' THEN 'clicked' WHEN 'product_added' THEN 'cart'
    WHEN 'order_completed' THEN CASE WHEN properties ->> 'total' >= 50 THEN 'order' END END"""
WORTH = """CASE rule WHEN 'article' THEN 1 WHEN 'course' THEN 3 WHEN 'pricing' THEN 5
    WHEN 'opened' THEN 1 WHEN 'clicked' THEN 3 WHEN 'cart' THEN 10 WHEN 'order' THEN 20
    ELSE -5 END"""
EARNED = f"""
        SELECT *, {WORTH} AS worth FROM (
            SELECT contact_id, {RULE} AS rule, message_id AS key, own_at, id FROM events
            UNION ALL
            SELECT contact_id, 'unopened', message_id || '@' || (own_at + 3 * :day),
                   own_at + 3 * :day, id
            FROM events s WHERE name = 'email_sent' AND own_at <= :midnight - 3 * :day
              AND NOT EXISTS (
                SELECT 1 FROM events a
                WHERE a.contact_id = s.contact_id AND a.name = 'email_opened' AND NOT a.machine
                  AND a.own_at > s.own_at AND a.own_at <= s.own_at + 3 * :day
                  AND a.subject = s.subject)
        ) WHERE rule IS NOT NULL"""
LEDGER = (f"{LINE} FROM ({EARNED}) ORDER BY contact_id, rule, key",)
PLACES = {  # where people wait by the clock
    "rung-50": 2, "cart": 1, "reader": 1, "welcome": 2, "pricing-and-wait": 1,
    "cart-and-exit": 1, "course-six": 1,
}  # fmt: skip
AWAITING = ("sent-offer", "course-five", "waits-for-silence")  # at the first place, a `wait_for`
GOALS = {"pricing-and-wait": 14, "course-five": 10}  # days in which it counts


def _waiting(name: str, position: int, number: int) -> str:
    """People inside a scenario, one of fifty; the first of them are due in the measured tick."""
    awaits = name in AWAITING
    since, until = (":midnight - :day", "due") if awaits else ("NULL", "NULL")
    goal = f":midnight + {GOALS[name] - 1} * :day" if name in GOALS else "NULL"
    return f"""
        INSERT INTO enrollments (contact_id, scenario, definition_id, key, own_at, entered_at,
                                 reason, position, due_at, held, came, entered_after, goal_until,
                                 awaiting_since, awaiting_after, awaiting_until)
        SELECT id, '{name}', (SELECT id FROM definitions WHERE name = '{name}'
                              AND kind = 'scenario'), 'seed', :midnight - :day, :midnight - :day,
               '', {position}, due, 0, 0, 0, {goal}, {since}, {"0" if awaits else "NULL"}, {until}
        FROM (SELECT id, CASE WHEN place <= :due
                         THEN :start + 1 + (:end - :start - 1) * place / :due
                         ELSE :end + 30 * :day * place / :inside END AS due
              FROM (SELECT id, row_number() OVER (
                        ORDER BY (id * 7919 + {number}) % 999983) AS place
                    FROM contacts WHERE id <= :contacts) WHERE place <= :inside)"""


def _finished(name: str) -> str:
    return f"""
        INSERT INTO enrollments (contact_id, scenario, definition_id, key, own_at, entered_at,
                                 ended_at, outcome, reason, position, due_at)
        SELECT id, '{name}', (SELECT id FROM definitions WHERE name = '{name}'
                              AND kind = 'scenario'), 'old', created_at, created_at, created_at,
               'finished', '', 9, created_at
        FROM contacts WHERE id % 10 < 3 AND :contacts > 0"""


ENROLLMENTS = (
    *(
        _waiting(name, place, number * 31_337)
        for number, (name, place) in enumerate((PLACES | dict.fromkeys(AWAITING, 0)).items())
    ),
    *(_finished(name) for name in ("rung-20", "welcome", "receipt")),
)
MESSAGES = f"""
    INSERT INTO messages (key, kind, contact_id, scenario, step, priority, place, template, topic,
                          entered_at, queued_at, due_at, status, next_at, attempts, sent_at,
                          settled_at, sent_event)
    SELECT 'seed.' || id, 'email', id, 'rung-20', 'actions/1', 0, 0, '{TEMPLATES[0][0]}',
           '{TEMPLATES[0][1]}', created_at, created_at, created_at, 'sent', created_at, 1,
           created_at, created_at, 1
    FROM contacts WHERE :contacts > 0 ORDER BY id"""


def _settle(place: Path) -> None:
    """Standing points, balances and lists as a recompute finds them; then the night's tick, after
    which nothing is due until dawn.
    """
    from dataclasses import asdict

    from flowscore.engine import registry
    from flowscore.engine.recompute import PENDING, Order
    from flowscore.engine.states import write_state
    from flowscore.engine.tick import run_ticks
    from flowscore.store import statistics
    from flowscore.store.database import open_store

    store = open_store(place / "flowscore.db")
    with store.transact() as connection:
        statistics.expect(connection, "main", statistics.STORE)  # lost with the indexes
        project = registry.live_project(connection)
        lists = [one.name for one in project.lists.values() if one.members is not None]
        order = Order(faded=sorted(project.scores), lists=lists, whens=True)
        write_state(connection, PENDING, asdict(order))
        registry.set_watermark(connection, MIDNIGHT)
    tell("standing points, balances, lists")
    registry.catch_up(store)
    tell("the night")
    run_ticks(store, from_=NIGHT, until=NIGHT, step=GRID)
    store.close()
    for name in ("flowscore.db", "inbox.db"):
        db = sqlite3.connect(place / name)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


if __name__ == "__main__":
    build(Path(sys.argv[1]), Size(*(int(one) for one in sys.argv[2:5])))
