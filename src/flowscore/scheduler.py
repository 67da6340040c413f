"""The service: one process that looks at the grid, works when something is due, and stays up."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from flowscore.clock import EPOCH, MINUTE, SECOND, clock_now, datetime_of, rfc3339
from flowscore.errors import FlowscoreError, fault
from flowscore.mail.returns.postman import Postman
from flowscore.prefect_home import PrefectServer, load_flows, settle
from flowscore.web.server import keep_what_is_loaded, serving
from flowscore.workspace import Workspace

log = logging.getLogger("flowscore")

LONGEST_PAUSE = 300.0  # seconds between two tries while something stays broken

Work = Callable[[Path], Awaitable[dict[str, Any]]]
"""Works off what is owed by now and says what it did; one Prefect flow run."""


def serve(workspace: Workspace) -> None:
    """Tick and deliver on schedule until SIGTERM or SIGINT; the step under way is finished.

    A lost database connection takes the lock along; the lock of each tick still keeps order.
    """
    _log_plainly()
    with workspace.store.lock_run():
        home = workspace.settings.home / "prefect"
        settle(home)
        server = PrefectServer(home)  # before Prefect is imported: it reads the URL then
        flows = load_flows(home)
        seconds = min(workspace.settings.tick_every, MINUTE) / SECOND
        service = Service(workspace, flows.work, server.ensure, seconds, flows.stopping)
        if workspace.settings.bounce_mailbox is not None:
            service.postman = Postman(partial(workspace.read_bounces, service.stopping.is_set))
        keep_what_is_loaded()
        with _heeding(service.stopping), serving(workspace) as web:
            log.info("answering at %s", web.address)
            log.info("at work in %s; Prefect's pages: %s", workspace.root, server.pages)
            try:
                _until_stopped(service)
            finally:
                server.stop()
    log.info("left; what is owed is worked off at the next start")


def serve_web(workspace: Workspace) -> None:
    """Answer the web until SIGTERM or SIGINT; any number of these may run beside each other."""
    _log_plainly()
    stopping = threading.Event()
    keep_what_is_loaded()
    with serving(workspace) as web, _heeding(stopping):
        log.info("answering at %s", web.address)
        while not stopping.wait(1.0) and web.is_alive:
            pass
        log.info("asked to leave: finishing what was begun")
    log.info("left")


def serve_lmtp(workspace: Workspace, host: str, port: int) -> None:
    """Take returned mail by LMTP until SIGTERM or SIGINT."""
    from flowscore.mail.returns.lmtp import receiving

    _log_plainly()
    stopping = threading.Event()
    with receiving(workspace.returns_desk, host, port), _heeding(stopping):
        log.info("taking returned mail by LMTP at %s:%d", host, port)
        stopping.wait()
    log.info("left")


@dataclass
class Service:
    """Looks at the store every few seconds; a failing look is told in one line and waited out."""

    workspace: Workspace
    work: Work
    ready: Callable[[], None]  # Prefect's server: started, or started again
    seconds: float  # between two looks, counted from 1970 so that they fall on the grid
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], int] = clock_now
    failures: int = 0
    quiet_until: float = 0.0  # on the monotonic clock
    behind: bool = False  # the clock is, and was told of
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    postman: Postman | None = None  # reads the bounce mailbox, where one is named

    async def run(self) -> None:
        """Look once, then on every beat, until asked to stop."""
        await self.look()
        scheduler = AsyncIOScheduler(timezone=UTC)
        scheduler.add_job(
            self.look,
            "interval",
            seconds=self.seconds,
            start_date=EPOCH,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        if self.postman is not None:  # at once and every minute, beside the ticks
            go, at_once = [self.postman.go], datetime_of(clock_now())
            scheduler.add_job(asyncio.to_thread, "interval", go, seconds=60, next_run_time=at_once)
        scheduler.start()
        await asyncio.to_thread(self.stopping.wait)
        log.info("asked to leave: finishing the step under way")
        scheduler.pause()
        async with self.looking:  # shutting down would cancel a look under way
            scheduler.shutdown(wait=False)

    async def look(self) -> None:
        """Work if something is due; never raises."""
        async with self.looking:
            if self.stopping.is_set() or time.monotonic() < self.quiet_until:
                return
            try:
                await self._work_if_due(self.clock())
            except Exception as error:
                self._fail(error)
            else:
                self._recover()

    async def _work_if_due(self, now: int) -> None:
        await asyncio.to_thread(self.ready)
        if self._is_behind(now, await asyncio.to_thread(self.workspace.watermark)):
            return
        if await asyncio.to_thread(self.workspace.has_work, now):
            done = await self.work(self.workspace.root)
            log.info("tick at %s: %s", rfc3339(now // SECOND * SECOND), _in_words(done))

    def _is_behind(self, now: int, watermark: int | None) -> bool:
        """A clock that was set back waits for itself: no instant is worked twice."""
        behind = watermark is not None and now < watermark
        if behind and not self.behind:
            log.warning(
                "the clock says %s, but ticks were run up to %s; waiting until it gets there",
                rfc3339(now // SECOND * SECOND),
                rfc3339(watermark or 0),
            )
        self.behind = behind
        return behind

    def _fail(self, error: Exception) -> None:
        pause = min(self.seconds * 2 ** min(self.failures, 16), LONGEST_PAUSE)
        self.failures += 1
        # Half a beat earlier, so that the beat which falls on that instant is not missed.
        self.quiet_until = time.monotonic() + pause - self.seconds / 2
        log.error("the tick failed: %s; trying again in %g s", _sentence(error), pause)

    def _recover(self) -> None:
        if self.failures:
            log.info("well again (failed tries: %d)", self.failures)
        self.failures, self.quiet_until = 0, 0.0


def _until_stopped(service: Service) -> None:
    """In a thread of its own: in the main one Prefect would end its flow run at SIGTERM."""
    with ThreadPoolExecutor(1) as pool, _heeding(service.stopping):
        pool.submit(asyncio.run, service.run()).result()


@contextmanager
def _heeding(stopping: threading.Event) -> Iterator[None]:
    """The first SIGTERM or SIGINT asks to leave, a second one leaves at once."""

    def ask(number: int, _: FrameType | None) -> None:
        if stopping.is_set():
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stopping.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sentence(error: Exception) -> str:
    """One line without the values at hand: an address must not get into a log."""
    if isinstance(error, FlowscoreError):
        return str(error)
    return f"{fault(error)}; `flowscore tick` in the project folder tells more"


def _in_words(done: dict[str, Any]) -> str:
    """`events 3, sent 1`; a sentence stands behind the word it explains."""
    words = [
        f"{what.replace('_', ' ')}{'' if isinstance(value, int) else ':'} {value}"
        for what, value in done.items()
    ]
    return ", ".join(words) or "nothing"


def _log_plainly() -> None:
    """Time and sentence, on standard error."""
    line = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    line.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(line)
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
