"""Weighs several pieces of evidence against one another, so that what they share counts once.

First one weight is found for all columns together: by how much all evidence added up has to be
discounted. From there each column's own weight moves as far as the data insists, held back by a
ridge (few leads: all share; many: each its own), and none falls below 0. Coordinate-wise Newton
steps (Genkin, Lewis and Madigan 2007, Technometrics 49, 291-304). Rows that look alike are one
row, and of each column only what differs from its commonest answer is walked, so plain Python
does for a hundred thousand leads.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

PENALTY = 10.0  # of a squared distance from the common weight
MOST_PASSES = 40
STILL = 1e-3  # a pass in which no weight moved more is the last
STEEPEST = 1.0  # the longest step of a weight
FURTHEST = 30.0  # beyond, the exponential says nothing new


@dataclass(frozen=True)
class Pattern:
    """Leads that gave the same answers."""

    codes: tuple[int, ...]
    leads: int
    won: int


@dataclass
class _Fit:
    """The state of a fit: `sums` are the log-odds of each pattern under the weights so far."""

    leads: list[int]
    won: list[int]
    sums: list[float]
    weights: list[float]
    common: float = 0.0


Column = list[tuple[int, float]]  # rows, and by how much their evidence differs from the usual


def gather(rows: Sequence[tuple[int, ...]], won: Sequence[int]) -> list[Pattern]:
    """Equal rows as one, in a fixed order."""
    leads, winners = Counter(rows), Counter[tuple[int, ...]]()
    for codes, one in zip(rows, won, strict=True):
        winners[codes] += one
    return [Pattern(codes, leads[codes], winners[codes]) for codes in sorted(leads)]


def fit_weights(patterns: Sequence[Pattern], evidence: Sequence[Sequence[float]]) -> list[float]:
    """A weight for each column, 0 or more; `evidence` gives each answer's log-odds by column."""
    fit = _Fit(
        [one.leads for one in patterns],
        [one.won for one in patterns],
        [0.0] * len(patterns),
        [0.0] * len(evidence),
    )
    columns = [_sparse(patterns, place, one) for place, one in enumerate(evidence)]
    everybody = [(row, 1.0) for row in range(len(patterns))]
    _share_one_weight(fit, everybody, columns)
    for _ in range(MOST_PASSES):
        moved = abs(_step(fit, everybody))
        for place, column in enumerate(columns):
            moved = max(moved, abs(_weigh(fit, place, column)))
        if moved < STILL:
            break
    return fit.weights


def _share_one_weight(fit: _Fit, everybody: Column, columns: Sequence[Column]) -> None:
    """Start with the one weight for all columns that fits best."""
    added = [0.0] * len(fit.sums)
    for column in columns:
        for row, value in column:
            added[row] += value
    together = [(row, value) for row, value in enumerate(added) if value]
    for _ in range(MOST_PASSES):
        moved = abs(_step(fit, everybody))
        step = _step(fit, together, least=-fit.common)
        fit.common += step
        if max(moved, abs(step)) < STILL:
            break
    fit.weights = [fit.common] * len(columns)


def _sparse(patterns: Sequence[Pattern], place: int, evidence: Sequence[float]) -> Column:
    """The rows that differ from the column's commonest answer, and by how much."""
    common: Counter[int] = Counter()
    for one in patterns:
        common[one.codes[place]] += one.leads
    usual = evidence[common.most_common(1)[0][0]]
    found = ((row, evidence[one.codes[place]] - usual) for row, one in enumerate(patterns))
    return [(row, value) for row, value in found if value]


def _weigh(fit: _Fit, place: int, column: Column) -> float:
    before = fit.weights[place]
    step = _step(fit, column, before - fit.common, PENALTY, -before)
    fit.weights[place] += step
    return step


def _step(
    fit: _Fit, column: Column, off: float = 0.0, penalty: float = 0.0, least: float = -STEEPEST
) -> float:
    """One Newton step of a weight that stands `off` where the penalty holds it; sums follow it."""
    slope, bend = -penalty * off, penalty
    leads, won, sums = fit.leads, fit.won, fit.sums
    for row, value in column:
        chance = 1.0 / (1.0 + math.exp(-max(-FURTHEST, min(FURTHEST, sums[row]))))
        slope += value * (won[row] - leads[row] * chance)
        bend += value * value * leads[row] * chance * (1.0 - chance)
    step = max(-STEEPEST, least, min(STEEPEST, slope / bend)) if bend else 0.0
    if step:
        for row, value in column:
            sums[row] += step * value
    return step
