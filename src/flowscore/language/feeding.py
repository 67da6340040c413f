"""Which effect of a step can bring about which trigger's occurrence, as far as files show it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from flowscore.language import actions as does
from flowscore.language import triggers as on
from flowscore.language.draft import Draft
from flowscore.language.scoring import Axis, Grade
from flowscore.language.words import EventQuery, ValueTests, Word


def feeds(effect: Word, trigger: on.Trigger, draft: Draft) -> bool:
    """Whether this effect can bring about that trigger's occurrence."""
    match trigger:
        case on.GradeEnters():
            grade = draft.grades.get(trigger.grade)
            return grade is not None and _leads_into(effect, trigger, grade)
        case on.StageEnters():
            return isinstance(effect, does.SetStage) and effect.stage in trigger.stages
        case on.ScoreCrosses() | on.ScoreGains():
            return _moves(effect, trigger)
        case on.ListJoined() | on.ListLeft():
            return bool(set(_lists(effect, trigger)) & set(trigger.lists))
        case on.AttributeChanges():
            return any(_sets(name, value, trigger) for name, value in _values(effect))
        case on.ConsentChanges():
            return isinstance(effect, does.ChangeConsent) and _consents(effect, trigger)
        case on.MailNotAnswered():
            return isinstance(effect, does.SendEmail) and _sends(effect, trigger.templates)
        case on.NoEvent():
            return _writes(effect, trigger.after)
        case on.OnEvent():
            return _writes(effect, trigger.query)
    return False


def _moves(effect: Word, trigger: on.ScoreCrosses | on.ScoreGains) -> bool:
    """Points for that score, in the direction that counts; a reset comes to 0 from either side."""
    if isinstance(effect, does.AddPoints) and effect.score == trigger.score:
        up = isinstance(trigger, on.ScoreGains) or trigger.direction == "reaches"
        return up == (effect.points > 0)
    if isinstance(effect, does.ResetScore) and trigger.score in effect.scores:
        if isinstance(trigger, on.ScoreGains):
            return False
        return trigger.threshold <= 0 if trigger.direction == "reaches" else trigger.threshold >= 0
    return False


def _leads_into(effect: Word, trigger: on.GradeEnters, grade: Grade) -> bool:
    """Whether points move somebody along one side of the matrix, from outside into the cells."""
    every = list(product(range(len(grade.fit.labels)), range(len(grade.engagement.labels))))
    into = {at for at, cell in zip(every, grade.cells, strict=True) if cell in trigger.cells}
    return any(
        (_moves_along(effect, grade.fit, start[0], end[0]) and start[1] == end[1])
        or (_moves_along(effect, grade.engagement, start[1], end[1]) and start[0] == end[0])
        for start in set(every) - into
        for end in into
    )


def _moves_along(effect: Word, axis: Axis, start: int, end: int) -> bool:
    """From one label to another; the first is that of the most points."""
    return _goes(effect, axis.score, up=end < start) and start != end


def _goes(effect: Word, score: str, *, up: bool) -> bool:
    """Whether the effect moves the score that way; a reset may be either."""
    if isinstance(effect, does.AddPoints):
        return effect.score == score and (effect.points > 0) == up
    return isinstance(effect, does.ResetScore) and score in effect.scores


def _lists(effect: Word, trigger: on.ListJoined | on.ListLeft) -> tuple[str, ...]:
    """The lists that the effect moves people onto, or off."""
    joining = isinstance(trigger, on.ListJoined)
    match effect:
        case does.AddToList():
            return effect.lists if joining else ()
        case does.RemoveFromList():
            return () if joining else effect.lists
        case does.MoveToList():
            return effect.to if joining else effect.origin
    return ()


def _values(effect: Word) -> Iterator[tuple[str, object]]:
    """The attributes that the effect sets."""
    if isinstance(effect, does.SetAttribute):
        yield from effect.values
    elif isinstance(effect, does.AssignOwner):
        yield from (("owner", owner) for owner in effect.owners)


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


def _consents(effect: does.ChangeConsent, trigger: on.ConsentChanges) -> bool:
    """A yes to one of the topics; a no to one, or to everything, which is a no to each (81)."""
    if effect.granted != (trigger.word == "subscribed"):
        return False
    everything = not effect.granted and "all" in effect.topics
    return everything or bool(set(effect.topics) & set(trigger.topics))


WRITTEN: dict[type[Word], tuple[str, ...]] = {  # flowscore's own events, by the step behind them
    does.AddToList: ("list_joined",),
    does.RemoveFromList: ("list_left",),
    does.MoveToList: ("list_joined", "list_left"),
    does.SetAttribute: ("attribute_changed",),
    does.AssignOwner: ("attribute_changed",),
    does.SendEmail: ("email_sent",),
    does.SetStage: ("stage_changed",),
}


def _writes(effect: Word, query: EventQuery) -> bool:
    """Whether the step writes an event of that name; of a mail, of that template."""
    if isinstance(effect, does.SendEmail):
        return "email_sent" in query.names and _sends(effect, query.subjects)
    if isinstance(effect, does.ChangeConsent):
        return ("subscribed" if effect.granted else "unsubscribed") in query.names
    return bool(set(WRITTEN.get(type(effect), ())) & set(query.names))


def _sends(effect: does.SendEmail, templates: tuple[str, ...]) -> bool:
    """Whether one of the mails is among those (none named: every mail)."""
    return not templates or bool(set(effect.templates) & set(templates))
