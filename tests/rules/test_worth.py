"""What a faded line is worth: golden numbers, and one number on both databases and in Python."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import BigInteger, insert, literal, select

from flowscore.clock import DAY, HOUR, instant_of, rfc3339
from flowscore.language.policy import Policy
from flowscore.language.scoring import Decay, Expires, HalfLife, Linear, Steps
from flowscore.rules.instants import decays_between, last_decay, next_decay
from flowscore.rules.worth import worth, worth_of
from flowscore.store import functions
from flowscore.store.tables import POINT, ledger

if TYPE_CHECKING:
    from flowscore.store.database import Store

GOLDEN = [
    (Linear(over=60 * DAY), 10, 30, 5),
    (Linear(over=90 * DAY), 9, 3, 8.7),
    (Linear(over=60 * DAY), 10, 60, 0),
    (HalfLife(half=30 * DAY), 8, 90, 1),
    (HalfLife(half=30 * DAY), 8, 0, 8),
    (Expires(after=90 * DAY), 7, 89, 7),
    (Expires(after=90 * DAY), 7, 90, 0),
    (Steps(lose=150_000, every=45 * DAY), 10, 44, 10),
    (Steps(lose=150_000, every=45 * DAY), 10, 45, 8.5),
    (Steps(lose=150_000, every=45 * DAY), 10, 90, 7.225),
    (Linear(over=60 * DAY), -10, 30, -5),
    (HalfLife(half=DAY), 10, 10, 0.00976563),
]


@pytest.mark.parametrize(("decay", "points", "days", "left"), GOLDEN)
def test_golden_numbers(decay: Decay, points: float, days: int, left: float) -> None:
    """LANGUAGE 5 and ruling 51; 10 · 0.5¹⁰ = 0.009765625 is rounded away from zero."""
    assert worth_of(decay, round(points * POINT), days * DAY) == round(left * POINT)


def test_both_databases_and_python_agree(store: Store) -> None:
    """Ruling 126: 15 significant digits, then 8 decimals, half away from zero."""
    luck = random.Random(7)
    faces = [1, 2, 3, 9, 10, 12.5, 0.1, 0.3, 33.3333, 1000, 123456.789, -5, -7.25]
    lines = [
        {
            "contact_id": number,
            "score": "s",
            "rule": "r",
            "kind": "rule",
            "key": str(number),
            "points": round(luck.choice(faces) * POINT),
            "own_at": -luck.choice([luck.randrange(400) * DAY, luck.randrange(400 * DAY)]),
            "tick_at": 0,
            "reason": "",
        }
        for number in range(2000)
    ]
    ways = {one for one, *_ in GOLDEN} | {Steps(lose=333_333, every=3 * DAY), HalfLife(half=HOUR)}
    with store.transact() as connection:
        connection.execute(insert(ledger), lines)
        for decay in ways:
            now = worth(
                decay, ledger.c.points, ledger.c.own_at, literal(0, BigInteger), store.dialect
            )
            found = connection.execute(select(ledger.c.points, ledger.c.own_at, now)).all()
            assert [row[2] for row in found] == [worth_of(decay, p, -at) for p, at, _ in found]


def at(text: str) -> int:
    """An instant of 2026, UTC."""
    return instant_of(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC))


def test_points_fade_at_midnight_of_the_policys_zone() -> None:
    """Ruling 50, over both changes of the clocks."""
    madrid = Policy(timezone="Europe/Madrid")
    found = [rfc3339(one) for one in decays_between(madrid, at("03-28T00:00"), at("03-31T12:00"))]
    assert found == [
        "2026-03-28T23:00:00Z",
        "2026-03-29T22:00:00Z",
        "2026-03-30T22:00:00Z",
    ]
    assert last_decay(madrid, at("10-25T12:00")) == at("10-24T22:00")
    assert next_decay(madrid, at("10-25T12:00")) == at("10-25T23:00")


def test_a_skipped_midnight_is_the_first_instant_after_the_gap() -> None:
    """Ruling 32: in Cairo the clocks go forward at midnight."""
    cairo = Policy(timezone="Africa/Cairo")
    assert next_decay(cairo, at("04-23T12:00")) == at("04-23T22:00")
    assert last_decay(cairo, at("04-23T23:30")) == at("04-23T22:00")


def test_points_fade_as_often_as_the_policy_says() -> None:
    """Every multiple since 1970, whatever the zone."""
    hourly = Policy(timezone="Europe/Madrid", decay_every=6 * HOUR)
    assert last_decay(hourly, at("03-29T13:00")) == at("03-29T12:00")
    assert next_decay(hourly, at("03-29T12:00")) == at("03-29T18:00")
    assert list(decays_between(hourly, at("03-29T00:00"), at("03-29T12:00"))) == [
        at("03-29T06:00"),
        at("03-29T12:00"),
    ]


def test_a_sqlite_without_math_functions_reckons_the_same() -> None:
    """Not every build has them; Python's stand in."""
    bare, whole = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    functions.register_math(bare)
    asked = "SELECT power(0.5, 2.5), power(0.85, 3.0), ln(123456789.0), floor(-2.5)"
    assert functions.has_math(whole)
    assert bare.execute(asked).fetchone() == whole.execute(asked).fetchone()
