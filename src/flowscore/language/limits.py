"""How high and how low a balance can get, as far as the files alone can tell."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isinf

from flowscore.language.actions import AddPoints, ResetScore
from flowscore.language.draft import Draft
from flowscore.language.scoring import Rule, Score
from flowscore.language.words import Bounds

Span = tuple[float, float]


def limits(draft: Draft) -> dict[str, Span]:
    """For each score the lowest and the highest balance; infinite where nothing bounds it."""
    return {name: _limits(score, draft) for name, score in draft.scores.items()}


def _limits(score: Score, draft: Draft) -> Span:
    awards = [*map(_most, score.rules), *_given(score.name, draft)]
    if _is_reset(score, draft):  # points taken back after a reset count from 0 (ruling 54)
        awards += [-rule.points for rule in score.rules if rule.when is not None]
    if score.of == "company":  # who joins a company brings points along (ruling 96)
        awards += [-inf, inf]
    low = sum(min(award, 0.0) for award in awards)
    high = sum(max(award, 0.0) for award in awards)
    if score.range:
        low = max(low, -inf if score.range.min is None else score.range.min)
        high = min(high, inf if score.range.max is None else score.range.max)
    return low, high


def _most(rule: Rule) -> float:
    """All that a rule can ever give to one contact."""
    sign = 1 if rule.points > 0 else -1
    if rule.when is not None:
        return rule.points
    if rule.cap is None or rule.cap.per is not None:
        return sign * inf
    if rule.cap.times is not None:
        return rule.points * rule.cap.times
    return sign * (rule.cap.points or inf)


def _given(score: str, draft: Draft) -> Iterator[float]:
    for action in draft.actions:
        if isinstance(action, AddPoints) and action.score == score:
            yield inf if action.points > 0 else -inf


def _is_reset(score: Score, draft: Draft) -> bool:
    """Whether the score goes down by itself or by a step, whatever its rules say."""
    steps = (one for one in draft.actions if isinstance(one, ResetScore))
    return score.idle is not None or any(score.name in one.scores for one in steps)


def most_gained(score: Score, within: int, draft: Draft) -> float:
    """The most points that one contact can win within a rolling window (microseconds)."""
    if score.of == "company":
        return inf
    awards = [*(_most_within(rule, within) for rule in score.rules), *_given(score.name, draft)]
    return sum(max(award, 0.0) for award in awards)


def _most_within(rule: Rule, within: int) -> float:
    """A cap binds where its own window is at least as long; `when` may come again and again."""
    if rule.points < 0:
        return 0.0
    if rule.cap is None or (rule.cap.per is not None and rule.cap.per < within):
        return inf
    return rule.points * rule.cap.times if rule.cap.times is not None else rule.cap.points or inf


def span(bounds: Bounds) -> Span:
    """The lowest and the highest value that bounds let pass (strict ones counted as not)."""
    low = max(-inf if one is None else one for one in (bounds.at_least, bounds.above))
    high = min(inf if one is None else one for one in (bounds.at_most, bounds.below))
    return low, high


def empty(bounds: Bounds) -> bool:
    """Whether no number can pass."""
    low, high = span(bounds)
    return low > high or (low == high and low in (bounds.above, bounds.below))


def number(value: float) -> str:
    """A limit as a message shows it."""
    return "without limit" if isinf(value) else f"{value:g}"
