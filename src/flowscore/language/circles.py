"""Which definitions read which: the order of lists, and circles of those with a state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from flowscore.language.conditions import GradeIs, InList, ScoreIs, StageIs
from flowscore.language.draft import Draft
from flowscore.language.scenario import ContactList
from flowscore.language.words import walk

Place = tuple[str, str]  # kind and name
NOWHERE: Place = ("", "")


def in_dependency_order(lists: Mapping[str, ContactList]) -> dict[str, ContactList]:
    """Lists so that each stands behind those it reads; by name where order is free."""
    ordered: dict[str, ContactList] = {}
    waiting = dict(sorted(lists.items()))
    while waiting:
        free = [name for name, one in waiting.items() if not _lists_read(one) & set(waiting)]
        for name in free or list(waiting):  # a circle is a problem of its own
            ordered[name] = waiting.pop(name)
    return ordered


def find_circles(draft: Draft) -> list[list[Place]]:
    """Every circle of definitions that read one another's state (ruling 68)."""
    graph = dict(_graph(draft))
    circles: list[list[Place]] = []
    while circle := _one_circle(graph):
        circles.append(circle)
        del graph[circle[0]]
    return circles


def _graph(draft: Draft) -> Iterator[tuple[Place, set[Place]]]:
    """Every definition whose state others can read, with those whose state it reads."""
    stage = ("lifecycle", draft.lifecycle.name if draft.lifecycle else "")
    for name, one in draft.lists.items():
        yield ("list", name), _read_by(stage, one.members)
    for name, score in draft.scores.items():
        yield ("score", name), _read_by(stage, *(rule.when for rule in score.rules))
    for name, grade in draft.grades.items():
        yield ("grade", name), {("score", grade.fit.score), ("score", grade.engagement.score)}
    if draft.lifecycle:
        yield stage, _read_by(stage, *(one.when for one in draft.lifecycle.stages))


def _one_circle(graph: Mapping[Place, set[Place]]) -> list[Place] | None:
    known = {place: sorted(read & set(graph)) for place, read in sorted(graph.items())}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        circle: list[Place] = error.args[1][:0:-1]  # who reads whom, not who is read
        first = circle.index(min(circle))
        return circle[first:] + circle[:first]
    return None


def _lists_read(one: ContactList) -> set[str]:
    return {name for kind, name in _read_by(NOWHERE, one.members) if kind == "list"}


def _read_by(stage: Place, *conditions: object) -> set[Place]:
    return {
        place
        for condition in conditions
        for word in walk(condition)
        for place in _state_read(word, stage)
    }


def _state_read(word: object, stage: Place) -> Iterable[Place]:
    match word:
        case InList():
            return [("list", name) for name in word.lists]
        case ScoreIs():
            return [("score", word.score)]
        case GradeIs():
            return [("grade", word.grade)]
        case StageIs():
            return [stage]
    return []
