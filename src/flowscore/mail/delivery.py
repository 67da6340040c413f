"""The delivery: claim what is due, ask again, render, hand over, settle each alone.

A mail is claimed with a lease before anyone talks to a server, marked when its talk begins and
settled when it ends, each in a durable transaction. What a crash leaves claimed but not marked
is simply queued again; only what was marked is uncertain.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from flowscore.clock import MICROSECOND, MINUTE, SECOND
from flowscore.language.policy import Sender
from flowscore.language.project import Project
from flowscore.mail import claims, gates
from flowscore.mail.contexts import Job, Surroundings, load_jobs
from flowscore.mail.links import can_unsubscribe
from flowscore.mail.message import BadHeaderError, Letter, build
from flowscore.mail.settings import MailSettings
from flowscore.mail.settlements import Attempt, Settlement, settle, withhold
from flowscore.mail.templates import RenderError, Templates
from flowscore.mail.transport import Lane, Transport
from flowscore.store.database import Store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

BATCH = 500
PATIENCE = 0.002  # seconds
NOBODY = Sender(address="flowscore@localhost")

NO_SENDER = "no mail is sent: the policy names no sender; add `sender: {address: hello@…}` to it"
NO_WAY_OUT = (
    "marketing mail is not sent: nobody could unsubscribe; set FLOWSCORE_UNSUBSCRIBE_MAILTO to a "
    "mailbox that you read, or FLOWSCORE_PUBLIC_URL and FLOWSCORE_SECRET"
)


@dataclass(frozen=True)
class DeliveryReport:
    """Counts of mails; `withheld` by reason, `stopped` says why the batch ended early."""

    sent: int = 0
    withheld: dict[str, int] = field(default_factory=dict)
    retried: int = 0
    failed: int = 0
    uncertain: int = 0
    waiting: int = 0
    stopped: str = ""


def deliver(
    store: Store,
    project: Project,
    templates: Templates,
    transport: Transport,
    now: int,
    limit: int | None = None,
    *,
    settings: MailSettings | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> DeliveryReport:
    """Send what is due at `now`; `stop` is asked between mails, `limit` ends after so many.

    Blocks; inside of an event loop use `deliver_async`.
    """
    shared = _Shared(store, project, templates, transport, now, settings or MailSettings(), stop)
    delivery = _Delivery(shared, limit)
    work = delivery.look()
    if not work.due and not work.left_over:
        return delivery.report(work.waiting)
    return asyncio.run(delivery.run(work))


async def deliver_async(
    store: Store,
    project: Project,
    templates: Templates,
    transport: Transport,
    now: int,
    limit: int | None = None,
    *,
    settings: MailSettings | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> DeliveryReport:
    """The same in a thread with an event loop of its own, so that this loop serves others."""
    return await asyncio.to_thread(
        deliver, store, project, templates, transport, now, limit, settings=settings, stop=stop
    )


@dataclass(frozen=True)
class _Shared:
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

    def lease_until(self) -> int:
        """`now` stands still during a delivery; the lease has to move on."""
        passed = int((time.monotonic() - self.began) * SECOND) * MICROSECOND
        return self.now + passed + claims.LEASE


class _Delivery:
    """One run over everything that is due."""

    def __init__(self, shared: _Shared, limit: int | None) -> None:
        self.shared = shared
        self.left = limit
        self.owner = ""
        self.counts: Counter[str] = Counter()
        self.withheld: Counter[str] = Counter()
        self.sender, self.marketing, self.stopped = _what_may_leave(shared)
        self.refused = "" if self.marketing else NO_WAY_OUT

    def look(self) -> claims.Work:
        """What is due, and what a crash left behind."""
        shared = self.shared
        resends = shared.settings.uncertain == "resend"
        with shared.store.read() as connection:
            return claims.look(connection, shared.now, self.marketing, resends)

    async def run(self, work: claims.Work) -> DeliveryReport:
        """Recover, then batch after batch until nothing is left or something stands in the way."""
        self.owner = claims.new_owner()
        self.book = _Book(self.shared, self.owner)
        try:
            if work.left_over:
                work = self._recover()
            if work.due and not self.stopped:
                await self._send(work.due)
        finally:
            claims.retire(self.owner)
        with self.shared.store.read() as connection:
            return self.report(claims.waiting(connection))

    def _recover(self) -> claims.Work:
        shared = self.shared
        with shared.write() as connection:
            self.counts["uncertain"] += claims.recover(
                connection, shared.now, shared.transport.repeatable, shared.settings.uncertain
            )
        return self.look()

    async def _send(self, pending: array[int]) -> None:
        transport = self.shared.transport
        lanes = [transport.lane() for _ in range(max(1, min(transport.lanes, len(pending))))]
        try:
            refusals = [await lane.open() for lane in lanes]
            ready = [lane for lane, refused in zip(lanes, refusals, strict=True) if not refused]
            if not ready:
                self.stopped = str(refusals[0])
                return
            while pending and self._goes_on():
                before = len(pending)
                pending = await self._pass(pending, ready)
                if len(pending) == before:
                    break  # only mails of contacts whom another sender is writing to
        finally:
            await _all_of(lane.close() for lane in lanes)

    def _goes_on(self) -> bool:
        return not self.stopped and self.left != 0 and not self.shared.stop()

    async def _pass(self, pending: array[int], lanes: list[Lane]) -> array[int]:
        """Once through the mails; gives those whose contact was busy."""
        later: array[int] = array("q")
        at = 0
        while at < len(pending) and self._goes_on():
            size = BATCH if self.left is None else min(BATCH, self.left)
            chunk = pending[at : at + size].tolist()
            later.extend(await self._batch(chunk, lanes))
            at += size
        return later

    async def _batch(self, numbers: list[int], lanes: list[Lane]) -> list[int]:
        jobs, later = self._claim(numbers)
        work = iter(jobs)
        try:
            await _all_of(self._work(lane, work) for lane in lanes)
            await _all_of(lane.rest() for lane in lanes)
        finally:
            # What is left of a batch that ended early waits a minute before it is asked again.
            self.book.close(self.shared.now + MINUTE if self.stopped else None)
        return later

    def _claim(self, numbers: list[int]) -> tuple[list[Job], list[int]]:
        """One durable transaction: claim, ask consent and the rest again, load what is needed."""
        shared = self.shared
        consent = shared.project.policy.consent
        around = Surroundings(shared.project, shared.settings, self.sender.address, shared.now)
        with shared.write() as connection:
            ours, later = claims.claim(connection, numbers, self.owner, shared.lease_until())
            held, reasons = gates.withhold(connection, self.owner, consent, shared.now)
            kept = [number for number in ours if number not in held]
            jobs = load_jobs(connection, kept, around, shared.templates)
        self.withheld += reasons
        return jobs, later

    async def _work(self, lane: Lane, jobs: Iterator[Job]) -> None:
        """One lane: what became of a mail is written together with the start of the next."""
        done: Settlement | None = None
        self.book.lanes += 1
        for job in jobs:
            letter = self._write(job)
            if letter is None:
                continue
            ours = await self.book.write(done, job)
            done = await self._hand_over(lane, job, letter) if ours else None
            if not self._goes_on():
                break
        self.book.lanes -= 1
        await self.book.write(done, None)

    def _write(self, job: Job) -> Letter | None:
        """The mail as bytes; one that cannot be written is withheld, and the others go."""
        shared = self.shared
        try:
            locale = job.context.locale
            rendered = shared.templates.render(job.template, locale, job.context, job.topic)
            return build(rendered, self.sender, job.email, job.key, shared.now, job.queued_at)
        except RenderError as error:
            reason = f"render: {error}"
        except BadHeaderError as error:
            reason = f"address: {error}"
        self.book.note(withhold(self._attempt(job), reason))
        self.withheld[reason.partition(":")[0]] += 1
        return None

    async def _hand_over(self, lane: Lane, job: Job, letter: Letter) -> Settlement:
        settled = settle(self._attempt(job), await lane.hand_over(letter))
        self.counts[settled.status] += 1
        self.stopped = self.stopped or settled.stops
        if self.left:
            self.left -= 1
        return settled

    def _attempt(self, job: Job) -> Attempt:
        return Attempt(job.message_id, job.attempts, self.shared.now)

    def report(self, waiting: int) -> DeliveryReport:
        """What was done up to now."""
        return DeliveryReport(
            sent=self.counts["sent"],
            withheld=dict(sorted(self.withheld.items())),
            retried=self.counts["queued"],
            failed=self.counts["failed"],
            uncertain=self.counts["uncertain"],
            waiting=waiting,
            stopped=self.stopped or self.refused,
        )


async def _all_of(tasks: Iterable[Awaitable[None]]) -> None:
    """Each to its end, whatever becomes of the others; then the first error."""
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _what_may_leave(shared: _Shared) -> tuple[Sender, bool, str]:
    """The sender, whether marketing mail may go, what stops everything; a folder takes all."""
    sender = shared.project.policy.sender or Sender()
    if shared.transport.repeatable:
        return (sender if sender.address else NOBODY), True, ""
    return sender, can_unsubscribe(shared.settings), "" if sender.address else NO_SENDER


class _Book:
    """Writes what became of mails; lanes that are ready within two milliseconds share a commit.

    A transport that may repeat needs no mark before the talk and no commit for each mail.
    """

    def __init__(self, shared: _Shared, owner: str) -> None:
        self.shared = shared
        self.owner = owner
        self.settled: list[Settlement] = []
        self.begun: dict[int, asyncio.Future[bool]] = {}
        self.ended: list[asyncio.Future[bool]] = []
        self.planned: asyncio.TimerHandle | None = None
        self.lanes = 0  # at work now

    def note(self, settlement: Settlement | None) -> None:
        """To be written with the next commit."""
        if settlement:
            self.settled.append(settlement)

    async def write(self, settlement: Settlement | None, next_job: Job | None) -> bool:
        """Settle one mail and mark the next, durably; whether the next is still ours."""
        self.note(settlement)
        if self.shared.transport.repeatable:
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
        """One durable transaction for all that is known; gives the marked mails still ours."""
        settled, begun = self._take()
        if not settled and not begun:
            return set()
        shared = self.shared
        with shared.write() as connection:
            claims.settle_all(connection, settled, self.owner)
            until = shared.lease_until()
            return claims.begin_all(connection, begun, self.owner, shared.now, until)

    def close(self, next_at: int | None) -> None:
        """The end of a batch: settle what is known, give back what was not handed over."""
        settled, _ = self._take()
        with self.shared.write() as connection:
            claims.settle_all(connection, settled, self.owner)
            claims.release(connection, self.owner, next_at)

    def _take(self) -> tuple[list[Settlement], list[int]]:
        settled, begun = self.settled, list(self.begun)
        self.settled, self.begun, self.ended = [], {}, []
        if self.planned:
            self.planned.cancel()
            self.planned = None
        return settled, begun
