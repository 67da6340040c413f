"""What sales sees, on a large store: the decay pass, `rescore`, `explain` and `leads`.

    python benchmarks/sales.py FOLDER [contacts events]

Takes the store of the tick benchmarks (copied, it is changed here) and applies another project,
by which nearly every event is worth something and one line of twenty still fades.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from figures import Figure, table
from measure import peak_mb, said_by
from sizes import MIDNIGHT, Size
from stores import build, tell

from flowscore.clock import DAY

PROJECT = Path(__file__).with_name("sales")
EXPLAIN_MS, LEADS_MS, RESCORE = 100, 300, 2.0
FULL, ARRIVING = ("1000000", "20000000"), 10_000

# The same points by hand: one aggregate over the log, and the same with its lines written down.
WORTH = """CASE name WHEN 'page_viewed' THEN 1 WHEN 'email_opened' THEN 2
    WHEN 'email_clicked' THEN 4 WHEN 'email_sent' THEN -0.5 WHEN 'product_added' THEN 10
    WHEN 'order_completed' THEN 20
    WHEN 'video_watched' THEN 3 END"""
AGGREGATE = f"""
    CREATE TABLE by_hand AS SELECT contact_id, sum({WORTH} * max(0, 1 - (:now - own_at) / :span))
    AS balance FROM events WHERE {WORTH} IS NOT NULL GROUP BY contact_id"""
LINES = (
    """CREATE TABLE lines_by_hand (id INTEGER PRIMARY KEY, contact_id INT, score TEXT, rule TEXT,
       kind TEXT, key TEXT, points INT, own_at INT, tick_at INT, event_id INT, definition_id INT,
       reason TEXT, UNIQUE (contact_id, score, rule, key))""",
    "CREATE INDEX lines_by_hand_score ON lines_by_hand (score, rule)",
    f"""INSERT INTO lines_by_hand (contact_id, score, rule, kind, key, points, own_at, tick_at,
            event_id, definition_id, reason)
        SELECT contact_id, 'activity', name, 'rule', message_id, 100000000 * ({WORTH}), own_at,
            :now, id, 1, '' FROM events WHERE {WORTH} IS NOT NULL""",
    """CREATE TABLE by_hand AS SELECT contact_id, sum(points * max(0, 1 - (:now - own_at) / :span))
       AS balance FROM lines_by_hand GROUP BY contact_id""",
)


def prepare(folder: Path, size: Size) -> Path:
    """A copy of the store to which the sales project has been applied."""
    place = folder / f"sales-{size.contacts}-{size.events}"
    if (place / "ready").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    tell("copying the store")
    shutil.copytree(build(folder, size), place, ignore=shutil.ignore_patterns("*.lock", "ready"))
    shutil.copytree(PROJECT / "scenarios", place / "scenarios")
    _send_everybody_home(place)
    tell("applying the sales project")
    said_by("sales.py", "apply", place)
    tell("a day's tick")
    said_by("sales.py", "tick", place, MIDNIGHT + DAY)
    (place / "ready").touch()
    return place


def _send_everybody_home(place: Path) -> None:
    """Nobody is inside the scenarios of the tick benchmarks, which go."""
    db = sqlite3.connect(place / "flowscore.db")
    for name in ("enrollments", "messages", "steps"):
        db.execute(f"DELETE FROM {name}")
    db.commit()
    db.close()


def measure_sales(folder: Path, size: Size) -> list[Figure]:
    """Every figure of the issue."""
    place = prepare(folder, size)
    tell("decay")
    faded = said_by("sales.py", "tick", place, MIDNIGHT + 2 * DAY)
    tell("rescore")
    again = said_by("sales.py", "rescore", place)
    tell("by hand")
    hand = said_by("sales.py", "by-hand", place, "aggregate")
    lines = said_by("sales.py", "by-hand", place, "lines")
    tell("explain, leads")
    looked = said_by("sales.py", "look", place)
    moving = faded["moving"] / faded["lines"]
    ratio, with_lines = again["cpu"] / hand["cpu"], again["cpu"] / lines["cpu"]
    return [
        Figure(
            f"daily decay pass, {faded['lines']:,} lines of which {moving:.1%} move",
            f"{faded['cpu']:.1f} s ({faded['mb']:.0f} MB)", "", "", "", True,
        ),
        Figure(
            f"rescore {size.events:,} events", f"{again['cpu']:.0f} s ({again['mb']:.0f} MB)",
            f"{hand['cpu']:.0f} s: one aggregate by hand", f"{ratio:.2f}", f"at most {RESCORE}",
            ratio <= RESCORE,
        ),
        Figure(
            "the same, against an aggregate that also writes its lines", "",
            f"{lines['cpu']:.0f} s", f"{with_lines:.2f}", "", True,
        ),
        Figure(
            "explain", f"{looked['explain']:.0f} ms", "", "", f"{EXPLAIN_MS} ms",
            looked["explain"] <= EXPLAIN_MS,
        ),
        Figure(
            "leads", f"{looked['leads']:.0f} ms", "", "", f"{LEADS_MS} ms",
            looked["leads"] <= LEADS_MS,
        ),
    ]  # fmt: skip


# ---------------------------------------------------------------- each in a process of its own


@contextmanager
def timed() -> Iterator[dict[str, Any]]:
    """Seconds on the wall and of the processor, and the most memory held."""
    found: dict[str, Any] = {}
    wall, cpu = time.perf_counter(), time.process_time()
    yield found
    found |= {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    found["mb"] = peak_mb()


def apply(place: Path) -> dict[str, Any]:
    """Make the sales project the live one; all of it is judged."""
    from flowscore.workspace import Workspace

    workspace = Workspace(place)
    with timed() as found:
        workspace.apply()
    workspace.close()
    return found


def tick(place: Path, until: str) -> dict[str, Any]:
    """The night's tick, in which a day's decay is taken."""
    from flowscore.engine.tick import run_ticks
    from flowscore.store.database import open_store

    store = open_store(place / "flowscore.db")
    with timed() as found:
        run_ticks(store, from_=int(until), until=int(until), step=DAY)
    store.close()
    db = sqlite3.connect(place / "flowscore.db")
    for what, name in (("lines", "ledger"), ("moving", "fading")):
        found[what] = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    return found


def rescore(place: Path) -> dict[str, Any]:
    """Judge the score anew from the whole log."""
    from flowscore.engine import registry
    from flowscore.engine.recompute import order_scores
    from flowscore.store.database import open_store

    store = open_store(place / "flowscore.db")
    with timed() as found:
        with store.transact() as connection:
            order_scores(connection, registry.live_project(connection), ["activity"])
        registry.catch_up(store)
    store.close()
    return found


def by_hand(place: Path, which: str) -> dict[str, Any]:
    """The same balances by SQL written by hand, into tables that are dropped again."""
    db = sqlite3.connect(place / "flowscore.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    values = {"now": MIDNIGHT + 2 * DAY, "span": 20.0 * DAY}
    with timed() as found:
        for words in (AGGREGATE,) if which == "aggregate" else LINES:
            db.execute(words, values if ":now" in words else {})
    for name in ("by_hand", "lines_by_hand"):
        db.execute(f"DROP TABLE IF EXISTS {name}")
    return found


def look(place: Path) -> dict[str, Any]:
    """Explain a contact, and the first page of the queue: the median of some."""
    from flowscore.orders import LeadsWish
    from flowscore.workspace import Workspace

    workspace = Workspace(place)
    people = [f"person{number}@example.com" for number in range(17, 100, 8)]
    explained = [_milliseconds(lambda who=who: workspace.explain(who)) for who in people]
    listed = [_milliseconds(lambda: workspace.leads(LeadsWish())) for _ in range(7)]
    workspace.close()
    return {"explain": median(explained[1:]), "leads": median(listed[1:])}


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


PARTS = {"apply": apply, "tick": tick, "rescore": rescore, "by-hand": by_hand, "look": look}

if __name__ == "__main__":
    name, place, *more = sys.argv[1:]
    if name in PARTS:
        print(json.dumps(PARTS[name](Path(place), *more)))
    else:
        size = Size(*(int(one) for one in (*sys.argv[2:], *FULL)[:2]), ARRIVING)
        print(table(measure_sales(Path(name), size)))
