"""Medians and quartiles of spans of time, found in the database by rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from flowscore.views.reporting.words import in_hours

WANTED = {"first_quartile": (1, 4), "median": (1, 2), "third_quartile": (3, 4), "long": (9, 10)}
"""`long`: nine of ten took no longer."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How long something took, in microseconds; nothing where it happened to nobody."""

    count: int
    first_quartile: float | None = None
    median: float | None = None
    third_quartile: float | None = None
    long: float | None = None

    def as_row(self) -> dict[str, Any]:
        """For the document, in hours."""
        return {
            "contacts": self.count,
            "first_quartile": in_hours(self.first_quartile),
            "median": in_hours(self.median),
            "third_quartile": in_hours(self.third_quartile),
        }


def measure(connection: Connection, spans: Select[Any]) -> Spans:
    """The quartiles of the column `span`; between two ranks they are interpolated."""
    all_ = spans.subquery()
    ranked = select(
        all_.c.span,
        func.row_number().over(order_by=all_.c.span).label("place"),
        func.count().over().label("among"),
    ).subquery()
    below = [(ranked.c.among - 1) * part // whole for part, whole in WANTED.values()]
    wanted = or_(*(ranked.c.place.between(one + 1, one + 2) for one in below))
    found = {row.place: row for row in connection.execute(select(ranked).where(wanted))}
    if not found:
        return Spans(0)
    among = next(iter(found.values())).among
    return Spans(among, **{name: _at(found, among, *of) for name, of in WANTED.items()})


def _at(found: dict[int, Any], among: int, part: int, whole: int) -> float:
    """The value at that part of the ranks."""
    place, rest = divmod((among - 1) * part, whole)
    low = found[place + 1].span
    return float(low + (found[place + 2].span - low) * rest / whole) if rest else float(low)
