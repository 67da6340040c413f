"""The model in plain words, one text for marketing and sales: scores, grades, stages, changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from flowscore.clock import DAY, duration_text
from flowscore.language import scoring as words
from flowscore.language.grammar.sensitive import sensitive_places
from flowscore.language.words import WHOLE_SHARE
from flowscore.rules.explain import sentence
from flowscore.store.tables import definitions
from flowscore.views.columns import shown_at

if TYPE_CHECKING:
    from flowscore.language.lifecycle import Lifecycle
    from flowscore.views.reporting.inquiry import Inquiry

Row = dict[str, Any]
SHOWN_CHANGES = 20


def model(inquiry: Inquiry) -> Row:
    """How leads are rated, as it stands in the live files, and when that was changed last."""
    project = inquiry.project
    return {
        "scores": [_score(one) for one in project.scores.values()],
        "grades": [_grade(one) for one in project.grades.values()],
        "lifecycle": _lifecycle(project.lifecycle) if project.lifecycle else None,
        "changes": _changes(inquiry),
        "notes": list(_doubts(inquiry)),
    }


# --- scores -----------------------------------------------------------------------------------


def _score(score: words.Score) -> Row:
    return {
        "score": score.name,
        "objective": score.objective,
        "description": score.description,
        "of": score.of,
        "rules": [_rule(score, rule) for rule in score.rules],
        "said": list(_about(score)),
        "bands": dict(score.bands),
        "where": str(score.mark),
    }


def _rule(score: words.Score, rule: words.Rule) -> Row:
    return {
        "rule": rule.name,
        "points": rule.points,
        "said": rule_text(score, rule),
        "because": rule.because,
        "sensitive": sorted({name for name, _ in sensitive_places(rule)}),
        "where": str(rule.mark),
    }


def rule_text(score: words.Score, rule: words.Rule) -> str:
    """`for each cart_updated, if in list customers; at most 30 points per day`."""
    if rule.when is not None:
        said = f"while {sentence(rule.when)}"
    else:
        said = f"for each {' or '.join(sentence(one) for one in rule.on)}"
    if rule.conditions is not None:
        said += f", if {sentence(rule.conditions)}"
    if rule.cap is not None:
        said += f"; at most {_cap_text(rule.cap)}"
    if rule.decay is not None and rule.decay != score.decay:
        said += f"; {decay_text(rule.decay)}"
    return said


def _cap_text(cap: words.Cap) -> str:
    """`3 times`, `30 points per day`."""
    parts = []
    if cap.times is not None:
        parts.append(f"{cap.times} time{'' if cap.times == 1 else 's'}")
    if cap.points is not None:
        parts.append(f"{cap.points:g} points")
    said = " and ".join(parts)
    return said if cap.per is None else f"{said} per {_per(cap.per)}"


def _per(duration: int) -> str:
    """`day` rather than `1 day`."""
    return duration_text(duration).removeprefix("1 ")


def _about(score: words.Score) -> Iterator[str]:
    """What holds for the score as a whole, a sentence each."""
    if score.of == "company":
        yield "it is the company's: the points of all its contacts count together"
    if score.range is not None:
        ends = (("from", score.range.min), ("to", score.range.max))
        read = " ".join(f"{word} {end:g}" for word, end in ends if end is not None)
        yield f"it is read {read}; what goes beyond is kept, and cut when it is read"
    if score.scale is not None:
        yield f"it is also shown on a scale of {score.scale[0]} to {score.scale[1]}"
    if score.cap is not None:
        yield f"its rules give at most {_cap_text(score.cap)} together"
    yield decay_text(score.decay)


@singledispatch
def decay_text(decay: Any) -> str:
    """How points fade, in words; one function for each family."""
    return "its points do not fade"


@decay_text.register
def _(decay: words.Expires) -> str:
    return f"points count for {_days(decay.after)}, then no more"


@decay_text.register
def _(decay: words.Linear) -> str:
    return f"points fade evenly, to nothing after {_days(decay.over)}"


@decay_text.register
def _(decay: words.HalfLife) -> str:
    return f"points lose half of what is left every {_days(decay.half)}"


@decay_text.register
def _(decay: words.Steps) -> str:
    share = f"{decay.lose * 100 / WHOLE_SHARE:g}%"
    return f"points lose {share} of what is left every {_days(decay.every)}"


@decay_text.register
def _(decay: words.Idle) -> str:
    start = f"after {_days(decay.after)} without any behaviour"
    if decay.reset:
        return f"{start} the score begins anew at 0"
    again = f", and again every {_days(decay.every)}" if decay.every is not None else ""
    return f"{start} the score loses {decay.lose:g} points{again}, never below 0"


@decay_text.register
def _(decay: words.Steady) -> str:
    return "points do not fade"


def _days(duration: int) -> str:
    """Weeks are told in days, as the files mostly do."""
    if duration % DAY == 0 and duration > DAY:
        return f"{duration // DAY} days"
    return duration_text(duration)


# --- grades and stages ------------------------------------------------------------------------


def _grade(grade: words.Grade) -> Row:
    return {
        "grade": grade.name,
        "description": grade.description,
        "said": [_axis("fit", grade.fit), _axis("engagement", grade.engagement)],
        "green": list(grade.green),
        "where": str(grade.mark),
    }


def _axis(word: str, axis: words.Axis) -> str:
    """`fit by score fit: A from 75, B from 50, C from 25, D below`."""
    lines = [f"{label} {'below' if at is None else f'from {at:g}'}" for label, at in axis.labels]
    return f"{word} by score {axis.score}: {', '.join(lines)}"


def _lifecycle(lifecycle: Lifecycle) -> Row:
    return {
        "lifecycle": lifecycle.name,
        "description": lifecycle.description,
        "stages": [
            {"stage": stage.name, "said": _stage_text(number, stage)}
            for number, stage in enumerate(lifecycle.stages)
        ],
        "where": str(lifecycle.mark),
    }


def _stage_text(number: int, stage: Any) -> str:
    if stage.when is None:
        return "only where a scenario sets it" if number else "everybody, from the start"
    back = "; falls back when that no longer holds" if stage.retreat else ""
    return f"as soon as {sentence(stage.when)}{back}"


# --- what was changed when --------------------------------------------------------------------

RATING = ("score", "grade", "lifecycle")


def _changes(inquiry: Inquiry) -> list[Row]:
    """The newest versions of what rates leads; nothing is changed but by `apply`."""
    of = definitions.c
    newest = func.max(of.version).over(partition_by=(of.kind, of.name)).label("newest")
    query = (
        select(of.kind, of.name, of.version, of.applied_at, of.retired_at, of.file, newest)
        .where(of.kind.in_(RATING))
        .order_by(of.applied_at.desc(), of.id.desc())
        .limit(SHOWN_CHANGES)
    )
    return [
        {
            "kind": row.kind,
            "name": row.name,
            "version": row.version,
            "applied_at": shown_at(row.applied_at),
            "is": _fate(row),
            "file": row.file,
        }
        for row in inquiry.rows(query)
    ]


def _fate(row: Any) -> str:
    if row.retired_at is None:
        return "live"
    return "replaced" if row.version < row.newest else "removed"


def _doubts(inquiry: Inquiry) -> Iterator[str]:
    project = inquiry.project
    if not project.scores:
        yield "nothing is scored"
    aimless = [name for name, score in project.scores.items() if not score.objective]
    if aimless:
        yield f"without an `objective`, so nobody reads what it is for: {', '.join(aimless)}"
