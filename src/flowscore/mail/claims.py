"""The outbox from the sender's side: what is due, whose it is, and what became of it.

Statements are built once; each takes its instants and names as parameters.
"""

from __future__ import annotations

import os
import socket
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from flowscore.clock import MINUTE
from flowscore.engine.outbox import ask_again, is_paused
from flowscore.mail.states import (
    CLAIMED,
    FREE,
    IS_MAIL,
    MARKETING,
    NO_LONGER_WAITING,
    QUEUED,
    SENDING,
    TO_CONTACT,
    UNCERTAIN,
    WAITING,
)
from flowscore.store.tables import contacts, enrollments, messages

if TYPE_CHECKING:
    from flowscore.mail.settlements import Settlement

LEASE = 15 * MINUTE
CLAIM_LOCK = 0x666C6F79  # beside the keys of store/locks.py
CRASHED = "the program ended while the mail was being handed over"

HANDED = messages.c.handed_at.is_not(None)
DUE_BY_NOW = messages.c.next_at <= bindparam("now")
THESE = messages.c.id.in_(bindparam("numbers", expanding=True))
QUEUE_AGAIN = FREE | {"status": "queued"}

# --- who claims ----------------------------------------------------------------------------------

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
    host, _, process = owner.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not process.isdigit():
        return False
    if int(process) == os.getpid():
        return owner not in _at_work
    return not _is_running(int(process))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# --- what there is to do -------------------------------------------------------------------------

CLAIMANTS = select(messages.c.claimed_by).where(SENDING, IS_MAIL).distinct()
SOME_UNCERTAIN = select(messages.c.id).where(UNCERTAIN, IS_MAIL, DUE_BY_NOW).limit(1)
COUNT_WAITING = select(messages.c.waits, func.count()).where(WAITING, IS_MAIL).group_by("waits")


def _due() -> Select[tuple[int]]:
    """Numbers of the mails due, in the order of rulings 73, 84 and 130.

    What one enrollment queued in one tick stands in the order in which it was queued.
    """
    return (
        select(messages.c.id)
        .outerjoin(contacts, contacts.c.id == messages.c.contact_id)  # a sign-up has none yet
        .outerjoin(enrollments, enrollments.c.id == messages.c.enrollment_id)
        .where(QUEUED, DUE_BY_NOW, IS_MAIL)
        .order_by(
            messages.c.priority.desc(),
            messages.c.queued_at,
            messages.c.place,
            messages.c.entered_at,
            contacts.c.email_folded,
            enrollments.c.key,
            messages.c.id,
        )
        .execution_options(yield_per=10_000)
    )


DUE, DUE_TRANSACTIONAL = _due(), _due().where(~MARKETING)


@dataclass(frozen=True, slots=True)
class Work:
    """What a delivery finds: the due mails in their order, and whether a crash left something."""

    due: array[int]
    left_over: bool


NOTHING = Work(array("q"), left_over=False)


def look(connection: Connection, now: int, marketing: bool, resends: bool) -> Work:
    """At every tick, so by index alone where nothing is due."""
    numbers: array[int] = array("q")
    rows = connection.execute(DUE if marketing else DUE_TRANSACTIONAL, {"now": now})
    for (number,) in rows:
        numbers.append(number)
    left_over = connection.execute(CLAIMANTS).first() is not None
    if resends and not left_over:
        left_over = connection.execute(SOME_UNCERTAIN, {"now": now}).first() is not None
    return Work(numbers, left_over)


def is_due(connection: Connection, now: int) -> bool:
    """Whether a delivery would find something: a message due, or one that a crash left claimed."""
    due = exists().where(WAITING, messages.c.next_at <= now)
    if is_paused(connection):
        due = due.where(~IS_MAIL)
    return bool(connection.scalar(select(due)))


def waiting(connection: Connection) -> dict[str | None, int]:
    """How many mails are still to be sent, by what they wait for (None: their turn)."""
    return {row[0]: row[1] for row in connection.execute(COUNT_WAITING)}


# --- what a crash left ---------------------------------------------------------------------------

LAPSED = and_(
    SENDING,
    IS_MAIL,
    or_(
        messages.c.lease_until <= bindparam("now"),
        messages.c.claimed_by.in_(bindparam("gone", expanding=True)),
    ),
)
HOLD_LAPSED = (
    update(messages)
    .where(LAPSED, HANDED)
    .values(status="uncertain", reason=CRASHED, claimed_by=None, lease_until=None)
    .values(settled_at=bindparam("now"))
)
QUEUE_LAPSED = update(messages).where(LAPSED).values(QUEUE_AGAIN)
RESEND = (
    update(messages)
    .where(UNCERTAIN, IS_MAIL, DUE_BY_NOW)
    .values(QUEUE_AGAIN | {"reason": None, "settled_at": None})
)


def recover(
    connection: Connection, now: int, repeatable: bool, uncertain: Literal["hold", "resend"]
) -> int:
    """Free what a crash left claimed; gives the number of mails that became uncertain.

    Not yet handed over, or to a transport that may repeat: queued again. A second call changes
    nothing.
    """
    gone = [owner for owner in connection.scalars(CLAIMANTS) if owner and is_gone(owner)]
    lapsed = {"now": now, "gone": gone}
    held = 0 if repeatable else connection.execute(HOLD_LAPSED, lapsed).rowcount
    connection.execute(QUEUE_LAPSED, lapsed)
    if uncertain == "hold":
        return held
    again = connection.execute(RESEND, {"now": now}).rowcount
    if again:
        ask_again(connection)  # what is to go once more fills no cap
    return max(0, held - again)


# --- claiming ------------------------------------------------------------------------------------

FREE_ONES = (
    select(messages.c.id, messages.c.contact_id, MARKETING.label("marketing"))
    .where(THESE, messages.c.status == "queued")
    .with_for_update(skip_locked=True)
)
BUSY_CONTACTS = select(messages.c.contact_id).where(
    SENDING, MARKETING, messages.c.contact_id.in_(bindparam("contacts", expanding=True))
)
CLAIM = (
    update(messages)
    .where(THESE)
    .values(status="sending", claimed_by=bindparam("owner"), handed_at=None)
    .values(NO_LONGER_WAITING | {"lease_until": bindparam("until")})
)


def claim(
    connection: Connection, numbers: Sequence[int], owner: str, lease_until: int
) -> tuple[list[int], list[int]]:
    """Make these mails ours; gives those that are, and those to be asked for again later.

    At most one marketing mail of a contact is claimed at a time (ruling 132), so that a cap can
    see the one before. What another sender has, or has sent, is in neither list.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))
    rows = connection.execute(FREE_ONES, {"numbers": numbers})
    free = {number: (contact, marketing) for number, contact, marketing in rows}
    asked = {contact for contact, _ in free.values()}
    busy = set(connection.scalars(BUSY_CONTACTS, {"contacts": list(asked)}))
    ours, later = _one_of_each([n for n in numbers if n in free], free, busy)
    connection.execute(CLAIM, {"numbers": ours, "owner": owner, "until": lease_until})
    return ours, later


def _one_of_each(
    numbers: list[int], free: dict[int, tuple[int, bool]], busy: set[int]
) -> tuple[list[int], list[int]]:
    """The first marketing mail of each contact who has none under way, and the rest."""
    ours, later = [], []
    for number in numbers:
        contact, marketing = free[number]
        if not marketing or contact not in busy:
            ours.append(number)
        else:
            later.append(number)
        if marketing:
            busy.add(contact)
    return ours, later


# --- talking and settling ------------------------------------------------------------------------

SAID = or_(messages.c.sent_event, ~TO_CONTACT)  # of internal mail there is nothing to be said
SETTLED = (
    "status", "reason", "response", "attempts", "next_at", "sent_at", "settled_at", "handed_at",
    "waits", "waits_in",
)  # fmt: skip
SETTLE = (
    update(messages)
    .where(messages.c.id == bindparam("number"), messages.c.claimed_by == bindparam("owner"))
    .values({name: bindparam(f"new_{name}") for name in SETTLED})
    .values(claimed_by=None, lease_until=None, sent_event=SAID)
)
OURS = and_(THESE, messages.c.claimed_by == bindparam("owner"))
NOT_TRIED = ("status", "reason", "next_at", "settled_at", "waits", "waits_in")
SETTLE_THESE = (
    update(messages).where(OURS).values(FREE | {n: bindparam(f"new_{n}") for n in NOT_TRIED})
)
BEGIN = update(messages).where(OURS).values(
    handed_at=bindparam("now"), lease_until=bindparam("until")
)  # fmt: skip
STILL_OURS = select(messages.c.id).where(OURS)
RELEASE = update(messages).where(CLAIMED, ~HANDED).values(QUEUE_AGAIN)
RELEASE_FOR_LATER = RELEASE.values(next_at=bindparam("next"))


def settle_all(connection: Connection, settlements: Iterable[Settlement], owner: str) -> None:
    """Write what became of mails; a row that is no longer ours stays as it is."""
    rows = [
        {"number": s.message_id, "owner": owner}
        | {f"new_{name}": getattr(s, name) for name in SETTLED}
        for s in settlements
    ]
    if rows:
        connection.execute(SETTLE, rows)


def settle_alike(connection: Connection, settlements: Iterable[Settlement], owner: str) -> None:
    """The same for mails that nobody talked about: one statement for all that fared alike."""
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for s in settlements:
        alike[tuple(getattr(s, name) for name in NOT_TRIED)].append(s.message_id)
    for values, numbers in alike.items():
        new = {f"new_{name}": value for name, value in zip(NOT_TRIED, values, strict=True)}
        connection.execute(SETTLE_THESE, {"numbers": numbers, "owner": owner} | new)


def begin_all(
    connection: Connection, numbers: Sequence[int], owner: str, now: int, lease_until: int
) -> set[int]:
    """Note that these mails are about to be handed over; gives those that are still ours."""
    if not numbers:
        return set()
    ours: dict[str, Any] = {"numbers": numbers, "owner": owner}
    if connection.execute(BEGIN, ours | {"now": now, "until": lease_until}).rowcount == len(
        numbers
    ):
        return set(numbers)
    return set(connection.scalars(STILL_OURS, ours))


def release(connection: Connection, owner: str, next_at: int | None = None) -> None:
    """Give back what was claimed and not handed over, to be tried not before `next_at`.

    A mail whose talk broke off by an error of ours stays claimed: it is uncertain later.
    """
    if next_at is None:
        connection.execute(RELEASE, {"owner": owner})
    else:
        connection.execute(RELEASE_FOR_LATER, {"owner": owner, "next": next_at})
