"""Doubts about grades, stages and fading: where nobody can ever stand, what fades unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from flowscore.clock import DAY, duration_text
from flowscore.errors import Problem
from flowscore.language.actions import SetStage
from flowscore.language.conditions import GradeIs, StageIs
from flowscore.language.doubts import NEVER_HOLDS, doubt
from flowscore.language.draft import Draft
from flowscore.language.limits import Span, limits, number
from flowscore.language.scoring import Axis, Decay, Expires, Grade, HalfLife, Linear, Steps
from flowscore.language.scoring import cell_name as cell
from flowscore.language.triggers import GradeEnters, StageEnters, Trigger
from flowscore.language.words import Word


def labels_out_of_reach(draft: Draft) -> Iterator[Problem]:
    """Labels of a grade that the score's points never lead to, or always lead past."""
    spans = limits(draft)
    for grade in draft.grades.values():
        for axis in (grade.fit, grade.engagement):
            lost = _lost_labels(axis, spans)
            if lost:
                low, high = spans[axis.score]
                named = " or ".join(f"'{label}'" for label in lost)
                reason = f"'{axis.score}' stays between {number(low)} and {number(high)}"
                hint = "lower the numbers, or give more points"
                yield doubt(axis.mark, f"nobody can get {named}: {reason}", hint)


def _lost_labels(axis: Axis, spans: Mapping[str, Span]) -> list[str]:
    """Those whose points no balance within the limits has."""
    low, high = spans.get(axis.score, (-inf, inf))
    lost, above = [], inf
    for label, level in axis.labels:
        least = -inf if level is None else level
        if least > high or above <= low:
            lost.append(label)
        above = least
    return lost


def cells_out_of_reach(draft: Draft) -> Iterator[Problem]:
    """Conditions and triggers on cells in which nobody can stand."""
    spans = limits(draft)
    lost = {name: _lost_cells(grade, spans) for name, grade in draft.grades.items()}
    for word in draft.words:
        if isinstance(word, GradeIs | GradeEnters) and set(word.cells) <= lost.get(
            word.grade, set()
        ):
            cells = ", ".join(word.cells)
            hint = f"see line {draft.grades[word.grade].mark.line} for what each label needs"
            yield doubt(word.mark, f"this {_never(word)}: nobody can get into {cells}", hint)


def _lost_cells(grade: Grade, spans: Mapping[str, Span]) -> set[str]:
    fits, actives = _lost_labels(grade.fit, spans), _lost_labels(grade.engagement, spans)
    return {
        cell(fit, active)
        for fit, _ in grade.fit.labels
        for active, _ in grade.engagement.labels
        if fit in fits or active in actives
    }


def _never(word: Word) -> str:
    return "trigger can never fire" if isinstance(word, Trigger) else NEVER_HOLDS


def stages_out_of_reach(draft: Draft) -> Iterator[Problem]:
    """Bare stages to which no step takes anybody, and what waits for such a stage."""
    if draft.lifecycle is None:
        return
    lost = _lost_stages(draft)
    for stage in draft.lifecycle.stages:
        if stage.name in lost:
            hint = f"say who qualifies (`when`), or write a step `set_stage: {stage.name}`"
            yield doubt(stage.mark, f"nobody can get to the stage '{stage.name}'", hint)
    for word in draft.words:
        if isinstance(word, StageIs | StageEnters) and set(word.stages) <= lost:
            stages = " or ".join(f"'{name}'" for name in word.stages)
            yield doubt(word.mark, f"this {_never(word)}: nobody can get to the stage {stages}")


def _lost_stages(draft: Draft) -> set[str]:
    set_by_steps = {action.stage for action in _set_stages(draft)}
    later = draft.lifecycle.stages[1:] if draft.lifecycle else ()
    return {stage.name for stage in later if stage.when is None} - set_by_steps


def _set_stages(draft: Draft) -> Iterator[SetStage]:
    return (action for action in draft.actions if isinstance(action, SetStage))


def first_stage_entered(draft: Draft) -> Iterator[Problem]:
    """Waiting for the first stage, or setting it, where nothing leads back (ruling 28)."""
    if draft.lifecycle is None:
        return
    first = draft.lifecycle.names[0]
    for action in _set_stages(draft):
        if action.stage == first and not action.back:
            message = f"this does nothing: '{first}' is the first stage, and a step goes forward"
            yield doubt(action.mark, message, f"write {{stage: {first}, back: true}}")
    if can_go_back(draft, first):
        return
    for word in draft.words:
        if isinstance(word, StageEnters) and word.stages == (first,):
            message = f"this trigger can never fire: everybody begins in '{first}'"
            yield doubt(word.mark, message, "for new people use `contact_created`")


def can_go_back(draft: Draft, stage: str | None = None) -> bool:
    """Whether anything takes people back, to that stage or to any."""
    if draft.lifecycle and any(one.retreat for one in draft.lifecycle.stages):
        return True
    return any(one.back and stage in (None, one.stage) for one in _set_stages(draft))


def fading_between_looks(draft: Draft) -> Iterator[Problem]:
    """Points that fade faster than they are looked at (ruling 50)."""
    every = draft.policy.decay_every or DAY
    if draft.names.topics is None:  # the policy cannot be read
        return
    for word in draft.words:
        if isinstance(word, Decay) and (span := _span(word)) and span < every:
            message = f"points fade only once in {duration_text(every)}, and this takes less"
            hint = f"add `decay_every: {duration_text(span)}` to the policy"
            yield doubt(word.mark, message, hint)


def _span(decay: Decay) -> int | None:
    """The time in which such points fade to something else."""
    match decay:
        case Expires(after=span) | Linear(over=span) | HalfLife(half=span) | Steps(every=span):
            return span
    return None
