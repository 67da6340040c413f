"""Weighs several pieces of evidence against one another, so that what they share counts once.

A ridge logistic regression over evidence in log-odds, with weights that are never negative, by
coordinate-wise Newton steps (Genkin, Lewis and Madigan 2007, Technometrics 49, 291-304). Rows
that look alike are one row, and of each column only what differs from its commonest answer is
walked, so plain Python does for a hundred thousand leads.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

PENALTY = 1.0  # of a squared weight: as much as one average lead's doubt
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
    base: float = 0.0


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
    for _ in range(MOST_PASSES):
        moved = abs(_step(fit, everybody, 0.0, 0.0))
        for place, column in enumerate(columns):
            moved = max(moved, abs(_weigh(fit, place, column)))
        if moved < STILL:
            break
    return fit.weights


def _sparse(
    patterns: Sequence[Pattern], place: int, evidence: Sequence[float]
) -> list[tuple[int, float]]:
    """The rows that differ from the column's commonest answer, and by how much."""
    common: Counter[int] = Counter()
    for one in patterns:
        common[one.codes[place]] += one.leads
    usual = evidence[common.most_common(1)[0][0]]
    found = ((row, evidence[one.codes[place]] - usual) for row, one in enumerate(patterns))
    return [(row, value) for row, value in found if value]


def _weigh(fit: _Fit, place: int, column: list[tuple[int, float]]) -> float:
    before = fit.weights[place]
    fit.weights[place] += _step(fit, column, before, PENALTY)
    return fit.weights[place] - before


def _step(fit: _Fit, column: list[tuple[int, float]], weight: float, penalty: float) -> float:
    """One Newton step of a weight, never below 0 where it is penalised; the sums follow it."""
    slope, bend = -penalty * weight, penalty
    leads, won, sums = fit.leads, fit.won, fit.sums
    for row, value in column:
        chance = 1.0 / (1.0 + math.exp(-max(-FURTHEST, min(FURTHEST, sums[row]))))
        slope += value * (won[row] - leads[row] * chance)
        bend += value * value * leads[row] * chance * (1.0 - chance)
    step = max(-STEEPEST, min(STEEPEST, slope / bend)) if bend else 0.0
    step = max(step, -weight) if penalty else step
    if step:
        for row, value in column:
            sums[row] += step * value
    return step
