"""Whole points for every answer, added up to a total: the scorecard that results propose.

Each answer's evidence is the smoothed log-odds by which its leads differ from all. Columns that
say the same (a trial started, the trial page seen) would count twice, so the evidence of each
column gets a weight by which all of them together fit the outcome best. Every five points
double the odds of winning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowscore.learning.columns import MOST_TIMES, Cut, Sheet, Value, rate_answers
from flowscore.learning.logistic import fit_weights, gather
from flowscore.learning.rates import Rate, evidence, is_clear, prior_strength

DOUBLING = 5  # points that double the odds
SLIGHT = 0.15  # a weight below: other columns say the same already
FACTOR = DOUBLING / math.log(2)


@dataclass(frozen=True)
class Weighed:
    """A column as the scorecard holds it: the points of each answer, and what lies behind them.

    Of a column that is counted, `points` are for each time; `times` is how often those did it,
    on average, who did.
    """

    cut: Cut
    rates: tuple[Rate, ...]
    evidence: tuple[float, ...]
    weight: float
    points: tuple[float, ...]
    times: float = 1.0

    @property
    def is_slight(self) -> bool:
        """Whether to have done it is worth less than half a point."""
        return not _each(FACTOR * self.weight * (self.evidence[1] - self.evidence[0]), self.times)

    def worth(self, value: Value) -> float:
        """The points of a value."""
        if self.cut.subject.kind == "count":
            return self.points[1] * min(int(value or 0), MOST_TIMES)
        return self.points[self.cut.code(value)]


@dataclass(frozen=True)
class Scorecard:
    """Points to add up, by the key of the column."""

    columns: Mapping[str, Weighed]
    overall: Rate
    strength: float

    def totals(self, sheet: Sheet, rows: Sequence[int]) -> list[float]:
        """What each of these leads collects."""
        sums = [0.0] * len(rows)
        for column in sheet.columns:
            weighed = self.columns.get(column.subject.key)
            if weighed is None or not any(weighed.points):
                continue
            for place, row in enumerate(rows):
                sums[place] += weighed.worth(column.values[row])
        return sums


def weigh(sheet: Sheet, cuts: Sequence[Cut], rows: Sequence[int]) -> Scorecard:
    """The scorecard of these leads; `cuts` stand beside the columns of the sheet."""
    won = [sheet.won[row] for row in rows]
    overall = Rate(len(won), sum(won))
    codes = [_codes(sheet, place, cut, rows) for place, cut in enumerate(cuts)]
    rates = [rate_answers(c, won, len(cut.answers)) for c, cut in zip(codes, cuts, strict=True)]
    strength = prior_strength([rate for some in rates for rate in some])
    proofs = [[evidence(rate, overall.share, strength) for rate in some] for some in rates]
    weights = _weights(list(zip(*codes, strict=True)), won, proofs) if cuts else []
    found = {}
    for place, cut in enumerate(cuts):
        times = _times(sheet, place, rows) if cut.subject.kind == "count" else 1.0
        points = _points(cut, proofs[place], weights[place], times)
        if not cut.subject.is_yes_or_no:
            points = _without_trifles(points, rates[place], overall.share)
        found[cut.subject.key] = Weighed(
            cut, tuple(rates[place]), tuple(proofs[place]), weights[place], points, times
        )
    return Scorecard(found, overall, strength)


def _weights(
    rows: Sequence[tuple[int, ...]], won: Sequence[int], proofs: Sequence[Sequence[float]]
) -> list[float]:
    """Weights of all columns; those that add next to nothing are left out, the others fit anew."""
    patterns = gather(rows, won)
    first = fit_weights(patterns, proofs)
    stays = [weight >= SLIGHT for weight in first]
    nothing = [
        some if stay else [0.0] * len(some) for some, stay in zip(proofs, stays, strict=True)
    ]
    second = fit_weights(patterns, nothing)
    return [weight if stay else 0.0 for weight, stay in zip(second, stays, strict=True)]


def _codes(sheet: Sheet, place: int, cut: Cut, rows: Sequence[int]) -> list[int]:
    values = sheet.columns[place].values
    known = {value: cut.code(value) for value in set(values)}
    return [known[values[row]] for row in rows]


def _times(sheet: Sheet, place: int, rows: Sequence[int]) -> float:
    values = sheet.columns[place].values
    counts = [min(int(value), MOST_TIMES) for row in rows if (value := values[row])]
    return sum(counts) / len(counts) if counts else 1.0


def _points(cut: Cut, proofs: Sequence[float], weight: float, times: float) -> tuple[int, ...]:
    """Against the average where each answer has points, against «no» where only «yes» has."""
    if not cut.subject.is_yes_or_no:
        return tuple(round(FACTOR * weight * proof) for proof in proofs)
    return (0, _each(FACTOR * weight * (proofs[1] - proofs[0]), times))


def _without_trifles(
    points: tuple[int, ...], rates: Sequence[Rate], overall: float
) -> tuple[int, ...]:
    """A single point for an answer that may well close like all leads is no rule worth reading."""
    clear = [
        abs(one) > 1 or is_clear(rate, overall) for one, rate in zip(points, rates, strict=True)
    ]
    return tuple(one if kept else 0 for one, kept in zip(points, clear, strict=True))


def _each(whole: float, times: float) -> int:
    """Points for each time, of what it is worth to have done it; a little is not nothing."""
    if abs(whole) < 0.5:
        return 0
    return round(whole / times) or (1 if whole > 0 else -1)


def is_worth_weighing(cut: Cut, overall: float) -> bool:
    """Whether any of its answers clearly differs from all leads."""
    return any(is_clear(answer.rate, overall) for answer in cut.answers)
