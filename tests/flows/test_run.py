"""`flowscore run` as a process of its own: its work, its end, its lock, and what it survives."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from flows.watching import await_line, mails_in
from flowscore.cli import main
from flowscore.store.tables import messages
from flowscore.workspace import Workspace

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

Start = Callable[..., subprocess.Popen[str]]
SignUp = Callable[..., None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_works_off_what_is_owed_and_leaves_when_asked(
    prefect_server: str, academy: Path, sign_up: SignUp, start: Start, number: int
) -> None:
    sign_up("ada@example.com")
    service = start("run", PREFECT_API_URL=prefect_server)
    line = await_line(service, "tick at")
    assert "1 enrolled" in line and "1 sent" in line and "@" not in line
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


@pytest.mark.slow
def test_run_brings_its_own_prefect_server_and_takes_it_along(
    academy: Path, sign_up: SignUp, start: Start
) -> None:
    sign_up("ada@example.com")
    service = start("run")
    assert "Prefect's pages: http://127.0.0.1:" in await_line(service, "at work in")
    assert "1 sent" in await_line(service, "tick at")
    (server,) = psutil.Process(service.pid).children()
    assert (academy / ".flowscore" / "prefect" / "prefect.db").is_file()
    service.kill()  # even then
    server.wait(20)
    assert not server.is_running()


def test_run_survives_a_stopped_smtp_server(
    prefect_server: str, academy: Path, sign_up: SignUp, start: Start, unused_tcp_port: int
) -> None:
    sign_up("ada@example.com")
    service = start(
        "run",
        PREFECT_API_URL=prefect_server,
        FLOWSCORE_SMTP_URL=f"smtp://127.0.0.1:{unused_tcp_port}",
        FLOWSCORE_UNSUBSCRIBE_MAILTO="out@example.org",
    )
    await_line(service, "tick")
    assert service.poll() is None
    service.terminate()
    assert service.wait(30) == 0
    with Workspace(academy).store.read() as connection:
        assert connection.scalar(select(messages.c.status)) == "queued"


def test_run_survives_a_lost_database(
    prefect_server: str,
    postgres: object,
    postgres_url: str,
    academy: Path,
    monkeypatch: pytest.MonkeyPatch,
    sign_up_later: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    raise NotImplementedError


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
