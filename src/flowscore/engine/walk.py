"""A scenario's actions as a straight program: each step knows where the walk goes on.

Branches become jumps forward, so one pass over the places carries every enrollment as far as
it goes, a set at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flowscore.language.actions import Action, If
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
class Jump:
    """Go on at another place."""

    to: int


Place = Do | Branch | Jump


def program(actions: Iterable[Action]) -> tuple[Place, ...]:
    """The places of a walk in order; walking past the last one finishes it."""
    places: list[Place] = []
    _lay(actions, places)
    return tuple(places)


def _lay(actions: Iterable[Action], places: list[Place]) -> None:
    for action in actions:
        if not action.enabled:
            continue
        if isinstance(action, If):
            _lay_branch(action, places)
        else:
            places.append(Do(action))


def _lay_branch(action: If, places: list[Place]) -> None:
    here = len(places)
    places.append(Jump(0))  # held free for the branch, until it is known where `else` begins
    _lay(action.then, places)
    after_then = len(places)
    places.append(Jump(0))
    places[here] = Branch(action.path, action.condition, len(places))
    _lay(action.otherwise, places)
    places[after_then] = Jump(len(places))
