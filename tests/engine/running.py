"""Runs a generated case through the real engine: import, apply, ticks with delivery, export."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.clock import clock_now, instant_of
from flowscore.engine.tick import run_ticks
from flowscore.store.imports import Source, import_contacts, import_events
from flowscore.workspace import Workspace
from oracle.cases import Tables, at, commands, comparable, put, read_export, write
from oracle.values import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oracle.cases import Case


@contextmanager
def prepared(case: Case, url: str | None = None) -> Iterator[Workspace]:
    """The case in a folder of its own: applied, its files imported, no tick yet."""
    folder = Path(tempfile.mkdtemp(prefix="flowscore-case-"))
    try:
        write(case, folder)
        if url is not None:
            (folder / ".env").write_text(f"FLOWSCORE_DATABASE_URL={url}\n")
        workspace = Workspace(folder)
        workspace.apply()
        now = clock_now()
        for report in (
            import_contacts(
                workspace.store, Source(folder / "contacts.csv"), now, as_live=not case.quiet
            ),
            import_events(workspace.store, Source(folder / "events.jsonl"), now, as_live=True),
        ):
            assert not report.rejected, str(report)
        yield workspace
        workspace.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def moment(text: str) -> int:
    """An instant as the case writes it."""
    return instant_of(at(text))


def step_of(case: Case) -> int:
    """The grid step of the case."""
    return int(duration(case.every).total_seconds()) * 1_000_000


def tick(workspace: Workspace, case: Case, until: int | None = None, every: bool = False) -> None:
    """Run the case's grid up to `until`, delivering after each tick."""
    run_ticks(
        workspace.store,
        from_=moment(case.since),
        until=moment(case.until) if until is None else until,
        step=step_of(case),
        after_tick=lambda now: workspace.deliver(now) and None,
        every_instant=every,
    )


def exported(workspace: Workspace) -> Tables:
    """What the store holds, in the columns that two readings share."""
    folder = workspace.root / "out"
    workspace.look.export(folder, lambda _: None)
    return comparable(read_export(folder))


def outcome(
    case: Case, url: str | None = None, cuts: tuple[int, ...] = (), every: bool = False
) -> Tables:
    """The tables after the whole grid, run in one go or stopped at the cuts in between."""
    with prepared(case, url) as workspace:
        stops = {*cuts, moment(case.until)}
        version = moment(case.later[1]) if case.later else None
        for stop in sorted(stops | {version} if version is not None else stops):
            tick(workspace, case, stop, every)
            if stop == version:
                workspace = renewed(workspace, case)
        tables = exported(workspace)
        workspace.close()
        return tables


def renewed(workspace: Workspace, case: Case) -> Workspace:
    """The same store under the second version of the case."""
    workspace.close()
    assert case.later
    for name, text in case.later[0].items():
        put(workspace.root / "scenarios" / name, text)
    fresh = Workspace(workspace.root)
    fresh.apply()
    return fresh


def outcome_through_kills(case: Case, seed: int) -> tuple[Tables, int]:
    """The tables after a run of the real command that is killed again and again, and how often."""
    chance = random.Random(seed)
    line = next(one for one in commands(case, "out") if one[0] == "tick")
    with prepared(case) as workspace:
        kills = 0
        while _killed(line, workspace.root, chance.uniform(0.4, 1.6) + kills * 0.1):
            kills += 1
        return exported(workspace), kills


def _killed(line: list[str], folder: Path, after: float) -> bool:
    """Run a command; true if it was still running after so many seconds and was killed."""
    command = [sys.executable, "-c", "from flowscore.cli import main; main()", *line]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + after
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return True
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
        return False
