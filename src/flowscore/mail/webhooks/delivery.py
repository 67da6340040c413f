"""The delivery of webhooks: claim what is due, carry side by side, settle each alone.

They go after the mails and within a time of their own, so a receiver that hangs holds up neither
the mails nor, for long, the webhooks of others.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscore.clock import SECOND
from flowscore.mail import claims
from flowscore.mail.settlements import Attempt, Settlement
from flowscore.mail.webhooks import queue
from flowscore.mail.webhooks.courier import Barred, Courier, Outcome, Ready, Silent
from flowscore.mail.webhooks.parcels import UnfitError, UnsetError
from flowscore.mail.webhooks.queue import Queued
from flowscore.mail.webhooks.report import WebhookReport
from flowscore.mail.webhooks.settlements import put_off, settle

if TYPE_CHECKING:
    from flowscore.store.database import Store

BATCH = 200
SIDE_BY_SIDE = 16
OF_ONE_RECEIVER = 4  # side by side
BUDGET = 30.0  # seconds; then no other is begun, and what is left waits for the next delivery
SILENCES = 2  # of one receiver in one delivery; then the rest of its webhooks waits a minute
PATIENCE = 0.004  # seconds
QUIET = "its receiver did not answer others just now"


def deliver_webhooks(
    store: Store,
    now: int,
    courier: Courier,
    *,
    clock: Callable[[], int],
    stop: Callable[[], bool] = lambda: False,
) -> WebhookReport:
    """Hand what is due at `now` to the courier; `stop` is asked between webhooks. Blocks.

    `clock` is asked when an answer came: what a receiver says of later is meant from then.
    """
    return asyncio.run(_Delivery(store, now, courier, clock, stop).run())


@dataclass(frozen=True, slots=True)
class _Job:
    queued: Queued
    ready: Ready


class _Delivery:
    """One run over everything that is due."""

    def __init__(
        self,
        store: Store,
        now: int,
        courier: Courier,
        clock: Callable[[], int],
        stop: Callable[[], bool],
    ) -> None:
        self.store = store
        self.now = now
        self.courier = courier
        self.clock = clock
        self.stop = stop
        self.began = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.silences: Counter[str] = Counter()  # by receiver
        self.problem = ""
        self.settled: list[Settlement] = []
        self.writing: asyncio.Future[None] | None = None

    async def run(self) -> WebhookReport:
        """Recover, then batch after batch."""
        self.owner = claims.new_owner()
        self.free = asyncio.Semaphore(SIDE_BY_SIDE)
        try:
            with self.store.transact(durable=True) as connection:
                queue.recover(connection, self.now)
                due = queue.due(connection, self.now)
            for at in range(0, len(due), BATCH):
                if self._goes_on():
                    await self._batch(due[at : at + BATCH])
        finally:
            await self.courier.close()
            claims.retire(self.owner)
        with self.store.read() as connection:
            return self._report(queue.waiting(connection))

    def _goes_on(self) -> bool:
        in_time = not self.courier.outside or time.monotonic() - self.began < BUDGET
        return in_time and not self.stop()

    async def _batch(self, numbers: Sequence[int]) -> None:
        """Each receiver has lanes of its own; what is not begun in time is given back."""
        with self.store.transact(durable=True) as connection:
            claimed = queue.claim(connection, numbers, self.owner, self._lease_until())
        by_receiver: defaultdict[str, list[_Job]] = defaultdict(list)
        for job in self._made_ready(claimed):
            by_receiver[job.ready.origin].append(job)
        try:
            await _all_of(self._lanes(jobs) for jobs in by_receiver.values())
        finally:
            self._write()
            with self.store.transact(durable=True) as connection:
                claims.release(connection, self.owner)

    def _lease_until(self) -> int:
        """`now` stands still during a delivery; the lease has to move on."""
        return self.now + int((time.monotonic() - self.began) * SECOND) + claims.LEASE

    def _made_ready(self, claimed: list[Queued]) -> Iterator[_Job]:
        """What can go; one of which nothing can be made is settled, and the others go."""
        for one in claimed:
            try:
                yield _Job(one, self.courier.ready(one.key, one.payload))
            except UnfitError as error:
                self._settle(one, Barred(str(error)))
            except UnsetError as error:
                self._settle(one, Silent(str(error)))

    async def _lanes(self, jobs: list[_Job]) -> None:
        """A few lanes over the webhooks of one receiver."""
        work = iter(jobs)
        await _all_of(self._lane(work) for _ in range(min(OF_ONE_RECEIVER, len(jobs))))

    async def _lane(self, jobs: Iterator[_Job]) -> None:
        for job in jobs:
            async with self.free:
                if not self._goes_on():
                    return
                await self._serve(job)

    async def _serve(self, job: _Job) -> None:
        """Let one go, write what became of it; a receiver that is silent gets no more for now."""
        origin = job.ready.origin
        if self.silences[origin] >= SILENCES:
            self.settled.append(put_off(self._attempt(job.queued), QUIET))
            self.counts["retried"] += 1
            return
        outcome = await job.ready.go()
        self.silences[origin] = self.silences[origin] + 1 if isinstance(outcome, Silent) else 0
        self._settle(job.queued, outcome)
        await self._written()

    def _settle(self, one: Queued, outcome: Outcome) -> None:
        settlement = settle(self._attempt(one), outcome, self.clock())
        self.counts["retried" if settlement.status == "queued" else settlement.status] += 1
        if settlement.reason:
            self.problem = f"{one.key}: {settlement.reason}"
        self.settled.append(settlement)

    def _attempt(self, one: Queued) -> Attempt:
        return Attempt(one.message_id, one.attempts, self.now)

    async def _written(self) -> None:
        """Lanes whose answers come within a few milliseconds share a commit."""
        self.writing = self.writing or asyncio.ensure_future(self._write_soon())
        await self.writing

    async def _write_soon(self) -> None:
        await asyncio.sleep(PATIENCE)
        self.writing = None
        self._write()

    def _write(self) -> None:
        """What is known, durably; what could not be written is written with the next."""
        if self.settled:
            with self.store.transact(durable=True) as connection:
                claims.settle_all(connection, self.settled, self.owner)
            self.settled.clear()

    def _report(self, waiting: int) -> WebhookReport:
        return WebhookReport(
            self.counts["sent"],
            self.counts["retried"],
            self.counts["failed"],
            waiting,
            self.problem,
        )


async def _all_of(tasks: Iterable[Awaitable[None]]) -> None:
    """Each to its end, whatever becomes of the others; then the first error."""
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if outcome is not None:
            raise outcome
