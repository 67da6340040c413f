"""Events from a file into the log, against a bare `executemany` of the same rows.

    python benchmarks/importing.py FOLDER import|bare

`import` takes the calls of FOLDER/events.jsonl into a new store and lets a tick take them into the
log; `bare` writes the rows of that log into a table with the same indexes, and nothing else.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import orjson
from figures import Figure, memory
from measure import peak_mb, said_by
from people import arriving
from sizes import BEGIN, DAYS
from stores import PROJECT, tell

from flowscore.clock import DAY

SHARE = 0.25
TOLD = 20  # events to a contact
CHUNK = 20_000


def measure_import(cache: Path, quick: bool) -> list[Figure]:
    """Both in processes of their own, in turns."""
    count = 100_000 if quick else 1_000_000
    folder = cache / f"import-{count}"
    _write_calls(folder, count)
    ours = said_by("importing.py", folder, "import")
    bare = said_by("importing.py", folder, "bare")
    shutil.rmtree(folder / "project")
    rates = [count / one["seconds"] for one in (ours, bare)]
    work = [count / one["cpu"] for one in (ours, bare)]
    share = work[0] / work[1]
    return [
        Figure(
            f"import {count:,} events (JSONL) and take them into the log",
            f"{work[0]:,.0f} rows/s of processor ({rates[0]:,.0f}/s on the wall; "
            f"import {ours['import']:.0f} s, tick {ours['tick']:.0f} s)",
            f"{work[1]:,.0f} rows/s ({rates[1]:,.0f}/s): bare `executemany`",
            f"{share:.2f}",
            f"at least {SHARE}",
            share >= SHARE,
        ),
        memory(f"the import of {count:,} events", ours["import_memory"]),
        memory("the tick that takes them in", ours["memory"]),
    ]


def _write_calls(folder: Path, count: int) -> None:
    """The file of calls, once."""
    path = folder / "events.jsonl"
    if path.exists():
        return
    tell(f"a file of {count:,} calls")
    folder.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        for call in arriving(count // TOLD, count, BEGIN, BEGIN + DAYS * DAY, seed=5):
            call["context"] = {"ip": "203.0.113.9", "library": {"name": "analytics.js"}}
            file.write(orjson.dumps(call) + b"\n")
    half.rename(path)


def run_import(folder: Path) -> dict[str, Any]:
    """Import, then one tick of a project that only keeps a log."""
    from flowscore.engine.registry import apply_project
    from flowscore.engine.tick import run_ticks
    from flowscore.language.project import load_project
    from flowscore.store.database import open_store
    from flowscore.store.imports import Source, import_events

    place = folder / "project"
    shutil.rmtree(place, ignore_errors=True)
    (place / "scenarios").mkdir(parents=True)
    shutil.copy(PROJECT / "scenarios" / "policy.yaml", place / "scenarios")
    store = open_store(place / "flowscore.db", create=True)
    now = BEGIN + (DAYS + 1) * DAY
    apply_project(store, load_project(place)[0], now)
    begin, cpu = time.perf_counter(), time.process_time()
    report = import_events(store, Source(folder / "events.jsonl"), now)
    imported, held = time.perf_counter(), peak_mb()
    assert not report.rejected, report
    run_ticks(store, from_=now, until=now, step=DAY)
    end, cpu = time.perf_counter(), time.process_time() - cpu
    store.close()
    return {"seconds": end - begin, "cpu": cpu, "import": imported - begin} | {
        "tick": end - imported, "import_memory": held, "memory": peak_mb(),
    }  # fmt: skip


def run_bare(folder: Path) -> dict[str, Any]:
    """Only the writing is timed; the rows are read in between."""
    source = sqlite3.connect(f"file:{folder / 'project' / 'flowscore.db'}?mode=ro", uri=True)
    target = folder / "project" / "bare.db"
    db = sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
        db.execute(f"PRAGMA {pragma}")
    made = "SELECT sql FROM sqlite_master WHERE tbl_name = 'events' AND sql IS NOT NULL"
    for (words,) in source.execute(made + " ORDER BY type DESC").fetchall():
        db.execute(words)
    rows = source.execute("SELECT * FROM events WHERE name <> 'contact_created' ORDER BY id")
    marks = ", ".join("?" for _ in rows.description)
    seconds = cpu = 0.0
    db.execute("BEGIN")
    while chunk := rows.fetchmany(CHUNK):
        begin, used = time.perf_counter(), time.process_time()
        db.executemany(f"INSERT INTO events VALUES ({marks})", chunk)
        seconds, cpu = seconds + time.perf_counter() - begin, cpu + time.process_time() - used
    begin, used = time.perf_counter(), time.process_time()
    db.execute("COMMIT")
    seconds, cpu = seconds + time.perf_counter() - begin, cpu + time.process_time() - used
    return {"seconds": seconds, "cpu": cpu}


if __name__ == "__main__":
    random.seed(1)
    where = Path(sys.argv[1])
    print(json.dumps(run_import(where) if sys.argv[2] == "import" else run_bare(where)))
