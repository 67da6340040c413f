"""What sales sees, on a large store: the decay pass, `rescore`, `explain` and `leads`.

    python benchmarks/sales.py FOLDER [contacts events]

Takes the store of the tick benchmarks (copied, it is changed here) with its project, whose points
now fade within three weeks, so that one line of twenty still moves.
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
from stores import EARNED, PROJECT, build, tell

from flowscore.clock import DAY

SALES = Path(__file__).with_name("sales")
FADES = "decay: {linear: 21 days}"
EXPLAIN_MS, LEADS_MS, RESCORE = 100, 300, 2.0
FULL, ARRIVING = ("1000000", "20000000"), 10_000

# The same points by hand: one aggregate over the log, and the same with its lines written down.
FADED = "max(0, 1 - (:now - own_at) / :span)"
AGGREGATE = f"""
    CREATE TABLE by_hand AS SELECT contact_id, sum(worth * {FADED}) AS balance
    FROM ({EARNED}) GROUP BY contact_id"""
LINES = (
    """CREATE TABLE lines_by_hand (id INTEGER PRIMARY KEY, contact_id INT, score TEXT, rule TEXT,
       kind TEXT, key TEXT, points INT, own_at INT, tick_at INT, event_id INT, definition_id INT,
       reason TEXT, UNIQUE (contact_id, score, rule, key))""",
    "CREATE INDEX lines_by_hand_score ON lines_by_hand (score, rule)",
    f"""INSERT INTO lines_by_hand (contact_id, score, rule, kind, key, points, own_at, tick_at,
            event_id, definition_id, reason)
        SELECT contact_id, 'engagement', rule, 'rule', key, 100000000 * worth, own_at, :now, id,
            1, '' FROM ({EARNED})""",
    f"""CREATE TABLE by_hand AS SELECT contact_id, sum(points * {FADED}) AS balance
        FROM lines_by_hand GROUP BY contact_id""",
)


def prepare(folder: Path, size: Size) -> Path:
    """A copy of the store whose points fade, with a grade and a funnel over them."""
    place = folder / f"sales-{size.contacts}-{size.events}"
    if (place / "ready").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    tell("copying the store")
    shutil.copytree(build(folder, size), place, ignore=shutil.ignore_patterns("*.lock", "ready"))
    _write_project(place)
    tell("what has faded, cells, stages")
    said_by("sales.py", "apply", place)
    (place / "ready").touch()
    return place


def _write_project(place: Path) -> None:
    """The project of the tick benchmarks with fading points, a grade and a lifecycle."""
    shutil.copytree(PROJECT, place, dirs_exist_ok=True)
    scores = place / "scenarios" / "scores.yaml"
    told = scores.read_text().replace(", cap: {points: 4, per: 1 day}", "")
    scores.write_text(told.replace("score: engagement\n", f"score: engagement\n{FADES}\n", 1))
    shutil.copy(SALES / "sales.yaml", place / "scenarios" / "sales.yaml")


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
    """Make it live; the lines are there, so only what they are worth is found anew."""
    from dataclasses import asdict

    from flowscore.engine import registry
    from flowscore.engine.recompute import PENDING, Order
    from flowscore.engine.states import write_state
    from flowscore.language.project import load_project
    from flowscore.store.database import open_store

    project, problems = load_project(place)
    assert not [one for one in problems if one.severity == "error"], problems
    store = open_store(place / "flowscore.db")
    with timed() as found:
        with store.transact() as connection:
            registry.make_live(connection, project, MIDNIGHT, registry.ApplyReport(), fires=False)
            order = Order(faded=["engagement"], grades=["lead"], stages=True)
            write_state(connection, PENDING, asdict(order))
        registry.catch_up(store)
    store.close()
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
            order_scores(connection, registry.live_project(connection), ["engagement"])
        registry.catch_up(store)
    store.close()
    return found


def by_hand(place: Path, which: str) -> dict[str, Any]:
    """The same balances by SQL written by hand, into tables that are dropped again."""
    db = sqlite3.connect(place / "flowscore.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    values = {"now": MIDNIGHT + 2 * DAY, "span": 21.0 * DAY, "day": DAY, "midnight": MIDNIGHT}
    with timed() as found:
        for words in (AGGREGATE,) if which == "aggregate" else LINES:
            db.execute(words, values)
    for name in ("by_hand", "lines_by_hand"):
        db.execute(f"DROP TABLE IF EXISTS {name}")
    return found


def look(place: Path) -> dict[str, Any]:
    """Explain a contact, and the first page of the queue: the median of some, warm."""
    from flowscore.views.leads import Asked
    from flowscore.workspace import Workspace

    workspace = Workspace(place)
    people = [f"person{number}@example.com" for number in range(17, 100, 8)]

    def queue() -> None:
        with workspace.look.leads(Asked()) as leads:
            assert leads.head
            assert list(leads.rows(20, 0))

    explained = [_milliseconds(lambda who=who: workspace.look.explain(who)) for who in people]
    listed = [_milliseconds(queue) for _ in range(7)]
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
