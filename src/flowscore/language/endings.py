"""Doubts about goals, exits and waits: what can never come, and what never runs because of it."""

from __future__ import annotations

from collections.abc import Iterator

from flowscore.errors import Problem
from flowscore.language.actions import Wait, WaitFor
from flowscore.language.conditions import Condition, Happened, Not
from flowscore.language.doubts import doubt
from flowscore.language.draft import Draft
from flowscore.language.scenario import Goal, Scenario
from flowscore.language.triggers import ContactCreated, Manual, OnEvent, StageEnters, Trigger
from flowscore.language.words import EventQuery, Word, walk


def goals_that_cannot_come(draft: Draft) -> Iterator[Problem]:
    """A goal or a `wait_for` on what is over, or never happens to somebody inside."""
    for word in draft.words:
        if isinstance(word, Goal | WaitFor) and (reason := _never_inside(word.trigger)):
            name = "goal" if isinstance(word, Goal) else "wait_for"
            hint = "name something that people do after they entered"
            yield doubt(word.trigger.mark, f"nothing can wait for this {name}: {reason}", hint)


def _never_inside(trigger: Trigger) -> str:
    if isinstance(trigger, ContactCreated):
        return "who is inside has been created already"
    if isinstance(trigger, Manual):
        return "`manual` is how people enter, and nothing that happens to them"
    return ""


def goals_without_time(draft: Draft) -> Iterator[Problem]:
    """A goal without `up_to` where nobody is ever inside long enough to reach it (ruling 104)."""
    for scenario in draft.scenarios.values():
        goal = scenario.goal
        if goal is not None and goal.up_to is None and not _pauses(scenario):
            message = "nobody can reach this goal: the scenario never pauses, so nobody stays in it"
            yield doubt(goal.mark, message, "add `up_to: 21 days` to the goal")


def _pauses(scenario: Scenario) -> bool:
    return any(isinstance(word, Wait | WaitFor) and word.enabled for word in walk(scenario.actions))


def waits_for_the_goal(draft: Draft) -> Iterator[Problem]:
    """A `wait_for` whose occurrence is the goal, which ends everything first (ruling 112)."""
    for scenario in draft.scenarios.values():
        for word in walk(scenario.actions):
            if isinstance(word, WaitFor) and word.then and _goal_first(scenario.goal, word):
                hint = "put these steps before the wait, or wait for something earlier"
                message = "`then` never runs: what it waits for is the goal, which ends the walk"
                yield doubt(word.mark, message, hint)


def _goal_first(goal: Goal | None, wait: WaitFor) -> bool:
    if goal is None or (goal.up_to is not None and goal.up_to < wait.up_to):
        return False
    first, second = goal.trigger, wait.trigger
    if isinstance(first, OnEvent) and isinstance(second, OnEvent):
        return _covers(first.query, second.query)
    if isinstance(first, StageEnters) and isinstance(second, StageEnters):
        return set(second.stages) <= set(first.stages)
    return repr(first) == repr(second)  # marks apart


def _covers(wide: EventQuery, narrow: EventQuery) -> bool:
    """Whether each occurrence of the narrow one is one of the wide one too."""
    if not set(narrow.names) <= set(wide.names) or (narrow.machine and not wide.machine):
        return False
    named = ((wide.subjects, narrow.subjects), (wide.topics, narrow.topics))
    if not all(not more or (fewer and set(fewer) <= set(more)) for more, fewer in named):
        return False
    tests = ((wide.where, narrow.where), (wide.links, narrow.links), (wide.same, narrow.same))
    if not all(not more or repr(more) == repr(fewer) for more, fewer in tests):
        return False
    counts = [(query.times.at_least, query.sums, query.within) for query in (wide, narrow)]
    return counts[0] == (1, (), None) or repr(counts[0]) == repr(counts[1])


def exits_over_the_past(draft: Draft) -> Iterator[Problem]:
    """`exit_when` over an event that may lie before the entry, which ends the walk at once."""
    for scenario in draft.scenarios.values():
        for word in _asked_for(scenario.exit_when):
            if not word.query.since_entry and not _is_ruled_out(word, scenario.conditions):
                message = "this counts what happened before the contact entered too"
                hint = "write `since: entered`, or whoever did it once exits at once"
                yield doubt(word.mark, message, hint)


def _asked_for(condition: object, denied: bool = False) -> Iterator[Happened]:
    """The events whose coming makes the condition true: not those that it denies."""
    if isinstance(condition, Happened):
        if denied == _is_never(condition):
            yield condition
    elif isinstance(condition, Word):
        within = denied != isinstance(condition, Not)
        for inner in condition.__dict__.values():
            yield from _asked_for(inner, within)
    elif isinstance(condition, tuple):
        for inner in condition:
            yield from _asked_for(inner, denied)


def _is_never(word: Happened) -> bool:
    """Whether it holds for want of events: an upper bound and no lower one."""
    times = word.query.times
    bounded = times.at_most is not None or times.below is not None
    return bounded and times.at_least is None and times.above is None


def _is_ruled_out(word: Happened, conditions: Condition | None) -> bool:
    """Whether nobody enters who has done it."""
    return any(
        isinstance(one, Not) and isinstance(one.of, Happened) and repr(one.of) == repr(word)
        for one in walk(conditions)
    )


def since_entry_on_entering(draft: Draft) -> Iterator[Problem]:
    """`since: entered` among the conditions of entry, when nothing has happened since."""
    for scenario in draft.scenarios.values():
        for word in walk(scenario.conditions):
            if isinstance(word, Happened) and word.query.since_entry:
                message = "`since: entered` is asked on entering, when nothing has happened since"
                yield doubt(word.mark, message, "write `within: 30 days`, or ask it in an `if`")
