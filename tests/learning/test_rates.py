"""Close rates by hand: smoothing, lift, intervals, and how well an order separates."""

from __future__ import annotations

import random

import pytest

from flowscore.learning.comparing import grouped, judge, top_decile_lift
from flowscore.learning.rates import (
    LEAST_PRIOR,
    MOST_PRIOR,
    Rate,
    evidence,
    interval,
    is_clear,
    prior_strength,
    separation,
    smoothed,
)


def test_e01_e03_e04_the_example_of_the_method() -> None:
    """100 leads and 10 customers; of 20 trial users 8 buy: 40 %, four times the average."""
    everybody, trial = Rate(100, 10), Rate(20, 8)
    assert everybody.share == 0.10
    assert trial.share == 0.40
    assert trial.share / everybody.share == pytest.approx(4)
    assert smoothed(trial, 0.10, 20) == pytest.approx((8 + 2) / 40)
    assert evidence(trial, 0.10, 20) > 0
    assert is_clear(trial, 0.10)


def test_e03_one_of_one_proves_little() -> None:
    assert smoothed(Rate(1, 1), 0.10, 20) == pytest.approx(3 / 21)
    assert not is_clear(Rate(1, 1), 0.10)
    assert smoothed(Rate(10_000, 4_000), 0.10, 20) == pytest.approx(0.4, abs=0.001)
    assert smoothed(Rate(0, 0), 0.10, 20) == pytest.approx(0.10)


def test_prior_weighs_much_where_rates_are_alike_and_little_where_they_differ() -> None:
    chance = random.Random(5)
    alike = [Rate(200, sum(chance.random() < 0.1 for _ in range(200))) for _ in range(200)]
    apart = [Rate(200, round(200 * share)) for share in (0.01, 0.1, 0.3, 0.6, 0.9)]
    assert prior_strength(alike) == MOST_PRIOR
    assert prior_strength(apart) == LEAST_PRIOR
    assert prior_strength([Rate(10, 5)]) == prior_strength([Rate(5, 0), Rate(5, 0)]) == MOST_PRIOR


def test_prior_finds_the_beta_that_rates_were_drawn_from() -> None:
    chance = random.Random(7)
    shares = [chance.betavariate(12, 48) for _ in range(4_000)]  # weighs as much as 60 leads
    rates = [Rate(100, sum(chance.random() < share for _ in range(100))) for share in shares]
    assert prior_strength(rates) == pytest.approx(60, rel=0.1)


def test_interval_is_wilsons() -> None:
    low, high = interval(Rate(10, 2), sure=1.959964)  # the textbook's 95 %
    assert (round(low, 4), round(high, 4)) == (0.0567, 0.5098)


@pytest.mark.parametrize("seed", range(5))
def test_separation_is_the_area_under_the_roc_curve(seed: int) -> None:
    from sklearn.metrics import roc_auc_score

    chance = random.Random(seed)
    won = [int(chance.random() < 0.2) for _ in range(500)]
    totals = [chance.randrange(12) + 3 * one for one in won]
    assert judge("", totals, won).auc == pytest.approx(roc_auc_score(won, totals))


def test_separation_of_one_kind_of_lead_is_a_coin() -> None:
    assert separation([Rate(5, 5)]) == separation([Rate(5, 0)]) == separation([]) == 0.5


def test_top_tenth_counts_from_the_highest_and_shares_ties_out() -> None:
    won = [1] * 10 + [0] * 90
    assert top_decile_lift(grouped(list(range(100, 0, -1)), won)) == 10
    assert top_decile_lift(grouped([0] * 100, won)) == pytest.approx(1)
    half = [1] * 5 + [0] * 15 + [1] * 5 + [0] * 75  # twenty tie for ten places
    assert top_decile_lift(grouped([1] * 20 + [0] * 80, half)) == pytest.approx(2.5)
