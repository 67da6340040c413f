"""Stable shares: who belongs to a share, as integer arithmetic on a contact's draws (ruling 131).

The lot of a contact at a place is `(a·p + b·q + r) mod P` of its two 31-bit draws, with P a prime
and p, q, r made from the place's name. One in a million of all lots is one millionth of P.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, and_, cast, select, true

from flowscore.language.words import WHOLE_SHARE
from flowscore.store.tables import contacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PRIME = 2**31 - 1  # a draw times a constant stays below 2⁶²: exact on both databases


def lot(place: str, draw_a: Any, draw_b: Any) -> Any:
    """The contact's lot at a place, 0 to PRIME - 1: of numbers a number, of columns SQL."""
    p, q, r = _constants(place)
    return ((draw_a * p) % PRIME + (draw_b * q) % PRIME + r) % PRIME


def _constants(place: str) -> tuple[int, int, int]:
    digest = sha256(place.encode()).digest()
    p, q, r = (int.from_bytes(digest[at : at + 8]) for at in (0, 8, 16))
    return p % (PRIME - 1) + 1, q % (PRIME - 1) + 1, r % PRIME


def limit(share: int) -> int:
    """The first lot that is outside of a share, given in millionths."""
    return PRIME * share // WHOLE_SHARE


def is_drawn(place: str, share: int, who: ColumnElement[Any]) -> ColumnElement[bool]:
    """The contact `who` (a column with its id) belongs to the share of this place."""
    return _has_lot(place, 0, share, who)


def portions(
    place: str, shares: Iterable[int], who: ColumnElement[Any]
) -> Iterator[ColumnElement[bool]]:
    """For each share in turn, whether `who` falls into it: running sums (ruling 44)."""
    upto = 0
    for share in shares:
        yield _has_lot(place, upto, upto + share, who)
        upto += share


def _has_lot(place: str, low: int, high: int, who: ColumnElement[Any]) -> ColumnElement[bool]:
    people = contacts.alias()
    drawn = lot(place, cast(people.c.draw_a, BigInteger), cast(people.c.draw_b, BigInteger))
    above = drawn >= limit(low) if low else true()
    below = drawn < limit(high) if high < WHOLE_SHARE else true()
    inside = select(1).where(people.c.id == who, and_(above, below))
    return inside.correlate_except(people).exists()
