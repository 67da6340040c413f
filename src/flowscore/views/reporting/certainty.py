"""Shares with how sure they are, by scipy's Wilson interval; and when data is too thin to judge.

The interval of a difference of two shares is Newcombe's hybrid score interval, made of the two
Wilson intervals: R. G. Newcombe, Interval estimation for the difference between independent
proportions: comparison of eleven methods, Statistics in Medicine 17 (1998), 873-890, method 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from flowscore.views.reporting.words import minus, percent

ENOUGH = 30
"""Customers, or leads of one source: fewer say little."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with the 95 % interval of the share behind it."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; nothing where there is nobody."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's; everything is possible where there is nobody."""
        if not self.of:
            return 0.0, 1.0
        from scipy.stats import binomtest

        found = binomtest(self.count, self.of).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    @property
    def is_thin(self) -> bool:
        """Too few to judge by."""
        return self.of < ENOUGH

    def as_row(self) -> dict[str, Any]:
        """For the document."""
        low, high = self.interval if self.of else (None, None)
        return {
            "count": self.count,
            "of": self.of,
            "share": _cut(self.value),
            "low": _cut(low),
            "high": _cut(high),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One share less another, with the 95 % interval of what is behind it."""

    first: Share
    second: Share

    @property
    def value(self) -> float | None:
        """Between -1 and 1; nothing where either is of nobody."""
        if self.first.value is None or self.second.value is None:
            return None
        return self.first.value - self.second.value

    @property
    def interval(self) -> tuple[float, float]:
        """Newcombe's method 10."""
        if self.value is None or self.first.value is None or self.second.value is None:
            return -1.0, 1.0
        (low1, high1), (low2, high2) = self.first.interval, self.second.interval
        one, two = self.first.value, self.second.value
        down = sqrt((one - low1) ** 2 + (high2 - two) ** 2)
        up = sqrt((high1 - one) ** 2 + (two - low2) ** 2)
        return self.value - down, self.value + up

    @property
    def verdict(self) -> str:
        """What may be said of it."""
        low, high = self.interval
        if low <= 0 <= high:
            return "may be chance"
        return "more than chance" if low > 0 else "worse, and more than chance"

    def as_row(self) -> dict[str, Any]:
        """For the document."""
        known = self.value is not None
        low, high = self.interval if known else (None, None)
        return {"points": _cut(self.value), "low": _cut(low), "high": _cut(high)}

    def __str__(self) -> str:
        """`+3.9 points, 95 % between −0.4 and +8.2: may be chance`."""
        low, high = self.interval
        between = f"95 % between {minus(100 * low)} and {minus(100 * high)}"
        return f"{minus(100 * (self.value or 0))} points, {between}: {self.verdict}"


def _cut(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def too_thin(count: int, one: str) -> str:
    """`too thin to judge: 7 customers; at least 30 make this meaningful`."""
    named = f"{count:,} {one}{'' if count == 1 else 's'}"
    return f"too thin to judge: {named}; at least {ENOUGH} make this meaningful"


def share_text(share: Share) -> str:
    """`12 of 84 (14.3 %, 95 % between 8.4 % and 23.3 %)`."""
    said = f"{share.count:,} of {share.of:,}"
    if share.value is None:
        return said
    low, high = share.interval
    return f"{said} ({percent(share.value)}, 95 % between {percent(low)} and {percent(high)})"
