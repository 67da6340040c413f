"""Bad surroundings and bad input at the doors: a clear sentence, exit code 1, nothing lost."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowscore.cli import main
from flowscore.clock import SECOND, instant_of
from flowscore.store.database import open_store
from flowscore.store.schema import VERSIONS

if TYPE_CHECKING:
    from .conftest import Run

Write = Callable[[dict[str, str]], Path]
MODEL = """
score: engagement
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
---
scenario: warm
trigger: {event: cart_updated}
actions: [{wait: 3 days}]
---
list: hot
members: [{score: {at_least: 10}}]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is live, with Ana and a cart of hers in it."""
    folder = tmp_path_factory.mktemp("made") / "project"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "scenarios" / "all.yaml").write_text(MODEL)
    events = folder / "events.jsonl"
    call = {"type": "track", "event": "Cart Updated", "timestamp": "2026-01-02T10:00:00Z"}
    events.write_text(json.dumps({**call, "userId": "ana@example.com", "messageId": "m1"}) + "\n")
    for words in (
        ("apply",),
        ("import", "events", str(events), "--as-live"),
        ("tick", "--from", "2026-01-01", "--until", "2026-01-03", "--every", "1d"),
    ):
        assert main(["--project", str(folder), *words]) == 0
    return folder


@pytest.fixture
def live(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to do harm to."""
    return shutil.copytree(made, tmp_path / "project")


def told(run: Run, folder: Path, *words: object) -> str:
    """The command has to be refused in a sentence, without blaming flowscore."""
    said = run("--project", folder, *words)
    assert said.code == 1, said
    assert said.err.startswith("flowscore: ") or "Error: " in said.err
    assert "bug" not in said.err
    return said.err


# --- the store --------------------------------------------------------------------------------


def test_database_that_is_not_ours_is_refused_and_left_alone(
    run: Run, write_project: Write
) -> None:
    folder = write_project({"scenarios/all.yaml": MODEL})
    with sqlite3.connect(folder / "flowscore.db") as database:
        database.execute("CREATE TABLE wordpress (id INTEGER)")
    before = (folder / "flowscore.db").read_bytes()
    for command in ("apply", "lists", "tick"):
        assert str(folder / "flowscore.db") in told(run, folder, command)
    assert (folder / "flowscore.db").read_bytes() == before


def test_file_that_is_no_database_is_refused_and_left_alone(run: Run, write_project: Write) -> None:
    folder = write_project({"scenarios/all.yaml": MODEL, "flowscore.db": "my holiday notes\n" * 99})
    assert "not a flowscore store" in told(run, folder, "apply")
    assert (folder / "flowscore.db").read_text().startswith("my holiday notes")


def test_store_of_a_newer_flowscore_is_refused(run: Run, live: Path) -> None:
    with sqlite3.connect(live / "flowscore.db") as database:
        database.execute(f"UPDATE {VERSIONS} SET version_num = '9999'")
    assert "newer" in told(run, live, "lists")


def test_second_process_is_told_who_holds_the_store(run: Run, live: Path) -> None:
    store = open_store(live / "flowscore.db")
    try:
        with store.lock_tick():
            said = told(run, live, "tick")
    finally:
        store.close()
    assert str(os.getpid()) in said


def without_override() -> None:
    """Even root obeys the permissions of a folder, once it has given up CAP_DAC_OVERRIDE."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(24, 1)  # PR_CAPBSET_DROP, for the program that is started


@pytest.fixture
def read_only(live: Path) -> Iterator[Path]:
    """The live project in a folder that nobody may write to."""
    paths = [live, *live.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield live
    for path in paths:
        path.chmod(0o755)


@pytest.mark.parametrize("words", [("tick",), ("apply",), ("export", "out")])
def test_read_only_folder_is_told_in_a_sentence(read_only: Path, words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowscore", *words],
        cwd=read_only,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=without_override,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("flowscore: "), done.stderr
    assert "Traceback" not in done.stderr


def test_full_disk_during_import_loses_nothing(run: Run, live: Path) -> None:
    file = live / "many.jsonl"
    call = {
        "type": "track",
        "event": "x",
        "userId": "ana@example.com",
        "properties": {"n": "-" * 99},
    }
    file.write_text("".join(json.dumps({**call, "messageId": f"n{n}"}) + "\n" for n in range(9000)))

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    words = [sys.executable, "-m", "flowscore", "import", "events", str(file)]
    done = subprocess.run(
        words, cwd=live, capture_output=True, text=True, check=False, preexec_fn=small_disk
    )
    assert done.returncode == 1, done.stderr
    assert "disk" in done.stderr
    again = run("--project", live, "import", "events", file)
    assert again.code == 0
    assert run("--project", live, "tick", "--until", "2100-01-01", "--every", "1d").code == 0
    events = [r for r in exported(run, live, "events") if r["message_id"].startswith("n")]
    assert len(events) == 9000


def exported(run: Run, folder: Path, table: str) -> list[dict[str, object]]:
    assert run("--project", folder, "export", folder / "out").code == 0
    lines = (folder / "out" / f"{table}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


# --- time -------------------------------------------------------------------------------------


def test_clock_that_goes_backwards_is_told_and_nothing_runs_twice(run: Run, live: Path) -> None:
    said = told(run, live, "tick", "--until", "2026-01-02")
    assert "2026-01-03T00:00:00Z already" in said
    assert "clock was set back" in said
    again = run("--project", live, "tick", "--until", "2026-01-03", "--every", "1d")
    assert (again.code, again.out) == (0, "No tick is owed: the last was 2026-01-03T00:00:00Z.\n")
    assert len(exported(run, live, "points")) == 1


def test_grid_without_an_instant_is_told(run: Run, live: Path) -> None:
    assert "lies after --until" in told(
        run, live, "tick", "--from", "2026-03-01", "--until", "2026-02-01"
    )


def test_tick_waits_for_what_came_in_within_this_minute(
    run: Run, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = instant_of(datetime(2026, 1, 3, 12, 0, 30, tzinfo=UTC))
    slept: list[float] = []

    def clock() -> int:
        return began + int(sum(slept)) * SECOND

    monkeypatch.setattr("flowscore.workspace.clock_now", clock)
    monkeypatch.setattr("flowscore.cli.ticking.clock_now", clock)
    monkeypatch.setattr("time.sleep", slept.append)
    file = live / "now.jsonl"
    call = {"type": "track", "event": "Cart Updated", "userId": "ana@example.com"}
    file.write_text(json.dumps({**call, "messageId": "m2"}))
    assert run("--project", live, "import", "events", file).code == 0
    said = run("--project", live, "tick")
    assert slept == [30]
    assert "1 line came in" in said.err
    assert "waiting for the tick at 2026-01-03T12:01:00Z" in said.err
    assert len(exported(run, live, "points")) == 2
    assert run("--project", live, "tick").err == ""  # nothing to wait for
    assert slept == [30]


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("explain", "ana@exmaple.com"), "did you mean 'ana@example.com'?"),
        (("explain", "zoe@nowhere.test"), "flowscore contacts --search"),
        (("lists", "hott"), "no list is called 'hott'; did you mean 'hot'?"),
        (("contacts", "--list", "hott"), "did you mean 'hot'?"),
        (("contacts", "--score", "fit"), "no score is called 'fit'; there are: engagement"),
        (("contacts", "--at-least", "5"), "--at-least needs --score"),
        (("scenarios", "--inside", "warn"), "did you mean 'warm'?"),
        (("scenarios", "enroll", "wram", "ana@example.com"), "did you mean 'warm'?"),
        (("outbox", "--status", "lost"), "one of queued, sending, sent"),
        (("outbox", "--contact", "nobody@example.com"), "no contact has the address"),
        (("outbox", "release", "nope"), "`flowscore outbox` shows the keys"),
        (("preview", "hello", "--contact", "ana@example.com"), "no template is called 'hello'"),
        (("import", "events", "nope.jsonl"), "nope.jsonl"),
        (("import", "contacts", "nope.csv"), "nope.csv"),
        (("import", "contacts", "x.csv", "--map", "nonsense"), "write --map 'COLUMN=NAME'"),
    ],
)
def test_unknown_name_is_told_with_what_to_do(
    run: Run, live: Path, words: tuple[str, ...], hint: str
) -> None:
    assert hint in told(run, live, *words)


def test_enrolled_by_hand_waits_for_the_next_tick(run: Run, write_project: Write) -> None:
    folder = write_project(
        {
            "scenarios/all.yaml": """
                scenario: by-hand
                trigger: manual
                actions: [{add_to_list: chosen}]
                ---
                list: chosen
                """
        }
    )
    people = folder / "people.csv"
    people.write_text("email,created_at\nana@example.com,2025-01-01\n")
    run("--project", folder, "apply")
    assert run("--project", folder, "import", "contacts", people).code == 0
    assert run("--project", folder, "tick", "--until", "2026-01-01").code == 0
    said = run("--project", folder, "scenarios", "enroll", "by-hand", "ANA@example.com")
    assert said.code == 0, said.err
    later = run("--project", folder, "tick", "--until", "2100-01-01", "--every", "1d")
    assert later.code == 0, later.err
    rows = run("--project", folder, "lists", "chosen", "--json").json
    assert [row["contact"] for row in rows] == ["ana@example.com"]


# --- rows -------------------------------------------------------------------------------------


def test_bad_rows_are_told_and_the_rest_goes_on(run: Run, live: Path) -> None:
    file = live / "people.csv"
    file.write_text("email,country\nben@example.com,ES\nnot an address,FR\neva@example.com,PT\n")
    said = run("--project", live, "import", "contacts", file)
    assert said.code == 0
    assert "2 of 3 taken" in said.out
    assert "line 3: email: " in said.out
    assert (live / "people.rejects.csv").is_file()
