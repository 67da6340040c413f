"""The outbox from the sender's side: what is due, whose it is, what may still go, what became of it."""

from __future__ import annotations

import os
import socket
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from secrets import token_hex
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)

from flowscore.clock import MINUTE
from flowscore.mail.scope import TRANSACTIONAL
from flowscore.mail.settlements import Settlement
from flowscore.store.tables import consents, contacts, messages

LEASE = 15 * MINUTE
# Written as the partial index says it, else SQLite would read every mail ever sent.
WAITING = text("messages.status IN ('queued', 'sending')")
QUEUED = and_(WAITING, messages.c.status == literal_column("'queued'"))
SENDING = and_(WAITING, messages.c.status == literal_column("'sending'"))
UNCERTAIN = messages.c.status == literal_column("'uncertain'")
MARKETING = messages.c.topic != TRANSACTIONAL
CLAIM_LOCK = 0x666C6F79  # beside the keys of store/locks.py
FREE: dict[str, Any] = {"claimed_by": None, "lease_until": None, "handed_at": None}

_at_work: set[str] = set()


def new_owner() -> str:
    """A name for this run of the delivery: machine, process, and a mark that no other has."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{token_hex(6)}"
    _at_work.add(owner)
    return owner


def retire(owner: str) -> None:
    """The run is over: what it might have left is anybody's."""
    _at_work.discard(owner)


def is_gone(owner: str) -> bool:
    """Whether the claimant certainly runs no more; of another machine only the lease tells."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit():
        return False
    if int(rest) == os.getpid():
        return owner not in _at_work
    return not _is_running(int(rest))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def recover(
    connection: Connection, now: int, repeatable: bool, uncertain: Literal["hold", "resend"]
) -> int:
    """Free what a crash left claimed; gives the number of mails that became uncertain.

    Not yet handed over, or to a transport that may repeat: queued again. A second call changes
    nothing.
    """
    owners = connection.scalars(select(messages.c.claimed_by).where(SENDING).distinct()).all()
    gone = [owner for owner in owners if owner and is_gone(owner)]
    lapsed = and_(SENDING, or_(messages.c.lease_until <= now, messages.c.claimed_by.in_(gone)))
    unknown = false() if repeatable else messages.c.handed_at.is_not(None)
    reason = "the program ended while the mail was being handed over"
    held = connection.execute(
        update(messages)
        .where(lapsed, unknown)
        .values(**_keeping_hand(FREE), status="uncertain", reason=reason, settled_at=now)
    ).rowcount
    connection.execute(update(messages).where(lapsed).values(**FREE, status="queued"))
    if uncertain == "hold":
        return held
    return max(0, held - _resend(connection, now))


def _keeping_hand(free: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in free.items() if key != "handed_at"}


def _resend(connection: Connection, now: int) -> int:
    """Uncertain mails, queued again: they keep their Message-ID."""
    again = {**FREE, "status": "queued", "reason": None, "settled_at": None}
    return connection.execute(
        update(messages).where(UNCERTAIN, messages.c.next_at <= now).values(**again)
    ).rowcount


def due(connection: Connection, now: int, marketing: bool = True) -> array[int]:
    """Numbers of the mails due at `now`, in the order of ruling 73."""
    chosen = (
        select(messages.c.id)
        .join(contacts, contacts.c.id == messages.c.contact_id)
        .where(QUEUED, messages.c.next_at <= now, messages.c.kind == "email")
        .where(true() if marketing else ~MARKETING)
        .order_by(
            messages.c.priority.desc(),
            messages.c.queued_at,
            messages.c.place,
            messages.c.entered_at,
            contacts.c.email_folded,
            messages.c.step,
            messages.c.id,
        )
    )
    numbers: array[int] = array("q")
    for (number,) in connection.execute(chosen):
        numbers.append(number)
    return numbers


def is_due(connection: Connection, now: int) -> bool:
    """Whether a delivery would find something: a mail due, or one that a crash left claimed."""
    return bool(connection.scalar(select(exists().where(WAITING, messages.c.next_at <= now))))


def waiting(connection: Connection) -> int:
    """How many mails are still to be sent."""
    return connection.scalar(select(func.count()).select_from(messages).where(WAITING)) or 0


def claim(
    connection: Connection, numbers: Sequence[int], owner: str, now: int, lease_until: int
) -> tuple[list[int], list[int]]:
    """Make these mails ours; gives those that are, and those to be asked for again later.

    At most one marketing mail of a contact is claimed at a time (ruling 132), so that a cap can
    see the one before. What another sender has, or has sent, is in neither list.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))
    free = _free(connection, numbers)
    busy = _busy_contacts(connection, {contact for contact, _ in free.values()})
    ours, later = [], []
    for number in (n for n in numbers if n in free):
        contact, topic = free[number]
        if topic != TRANSACTIONAL and contact in busy:
            later.append(number)
            continue
        busy |= {contact} if topic != TRANSACTIONAL else set()
        ours.append(number)
    connection.execute(
        update(messages)
        .where(messages.c.id.in_(ours))
        .values(status="sending", claimed_by=owner, lease_until=lease_until, handed_at=None)
    )
    return ours, later


def _free(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[int, str]]:
    rows = connection.execute(
        select(messages.c.id, messages.c.contact_id, messages.c.topic)
        .where(messages.c.id.in_(numbers), messages.c.status == "queued")
        .with_for_update(skip_locked=True)
    )
    return {number: (contact, topic) for number, contact, topic in rows}


def _busy_contacts(connection: Connection, asked: set[int]) -> set[int]:
    sending = select(messages.c.contact_id).where(SENDING, MARKETING)
    return set(connection.scalars(sending.where(messages.c.contact_id.in_(asked))))


def still_ours(connection: Connection, numbers: Sequence[int], owner: str) -> list[int]:
    """Those of the claimed mails that no check withheld, in their order."""
    held = messages.c.claimed_by == owner
    rows = connection.scalars(select(messages.c.id).where(messages.c.id.in_(numbers), held))
    kept = set(rows)
    return [number for number in numbers if number in kept]


# The checks at the moment of sending, in the order of ruling 84. The send window (which lets a
# mail wait) and the frequency caps (which need the order of `due`) follow after `late`.


def _no_address(consent: str, now: int) -> ColumnElement[bool]:
    return _contact(or_(contacts.c.email.is_(None), contacts.c.email == ""))


def _suppressed(consent: str, now: int) -> ColumnElement[bool]:
    """Bounced or complained; also a bounce of just now, that no tick has taken in yet."""
    other = messages.alias()
    just_now = exists().where(
        other.c.contact_id == messages.c.contact_id,
        other.c.status == "failed",
        other.c.reason.like("bounced:%"),
        other.c.sent_event.is_(False),
    )
    return or_(_contact(contacts.c.suppressed.is_not(None)), just_now)


def _no_consent(consent: str, now: int) -> ColumnElement[bool]:
    """The topic's own word, else the general one; no word as the policy says (ruling 82)."""
    spoken = func.coalesce(_word(messages.c.topic), _word("email"))
    missing = spoken.is_(False) if consent == "implied" else spoken.is_not(True)
    return and_(MARKETING, missing)


def _late(consent: str, now: int) -> ColumnElement[bool]:
    return and_(
        messages.c.unless_late_by.is_not(None), now - messages.c.due_at > messages.c.unless_late_by
    )


CHECKS = {
    "no_address": _no_address,
    "suppressed": _suppressed,
    "no_consent": _no_consent,
    "late": _late,
}


def _contact(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(contacts.c.id == messages.c.contact_id, condition)


def _word(topic: Any) -> Any:
    """What the contact said of the topic: true, false, or nothing."""
    return (
        select(consents.c.granted)
        .where(consents.c.contact_id == messages.c.contact_id, consents.c.topic == topic)
        .correlate(messages)
        .scalar_subquery()
    )


def withhold_what_may_not_go(
    connection: Connection, owner: str, consent: str, now: int
) -> Counter[str]:
    """Settle for good, among our claims, every mail that fails a check; counts by reason."""
    withheld: Counter[str] = Counter()
    for reason, check in CHECKS.items():
        changed = connection.execute(
            update(messages)
            .where(SENDING, messages.c.claimed_by == owner, check(consent, now))
            .values(**FREE, status="withheld", reason=reason, settled_at=now)
        )
        withheld[reason] += changed.rowcount
    return +withheld


SETTLED = (
    "status", "reason", "response", "attempts", "next_at", "sent_at", "settled_at", "handed_at",
)  # fmt: skip
SETTLE = (
    update(messages)
    .where(messages.c.id == bindparam("message_id"), messages.c.claimed_by == bindparam("owner"))
    .values({name: bindparam(f"new_{name}") for name in SETTLED})
    .values(claimed_by=None, lease_until=None)
)


def settle_all(connection: Connection, settlements: Iterable[Settlement], owner: str) -> None:
    """Write what became of mails; a row that is no longer ours stays as it is."""
    rows = [
        {"message_id": s.message_id, "owner": owner}
        | {f"new_{name}": getattr(s, name) for name in SETTLED}
        for s in settlements
    ]
    if rows:
        connection.execute(SETTLE, rows)


def begin_all(
    connection: Connection, numbers: Sequence[int], owner: str, now: int, lease_until: int
) -> set[int]:
    """Note that these mails are about to be handed over; gives those that are still ours."""
    if not numbers:
        return set()
    ours = and_(messages.c.id.in_(numbers), messages.c.claimed_by == owner)
    begun = update(messages).where(ours).values(handed_at=now, lease_until=lease_until)
    if connection.execute(begun).rowcount == len(numbers):
        return set(numbers)
    return set(connection.scalars(select(messages.c.id).where(ours)))


def release(connection: Connection, owner: str, next_at: int | None = None) -> None:
    """Give back what was claimed and not handed over, to be tried not before `next_at`."""
    values = FREE | {"status": "queued"} | ({"next_at": next_at} if next_at else {})
    connection.execute(
        update(messages).where(SENDING, messages.c.claimed_by == owner).values(**values)
    )
