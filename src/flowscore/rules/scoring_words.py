"""Rules of a score, how points fade, and what the cells of a grade mean, in English."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import TYPE_CHECKING

from flowscore.clock import duration_text
from flowscore.language import conditions, scoring, triggers
from flowscore.language.words import walk
from flowscore.rules.explain import sentence, share_text

if TYPE_CHECKING:
    from flowscore.language.words import Word

TOLD = (
    conditions.AttributeIs,
    conditions.CompanyIs,
    conditions.MayMail,
    triggers.AttributeChanges,
    triggers.ConsentChanges,
)
"""What somebody tells us of themselves; everything else that a rule asks is what they do."""


def is_explicit(rule: scoring.Rule) -> bool:
    """Whether the rule reads only what people tell of themselves, and nothing that they did."""
    asked = rule.on if rule.when is None else (rule.when,)
    leaves = [word for one in asked for word in walk(one) if _asks(word)]
    return bool(leaves) and all(isinstance(leaf, TOLD) for leaf in leaves)


GROUPS = (conditions.All, conditions.AnyOf, conditions.Not)


def _asks(word: Word) -> bool:
    return isinstance(word, conditions.Condition | triggers.Trigger) and not isinstance(
        word, GROUPS
    )


def rule_text(rule: scoring.Rule, score: scoring.Score) -> str:
    """`+10 for each cart_updated, at most 30 points per 1 day; fades to nothing over 60 days`."""
    parts = "".join(_said_of(rule))
    fading = score.fading_of(rule)
    fades = f"; {fading_text(fading)}" if fading is not None else ""
    because = f" (asked because: {rule.because})" if rule.because else ""
    return f"{parts}{fades}{because}"


def _said_of(rule: scoring.Rule) -> Iterator[str]:
    if rule.when is not None:
        yield f"{rule.points:+g} while {sentence(rule.when)}"
    else:
        said = " or ".join(sentence(one).removeprefix("any ") for one in rule.on)
        yield f"{rule.points:+g} for each {said}"
    if rule.conditions is not None:
        yield f", if {sentence(rule.conditions)}"
    if rule.cap is not None:
        yield f", at most {cap_text(rule.cap)}"


def cap_text(cap: scoring.Cap) -> str:
    """`30 points per 1 day`."""
    often = "once" if cap.times == 1 else f"{cap.times or 0:,} times"
    most = [often] if cap.times is not None else []
    most += [f"{cap.points:g} points"] if cap.points is not None else []
    per = f" per {duration_text(cap.per)}" if cap.per is not None else ""
    return " and ".join(most) + per


@singledispatch
def fading_text(decay: scoring.Decay) -> str:
    """How points fade; one function for each way."""
    raise TypeError(f"no English for {type(decay).__name__}")


@fading_text.register
def _(decay: scoring.Expires) -> str:
    return f"gone after {duration_text(decay.after)}"


@fading_text.register
def _(decay: scoring.Linear) -> str:
    return f"fades to nothing over {duration_text(decay.over)}"


@fading_text.register
def _(decay: scoring.HalfLife) -> str:
    return f"half of it is gone every {duration_text(decay.half)}"


@fading_text.register
def _(decay: scoring.Steps) -> str:
    return f"loses {share_text(decay.lose)} every {duration_text(decay.every)}"


@fading_text.register
def _(decay: scoring.Idle) -> str:
    quiet = f"after {duration_text(decay.after)} without activity the score"
    if decay.reset:
        return f"{quiet} begins again at 0"
    again = f", and again every {duration_text(decay.every)}" if decay.every is not None else ""
    return f"{quiet} loses {decay.lose:g}{again}"


@fading_text.register
def _(decay: scoring.Steady) -> str:
    return "does not fade"


def legend(grade: scoring.Grade) -> str:
    """`A = fit from 75, B from 50, C from 25, D below; 4 = …`: what its letters and digits mean."""
    return f"{_axis_text(grade.fit, '')}; {_axis_text(grade.engagement, ' (the most active)')}"


def _axis_text(axis: scoring.Axis, best: str) -> str:
    (first, least), *others = axis.labels
    start = (
        f"{first} = {axis.score} from {least:g}{best}" if least is not None else f"{first} = all"
    )
    below = [
        f"{label} from {points:g}" if points is not None else f"{label} below"
        for label, points in others
    ]
    return ", ".join([start, *below])
