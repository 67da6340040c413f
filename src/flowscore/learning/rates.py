"""Close rates: of the leads with something, how many became customers; smoothed where few."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

LEAST_PRIOR, MOST_PRIOR = 20.0, 200.0
FEWEST_CLEAR = 10
SURE = NormalDist().inv_cdf(0.995)  # a two-sided interval of 99 %


@dataclass(frozen=True, slots=True)
class Rate:
    """So many leads, and so many of them won."""

    leads: int
    won: int

    @property
    def share(self) -> float:
        """Won ÷ leads; of nobody 0."""
        return self.won / self.leads if self.leads else 0.0

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.leads + other.leads, self.won + other.won)

    def __sub__(self, other: Rate) -> Rate:
        return Rate(self.leads - other.leads, self.won - other.won)


NOBODY = Rate(0, 0)


def together(rates: Iterable[Rate]) -> Rate:
    """All of them as one."""
    return sum(rates, NOBODY)


def smoothed(rate: Rate, overall: float, strength: float) -> float:
    """(won + strength × overall) ÷ (leads + strength): as if `strength` average leads stood by.

    The mean of the beta posterior whose prior has the overall rate as its mean and weighs as
    much as `strength` leads (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4).
    One customer of one lead, at 10 % overall and a strength of 20, is 14 % and not 100 %.
    """
    return (rate.won + strength * overall) / (rate.leads + strength)


def prior_strength(rates: Sequence[Rate]) -> float:
    """How many leads the prior weighs, from how far the close rates lie apart (empirical Bayes).

    Moments of the beta-binomial (Kleinman 1973, JASA 68, 46-54), weights = leads:
    with S = Σ n (p_i - p)² and k rates of N leads in all,
    γ = (S - p(1-p)(k-1)) ÷ (p(1-p)(N - Σn²/N - (k-1))), strength = 1/γ - 1.
    Held between 20 and 200 leads, since candidates overlap and are no independent draws.
    """
    some = [rate for rate in rates if rate.leads]
    everybody = together(some)
    mean, leads = everybody.share, everybody.leads
    noise = mean * (1 - mean)
    if len(some) < 2 or not noise:
        return MOST_PRIOR
    spread = sum(rate.leads * (rate.share - mean) ** 2 for rate in some)
    room = leads - sum(rate.leads**2 for rate in some) / leads - (len(some) - 1)
    gamma = (spread / noise - (len(some) - 1)) / room if room > 0 else 0.0
    return MOST_PRIOR if gamma <= 0 else min(max(1 / gamma - 1, LEAST_PRIOR), MOST_PRIOR)


def log_odds(share: float) -> float:
    """The logarithm of share : rest, for a share that is neither 0 nor 1."""
    return math.log(share / (1 - share))


def evidence(rate: Rate, overall: float, strength: float) -> float:
    """How much the log-odds of winning differ from the overall ones, smoothed."""
    return log_odds(smoothed(rate, overall, strength)) - log_odds(overall)


def interval(rate: Rate, sure: float = SURE) -> tuple[float, float]:
    """Between which two shares the true one lies (Wilson 1927, JASA 22, 209-212)."""
    if not rate.leads:
        return 0.0, 1.0
    n, share = rate.leads, rate.share
    middle = share + sure**2 / (2 * n)
    reach = sure * math.sqrt(share * (1 - share) / n + sure**2 / (4 * n * n))
    return (middle - reach) / (1 + sure**2 / n), (middle + reach) / (1 + sure**2 / n)


def is_clear(rate: Rate, overall: float) -> bool:
    """Whether chance alone hardly explains how far the rate lies from the overall one."""
    low, high = interval(rate)
    return rate.leads >= FEWEST_CLEAR and not low <= overall <= high


def separation(groups: Iterable[Rate]) -> float:
    """How well an order tells customers from others; `groups` stand in that order, lowest first.

    The area under the ROC curve: the chance that a customer stands above somebody who is none,
    ties counted as half (Hanley and McNeil 1982, Radiology 143, 29-36). 0.5 is a coin.
    """
    below = pairs = won = 0.0
    for group in groups:
        others = group.leads - group.won
        pairs += group.won * (below + others / 2)
        below += others
        won += group.won
    return pairs / (won * below) if won and below else 0.5
