"""Which definitions read which: the order of lists, and circles among lists and scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from flowscore.language.conditions import InList, ScoreIs
from flowscore.language.scenario import ContactList
from flowscore.language.scoring import Score
from flowscore.language.words import walk

Place = tuple[str, str]  # kind and name


def in_dependency_order(lists: Mapping[str, ContactList]) -> dict[str, ContactList]:
    """Lists so that each stands behind those it reads; by name where order is free."""
    ordered: dict[str, ContactList] = {}
    waiting = dict(sorted(lists.items()))
    while waiting:
        free = [name for name, one in waiting.items() if not _lists_read(one) & set(waiting)]
        for name in free or list(waiting):  # a circle is a problem of its own
            ordered[name] = waiting.pop(name)
    return ordered


def find_circles(
    scores: Mapping[str, Score], lists: Mapping[str, ContactList]
) -> list[list[Place]]:
    """Every circle of lists and scores that read one another's state (ruling 68)."""
    graph: dict[Place, set[Place]] = {
        **{("list", name): _read_by(one.members) for name, one in lists.items()},
        **{
            ("score", name): _read_by(*(rule.when for rule in one.rules))
            for name, one in scores.items()
        },
    }
    circles: list[list[Place]] = []
    while circle := _one_circle(graph):
        circles.append(circle)
        del graph[circle[0]]
    return circles


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
    return {name for kind, name in _read_by(one.members) if kind == "list"}


def _read_by(*conditions: object) -> set[Place]:
    read: set[Place] = set()
    for word in _words(conditions):
        if isinstance(word, InList):
            read |= {("list", name) for name in word.lists}
        elif isinstance(word, ScoreIs):
            read.add(("score", word.score))
    return read


def _words(conditions: Iterable[object]) -> list[object]:
    return [word for condition in conditions for word in walk(condition)]
