"""Scenarios and rules that feed themselves, as far as the files show it (ACCEPTANCE T13).

A graph: from each scenario or rule to those whose trigger its effects can fire. The way back to
where one began is a loop; one in which a scenario lets people in only once, or only after a
while, comes to rest by itself and is not worth a word.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flowscore.errors import Mark, Problem
from flowscore.language import actions as does
from flowscore.language import triggers as on
from flowscore.language.draft import Draft
from flowscore.language.feeding import feeds
from flowscore.language.scenario import Scenario
from flowscore.language.scoring import Rule, Score
from flowscore.language.standing import can_go_back
from flowscore.language.words import Word, walk

RESTLESS = ("every_time", "when_finished")


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that is fired and has effects: a scenario that may be entered again, or a rule."""

    name: str
    mark: Mark
    triggers: tuple[on.Trigger, ...]
    effects: tuple[Word, ...]
    scenario: str = ""  # by which `enroll` calls it


def loops(draft: Draft) -> Iterator[Problem]:
    """One warning for each loop, at the trigger of the first of it."""
    turns = {turn.name: turn for turn in _turns(draft)}
    fires = {
        name: [other for other in turns if _fires(turn, turns[other], draft)]
        for name, turn in turns.items()
    }
    said: set[frozenset[str]] = set()
    for name in turns:
        way = _way_back(name, fires)
        if way and frozenset(way) not in said:
            said.add(frozenset(way))
            yield _problem(way, turns, draft)


def _problem(way: list[str], turns: Mapping[str, Turn], draft: Draft) -> Problem:
    first, after = turns[way[0]], turns[way[1 % len(way)]]
    effects = (effect for effect in first.effects if _feeds_any(effect, after, draft))
    line = next(effects).mark.line
    message = f"{first.name} can fire itself again, without end"
    if len(way) > 1:
        through = " → ".join([*way, way[0]])
        message = f"these can fire one another without end: {through}"
    hint = f"line {line} feeds it: write reenroll: never or {{after: …}}, or another trigger"
    return Problem(first.mark, message, hint=hint, severity="warning")


def _turns(draft: Draft) -> Iterator[Turn]:
    for scenario in draft.scenarios.values():
        if scenario.reenroll.mode in RESTLESS and scenario.enabled:
            yield _scenario_turn(scenario)
    for score, rule in draft.rules():
        if rule.on:
            yield _rule_turn(score, rule)


def _scenario_turn(scenario: Scenario) -> Turn:
    effects = tuple(
        word for word in walk(scenario.actions) if isinstance(word, does.Action) and word.enabled
    )
    mark = scenario.trigger[0].mark
    title = f"scenario '{scenario.name}'"
    return Turn(title, mark, scenario.trigger, effects, scenario.name)


def _rule_turn(score: Score, rule: Rule) -> Turn:
    effect = does.AddPoints(mark=rule.mark, score=score.name, points=rule.points)
    name = f"rule '{rule.name}' of score '{score.name}'"
    return Turn(name, rule.on[0].mark, rule.on, (effect,))


def _fires(turn: Turn, other: Turn, draft: Draft) -> bool:
    effects = [one for one in turn.effects if turn is not other or not _is_there(one, turn)]
    return any(_feeds_any(effect, other, draft) for effect in effects)


def _is_there(effect: Word, turn: Turn) -> bool:
    """Whether whoever is in that turn is in the stage already."""
    stages = {one.stages if isinstance(one, on.StageEnters) else () for one in turn.triggers}
    return isinstance(effect, does.SetStage) and stages == {(effect.stage,)}


def _feeds_any(effect: Word, other: Turn, draft: Draft) -> bool:
    if isinstance(effect, does.EnrollIn):
        return other.scenario in effect.scenarios
    if isinstance(effect, does.SetStage) and not can_go_back(draft):
        return False  # who only goes forward comes to an end
    return any(feeds(effect, trigger, draft) for trigger in other.triggers)


def _way_back(start: str, fires: Mapping[str, list[str]]) -> list[str] | None:
    """The shortest way from a turn back to itself."""
    ways = deque([[start]])
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        for following in fires[way[-1]]:
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None
