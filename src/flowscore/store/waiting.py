"""Offers again what an older flowscore kept because it could not apply it.

These are `group` and `alias` calls, and those that name two known contacts (`merge`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from flowscore.store.inbox import InboxRow, receive
from flowscore.store.tables import calls

if TYPE_CHECKING:
    from flowscore.store.database import Store

KEPT = select(calls).where(text("waiting IS NOT NULL"))  # the words of the partial index


def offer_waiting(store: Store) -> None:
    """Put such calls back into the inbox, as history, with the instants they had.

    The tick that applies one notes that it waits no longer, so a repeat does no harm. What cannot
    be read now either stays where it is.
    """
    with store.read() as connection:
        kept = connection.execute(KEPT).all()
    if kept:
        receive(store, _rows(kept))


def _rows(kept: Iterable[Any]) -> Iterator[InboxRow]:
    from flowscore.store.calls import read_call
    from flowscore.store.fields import Reading, Reject

    for call in kept:
        reading = Reading(call.received_at, historical=True, zone=ZoneInfo("UTC"))
        row = read_call(call.content, reading)
        if not isinstance(row, Reject):
            yield row._replace(message_id=call.message_id, own_at=call.own_at)
