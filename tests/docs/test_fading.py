"""What is left of points after so many days: the table and the sentence of the page, computed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from docs.pages import REFERENCE
from flowscore.clock import DAY, rfc3339
from flowscore.engine.tick import run_ticks
from flowscore.orders import Reading
from flowscore.workspace import Workspace

PAGE = (REFERENCE / "scores.md").read_text(encoding="utf-8")
TABLE = re.search(r"^\| after \| (.*) \|\n\|[-| ]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
GOLDEN = re.compile(
    r"(?P<points>\d+) points,? (?:(?P<linear>linear) over|with a half-life of) "
    r"(?P<span>\d+ days),? "
    r"are (?P<left>[\d.]+) (?:after|on day) (?P<after>\d+)"
)
BIRTH = 1_767_225_600_000_000  # 2026-01-01T00:00Z
BALANCES = "SELECT score, balance FROM balances"


def told() -> dict[tuple[str, int], dict[int, float]]:
    """By decay and points: what is left after so many days, as the page has it."""
    assert TABLE, "the table of what is left"
    decays = [head.strip().strip("`") for head in TABLE[1].split(" | ")]
    found: dict[tuple[str, int], dict[int, float]] = {(one, 100): {} for one in decays}
    for line in TABLE[2].splitlines():
        after, *left = (cell.strip() for cell in line.strip("| ").split(" | "))
        for decay, number in zip(decays, left, strict=True):
            found[decay, 100][int(after.split()[0])] = float(number)
    for golden in GOLDEN.finditer(PAGE):
        key = (f"{golden['linear'] or 'half_life'}: {golden['span']}", int(golden["points"]))
        found.setdefault(key, {})[int(golden["after"])] = float(golden["left"])
    return found


def test_the_page_tells_the_golden_numbers() -> None:
    golden = {"linear: 60 days": (10, 30, 5), "half_life: 30 days": (8, 90, 1)}
    for decay, (points, after, left) in golden.items():
        assert told()[decay, points] == {after: left}
    assert told()["linear: 90 days", 9] == {3: 8.7}


@pytest.fixture
def left(
    write_project: Callable[[dict[str, str]], Path], migrated_sqlite: Path
) -> Callable[[dict[str, tuple[str, int]]], dict[int, dict[str, float]]]:
    """What is left of the points of each score, day by day."""

    def run(scores: dict[str, tuple[str, int]]) -> dict[int, dict[str, float]]:
        texts = [_score(name, *one) for name, one in scores.items()]
        folder = write_project({"scenarios/scores.yaml": "---\n".join(texts)})
        shutil.copytree(migrated_sqlite, folder, dirs_exist_ok=True)
        return _run(folder, last=max(day for days in told().values() for day in days))

    return run


def _score(name: str, decay: str, points: int) -> str:
    rule = f"{{name: a, points: {points}, on: {{event: born}}}}"
    return f"score: {name}\ndecay: {{{decay}}}\nrules: [{rule}]\n"


def _run(folder: Path, last: int) -> dict[int, dict[str, float]]:
    call = {"type": "track", "event": "born", "userId": "ana@example.com", "messageId": "m"}
    file = folder / "events.jsonl"
    file.write_text(json.dumps({**call, "timestamp": rfc3339(BIRTH)}) + "\n", encoding="utf-8")
    days: dict[int, dict[str, float]] = {}
    workspace = Workspace(folder)

    def after(now: int) -> None:
        with workspace.store.read() as connection:
            rows = connection.execute(text(BALANCES))
            days[(now - BIRTH) // DAY] = {score: balance / 10_000 for score, balance in rows}

    try:
        workspace.apply()
        workspace.import_events(file, Reading({}), as_live=True, historical=False)
        until = BIRTH + (last + 1) * DAY
        run_ticks(workspace.store, from_=BIRTH, until=until, step=DAY, after_tick=after)
    finally:
        workspace.close()
    return days


def test_what_is_left_is_left(left: Callable[..., dict[int, dict[str, float]]]) -> None:
    names = {f"score-{n}": key for n, key in enumerate(told())}
    days = left(names)
    for name, key in names.items():
        wanted = told()[key]
        assert {day: days[day][name] for day in wanted} == wanted, key
