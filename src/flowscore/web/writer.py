"""Writes what came in durably: many requests in one transaction, and never more than fit.

One thread writes. What waits is taken together, so that a hundred requests cost one flush of the
disk; what does not fit is refused at once, so that memory never grows with the load.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flowscore.errors import FlowscoreError
from flowscore.store.database import Store
from flowscore.store.inbox import InboxRow, write
from flowscore.store.rejects import Rejected, keep_rejects
from flowscore.web.refusals import FullError, UnwritableError
from flowscore.web.worker import Worker

log = logging.getLogger("flowscore")

MOST_WAITING = 50_000  # lines
TOGETHER = 5_000  # lines in one transaction, so that no caller waits long


@dataclass(eq=False, slots=True)
class Parcel:
    """What one request brings; `told` is answered once it is on the disk."""

    rows: Sequence[InboxRow]
    rejects: Sequence[Rejected]
    told: asyncio.Future[None] | None = None

    @property
    def size(self) -> int:
        """Lines."""
        return len(self.rows) + len(self.rejects)


@dataclass
class Writer:
    """The one thread that writes to the inbox for all routes of this process."""

    store: Store
    most: int = MOST_WAITING
    waiting: deque[Parcel] = field(default_factory=deque)
    lines: int = 0  # waiting or being written
    written: int = 0  # since the start
    lost: int = 0  # taken without waiting, and could not be written

    def __post_init__(self) -> None:
        self._worker = Worker("flowscore writer", self._run)

    def start(self) -> None:
        """Begin to write."""
        self._worker.start()

    def stop(self) -> None:
        """Write what waits, then end; safe to call twice."""
        self._worker.stop()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is there to write."""
        return self._worker.is_alive

    async def keep(self, rows: Sequence[InboxRow], rejects: Sequence[Rejected] = ()) -> None:
        """Durable once this returns, all or nothing.

        Raises `FullError` when too much waits already, `UnwritableError` when the store refuses.
        """
        if not rows and not rejects:
            return
        told = asyncio.get_running_loop().create_future()
        if not self._take(Parcel(rows, rejects, told)):
            raise FullError
        await told

    def offer(self, rows: Sequence[InboxRow], rejects: Sequence[Rejected] = ()) -> bool:
        """Have it written soon, from any thread, without waiting; False if there is no room."""
        return self._take(Parcel(rows, rejects))

    def _take(self, parcel: Parcel) -> bool:
        """A parcel larger than the room is taken when nothing else waits."""
        with self._worker.woken:
            if self._worker.leaving or (self.lines and self.lines + parcel.size > self.most):
                return False
            self.waiting.append(parcel)
            self.lines += parcel.size
            self._worker.woken.notify()
            return True

    def _run(self) -> None:
        while parcels := self._next():
            self._write_all(parcels)

    def _next(self) -> list[Parcel]:
        """What waits, up to a transaction's worth; nothing once we leave and all is written."""
        with self._worker.woken:
            self._worker.await_work(self.waiting)
            parcels: list[Parcel] = []
            size = 0
            while self.waiting and (not parcels or size + self.waiting[0].size <= TOGETHER):
                parcels.append(self.waiting.popleft())
                size += parcels[-1].size
            return parcels

    def _write_all(self, parcels: list[Parcel]) -> None:
        """In one transaction; where that fails one by one, so that nobody fails for another."""
        try:
            self._commit(parcels)
        except Exception as error:
            if len(parcels) > 1 and not isinstance(error, FlowscoreError):
                for parcel in parcels:
                    self._write_all([parcel])
                return
            self._refuse(parcels, error)
        else:
            self.written += sum(len(parcel.rows) for parcel in parcels)
            self._settle(parcels, None)

    def _commit(self, parcels: list[Parcel]) -> None:
        with self.store.receive() as connection:
            write(connection, [row for parcel in parcels for row in parcel.rows])
            keep_rejects(connection, [one for parcel in parcels for one in parcel.rejects])

    def _refuse(self, parcels: list[Parcel], error: Exception) -> None:
        """A sentence without the values: an address must not get into a log."""
        why = str(error) if isinstance(error, FlowscoreError) else type(error).__name__
        log.error("what came in could not be written: %s", why)
        self.lost += sum(parcel.size for parcel in parcels if parcel.told is None)
        self._settle(parcels, UnwritableError())

    def _settle(self, parcels: list[Parcel], error: Exception | None) -> None:
        """Their room is free before anybody hears of it, and sends the next."""
        with self._worker.woken:
            self.lines -= sum(parcel.size for parcel in parcels)
        _tell(parcels, error)


def _tell(parcels: list[Parcel], error: Exception | None) -> None:
    """Answer whoever waits, each in the loop where it waits."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for parcel in parcels:
        if parcel.told is not None:
            loops.setdefault(parcel.told.get_loop(), []).append(parcel.told)
    for loop, futures in loops.items():
        with suppress(RuntimeError):  # the loop has closed, and nobody waits any more
            loop.call_soon_threadsafe(_answer, futures, error)


def _answer(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():  # the client has gone
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
