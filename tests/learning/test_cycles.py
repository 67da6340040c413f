"""Which windows and decay suit a cycle of minutes, of days, of months (E07)."""

from __future__ import annotations

import re

import pytest

from flowscore.clock import DAY, HOUR, MINUTE, parse_duration
from flowscore.learning.cycles import advice, ages_that_stand_for_all, cycle_of


@pytest.mark.parametrize(
    ("middle", "window", "half", "word"),
    [
        (20 * MINUTE, "20 minutes", "1 hour", "minutes or hours"),
        (9 * DAY, "9 days", "9 days", "a cycle of days"),
        (120 * DAY, "17 weeks", "17 weeks", "a cycle of months"),
    ],
)
def test_e07_minutes_days_and_months(middle: int, window: str, half: str, word: str) -> None:
    said = advice(middle)
    assert f"`within: {window}`" in said and f"half_life: {half}}}" in said and word in said
    assert ("decay_every: 1 hour" in said) == (middle < DAY)


@pytest.mark.parametrize("middle", [1, MINUTE, 100 * MINUTE, 3 * DAY + HOUR, 3000 * DAY])
def test_every_advised_duration_can_be_written(middle: int) -> None:
    found = re.findall(r"(?:within|half_life): (\d+ \w+)", advice(middle))
    assert len(found) == 2 and all(parse_duration(one) for one in found)


def test_middle_and_most() -> None:
    cycle = cycle_of([day * DAY for day in range(1, 102)])
    assert cycle is not None
    assert (cycle.middle, cycle.most) == (51 * DAY, 91 * DAY)
    assert cycle_of([]) is None


def test_ages_stand_for_all() -> None:
    assert ages_that_stand_for_all([5]) == [5] * 20
    assert ages_that_stand_for_all(range(100)) == [2 + 5 * part for part in range(20)]
