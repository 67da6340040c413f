"""The outbox from the webhooks' side: which are due, whose they are, which a crash left.

A webhook is never uncertain: one that was under way at a crash goes again under the same id.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, func, literal_column, or_, select, update

from flowscore.mail.claims import DUE_BY_NOW, THESE, is_gone
from flowscore.mail.states import FREE, QUEUED, SENDING, WAITING
from flowscore.store.tables import messages

if TYPE_CHECKING:
    from flowscore.store.database import Store

WEBHOOK = messages.c.kind == literal_column("'webhook'")

DUE = (
    select(messages.c.id)
    .where(QUEUED, DUE_BY_NOW, WEBHOOK)
    .order_by(messages.c.priority.desc(), messages.c.queued_at, messages.c.place, messages.c.id)
    .execution_options(yield_per=10_000)
)
CLAIMANTS = select(messages.c.claimed_by).where(SENDING, WEBHOOK).distinct()
COUNT_WAITING = select(func.count()).select_from(messages).where(WAITING, WEBHOOK)
LAPSED = or_(
    messages.c.lease_until <= bindparam("now"),
    messages.c.claimed_by.in_(bindparam("gone", expanding=True)),
)
QUEUE_LAPSED = update(messages).where(SENDING, WEBHOOK, LAPSED).values(FREE | {"status": "queued"})
FREE_ONES = (
    select(messages.c.id)
    .where(THESE, WEBHOOK, messages.c.status == "queued")
    .with_for_update(skip_locked=True)
)
CLAIM = (
    update(messages)
    .where(THESE)
    .values(status="sending", claimed_by=bindparam("owner"), handed_at=None)
    .values(lease_until=bindparam("until"))
)
CLAIMED = (
    select(messages.c.id, messages.c.key, messages.c.attempts, messages.c.payload)
    .where(THESE)
    .order_by(messages.c.priority.desc(), messages.c.queued_at, messages.c.place, messages.c.id)
)


@dataclass(frozen=True, slots=True)
class Queued:
    """A webhook that is ours to send."""

    message_id: int
    key: str
    attempts: int
    payload: Any


def are_due(store: Store, now: int) -> bool:
    """Whether a delivery would find something: one that is due, or left by a crash."""
    with store.read() as connection:
        return connection.execute(DUE, {"now": now}).first() is not None or is_left_over(connection)


def due(connection: Connection, now: int) -> array[int]:
    """Numbers of the webhooks due, by priority and age."""
    return array("q", connection.scalars(DUE, {"now": now}))


def is_left_over(connection: Connection) -> bool:
    """Whether somebody has webhooks under way, or had when it died."""
    return connection.execute(CLAIMANTS).first() is not None


def waiting(connection: Connection) -> int:
    """How many are still to be sent."""
    return connection.scalar(COUNT_WAITING) or 0


def recover(connection: Connection, now: int) -> int:
    """Queue again what a crash left claimed; gives how many. A second call changes nothing."""
    gone = [owner for owner in connection.scalars(CLAIMANTS) if owner and is_gone(owner)]
    return connection.execute(QUEUE_LAPSED, {"now": now, "gone": gone}).rowcount


def claim(
    connection: Connection, numbers: Sequence[int], owner: str, lease_until: int
) -> list[Queued]:
    """Make these ours; what another sender has, or has sent, is left out."""
    ours = list(connection.scalars(FREE_ONES, {"numbers": list(numbers)}))
    if not ours:
        return []
    connection.execute(CLAIM, {"numbers": ours, "owner": owner, "until": lease_until})
    return [Queued(*row) for row in connection.execute(CLAIMED, {"numbers": ours})]
