"""validate and plan look at the store for events that no import has ever brought."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

Write = Callable[[dict[str, str]], Path]
WAITS = """
policy: default
---
scenario: greet
trigger: {event: signed_upp}
conditions: [{email_opened: any}, {event: {name: [signed_up, subscription_started]}}]
actions: [{exit: done}]
---
scenario: farewell
trigger: {event: account_closed}
actions: [{exit: done}]
"""
FIRST = "warning: no event 'signed_upp' has ever come in; did you mean 'signed_up'?"
SECOND = "warning: no event 'account_closed' has ever come in; fine if it is still to come"


@pytest.fixture
def folder(write_project: Write) -> Path:
    return write_project({"scenarios/all.yaml": WAITS})


def come_in(run: Run, folder: Path, event: str, *, tick: bool = True) -> None:
    file = folder / f"{event}.jsonl"
    call = {"type": "track", "userId": "ana@x.example", "event": event, "messageId": event}
    file.write_text(json.dumps({**call, "timestamp": "2026-01-01T00:00:00Z"}) + "\n")
    assert run("--project", folder, "import", "events", file, "--as-live").code == 0
    if tick:
        grid = ("--from", "2026-01-01", "--until", "2026-01-02", "--every", "1d")
        assert run("--project", folder, "tick", *grid).code == 0


def test_validate_warns_of_an_event_that_never_came(run: Run, folder: Path) -> None:
    """flowscore's own events are not waited for from outside, nor is one of several enough."""
    run("--project", folder, "apply")
    come_in(run, folder, "signed_up")
    said = run("--project", folder, "validate")
    assert (said.code, said.out.count("no mistakes, 2 warnings")) == (0, 1)
    assert "scenarios/all.yaml:4:18" in said.err
    assert FIRST in said.err and SECOND in said.err
    found = run("--project", folder, "validate", "--json").json["problems"]
    assert [(one["line"], one["severity"]) for one in found] == [(4, "warning"), (9, "warning")]


def test_what_waits_in_the_inbox_has_come_in(run: Run, folder: Path) -> None:
    run("--project", folder, "apply")
    for name in ("signed_up", "signed_upp", "account_closed"):
        come_in(run, folder, name, tick=False)
    assert "0 warnings" in run("--project", folder, "validate").out


def test_without_any_event_nothing_is_doubted(run: Run, folder: Path) -> None:
    assert "0 warnings" in run("--project", folder, "validate").out
    run("--project", folder, "apply")
    assert "0 warnings" in run("--project", folder, "validate").out


def test_a_look_leaves_nothing_behind(run: Run, folder: Path) -> None:
    """Where nobody has the store open, no log lies beside it, and none is made."""
    run("--project", folder, "apply")
    come_in(run, folder, "signed_up")
    copy = folder.parent / "copy"
    shutil.copytree(folder / "scenarios", copy / "scenarios")
    for name in ("flowscore.db", "inbox.db"):
        with closing(sqlite3.connect(folder / name)) as source:
            source.execute("VACUUM INTO ?", (str(copy / name),))
        with closing(sqlite3.connect(copy / name)) as made:
            assert made.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
    assert FIRST in run("--project", copy, "validate").err
    assert sorted(path.name for path in copy.iterdir()) == ["flowscore.db", "inbox.db", "scenarios"]


def test_a_store_that_cannot_be_looked_at_is_no_matter(run: Run, folder: Path) -> None:
    (folder / "flowscore.db").write_bytes(b"no database at all, but long enough to be read" * 9)
    assert run("--project", folder, "validate").code == 0
    (folder / "flowscore.db").unlink()
    with closing(sqlite3.connect(folder / "flowscore.db")) as other:
        other.execute("CREATE TABLE theirs (a)")
        other.execute("BEGIN EXCLUSIVE")
        assert "0 warnings" in run("--project", folder, "validate").out


def test_a_look_is_taken_beside_a_writer(run: Run, folder: Path) -> None:
    run("--project", folder, "apply")
    come_in(run, folder, "signed_up")
    with closing(sqlite3.connect(folder / "flowscore.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM events")
        assert FIRST in run("--project", folder, "validate").err


def test_the_settings_say_where_the_store_is(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", f"sqlite:///{elsewhere / 'our.db'}")
    run("--project", folder, "apply")
    come_in(run, folder, "signed_up")
    assert FIRST in run("--project", folder, "validate").err
    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", "mysql://nowhere")
    assert "0 warnings" in run("--project", folder, "validate").out


def test_on_postgresql_plan_tells_it(
    run: Run, folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", postgres_url)
    run("--project", folder, "apply")
    come_in(run, folder, "signed_up")
    assert "0 warnings" in run("--project", folder, "validate").out
    said = run("--project", folder, "plan")
    assert (said.code, said.out) == (
        0,
        "Nothing would change: 3 definitions stand as they are live.\n",
    )
    assert FIRST in said.err and SECOND in said.err


LIGHT = """
import sys
from flowscore.cli import main
code = main(["--project", sys.argv[1], "validate"])
print(sorted({"sqlalchemy", "sqlmodel", "pydantic_settings"} & set(sys.modules)), code)
"""


def test_the_look_needs_no_library(run: Run, folder: Path) -> None:
    """The store's own libraries would take longer to import than all of validate."""
    run("--project", folder, "apply")
    come_in(run, folder, "signed_up")
    command = [sys.executable, "-c", LIGHT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert FIRST in done.stderr
    assert done.stdout.splitlines()[-1] == "[] 0"
