"""The delivery: claim what is due, ask again, render, hand over, settle each alone.

A mail is claimed with a lease before anyone talks to a server, marked when its talk begins and
settled when it ends, each in a durable transaction. What a crash leaves claimed but not marked
is simply queued again; only what was marked is uncertain.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowscore.clock import MINUTE
from flowscore.language.policy import Sender
from flowscore.mail import claims, gates, pause, waits
from flowscore.mail.book import Book, Errand
from flowscore.mail.contexts import Job, Surroundings, load_jobs
from flowscore.mail.links import can_unsubscribe
from flowscore.mail.message import BadHeaderError, Letter, build
from flowscore.mail.returns.verp import mark
from flowscore.mail.settings import MailSettings
from flowscore.mail.settlements import Attempt, Settlement, settle, withhold
from flowscore.mail.templates import RenderError, Templates
from flowscore.mail.tracking import track
from flowscore.mail.webhooks.report import WebhookReport

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.mail.transport import Lane, Transport
    from flowscore.store.database import Store

BATCH = 500
NOBODY = Sender(address="flowscore@localhost")

NO_SENDER = "no mail is sent: the policy names no sender; add `sender: {address: hello@…}` to it"
NO_WAY_OUT = (
    "marketing mail is not sent: nobody could unsubscribe; set FLOWSCORE_UNSUBSCRIBE_MAILTO to a "
    "mailbox that you read, or FLOWSCORE_PUBLIC_URL and FLOWSCORE_SECRET"
)


@dataclass(frozen=True)
class DeliveryReport:
    """Counts of mails; `withheld` by reason, `stopped` says why the batch ended early.

    Of those `waiting` some wait for their send window (`window`) or for a cap (`capped`).
    `webhooks` went after the mails.
    """

    sent: int = 0
    withheld: dict[str, int] = field(default_factory=dict)
    retried: int = 0
    failed: int = 0
    uncertain: int = 0
    waiting: int = 0
    waits: dict[str, int] = field(default_factory=dict)
    stopped: str = ""
    webhooks: WebhookReport = field(default_factory=WebhookReport)


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
    errand = Errand(store, project, templates, transport, now, settings or MailSettings(), stop)
    delivery = _Delivery(errand, limit)
    work = delivery.look()
    if delivery.paused or not (work.due or work.left_over):
        return delivery.report()
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


class _Delivery:
    """One run over everything that is due."""

    def __init__(self, errand: Errand, limit: int | None) -> None:
        self.errand = errand
        self.left = limit
        self.owner = ""
        self.counts: Counter[str] = Counter()
        self.withheld: Counter[str] = Counter()
        self.sender, self.marketing, self.stopped = _what_may_leave(errand)
        self.refused = "" if self.marketing else NO_WAY_OUT
        self.policy = errand.project.policy
        self.paused = ""

    def look(self) -> claims.Work:
        """What is due, and what a crash left behind; what waits in vain is withheld first."""
        errand = self.errand
        resends = errand.settings.uncertain == "resend"
        with errand.store.read() as connection:
            self.paused = str(pause.find_pause(connection) or "")
            if self.paused:
                return claims.NOTHING
            outdated = waits.are_outdated(connection, errand.project, errand.now)
            if not outdated:
                return claims.look(connection, errand.now, self.marketing, resends)
        self._ask_waiting()
        with errand.store.read() as connection:
            return claims.look(connection, errand.now, self.marketing, resends)

    def _ask_waiting(self) -> None:
        """Mails that wait are asked whether they may go at all, and where their contact is now."""
        with self.errand.write() as connection:
            held = gates.withhold_waiting(connection, self.errand.project, self.errand.now)
            waits.ask_moved(connection, self.policy)
        self.withheld.update(held.values())

    async def run(self, work: claims.Work) -> DeliveryReport:
        """Recover, then batch after batch until nothing is left or something stands in the way."""
        self.owner = claims.new_owner()
        self.book = Book(self.errand, self.owner)
        try:
            if work.left_over:
                work = self._recover()
            if work.due and self._goes_on():
                await self._send(work.due)
        finally:
            claims.retire(self.owner)
        self.withheld.update(self.book.withheld)
        return self.report()

    def _recover(self) -> claims.Work:
        errand = self.errand
        with errand.write() as connection:
            self.counts["uncertain"] += claims.recover(
                connection, errand.now, errand.transport.repeatable, errand.settings.uncertain
            )
        return self.look()

    def _pause_if_needed(self) -> None:
        """Asked before each batch: too much of what was sent lately did harm (ruling 79)."""
        limits, errand = self.policy.pause_when, self.errand
        if limits is None:
            return
        with errand.store.read() as connection:
            needed = pause.needs_pause(connection, limits)
        if needed:
            with errand.write() as connection:
                self.paused = str(pause.pause_if_needed(connection, limits, errand.now) or "")

    async def _send(self, pending: array[int]) -> None:
        transport = self.errand.transport
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
        held = self.stopped or self.paused
        return not held and self.left != 0 and not self.errand.stop()

    async def _pass(self, pending: array[int], lanes: list[Lane]) -> array[int]:
        """Once through the mails; gives those whose contact was busy."""
        later: array[int] = array("q")
        at = 0
        while at < len(pending) and self._goes_on():
            self._pause_if_needed()
            if self.paused:
                break
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
            self.book.close(self.errand.now + MINUTE if self.stopped else None)
        return later

    def _claim(self, numbers: list[int]) -> tuple[list[Job], list[int]]:
        """One durable transaction: claim, ask consent and the rest again, load what is needed."""
        errand, policy, now = self.errand, self.policy, self.errand.now
        around = Surroundings(errand.project, errand.settings, self.sender.address, now)
        with errand.write() as connection:
            ours, later = claims.claim(connection, numbers, self.owner, errand.lease_until())
            held = gates.withhold(connection, self.owner, errand.project, now)
            put_off = waits.hold_back(connection, self.owner, policy, now)
            gone = held.keys() | {one.message_id for one in put_off}
            kept = [number for number in ours if number not in gone]
            jobs = load_jobs(connection, kept, around, errand.templates)
        self.withheld.update(held.values())
        self.withheld.update(one.reason for one in put_off if one.reason)
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
        errand = self.errand
        try:
            locale = job.context.locale
            rendered = errand.templates.render(job.template, locale, job.context, job.topic)
            rendered = track(rendered, job, errand.settings, errand.moment())
            sender, now = self.sender, errand.now
            letter = build(rendered, sender, job.address, job.key, now, job.queued_at)
            return mark(letter, errand.settings, job.message_id)
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
        return Attempt(job.message_id, job.attempts, self.errand.now)

    def report(self) -> DeliveryReport:
        """What was done up to now."""
        with self.errand.store.read() as connection:
            waiting = claims.waiting(connection)
        return DeliveryReport(
            sent=self.counts["sent"],
            withheld=dict(sorted(self.withheld.items())),
            retried=self.counts["queued"],
            failed=self.counts["failed"],
            uncertain=self.counts["uncertain"],
            waiting=sum(waiting.values()),
            waits={why: count for why, count in sorted(waiting.items()) if why},
            stopped=self.stopped or self.paused or self.refused,
        )


async def _all_of(tasks: Iterable[Awaitable[None]]) -> None:
    """Each to its end, whatever becomes of the others; then the first error."""
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _what_may_leave(errand: Errand) -> tuple[Sender, bool, str]:
    """The sender, whether marketing mail may go, what stops everything; a folder takes all."""
    sender = errand.project.policy.sender or Sender()
    if errand.transport.repeatable:
        return (sender if sender.address else NOBODY), True, ""
    return sender, can_unsubscribe(errand.settings), "" if sender.address else NO_SENDER
