"""Where a contact stands in each grade: the cell, what its letters mean, what the next takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowscore.language.scoring import cell_name
from flowscore.rules.scoring_words import legend
from flowscore.store.tables import SHOWN, cells
from flowscore.views.columns import shown_at, shown_balance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flowscore.language.scoring import Axis, Grade
    from flowscore.views.explain_case import Case

Row = dict[str, Any]


def grades_of(case: Case, scores: Sequence[Row]) -> list[Row]:
    """Every grade of the project, over what the contact reads of each score."""
    if not case.project.grades:
        return []
    read = {score["score"]: score for score in scores}
    kept = {row.grade: row for row in case.rows(cells)}
    return [_grade(grade, kept.get(name), read) for name, grade in case.project.grades.items()]


def _grade(grade: Grade, kept: Any, read: Mapping[str, Row]) -> Row:
    fit, engagement = (
        _side(axis, read.get(axis.score, NOTHING)) for axis in (grade.fit, grade.engagement)
    )
    cell = kept.cell if kept else None
    return {
        "grade": grade.name,
        "description": grade.description,
        "cell": cell,
        "green": cell in grade.green,
        "since": shown_at(kept.since) if kept else None,
        "fit": fit,
        "engagement": engagement,
        "legend": legend(grade),
        "missing": list(_missing(fit, engagement)),
        "where": str(grade.mark),
    }


NOTHING: Row = {"balance": 0, "below_range": 0}


def _side(axis: Axis, score: Row) -> Row:
    """One axis: the label that the balance earns, and what lies above it."""
    balance, hidden = (round(score[key] * SHOWN) for key in NOTHING)
    place = _place_on(axis, balance)
    above = axis.labels[place - 1] if place else None
    missing = None
    if above is not None and above[1] is not None:
        missing = shown_balance(round(above[1] * SHOWN) - balance + hidden)
    return {
        "score": axis.score,
        "balance": shown_balance(balance),
        "below_range": shown_balance(hidden),
        "label": axis.labels[place][0],
        "next": above[0] if above else None,
        "missing": missing,
    }


def _place_on(axis: Axis, balance: int) -> int:
    """Which label, counted from the best, the balance earns (ruling 59)."""
    for place, (_, least) in enumerate(axis.labels):
        if least is None or balance >= round(least * SHOWN):
            return place
    return len(axis.labels) - 1


def _missing(fit: Row, engagement: Row) -> Iterator[Row]:
    """The cells next to this one that are better, and what they take."""
    if engagement["next"]:
        yield _step(engagement, cell_name(fit["label"], engagement["next"]))
    if fit["next"]:
        yield _step(fit, cell_name(fit["next"], engagement["label"]))


def _step(side: Row, cell: str) -> Row:
    told = {key: side[key] for key in ("score", "below_range")}
    return {"cell": cell, "points": side["missing"], **told}
