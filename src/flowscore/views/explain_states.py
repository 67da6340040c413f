"""How near a contact is to a trigger: the condition that is true while its moment is at hand."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from flowscore.engine.enrollment import state_of
from flowscore.language import conditions as asks
from flowscore.language import triggers as words
from flowscore.language.words import EventQuery, ValueTest, ValueTests


@singledispatch
def standing(trigger: Any) -> asks.Condition | None:
    """What can be asked of a contact now about a trigger; None of one that has no state."""
    raise TypeError(f"no standing for {type(trigger).__name__}")


@standing.register(words.ContactCreated)
@standing.register(words.Schedule)
@standing.register(words.Manual)
@standing.register(words.ScoreGains)
def _(trigger: words.Trigger) -> None:
    return None


@standing.register(words.ScoreCrosses)
@standing.register(words.GradeEnters)
@standing.register(words.StageEnters)
@standing.register(words.ListJoined)
@standing.register(words.GoneQuiet)
def _(trigger: words.Trigger) -> asks.Condition | None:
    return state_of(trigger)


@standing.register
def _(trigger: words.ListLeft) -> asks.Condition:
    inside = asks.InList(lists=trigger.lists, mark=trigger.mark)
    return asks.Not(of=inside, mark=trigger.mark)


@standing.register
def _(trigger: words.OnEvent) -> asks.Condition:
    return _happened(trigger.query, trigger)


def _happened(query: EventQuery, trigger: words.Trigger, **changed: Any) -> asks.Condition:
    """The events themselves; on what they agree with one another only the trigger can say."""
    plain = query.model_copy(update={"same": (), **changed})
    return asks.Happened(word="event", query=plain, mark=trigger.mark)


@standing.register
def _(trigger: words.NoEvent) -> asks.Condition:
    began = _happened(trigger.after, trigger)
    came = _happened(trigger.awaited, trigger, within=trigger.within)
    return asks.All(of=(began, asks.Not(of=came, mark=trigger.mark)), mark=trigger.mark)


@standing.register
def _(trigger: words.MailNotAnswered) -> asks.Condition:
    return asks.MailIgnored(
        awaited=trigger.awaited,
        templates=trigger.templates,
        topics=trigger.topics,
        within=trigger.within,
        mark=trigger.mark,
    )


@standing.register
def _(trigger: words.AttributeChanges) -> asks.Condition:
    to = trigger.to.tests if trigger.to is not None else KNOWN
    return _attribute(trigger.attribute, to, trigger)


KNOWN = (ValueTest(operator="exists", operand=True),)


def _attribute(name: str, tests: tuple[ValueTest, ...], trigger: words.Trigger) -> asks.Condition:
    asked = ValueTests(name=name, tests=tests, mark=trigger.mark)
    return asks.AttributeIs(attributes=(asked,), mark=trigger.mark)


@standing.register
def _(trigger: words.ConsentChanges) -> asks.Condition:
    topics = tuple("email" if one == "all" else one for one in trigger.topics)
    granted = asks.MayMail(topics=topics, mark=trigger.mark)
    if trigger.word == "subscribed":
        return granted
    return asks.Not(of=granted, mark=trigger.mark)


@standing.register
def _(trigger: words.DateComes) -> asks.Condition | None:
    return None if trigger.of_event else _attribute(trigger.name, KNOWN, trigger)
