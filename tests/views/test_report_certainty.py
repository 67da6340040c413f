"""Intervals against published examples, quartiles against numpy, and the words for both."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.store.tables import contacts
from flowscore.views.reporting.certainty import Difference, Share, too_thin
from flowscore.views.reporting.spans import Spans, measure
from flowscore.views.reporting.words import minus, percent, span_text

from .conftest import NOW, Put, person

if TYPE_CHECKING:
    from flowscore.store.database import Store

NEWCOMBE_TABLE_II = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0)),
    ((10, 10), (0, 10), (0.6075, 1.0)),
]
"""Statistics in Medicine 17 (1998), 873-890: method 10 (score, no continuity correction)."""


@pytest.mark.parametrize(("first", "second", "interval"), NEWCOMBE_TABLE_II)
def test_difference_has_the_interval_that_newcombe_published(
    first: tuple[int, int], second: tuple[int, int], interval: tuple[float, float]
) -> None:
    found = Difference(Share(*first), Share(*second)).interval
    assert found == pytest.approx(interval, abs=6e-5)


def test_share_has_wilsons_interval() -> None:
    """Newcombe's single proportions, Statistics in Medicine 17 (1998), 857-872, method 3."""
    assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=6e-5)
    assert Share(15, 148).interval == pytest.approx((0.0624, 0.1605), abs=6e-5)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=6e-5)
    assert Share(1, 29).interval == pytest.approx((0.0061, 0.1718), abs=6e-5)


def test_difference_is_said_as_a_person_would() -> None:
    chance = Difference(Share(12, 100), Share(8, 100))
    assert str(chance) == "+4.0 points, 95 % between \N{MINUS SIGN}4.6 and +12.7: may be chance"
    assert str(Difference(Share(600, 1000), Share(400, 1000))).endswith(": more than chance")
    assert str(Difference(Share(1, 90), Share(80, 90))).endswith("worse, and more than chance")


def test_share_of_nobody_is_nothing() -> None:
    assert Share(0, 0).as_row() == {"count": 0, "of": 0, "share": None, "low": None, "high": None}
    nothing = Difference(Share(0, 0), Share(1, 2))
    assert nothing.as_row() == {"points": None, "low": None, "high": None}
    assert nothing.interval == (-1.0, 1.0)


def test_e15_what_is_too_thin_says_how_much_is_needed() -> None:
    said = "too thin to judge: 7 customers; at least 30 make this meaningful"
    assert too_thin(7, "customer") == said
    assert too_thin(1, "customer").startswith("too thin to judge: 1 customer;")


@pytest.mark.parametrize("count", [0, 1, 2, 6, 40])
def test_quartiles_are_those_of_numpy(store: Store, put: Put, count: int) -> None:
    chance = random.Random(count)
    spans = [chance.randrange(40) for _ in range(count)]
    put(contacts, *(person(n + 1, None, at) for n, at in enumerate(spans)))
    with store.read() as connection:
        found = measure(connection, select(contacts.c.created_at.label("span")))
    if not spans:
        assert found == Spans(0)
        return
    wanted = [float(np.percentile(spans, part)) for part in (25, 50, 75, 90)]
    seen = [found.first_quartile, found.median, found.third_quartile, found.long]
    assert (found.count, seen) == (count, pytest.approx(wanted))


def test_numbers_are_written_for_people() -> None:
    assert NOW
    assert [span_text(x) for x in (0, 40 * MINUTE, HOUR, 5.25 * HOUR, 2 * DAY, 12.4 * DAY)] == [
        "0 minutes", "40 minutes", "1 hour", "5.2 hours", "2 days", "12.4 days",
    ]  # fmt: skip
    assert span_text(-HOUR) == "\N{MINUS SIGN}1 hour"
    assert [percent(x) for x in (None, 0.0, 0.1234)] == ["", "0.0 %", "12.3 %"]
    assert [minus(x) for x in (3.94, -0.42, 0.01, -0.01)] == [
        "+3.9", "\N{MINUS SIGN}0.4", "0.0", "0.0",
    ]  # fmt: skip
