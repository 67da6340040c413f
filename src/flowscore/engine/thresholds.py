"""The numbers that matter of a score: those that anything in the project asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.language.conditions import ScoreIs
from flowscore.language.triggers import ScoreCrosses
from flowscore.language.words import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscore.language.project import Project


def thresholds(project: Project) -> dict[str, tuple[float, ...]]:
    """By score the numbers of its bands, and those of grades, lists, stages and scenarios.

    Highest first.
    """
    found: dict[str, set[float]] = {name: set() for name in project.scores}
    for name, number in _numbers(project):
        found[name].add(number)
    return {name: tuple(sorted(numbers, reverse=True)) for name, numbers in found.items()}


def _numbers(project: Project) -> Iterator[tuple[str, float]]:
    for score in project.scores.values():
        yield from ((score.name, number) for _, number in score.bands)
    for grade in project.grades.values():
        for axis in (grade.fit, grade.engagement):
            yield from ((axis.score, number) for _, number in axis.labels if number is not None)
    lifecycle = () if project.lifecycle is None else (project.lifecycle,)
    everything = (*project.scores.values(), *project.lists.values(), *project.scenarios.values())
    for definition in (*everything, *lifecycle, project.policy):
        yield from _asked_in(definition)


def _asked_in(definition: object) -> Iterator[tuple[str, float]]:
    for word in walk(definition):
        if isinstance(word, ScoreCrosses):
            yield word.score, word.threshold
        elif isinstance(word, ScoreIs):
            asked = (
                word.bounds.at_least,
                word.bounds.at_most,
                word.bounds.above,
                word.bounds.below,
            )
            yield from ((word.score, number) for number in asked if number is not None)
