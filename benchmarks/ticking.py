"""The figures of ticks: small store against large, engine against hand-written SQL, and idle."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figures import Figure, memory
from measure import said_by
from sizes import Size
from stores import build, tell
from ticks import forget_log

MOST_GROWTH, MOST_BY_HAND, MOST_IDLE, ROUNDS = 1.3, 3.0, 0.050, 3
Runs = list[dict[str, Any]]


def sizes(quick: bool) -> tuple[Size, Size]:
    """The small store and the large one."""
    if quick:
        return Size(10_000, 200_000, 1_000), Size(100_000, 2_000_000, 1_000)
    return Size(100_000, 2_000_000, 10_000), Size(1_000_000, 20_000_000, 10_000)


def measure_ticks(cache: Path, quick: bool, keep: bool) -> list[Figure]:
    """Builds what is missing, measures in turns, and throws the large store away unless kept."""
    small, large = sizes(quick)
    places = {size: build(cache, size) for size in (small, large)}
    found: dict[tuple[Size, str], Runs] = {}
    for _ in range(ROUNDS):
        for size in (small, large):
            for what in ("engine", "hand"):
                found.setdefault((size, what), []).append(_run(places[size], size, what))
    idle = _run(places[large], large, "idle")
    if not keep:
        shutil.rmtree(places[large])
    _print_phases(found)
    return [
        _growth(found, small, large),
        *(_by_hand(found, size) for size in (small, large)),
        memory(f"the tick on {_title(large)}", _most(found[large, "engine"], "memory")),
        _idle(idle, large),
    ]


def _run(place: Path, size: Size, what: str) -> dict[str, Any]:
    found = said_by("ticks.py", place, size.contacts, size.events, size.arriving, what)
    forget_log(place)
    return found


def _title(size: Size) -> str:
    return f"{size.contacts:,} contacts and {size.events:,} events"


def _middle(runs: Runs, key: str) -> float:
    return statistics.median(one[key] for one in runs)


def _most(runs: Runs, key: str) -> float:
    return float(max(one[key] for one in runs))


def _growth(found: dict[tuple[Size, str], Runs], small: Size, large: Size) -> Figure:
    few, many = found[small, "engine"], found[large, "engine"]
    times = _middle(many, "cpu") / _middle(few, "cpu")
    return Figure(
        f"a tick of {large.arriving:,} new events on {_title(large)}",
        f"{_middle(many, 'cpu'):.2f} s of processor ({_middle(many, 'seconds'):.2f} s on the wall)",
        f"{_middle(few, 'cpu'):.2f} s ({_middle(few, 'seconds'):.2f} s): on {_title(small)}",
        f"{times:.2f} × ({_middle(many, 'seconds') / _middle(few, 'seconds'):.2f} × on the wall; "
        f"written by hand {_growth_by_hand(found, small, large):.2f} ×)",
        f"{MOST_GROWTH} ×",
        times <= MOST_GROWTH,
    )


def _growth_by_hand(found: dict[tuple[Size, str], Runs], small: Size, large: Size) -> float:
    """How much longer the hand-written tick takes on the large store."""
    return _middle(found[large, "hand"], "cpu") / _middle(found[small, "hand"], "cpu")


def _by_hand(found: dict[tuple[Size, str], Runs], size: Size) -> Figure:
    ours, hand = found[size, "engine"], found[size, "hand"]
    times = _middle(ours, "cpu") / _middle(hand, "cpu")
    return Figure(
        f"the tick on {_title(size)}",
        f"{_middle(ours, 'cpu'):.2f} s ({_middle(ours, 'seconds'):.2f} s)",
        f"{_middle(hand, 'cpu'):.2f} s ({_middle(hand, 'seconds'):.2f} s): by hand in SQL",
        f"{times:.2f} × ({_middle(ours, 'seconds') / _middle(hand, 'seconds'):.2f} × on the wall)",
        f"{MOST_BY_HAND:.0f} ×",
        times <= MOST_BY_HAND,
    )


def _idle(idle: dict[str, Any], size: Size) -> Figure:
    return Figure(
        f"an idle tick on {_title(size)}",
        f"{idle['seconds'] * 1000:.1f} ms (walked through all the same: "
        f"{idle['walked'] * 1000:.0f} ms; the first of a process, which reads the project: "
        f"{idle['first'] * 1000:.0f} ms)",
        "",
        "",
        f"{MOST_IDLE * 1000:.0f} ms",
        idle["seconds"] <= MOST_IDLE,
    )


PHASES = {
    "take in": ("take_in",),
    "points": ("award", "stand"),
    "lists": ("refresh",),
    "goals and exits": ("convert", "answer", "exit_people", "endings"),
    "enroll": ("enroll",),
    "steps": ("walk",),
}


def _print_phases(found: dict[tuple[Size, str], Runs]) -> None:
    """Where the time goes, as a table; and that both sides wrote the same."""
    print("| | " + " | ".join(PHASES) + " | rest, with the commit | all |")
    print("| --- " * (len(PHASES) + 3) + "|")
    for (size, what), runs in found.items():
        spent = [statistics.median(map(_of(names), runs)) for names in PHASES.values()]
        whole = _middle(runs, "cpu")
        cells = " | ".join(f"{one:.2f}" for one in (*spent, whole - sum(spent), whole))
        who = {"hand": "by hand"}.get(what, what)
        print(f"| {who}, {size.contacts:,} / {size.events:,} | {cells} |")
        rows = ", ".join(f"{count:,} {name}" for name, count in runs[0]["rows"].items())
        tell(f"{who} wrote {rows}; {_most(runs, 'memory'):.0f} MB")
    print()


def _of(names: tuple[str, ...]) -> Callable[[dict[str, Any]], float]:
    return lambda one: sum(one["phases"].get(name, 0.0) for name in names)
