"""The line from which a lead is ready for sales, read off the totals that customers collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowscore.learning.lessons import Line, Lines
from flowscore.learning.rates import Rate

REACHED_BY = (0.95, 0.9, 0.75, 0.5, 0.25, 0.1)  # shares of the customers
PROPOSED = (0.75, 0.5, 0.25)
"""The ideal customer's total: what three of four customers had collected before they bought.

Where most others have that too, it is no line: then what half of them had, or a quarter.
"""


def lines_of(
    score: str, totals: Sequence[float], won: Sequence[int], bands: Mapping[str, float]
) -> Lines:
    """Several lines tried: how many leads stand at or above, and what share of them won."""
    customers = sorted(round(total) for total, one in zip(totals, won, strict=True) if one)
    others = sorted(round(total) for total, one in zip(totals, won, strict=True) if not one)
    proposed = _proposed(customers, others)
    tried = {reached_by(customers, share) for share in REACHED_BY}
    named = {round(points): name for name, points in bands.items()}
    lines = tuple(
        _line(points, customers, others, named.get(points, ""), points == proposed)
        for points in sorted(tried | set(named))
    )
    return Lines(score, _five(customers), _five(others), lines)


def _proposed(customers: Sequence[int], others: Sequence[int]) -> int | None:
    """The first of the proposed totals that most others do not have; None where there is none."""
    for share in PROPOSED:
        line = reached_by(customers, share)
        if 2 * sum(total >= line for total in others) < len(others):
            return line
    return None


def reached_by(customers: Sequence[int], share: float) -> int:
    """The highest total that at least this share of the (sorted) customers reach."""
    return customers[min(int(len(customers) * (1 - share) + 1e-9), len(customers) - 1)]


def _line(
    points: int, customers: Sequence[int], others: Sequence[int], name: str, proposed: bool
) -> Line:
    won = sum(total >= points for total in customers)
    leads = won + sum(total >= points for total in others)
    precision = Rate(leads, won).share
    return Line(points, leads, won, precision, won / len(customers), name, proposed)


def _five(totals: Sequence[int]) -> tuple[int, ...]:
    """Lowest, quarter, middle, three quarters, highest; of nobody nothing."""
    if not totals:
        return ()
    last = len(totals) - 1
    return tuple(totals[round(last * part / 4)] for part in range(5))
