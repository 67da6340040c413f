"""`flowscore run` as a process of its own: its work, its end, its lock, and what it survives."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import select

from flows.watching import await_line, await_true, mails_in
from flowscore.cli import main
from flowscore.prefect_home import START_SECONDS
from flowscore.scheduler import Service
from flowscore.store.tables import messages
from flowscore.workspace import Workspace

pytestmark = pytest.mark.prefect

Start = Callable[..., subprocess.Popen[str]]
SignUp = Callable[..., None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_works_off_what_is_owed_and_leaves_when_asked(
    prefect_server: str, academy: Path, sign_up: SignUp, start: Start, number: int
) -> None:
    sign_up("ada@example.com")
    service = start("run", PREFECT_API_URL=prefect_server)
    line = await_line(service, "tick at")
    assert "enrolled 1" in line and "sent 1" in line and "@" not in line
    service.send_signal(number)
    assert service.wait(30) == 0
    assert "left; what is owed is worked off at the next start" in service.stderr.read()
    assert mails_in(academy) == ["ada@example.com"]


def test_second_run_is_told_who_holds_the_store(
    prefect_server: str, academy: Path, start: Start
) -> None:
    first = start("run", PREFECT_API_URL=prefect_server)
    await_line(first, "at work in")
    second = start("run", PREFECT_API_URL=prefect_server)
    assert second.wait(30) == 1
    told = second.stderr.read()
    assert f"process {first.pid} on " in told and ", since 20" in told
    first.send_signal(signal.SIGKILL)
    first.wait()
    third = start("run", PREFECT_API_URL=prefect_server)
    assert "at work in" in await_line(third, "at work in")


def test_run_also_answers_the_web(prefect_server: str, academy: Path, start: Start) -> None:
    service = start("run", PREFECT_API_URL=prefect_server)
    address = await_line(service, "answering at").split()[-1]
    assert httpx.get(f"{address}/healthz", timeout=10).json() == {"status": "ok"}
    service.terminate()
    assert service.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz", timeout=10)


@pytest.mark.slow
def test_run_brings_its_own_prefect_server_and_takes_it_along(
    academy: Path, sign_up: SignUp, start: Start
) -> None:
    sign_up("ada@example.com")
    service = start("run")
    assert "Prefect's pages: http://127.0.0.1:" in await_line(service, "at work in")
    assert "sent 1" in await_line(service, "tick at", START_SECONDS)
    (server,) = psutil.Process(service.pid).children()
    assert (academy / ".flowscore" / "prefect" / "prefect.db").is_file()
    service.kill()  # even then
    server.wait(20)
    assert not server.is_running()


def test_run_survives_a_stopped_smtp_server(
    prefect_server: str, academy: Path, sign_up: SignUp, start: Start
) -> None:
    sign_up("ada@example.com")
    service = start(
        "run",
        PREFECT_API_URL=prefect_server,
        FLOWSCORE_SMTP_URL="smtp://127.0.0.1:9",
        FLOWSCORE_UNSUBSCRIBE_MAILTO="out@example.org",
    )
    line = await_line(service, "tick at")
    assert "queued 1" in line and "waiting 1" in line and "stopped: " in line
    assert service.poll() is None
    service.terminate()
    assert service.wait(30) == 0
    with Workspace(academy).store.read() as connection:
        assert connection.scalar(select(messages.c.status)) == "queued"


def test_run_survives_a_lost_database(
    prefect_server: str,
    postgres: Any,
    postgres_url: str,
    academy: Path,
    sign_up: SignUp,
    monkeypatch: pytest.MonkeyPatch,
    lines: Any,
) -> None:
    from flowscore import flows

    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", postgres_url)
    assert main(["--project", str(academy), "apply"]) == 0
    workspace = Workspace(academy)
    service = Service(workspace, flows.work, lambda: None, seconds=0.2)
    running = threading.Thread(target=asyncio.run, args=[service.run()])
    running.start()
    try:
        await_true(lambda: lines.about("tick at"))
        with postgres.unreachable(postgres_url):
            await_true(lambda: lines.about("the tick failed"))
        sign_up("ada@example.com")
        await_true(lambda: lines.about("well again"))
        # The next tick of the grid may be a whole minute away.
        await_true(lambda: mails_in(academy) == ["ada@example.com"], seconds=130)
    finally:
        service.stopping.set()
        running.join()
        workspace.close()
    assert lines.about("cannot be reached") and not lines.about("@example.com")


def test_t14_two_ticks_at_once_do_the_work_once(
    academy: Path, sign_up: SignUp, start: Start
) -> None:
    people = [f"p{n}@example.com" for n in range(200)]
    sign_up(*people)
    codes = [process.wait(60) for process in [start("tick") for _ in range(4)]]
    assert 0 in codes and set(codes) <= {0, 1}
    assert main(["--project", str(academy), "deliver"]) == 0
    assert mails_in(academy) == sorted(people)


def test_t14_a_tick_beside_another_is_told_who_is_at_it(academy: Path, start: Start) -> None:
    with Workspace(academy).store.lock_tick():
        second = start("tick")
        assert second.wait(30) == 1
    assert f"process {os.getpid()} on " in second.stderr.read()
