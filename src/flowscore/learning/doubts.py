"""Columns that may be known only after the outcome: found by how well they separate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.learning.rates import Rate, separation

if TYPE_CHECKING:
    from flowscore.learning.columns import Cut

TOO_GOOD = 0.95  # area under the ROC curve of one column by itself
FEW = 30
NEARLY_ALL = 0.98
MOST_OF_MANY = 0.95  # close rate of an answer that a quarter of the customers gave
EXPECTED = 50  # customers among whom next to none is no accident


def suspicion(cut: Cut, overall: Rate) -> str:
    """Why the column looks as if it was filled in after the outcome; empty where it does not."""
    by_rate = sorted(cut.answers, key=lambda answer: answer.rate.share)
    alone = separation([answer.rate for answer in by_rate])
    if alone >= TOO_GOOD:
        return f"by itself it tells customers from the others almost perfectly (AUC {alone:.2f})"
    for answer in by_rate:
        rate = answer.rate
        if _nearly_all(rate, overall) or _next_to_none(rate, overall):
            return f"'{answer.label}' closes at {rate.share:.1%} of {rate.leads:,} leads"
    return ""


def _nearly_all(rate: Rate, overall: Rate) -> bool:
    if overall.share > 0.6 or rate.leads < FEW:
        return False
    many = rate.won >= overall.won / 4
    some = rate.won >= overall.won / 20
    return (rate.share >= MOST_OF_MANY and many) or (rate.share >= NEARLY_ALL and some)


def _next_to_none(rate: Rate, overall: Rate) -> bool:
    expected = rate.leads * overall.share
    return expected >= EXPECTED and rate.won <= expected / 100
