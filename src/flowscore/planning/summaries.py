"""A definition in a line or two, where there is nothing to hold it against."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from flowscore.language.actions import Action
from flowscore.language.lifecycle import Lifecycle
from flowscore.language.policy import Policy
from flowscore.language.scenario import ContactList, Scenario
from flowscore.language.scoring import Grade, Score
from flowscore.language.words import Scope, walk
from flowscore.planning.phrases import phrase


@singledispatch
def summary(definition: Scope) -> Iterator[str]:
    """What a person wants to know first of a new definition."""
    yield from ()


@summary.register
def _(one: Scenario) -> Iterator[str]:
    steps = sum(isinstance(word, Action) for word in walk(one.actions))
    off = "" if one.enabled else "; switched off"
    yield f"trigger: {' or '.join(map(phrase, one.trigger))}; {_counted(steps, 'step')}{off}"


@summary.register
def _(one: Score) -> Iterator[str]:
    whose = " of companies" if one.of == "company" else ""
    fades = f"; decay {phrase(one.decay)}" if one.decay is not None else ""
    yield f"{_counted(len(one.rules), 'rule')}{whose}{fades}"


@summary.register
def _(one: Grade) -> Iterator[str]:
    yield f"fit: {phrase(one.fit)}"
    yield f"engagement: {phrase(one.engagement)}"
    if one.green:
        yield f"green: {phrase(one.green)}"


@summary.register
def _(one: Lifecycle) -> Iterator[str]:
    yield f"stages: {', '.join(one.names)}"


@summary.register
def _(one: ContactList) -> Iterator[str]:
    yield "filled by hand" if one.members is None else f"members: {phrase(one.members)}"


@summary.register
def _(one: Policy) -> Iterator[str]:
    yield f"consent {one.consent}, topics {phrase(one.topics)}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
