"""How the service behaves when nothing is due, when things break, and when it is asked to leave."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flowscore.clock import HOUR, MINUTE
from flowscore.errors import FlowscoreError
from flowscore.scheduler import LONGEST_PAUSE, Service, _until_stopped

NOON = 12 * HOUR
BEAT = 0.05


@dataclass
class Folder:
    """What the service asks of a workspace."""

    root: Path = Path("academy")
    due: bool = True
    mark: int | None = None

    def watermark(self) -> int | None:
        return self.mark

    def has_work(self, now: int) -> bool:
        return self.due


@dataclass
class Works:
    """A work that notes its calls and fails as often as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    seconds: float = 0.0
    calls: list[Path] = field(default_factory=list)
    finished: int = 0

    async def __call__(self, root: Path) -> dict[str, int]:
        self.calls.append(root)
        await asyncio.sleep(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        self.finished += 1
        return {"events": 2, "sent": 1}


def service_of(work: Works, folder: Folder | None = None, **options: object) -> Service:
    settings = {"ready": lambda: None, "seconds": BEAT, "clock": lambda: NOON} | options
    return Service(folder or Folder(), work, **settings)


def look(service: Service, times: int = 1) -> None:
    async def looks() -> None:
        for _ in range(times):
            await service.look()

    asyncio.run(looks())


def run_for(service: Service, seconds: float) -> None:
    """Run the service and ask it to leave after so long."""
    threading.Timer(seconds, service.stopping.set).start()
    asyncio.run(service.run())


def test_run_makes_no_flow_run_when_nothing_is_due() -> None:
    work = Works()
    look(service_of(work, Folder(due=False)), 3)
    assert work.calls == []


def test_run_works_on_every_beat(lines: Any) -> None:
    work = Works()
    run_for(service_of(work), 8 * BEAT)
    assert 4 <= work.finished <= 10
    assert "tick at 1970-01-01T12:00:00Z: events 2, sent 1" in lines.said


def test_run_is_never_doing_two_things_at_once() -> None:
    work = Works(seconds=3 * BEAT)
    run_for(service_of(work), 10 * BEAT)
    assert 2 <= work.finished == len(work.calls) <= 4


def test_run_starts_nothing_before_the_server_is_ready() -> None:
    order: list[str] = []

    async def work(root: Path) -> dict[str, int]:
        order.append("work")
        return {}

    look(service_of(work, ready=lambda: order.append("ready")))
    assert order == ["ready", "work"]


def test_run_survives_a_failing_tick_and_says_so_once(lines: Any) -> None:
    work = Works(failures=[FlowscoreError("flowscore.db: the disk is full; make room")])
    run_for(service_of(work), 8 * BEAT)
    assert work.finished >= 2
    told = [line for line in lines.said if "failed" in line]
    assert told == [
        "the tick failed: flowscore.db: the disk is full; make room; trying again in 0.05 s",
        "well again (failed tries: 1)",
    ]


def test_run_backs_off_while_it_stays_broken() -> None:
    work = Works(failures=[FlowscoreError("gone")] * 100)
    run_for(service_of(work), 20 * BEAT)
    assert 3 <= len(work.calls) <= 6  # beats 0, 1, 3, 7, 15


def test_run_waits_five_minutes_at_most(lines: Any) -> None:
    service = service_of(Works(failures=[FlowscoreError("gone")]), failures=3000)
    look(service)
    assert service.quiet_until - time.monotonic() <= LONGEST_PAUSE


def test_run_logs_no_values_of_an_unknown_error(lines: Any) -> None:
    look(service_of(Works(failures=[ValueError("ada@example.com is odd")])))
    (told,) = lines.said
    assert "ValueError" in told and "`flowscore tick`" in told and "ada@" not in told


def test_run_waits_for_a_clock_that_was_set_back(lines: Any) -> None:
    work, folder = Works(), Folder(mark=NOON + MINUTE)
    service = service_of(work, folder)
    look(service, 3)
    assert work.calls == []
    (told,) = [line for line in lines.said if "clock" in line]
    assert told.startswith("the clock says 1970-01-01T12:00:00Z, but ticks were run up to")
    assert told.endswith("1970-01-01T12:01:00Z; waiting until it gets there")
    service.clock = lambda: NOON + MINUTE
    look(service)
    assert work.finished == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_finishes_the_step_under_way_when_asked_to_leave(number: int) -> None:
    work = Works(seconds=0.5)
    before = signal.getsignal(number)
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
    _until_stopped(service_of(work))
    assert (work.finished, len(work.calls)) == (1, 1)
    assert signal.getsignal(number) is before
