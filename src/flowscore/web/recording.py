"""Makes inbox lines of opens and clicks, behind the back of whoever waits for the answer.

A request only hands its hit over. One thread looks up the mails of all hits that wait, in one
query, and gives their lines to the writer. What finds no room, or no store, is lost and counted:
nobody waits for it, and nothing is counted twice.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
from sqlalchemy import bindparam, select

from flowscore.clock import DAY, SECOND
from flowscore.mail.tokens import Kind, Of, OfMail, OfTemplate, digest_of
from flowscore.store.database import Store
from flowscore.store.forms import flatten
from flowscore.store.inbox import InboxRow
from flowscore.store.machines import HIDDEN_LINK, TRACKING, WAIT
from flowscore.store.tables import contacts, messages
from flowscore.store.tallies import TALLY
from flowscore.web.metrics import Metrics
from flowscore.web.worker import Worker
from flowscore.web.writer import Writer

log = logging.getLogger("flowscore")

MOST_WAITING = 20_000  # hits
TOGETHER = 500  # hits that are looked up at once
AT_DELIVERY = "at delivery"
DELIVERING = 3 * SECOND  # from writing a mail: sooner nobody opens it or clicks in it
NAMES: dict[Kind, str] = {
    "open": "email_opened",
    "click": "email_clicked",
    "trap": "email_clicked",
}
LOOK = (
    select(
        messages.c.id, messages.c.key, messages.c.template, messages.c.topic,
        messages.c.scenario, messages.c.status, contacts.c.email_folded, contacts.c.user_id,
    )
    .join(contacts, contacts.c.id == messages.c.contact_id)
    .where(messages.c.id.in_(bindparam("numbers", expanding=True)), messages.c.kind == "email")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """A request for a picture or a link whose token was proven.

    `agent` is the kind of program, `said` how it names itself; `why` is the reason to take it
    for a machine, as far as the request alone tells.
    """

    kind: Kind
    of: Of
    at: int
    target: str = ""
    agent: str = ""
    said: str = ""
    why: str = ""


@dataclass
class Recorder:
    """The one thread that records hits for all routes of this process."""

    store: Callable[[], Store]
    writer: Writer
    clock: Callable[[], int]
    metrics: Metrics
    most: int = MOST_WAITING
    waiting: deque[Hit] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._worker = Worker("flowscore recorder", self._run)

    def start(self) -> None:
        """Begin to record."""
        self._worker.start()

    def stop(self) -> None:
        """Record what waits, then end; safe to call twice. The writer has to end after this."""
        self._worker.stop()

    def take(self, hit: Hit) -> None:
        """To be recorded soon; dropped and counted where too much waits."""
        with self._worker.woken:
            if len(self.waiting) < self.most and not self._worker.leaving:
                self.waiting.append(hit)
                self._worker.woken.notify()
                return
        self._count("dropped")

    def _run(self) -> None:
        while hits := self._next():
            try:
                self._record(hits)
            except Exception as error:  # a locked or lost store: the next ones are tried again
                log.error("opens and clicks could not be recorded: %s", type(error).__name__)
                self._count("lost", len(hits))

    def _next(self) -> list[Hit]:
        """What waits; nothing once we leave and all is recorded."""
        with self._worker.woken:
            self._worker.await_work(self.waiting)
            return [self.waiting.popleft() for _ in range(min(len(self.waiting), TOGETHER))]

    def _record(self, hits: list[Hit]) -> None:
        rows = list(self._rows(hits))
        kept = self.writer.offer(rows)
        self._count("recorded" if kept else "dropped", len(rows))
        self._count("unknown", len(hits) - len(rows))

    def _rows(self, hits: list[Hit]) -> Iterator[InboxRow]:
        """A line for each hit of a mail that is there, and for each that is nobody's."""
        mails = self._mails({hit.of.number for hit in hits if isinstance(hit.of, OfMail)})
        now = self.clock()
        for hit in hits:
            if isinstance(hit.of, OfTemplate):
                yield tally_of(hit, hit.of, now)
                continue
            mail = mails.get(hit.of.number)
            if mail is not None and digest_of(mail.key) == hit.of.digest:
                yield line_of(hit, hit.of, mail, now)

    def _mails(self, numbers: Iterable[int]) -> dict[int, Any]:
        wanted = list(numbers)
        if not wanted:
            return {}
        with self.store().read() as connection:
            rows = connection.execute(LOOK, {"numbers": wanted}).all()
        return {row.id: row for row in rows if row.email_folded or row.user_id}

    def _count(self, outcome: str, hits: int = 1) -> None:
        if hits:
            self.metrics.hits.labels(outcome).inc(hits)


def line_of(hit: Hit, of: OfMail, mail: Any, now: int) -> InboxRow:
    """The open or click of a contact; received a little later, so that what a scanner does
    around it is seen with it (`store/machines.py`).
    """
    name, why = NAMES[hit.kind], hit.why or _why_now(hit, of, mail)
    said = {"template": mail.template, "topic": mail.topic, "scenario": mail.scenario}
    said |= {"message_id": mail.key, "machine": bool(why)}
    facts = {"link": hit.target, "links": of.links, "agent": hit.agent, "machine_why": why}
    said |= {key: value for key, value in facts.items() if value}
    user = ("email", mail.email_folded) if mail.email_folded else ("user", mail.user_id)
    return InboxRow(
        _message_id(hit, name, mail.key, why), "track", name, *user, None, None, None,
        hit.at, now + WAIT, 0, 0, mail.template, mail.topic, mail.key, int(bool(why)),
        int(not why), orjson.dumps(said).decode(), orjson.dumps(flatten(said)).decode(),
        source=TRACKING,
    )  # fmt: skip


def _why_now(hit: Hit, of: OfMail, mail: Any) -> str:
    """A mail that has only just left, or is leaving, is in no inbox that a person looks at."""
    if hit.kind == "trap":
        return HIDDEN_LINK
    just_left = abs(hit.at - of.written * SECOND) < DELIVERING
    return AT_DELIVERY if just_left or mail.status == "sending" else ""


def _message_id(hit: Hit, name: str, key: str, why: str) -> str:
    """The same link or picture, asked for by the same program within a second, is one hit."""
    which = sha256(f"{hit.target}\0{hit.said}\0{bool(why)}\0{hit.kind}".encode()).hexdigest()[:16]
    return f"{key}:{name}:{hit.at // SECOND}:{which}"


def tally_of(hit: Hit, of: OfTemplate, now: int) -> InboxRow:
    """A hit that is counted and belongs to nobody: of its time the day is kept, of its link what
    may stand in it of a person is not.
    """
    link = urlsplit(hit.target)._replace(query="", fragment="").geturl() if hit.target else ""
    return InboxRow(
        f"tally:{uuid4().hex}", TALLY, NAMES[hit.kind], None, None, None, None, None,
        hit.at // DAY * DAY, now, 0, 0, of.template, machine=int(bool(hit.why)),
        properties=orjson.dumps({"link": link}).decode(), source=TRACKING,
    )  # fmt: skip
