"""How long it takes from the first touch to the sale, and which windows and decay suit that."""

from __future__ import annotations

from collections.abc import Sequence

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.learning.lessons import Cycle

BUCKETS = 20
"""Ages that stand for all: each is the middle of as many customers."""


def cycle_of(ages: Sequence[int]) -> Cycle | None:
    """The customers' ages at the sale (microseconds, sorted) as one sentence of advice."""
    if not ages:
        return None
    middle, most = ages[len(ages) // 2], ages[min(len(ages) * 9 // 10, len(ages) - 1)]
    return Cycle(middle, most, advice(middle))


def advice(middle: int) -> str:
    """Windows and decay for a cycle of that length."""
    window, half = _rounded(middle), _rounded(max(middle, HOUR))
    if middle < DAY:
        return (
            f"a short cycle, of minutes or hours: ask with windows such as `within: {window}`, "
            f"let points fade by `decay: {{half_life: {half}}}`, and write `decay_every: 1 hour` "
            "into the policy"
        )
    word = "months" if middle >= 30 * DAY else "days"
    return (
        f"a cycle of {word}: ask with windows such as `within: {window}`, and let points fade by "
        f"`decay: {{half_life: {half}}}`, so that what was done a cycle ago counts half"
    )


def _rounded(span: int) -> str:
    """A duration as a file may say it: whole minutes, hours, days or weeks."""
    for unit, word, most in (
        (MINUTE, "minute", 59),
        (HOUR, "hour", 48),
        (DAY, "day", 60),
        (7 * DAY, "week", 10**6),
    ):
        count = max(1, round(span / unit))
        if count <= most:
            return f"{count} {word}" + "s" * (count != 1)
    raise AssertionError("the last unit takes every span")


def ages_that_stand_for_all(ages: Sequence[int]) -> list[int]:
    """The middles of twenty equal parts of the sorted ages."""
    return [ages[(2 * part + 1) * len(ages) // (2 * BUCKETS)] for part in range(BUCKETS)]
