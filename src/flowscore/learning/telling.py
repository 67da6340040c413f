"""Puts the close rates of every candidate beside all leads, with the points it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.learning.lessons import CloseRate
from flowscore.learning.rates import is_clear, prior_strength, smoothed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowscore.learning.columns import Answer, Cut, Subject
    from flowscore.learning.lessons import Lessons
    from flowscore.learning.weighing import Scorecard


def tell_rates(lessons: Lessons, cuts: Sequence[Cut], card: Scorecard | None) -> None:
    """Steps 2 to 4 of the method: each answer, how it closes, and how that compares."""
    overall = lessons.overall.share
    rates = [answer.rate for one in cuts for answer in one.answers]
    strength = card.strength if card else prior_strength(rates)
    for one in cuts:
        weighed = card.columns.get(one.subject.key) if card else None
        for place, answer in enumerate(one.answers):
            if not answer.rate.leads or (one.subject.is_yes_or_no and not place):
                continue
            points = weighed.points[place] if weighed else None
            lessons.rates.append(_close_rate(one.subject, answer, overall, strength, points))


def _close_rate(
    subject: Subject, answer: Answer, overall: float, strength: float, points: float | None
) -> CloseRate:
    said = "" if subject.is_yes_or_no else answer.label
    return CloseRate(
        subject.family,
        subject.label,
        said,
        answer.rate,
        smoothed(answer.rate, overall, strength),
        answer.rate.share / overall if overall else 0.0,
        None if points is None else int(points),
        is_clear(answer.rate, overall),
    )
