"""Takes mails that came back: what each says becomes a line of the inbox, or is set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from flowscore.clock import clock_now
from flowscore.mail.returns.notice import Ignored, Notice, Unread
from flowscore.mail.returns.reading import read_notice
from flowscore.mail.returns.report import Report, lines_of
from flowscore.mail.returns.verp import prove
from flowscore.store.database import Store
from flowscore.store.inbox import write
from flowscore.store.rejects import Rejected, keep_rejects

if TYPE_CHECKING:
    from sqlalchemy import Connection


SOURCE = "bounces"
KEPT = 20_000  # letters of a mail that is set aside
FORGED = "came back to an address that we did not make: its signature does not fit"
UNKNOWN = "speaks of a mail or an address that is not known here"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it came, and the addresses it was delivered to where the server says so."""

    content: bytes
    envelope: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desk:
    """Where returned mail is taken: the store, and what proves that a mail was ours."""

    store: Store
    secret: str
    bounce_address: str | None = None
    clock: Callable[[], int] = clock_now


@dataclass
class Taken:
    """What came of mails: of so many so many are set aside, and what the others said, by word."""

    mails: int = 0
    aside: int = 0
    ignored: int = 0
    said: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)  # of each mail: why it is set aside, or empty
    troubles: list[str] = field(default_factory=list)  # with single mails in a mailbox

    def add(self, other: Taken) -> None:
        """Count those too."""
        self.mails += other.mails
        self.aside += other.aside
        self.ignored += other.ignored
        self.said += other.said


@dataclass(slots=True)
class _Item:
    """One mail on its way; `why` it is set aside."""

    mail: Mail
    notice: Notice | Ignored | Unread
    reports: list[Report] = field(default_factory=list)
    why: str = ""


def take(desk: Desk, mails: Sequence[Mail]) -> Taken:
    """Durable once this returns; the same mail taken again counts once.

    Raises what the store raises when it cannot be written: then nothing was taken.
    """
    now = desk.clock()
    read = [(one, read_notice(one.content, desk.bounce_address, one.envelope)) for one in mails]
    items = [_Item(*pair) for pair in read]
    with desk.store.read() as connection:
        _make_reports(connection, desk.secret, items, now)
        reports = [report for item in items for report in item.reports]
        rows, unknown = lines_of(connection, reports, now, SOURCE)
    _set_aside(items, unknown)
    with desk.store.receive() as connection:
        write(connection, rows)
        keep_rejects(connection, [_rejected(item, now) for item in items if item.why])
    return _count(items, Counter(row.name or "" for row in rows))


def _make_reports(connection: Connection, secret: str, items: list[_Item], now: int) -> None:
    """An address that it came back to has to be one that we made; else headers may prove it."""
    notices = [item.notice for item in items if isinstance(item.notice, Notice)]
    tokens = {token for one in notices for token in (*one.addressed, *one.carried)}
    proven = prove(connection, secret, tokens)
    for item in items:
        if isinstance(item.notice, Unread):
            item.why = item.notice.why
        elif isinstance(item.notice, Notice):
            traces = item.notice.addressed or item.notice.carried
            number = next((proven[token] for token in traces if token in proven), None)
            if number is None and item.notice.addressed:
                item.why = FORGED
            else:
                item.reports = list(_reports(item, item.notice, number, now))


def _reports(item: _Item, notice: Notice, number: int | None, now: int) -> Iterator[Report]:
    digest = sha256(item.mail.content).hexdigest()
    for said in notice.said:
        yield Report(
            said.what,
            min(notice.at or now, now),
            digest,
            number=number,
            message_id=notice.message_id,
            recipient=said.recipient,
            hard=said.hard,
            kind=said.kind,
            code=said.code,
            text=said.text,
            signed=number is not None,
        )


def _set_aside(items: list[_Item], unknown: list[Report]) -> None:
    """What speaks of nobody known; of several addresses one known is enough."""
    lost = {id(report) for report in unknown}
    for item in items:
        if item.reports and all(id(report) in lost for report in item.reports):
            item.why = UNKNOWN


def _rejected(item: _Item, now: int) -> Rejected:
    text = item.mail.content[:KEPT].decode("utf-8", "replace").replace("\x00", "")
    return Rejected(SOURCE, item.why, text, now)


def _count(items: list[_Item], said: Counter[str]) -> Taken:
    return Taken(
        mails=len(items),
        aside=sum(bool(item.why) for item in items),
        ignored=sum(isinstance(item.notice, Ignored) for item in items),
        said=said,
        reasons=[item.why for item in items],
    )
