"""Frequency caps: how much marketing mail a contact had, and when there is room again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, or_, select

from flowscore.mail.scope import TRANSACTIONAL
from flowscore.store.tables import messages

if TYPE_CHECKING:
    from flowscore.language.policy import FrequencyCap

other = messages.alias("other")

# What is under way and what is uncertain may have arrived: it counts (ruling 132).
WENT = case(
    (other.c.status == "sent", other.c.sent_at),
    else_=func.coalesce(other.c.handed_at, other.c.settled_at, bindparam("now")),
)
COUNTS = and_(
    other.c.kind == "email",
    other.c.topic != TRANSACTIONAL,
    or_(other.c.status == "sent", other.c.status == "uncertain", other.c.status == "sending"),
)


def room_again(
    connection: Connection, numbers: Sequence[int], caps: tuple[FrequencyCap, ...], now: int
) -> dict[int, int]:
    """Of these mails those that a cap holds back, and when the first of them could go again.

    In (now − per, now] fewer than `emails` must have gone: one that went exactly `per` ago no
    longer counts (ruling 73).
    """
    rows = connection.execute(_last_that_count(caps), {"numbers": list(numbers), "now": now})
    found = {}
    for number, *went in rows:
        full = [at + cap.per for at, cap in zip(went, caps, strict=True) if at is not None]
        if full:
            found[number] = max(full)
    return found


@lru_cache(maxsize=8)
def _last_that_count(caps: tuple[FrequencyCap, ...]) -> Select[Any]:
    """A row for each mail; for each cap when the mail went that fills it, or null."""
    return select(messages.c.id, *(_filling(cap) for cap in caps)).where(
        messages.c.id.in_(bindparam("numbers", expanding=True))
    )


def _filling(cap: FrequencyCap) -> Any:
    """When the n-th latest mail to the contact within the cap's time went."""
    return (
        select(WENT)
        .where(
            other.c.contact_id == messages.c.contact_id,
            other.c.id != messages.c.id,
            COUNTS,
            bindparam("now") - cap.per < WENT,
        )
        .correlate(messages)
        .order_by(WENT.desc())
        .offset(cap.emails - 1)
        .limit(1)
        .scalar_subquery()
    )
