"""How stored numbers and instants are shown: RFC 3339, points, balances; and who may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from flowscore.clock import rfc3339
from flowscore.store.tables import POINT, SHOWN, contacts, state

PAGE = 500
"""Contacts read at a time, so that memory stays flat."""


def shown_at(instant: int | None) -> str | None:
    """The instant as RFC 3339 in UTC, or nothing."""
    return None if instant is None else rfc3339(instant)


def shown_points(points: int) -> int | float:
    """A ledger line's worth, at up to 8 decimals."""
    return points // POINT if points % POINT == 0 else points / POINT


def shown_balance(balance: int) -> int | float:
    """A balance, at up to 4 decimals."""
    return balance // SHOWN if balance % SHOWN == 0 else balance / SHOWN


def rounded(points: int) -> int:
    """A sum of lines as a balance: 4 decimals, half away from zero (ruling 51)."""
    unit = POINT // SHOWN
    half = (abs(points) + unit // 2) // unit
    return half if points >= 0 else -half


def watermark(connection: Connection) -> int | None:
    """The last tick that has run, or None."""
    found = connection.execute(select(state.c.value).where(state.c.key == "watermark")).scalar()
    return int(found) if found is not None else None


def in_order(value: Any) -> Any:
    """A JSON value with its keys sorted: databases do not keep the order in which they came."""
    if type(value) is dict:
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if type(value) is list else value


@dataclass(frozen=True)
class Page:
    """Some contacts by id, in the order in which they are shown."""

    emails: dict[int, str]

    @property
    def ids(self) -> list[int]:
        """Their keys."""
        return list(self.emails)


def people(at: int) -> Select[tuple[int, str]]:
    """Contacts with an address that exist at that instant, by address."""
    return (
        select(contacts.c.id, contacts.c.email)
        .where(contacts.c.email.is_not(None), contacts.c.created_at <= at)
        .order_by(contacts.c.email_folded)
    )


def pages(connection: Connection, query: Select[tuple[int, str]]) -> Iterator[Page]:
    """The contacts that the query names, a page at a time."""
    result = connection.execute(query, execution_options={"yield_per": PAGE})
    for part in result.partitions(PAGE):
        yield Page({row[0]: row[1] for row in part})
