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
from flowscore.language.scenario import Scenario
from flowscore.language.scoring import Rule, Score
from flowscore.language.words import ValueTests, Word, walk

RESTLESS = ("every_time", "when_finished")


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that is fired and has effects: a scenario that may be entered again, or a rule."""

    name: str
    mark: Mark
    triggers: tuple[on.Trigger, ...]
    effects: tuple[Word, ...]


def loops(draft: Draft) -> Iterator[Problem]:
    """One warning for each loop, at the trigger of the first of it."""
    turns = {turn.name: turn for turn in _turns(draft)}
    fires = {
        name: [other for other in turns if _fires(turn, turns[other])]
        for name, turn in turns.items()
    }
    said: set[frozenset[str]] = set()
    for name in turns:
        way = _way_back(name, fires)
        if way and frozenset(way) not in said:
            said.add(frozenset(way))
            yield _problem(way, turns)


def _problem(way: list[str], turns: Mapping[str, Turn]) -> Problem:
    first, after = turns[way[0]], turns[way[1 % len(way)]]
    effects = (effect for effect in first.effects if _feeds_any(effect, after))
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
    return Turn(f"scenario '{scenario.name}'", mark, scenario.trigger, effects)


def _rule_turn(score: Score, rule: Rule) -> Turn:
    effect = does.AddPoints(mark=rule.mark, score=score.name, points=rule.points)
    name = f"rule '{rule.name}' of score '{score.name}'"
    return Turn(name, rule.on[0].mark, rule.on, (effect,))


def _fires(turn: Turn, other: Turn) -> bool:
    return any(_feeds_any(effect, other) for effect in turn.effects)


def _feeds_any(effect: Word, other: Turn) -> bool:
    return any(_feeds(effect, trigger) for trigger in other.triggers)


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


def _feeds(effect: Word, trigger: on.Trigger) -> bool:
    """Whether this effect can bring about that trigger's occurrence."""
    match effect, trigger:
        case does.AddPoints(), on.ScoreCrosses():
            up = effect.points > 0
            return effect.score == trigger.score and up == (trigger.direction == "reaches")
        case does.AddToList(), on.ListJoined():
            return bool(set(effect.lists) & set(trigger.lists))
        case does.RemoveFromList(), on.ListLeft():
            return bool(set(effect.lists) & set(trigger.lists))
        case does.MoveToList(), on.ListJoined():
            return bool(set(effect.to) & set(trigger.lists))
        case does.MoveToList(), on.ListLeft():
            return bool(set(effect.origin) & set(trigger.lists))
        case does.SetAttribute(), on.AttributeChanges():
            return any(_sets(name, value, trigger) for name, value in effect.values)
        case does.SendEmail(), on.MailNotAnswered():
            return _sends(effect, trigger.templates)
        case does.SendEmail(), on.OnEvent():
            sent = "email_sent" in trigger.query.names
            return sent and _sends(effect, trigger.query.subjects)
    return False


def _sends(effect: does.SendEmail, templates: tuple[str, ...]) -> bool:
    """Whether one of the mails is among those (none named: every mail)."""
    return not templates or bool(set(effect.templates) & set(templates))


def _sets(name: str, value: object, trigger: on.AttributeChanges) -> bool:
    """Whether setting the attribute can be the change that the trigger waits for."""
    if name != trigger.attribute:
        return False
    written = isinstance(value, tuple) or "{{" in str(value)
    return written or trigger.to is None or _may_pass(value, trigger.to)


def _may_pass(value: object, to: ValueTests) -> bool:
    wanted = [
        one
        for test in to.tests
        for one in (test.operand if isinstance(test.operand, tuple) else (test.operand,))
    ]
    return str(value).casefold() in {str(one).casefold() for one in wanted}
