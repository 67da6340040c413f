"""200 means that it is on the disk: the process is killed right after it, and sent to again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from cli.conftest import Run, run
from flows.watching import await_line
from flowscore.clock import MINUTE, clock_now, rfc3339
from web.intake_door import ANA, basic, call

COMMAND = Path(sys.executable).with_name("flowscore")
Start = Callable[[], tuple[subprocess.Popen[str], str]]
RULES = "score: engagement\nrules: [{name: order, points: 5, on: {event: order_completed}}]\n"

__all__ = ["run"]  # a fixture


@pytest.fixture
def folder(write_project: Callable[[dict[str, str]], Path], run: Run) -> Path:
    made = write_project({"scenarios/score.yaml": RULES})
    assert run("--project", made, "apply").code == 0
    return made


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start `flowscore serve`; gives the process and its address."""
    started: list[subprocess.Popen[str]] = []

    def serve() -> tuple[subprocess.Popen[str], str]:
        words = [COMMAND, "--project", folder, "serve"]
        env = {**os.environ, "FLOWSCORE_WEB_PORT": "0"}
        process = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process, await_line(process, "answering at").split()[-1]

    yield serve
    for process in started:
        process.kill()
        process.communicate()


def tick(run: Run, folder: Path) -> None:
    """Up to a minute that takes what has just come in."""
    until = rfc3339(clock_now() + 2 * MINUTE)
    assert run("--project", folder, "tick", "--until", until).code == 0


def test_t09_a_200_survives_the_process_and_counts_once_when_sent_again(
    folder: Path, start: Start, run: Run
) -> None:
    key = run("--project", folder, "keys", "add", "shop").out.strip()
    calls = [call(userId=ANA, messageId=f"m{n}") for n in range(200)]
    body = json.dumps({"batch": [*calls, {"type": "track"}]}).encode()
    for _ in range(2):  # killed, started, sent again: a client that heard nothing does the same
        process, address = start()
        taken = httpx.post(f"{address}/v1/batch", content=body, headers=basic(key), timeout=30)
        os.kill(process.pid, signal.SIGKILL)
        assert taken.status_code == 200
        process.wait(20)
    tick(run, folder)
    exported = run("--project", folder, "export", folder / "out")
    assert exported.code == 0
    events = [json.loads(line) for line in (folder / "out/events.jsonl").read_text().splitlines()]
    assert sorted(e["message_id"] for e in events if e["name"] == "order_completed") == sorted(
        one["messageId"] for one in calls
    )
    assert {e["source"] for e in events if e["name"] == "order_completed"} == {"shop"}
    assert run("--project", folder, "rejects", "--json").json["total"] == 1


def test_killed_while_many_send_nothing_that_was_answered_is_lost(
    folder: Path, start: Start, run: Run
) -> None:
    key = run("--project", folder, "keys", "add", "shop").out.strip()
    process, address = start()
    answered: list[str] = []
    with httpx.Client(base_url=address, headers=basic(key), timeout=30) as client:
        for n in range(60):
            body = json.dumps(
                {"batch": [call(userId=ANA, messageId=f"{n}-{i}") for i in range(20)]}
            )
            if n == 40:
                os.kill(process.pid, signal.SIGKILL)
            try:
                if client.post("/v1/batch", content=body).status_code == 200:
                    answered += [f"{n}-{i}" for i in range(20)]
            except httpx.HTTPError:
                break
    assert len(answered) >= 800
    tick(run, folder)
    assert run("--project", folder, "export", folder / "out").code == 0
    events = [json.loads(line) for line in (folder / "out/events.jsonl").read_text().splitlines()]
    ids = [e["message_id"] for e in events if e["name"] == "order_completed"]
    assert len(ids) == len(set(ids))
    assert set(answered) <= set(ids)
