"""A walk through a scenario in words: what it waits for, what would end it, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowscore.engine.walk import Await, Branch, Do, Fork, Jump, program
from flowscore.rules.explain import sentence
from flowscore.views.columns import shown_at

if TYPE_CHECKING:
    from flowscore.engine.walk import Place
    from flowscore.language.scenario import Scenario

Row = dict[str, Any]


def fate(enrollment: Any, scenario: Scenario | None, at: int) -> Row:
    """What a walk is for and what came of it; of a version that nobody can read, what is stored.

    `held`: the walk is of the holdout, and nothing was done. `goal_until`: so long its goal can
    still be reached, after the last step too; nothing where that is over at the instant `at`.
    """
    goal = scenario.goal if scenario else None
    until = enrollment.goal_until
    is_open = enrollment.outcome in (None, "finished") and until is not None and until > at
    return {
        "held": enrollment.held,
        "goal": sentence(goal.trigger) if goal else None,
        "goal_until": shown_at(until) if is_open else None,
        "converted_at": shown_at(enrollment.converted_at),
        "exit_when": sentence(scenario.exit_when) if scenario and scenario.exit_when else None,
        **_pause(enrollment, scenario),
    }


def _pause(enrollment: Any, scenario: Scenario | None) -> Row:
    """What a `wait_for` step waits for, while it does."""
    waiting = enrollment.ended_at is None and enrollment.awaiting_since is not None
    place = place_at(scenario, enrollment.position) if scenario and waiting else None
    awaited = sentence(place.action.trigger) if isinstance(place, Await) else None
    return {
        "waits_for": awaited,
        "waits_until": shown_at(enrollment.awaiting_until) if waiting else None,
    }


def step_at(scenario: Scenario, position: int) -> str | None:
    """The path of the step that a place of the walk stands for; None at the end."""
    match place_at(scenario, position):
        case Do(action=action):
            return action.path
        case Branch(path=path) | Await(path=path) | Fork(path=path):
            return path
    return None


def place_at(scenario: Scenario, position: int) -> Place | None:
    """The place at a position, through its jumps; None behind the last."""
    places = program(scenario.actions)
    while position < len(places):
        place = places[position]
        if not isinstance(place, Jump):
            return place
        position = place.to
    return None
