"""What one delivery works with, and the book in which it writes what became of each mail."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowscore.clock import SECOND
from flowscore.language.project import Project
from flowscore.mail import claims, gates
from flowscore.mail.settings import MailSettings
from flowscore.mail.templates import Templates
from flowscore.mail.transport import Transport
from flowscore.store.database import Store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from flowscore.mail.contexts import Job
    from flowscore.mail.settlements import Settlement

PATIENCE = 0.002  # seconds


@dataclass(frozen=True)
class Errand:
    """The same for every mail of a delivery; `now` stands still during it."""

    store: Store
    project: Project
    templates: Templates
    transport: Transport
    now: int
    settings: MailSettings
    stop: Callable[[], bool]
    began: float = field(default_factory=time.monotonic)

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that outlives a power cut where a mail could otherwise go twice."""
        return self.store.transact(durable=not self.transport.repeatable)

    def moment(self) -> int:
        """`now` stands still during a delivery; this is how late it has got meanwhile."""
        return self.now + int((time.monotonic() - self.began) * SECOND)

    def lease_until(self) -> int:
        """The lease has to move on."""
        return self.moment() + claims.LEASE


class Book:
    """Writes what became of mails; lanes that are ready within two milliseconds share a commit.

    A transport that may repeat needs no mark before the talk and no commit for each mail.
    """

    def __init__(self, errand: Errand, owner: str) -> None:
        self.errand = errand
        self.owner = owner
        self.settled: list[Settlement] = []
        self.begun: dict[int, asyncio.Future[bool]] = {}
        self.ended: list[asyncio.Future[bool]] = []
        self.planned: asyncio.TimerHandle | None = None
        self.lanes = 0  # at work now
        self.withheld: Counter[str] = Counter()  # at the last moment, by reason

    def note(self, settlement: Settlement | None) -> None:
        """To be written with the next commit."""
        if settlement:
            self.settled.append(settlement)

    async def write(self, settlement: Settlement | None, next_job: Job | None) -> bool:
        """Settle one mail and mark the next, durably; whether the next is still ours."""
        self.note(settlement)
        if self.errand.transport.repeatable:
            return True
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        if next_job:
            self.begun[next_job.message_id] = written
        else:
            self.ended.append(written)
        self.planned = self.planned or loop.call_later(PATIENCE, self._flush_for_lanes)
        if len(self.begun) + len(self.ended) >= self.lanes:
            self._flush_for_lanes()
        return await written

    def _flush_for_lanes(self) -> None:
        """Called by the loop: an error belongs to the lanes that wait."""
        begun, ended = self.begun, self.ended
        try:
            ours = self.flush()
        except Exception as error:
            for waiting in (*begun.values(), *ended):
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for number, waiting in begun.items():
            if not waiting.done():
                waiting.set_result(number in ours)
        for waiting in ended:
            if not waiting.done():
                waiting.set_result(True)

    def flush(self) -> set[int]:
        """One durable transaction for all that is known; gives the marked mails still ours.

        Those to be marked are asked once more whether they may go.
        """
        settled, begun = self._take()
        if not settled and not begun:
            return set()
        errand = self.errand
        with self._kept(settled), errand.write() as connection:
            claims.settle_all(connection, settled, self.owner)
            held = gates.withhold_leaving(connection, begun, self.owner, errand.project, errand.now)
            leaving = [number for number in begun if number not in held]
            until = errand.lease_until()
            ours = claims.begin_all(connection, leaving, self.owner, errand.now, until)
        self.withheld.update(held.values())
        return ours

    def close(self, next_at: int | None) -> None:
        """The end of a batch: settle what is known, give back what was not handed over."""
        settled, _ = self._take()
        with self._kept(settled), self.errand.write() as connection:
            claims.settle_all(connection, settled, self.owner)
            claims.release(connection, self.owner, next_at)

    @contextmanager
    def _kept(self, settled: list[Settlement]) -> Iterator[None]:
        """What could not be written (a store that is locked or away) is written with the next."""
        try:
            yield
        except BaseException:
            self.settled[:0] = settled
            raise

    def _take(self) -> tuple[list[Settlement], list[int]]:
        settled, begun = self.settled, list(self.begun)
        self.settled, self.begun, self.ended = [], {}, []
        if self.planned:
            self.planned.cancel()
            self.planned = None
        return settled, begun
