"""What may still go at the moment of sending, and in which order it is asked (ruling 84)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from flowscore.mail.scope import TRANSACTIONAL
from flowscore.store.tables import consents, contacts, messages

MARKETING = messages.c.topic != TRANSACTIONAL
CLAIMED = and_(messages.c.status == "sending", messages.c.claimed_by == bindparam("owner"))
FREE: dict[str, Any] = {"claimed_by": None, "lease_until": None, "handed_at": None}


def _no_address(consent: str) -> ColumnElement[bool]:
    return ~_contact(contacts.c.email != "")


def _suppressed(consent: str) -> ColumnElement[bool]:
    """Bounced or complained; also a bounce of just now, that no tick has taken in yet."""
    other = messages.alias()
    just_now = exists().where(
        other.c.contact_id == messages.c.contact_id,
        other.c.status == "failed",
        other.c.reason.like("bounced:%"),
        other.c.sent_event.is_(False),
    )
    return or_(_contact(contacts.c.suppressed.is_not(None)), just_now)


def _no_consent(consent: str) -> ColumnElement[bool]:
    """The topic's own word, else the general one; no word as the policy says (ruling 82)."""
    spoken = func.coalesce(_word(messages.c.topic), _word("email"))
    missing = spoken.is_(False) if consent == "implied" else spoken.is_not(True)
    return and_(MARKETING, missing)


def _late(consent: str) -> ColumnElement[bool]:
    """Strictly later than `unless_late_by` (ruling 75); no such key is never late."""
    return bindparam("now") - messages.c.due_at > messages.c.unless_late_by


# In this order. The send window (which lets a mail wait) and the frequency caps (which need the
# order of the queue) follow after `late`.
GATES = {
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


@lru_cache(maxsize=2)
def _withholding(consent: str) -> Executable:
    """One statement: every claimed mail that a gate holds back, with the first gate's name."""
    held = {reason: gate(consent) for reason, gate in GATES.items()}
    reason = case(*((condition, name) for name, condition in held.items()))
    return (
        update(messages)
        .where(CLAIMED, or_(*held.values()))
        .values(**FREE, status="withheld", reason=reason, settled_at=bindparam("now"))
        .returning(messages.c.id, messages.c.reason)
    )


def withhold(
    connection: Connection, owner: str, consent: str, now: int
) -> tuple[set[int], Counter[str]]:
    """Settle for good what may not go, among the owner's claims; which, and counts by reason."""
    rows = connection.execute(_withholding(consent), {"owner": owner, "now": now}).all()
    return {row.id for row in rows}, Counter(row.reason for row in rows)
