"""Every word of the language has its SQL or its verb, its English and its place in the docs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from docs.pages import keys_of
from flowscore.engine import steps
from flowscore.engine.enrollment import states_of
from flowscore.engine.walk import Await, Branch, Fork, program
from flowscore.language import actions as does
from flowscore.language import conditions as asks
from flowscore.language import triggers as on
from flowscore.language.grammar.actions import ACTIONS
from flowscore.language.grammar.conditions import CONDITIONS
from flowscore.language.grammar.scenario import is_state
from flowscore.language.grammar.shapes import Table
from flowscore.language.grammar.triggers import TRIGGERS
from flowscore.language.grammar.values import OPERATORS
from flowscore.language.scenario import Scenario
from flowscore.language.words import WHOLE_SHARE, EventQuery, ValueTest, ValueTests
from flowscore.rules import operators
from flowscore.rules.conditions import holds
from flowscore.rules.explain import sentence
from flowscore.rules.seen import seen
from flowscore.rules.triggers import occurrences
from flowscore.rules.watch import listen


def words_of(base: type) -> list[type]:
    """Every class of the language that is such a word."""
    return sorted(_below(base), key=lambda one: one.__name__)


def _below(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("flowscore.language"):
            yield kind
        yield from _below(kind)


CONDITION_WORDS = words_of(asks.Condition)
TRIGGER_WORDS = words_of(on.Trigger)
ACTION_WORDS = words_of(does.Action)


def knows(function: Any, word: type) -> bool:
    """Whether a function by type has one of its own for this word, not the one that refuses."""
    return function.dispatch(word) is not function.dispatch(object)


def test_the_language_has_words() -> None:
    assert len(CONDITION_WORDS) >= 9
    assert len(TRIGGER_WORDS) >= 11
    assert len(ACTION_WORDS) >= 9


@pytest.mark.parametrize("word", CONDITION_WORDS)
@pytest.mark.parametrize("function", [holds, listen, sentence, seen], ids=lambda f: f.__name__)
def test_every_condition_has_its_function(word: type, function: Any) -> None:
    assert knows(function, word)


@pytest.mark.parametrize("word", TRIGGER_WORDS)
@pytest.mark.parametrize("function", [occurrences, sentence], ids=lambda f: f.__name__)
def test_every_trigger_has_its_function(word: type, function: Any) -> None:
    assert knows(function, word)


WAYS = {  # what the walk itself does: it goes one way or another
    does.If: (does.If(condition=asks.All(of=())), Branch),
    does.WaitFor: (does.WaitFor(trigger=on.Manual(), up_to=1), Await),
    does.Split: (does.Split(branches=(does.Portion(name="a", share=WHOLE_SHARE),)), Fork),
}


@pytest.mark.parametrize("word", ACTION_WORDS)
def test_every_action_has_its_verb(word: type) -> None:
    if word in WAYS:
        action, place = WAYS[word]
        assert isinstance(program([action])[0], place)
    else:
        assert knows(steps.act, word)


@pytest.mark.parametrize("word", [*CONDITION_WORDS, *TRIGGER_WORDS, *ACTION_WORDS])
def test_every_word_says_what_it_is(word: type) -> None:
    assert (word.__doc__ or "").strip()


@pytest.mark.parametrize(
    ("table", "page"),
    [(CONDITIONS, "conditions.md"), (TRIGGERS, "triggers.md"), (ACTIONS, "actions.md")],
    ids=["conditions", "triggers", "actions"],
)
def test_every_key_has_its_page(table: Table, page: str) -> None:
    assert set(table.keys) <= keys_of(page)


def test_every_operator_has_sql_and_english() -> None:
    assert set(OPERATORS.keys) == set(operators.OPERATORS)
    assert all(row.english for row in operators.OPERATORS.values())


VISIT = EventQuery(names=("visit",))
PRO = ValueTests(name="plan", tests=(ValueTest(operator="is", operand="pro"),))
STATES: dict[type, tuple[bool, on.Trigger]] = {
    on.ScoreCrosses: (True, on.ScoreCrosses(score="s", direction="reaches", threshold=1)),
    on.ScoreGains: (False, on.ScoreGains(score="s", points=1, within=1)),
    on.GradeEnters: (True, on.GradeEnters(grade="g", cells=("A4",))),
    on.StageEnters: (True, on.StageEnters(stages=("sql",))),
    on.OnEvent: (False, on.OnEvent(word="event", query=VISIT)),
    on.NoEvent: (False, on.NoEvent(awaited=VISIT, after=VISIT, within=1)),
    on.MailNotAnswered: (False, on.MailNotAnswered(awaited="email_opened", within=1)),
    on.GoneQuiet: (True, on.GoneQuiet(duration=1)),
    on.ContactCreated: (False, on.ContactCreated()),
    on.AttributeChanges: (True, on.AttributeChanges(attribute="plan", to=PRO)),
    on.ConsentChanges: (True, on.ConsentChanges(word="subscribed", topics=("news",))),
    on.DateComes: (False, on.DateComes(name="born")),
    on.ListJoined: (True, on.ListJoined(lists=("l",))),
    on.ListLeft: (False, on.ListLeft(lists=("l",))),
    on.Schedule: (False, on.Schedule(cron="0 * * * *")),
}


@pytest.mark.parametrize("word", [one for one in TRIGGER_WORDS if one is not on.Manual])
def test_reader_and_engine_agree_on_what_is_a_state(word: type) -> None:
    """What `enroll_existing` lets pass, the engine can ask of everybody (ruling 107)."""
    expected, trigger = STATES[word]
    assert is_state(trigger) is expected
    assert bool(states_of(Scenario(name="x", trigger=(trigger,), actions=()))) is expected
