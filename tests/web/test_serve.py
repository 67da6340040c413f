"""`flowscore serve` as a process of its own: it answers, and leaves when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from flows.watching import await_line

COMMAND = Path(sys.executable).with_name("flowscore")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(write_project: Callable[[dict[str, str]], Path]) -> Iterator[Start]:
    """Start `flowscore serve` on an empty project; ended with the test."""
    folder = write_project({"scenarios/policy.yaml": "policy: house\n"})
    started: list[subprocess.Popen[str]] = []

    def serve(**settings: str) -> subprocess.Popen[str]:
        command = [COMMAND, "--project", folder, "serve"]
        env = {**os.environ, "FLOWSCORE_WEB_PORT": "0", **settings}
        process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield serve
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_and_leaves_when_asked(start: Start, number: int) -> None:
    service = start()
    address = await_line(service, "answering at").split()[-1]
    assert httpx.get(f"{address}/healthz", timeout=10).json() == {"status": "ok"}
    service.send_signal(number)
    assert service.wait(20) == 0
    assert "asked to leave" in service.stderr.read()


def test_several_serve_the_same_store(start: Start) -> None:
    addresses = [await_line(start(), "answering at").split()[-1] for _ in range(2)]
    assert len(set(addresses)) == 2
    for address in addresses:
        assert httpx.get(f"{address}/healthz", timeout=10).status_code == 200


def test_a_port_in_use_is_told_in_one_line(start: Start) -> None:
    port = await_line(start(), "answering at").rsplit(":", 1)[1].strip()
    second = start(FLOWSCORE_WEB_PORT=port)
    assert second.wait(20) == 1
    told = second.stderr.read()
    assert f"127.0.0.1:{port} is in use by another program" in told
    assert "Traceback" not in told
