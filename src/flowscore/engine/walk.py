"""A scenario's actions as a straight program: each step knows where the walk goes on.

Branches become jumps forward, so one pass over the places carries every enrollment as far as
it goes, a set at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from flowscore.language.actions import Action, If, Split, WaitFor
from flowscore.language.conditions import Condition


@dataclass(frozen=True)
class Do:
    """Carry out an action and go on to the next place."""

    action: Action


@dataclass(frozen=True)
class Branch:
    """Go on where the condition holds, else at `otherwise`."""

    path: str
    condition: Condition
    otherwise: int


@dataclass(frozen=True)
class Await:
    """Pause until the trigger occurs and go on; else, when the time is over, at `otherwise`."""

    path: str
    action: WaitFor
    otherwise: int


@dataclass(frozen=True)
class Fork:
    """Go on at one of several places, by a stable share: each (name, share, place)."""

    path: str
    ways: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Jump:
    """Go on at another place."""

    to: int


Place = Do | Branch | Await | Fork | Jump


def program(actions: Iterable[Action]) -> tuple[Place, ...]:
    """The places of a walk in order; walking past the last one finishes it."""
    places: list[Place] = []
    _lay(actions, places)
    return tuple(places)


def _lay(actions: Iterable[Action], places: list[Place]) -> None:
    for action in actions:
        if not action.enabled:
            continue
        match action:
            case If():
                _lay_two(action, places, partial(Branch, action.path, action.condition))
            case WaitFor():
                _lay_two(action, places, partial(Await, action.path, action))
            case Split():
                _lay_split(action, places)
            case _:
                places.append(Do(action))


def _lay_two(action: If | WaitFor, places: list[Place], place: Callable[[int], Place]) -> None:
    """`then` and `else`, one behind the other; `place` is made once it is known where."""
    here = len(places)
    places.append(Jump(0))  # held free until it is known where `else` begins
    _lay(action.then, places)
    after_then = len(places)
    places.append(Jump(0))
    places[here] = place(len(places))
    _lay(action.otherwise, places)
    places[after_then] = Jump(len(places))


def _lay_split(action: Split, places: list[Place]) -> None:
    here = len(places)
    places.append(Jump(0))  # held free until it is known where the branches begin
    ways, ends = [], []
    for branch in action.branches:
        ways.append((branch.name, branch.share, len(places)))
        _lay(branch.actions, places)
        ends.append(len(places))
        places.append(Jump(0))
    places[here] = Fork(action.path, tuple(ways))
    for end in ends:
        places[end] = Jump(len(places))
