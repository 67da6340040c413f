"""What only makes sense where an event enrolled: `this_event`, `same`, a date in a property."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowscore.errors import Mark
from flowscore.language import actions, conditions, triggers
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import Gathering, mistake
from flowscore.language.scenario import Goal
from flowscore.language.triggers import Trigger
from flowscore.language.words import walk

EVENTLESS = (
    triggers.ScoreCrosses,
    triggers.ScoreGains,
    triggers.GradeEnters,
    triggers.GoneQuiet,
    triggers.DateComes,
    triggers.Schedule,
    triggers.Manual,
)


def carries_event(trigger: Trigger) -> bool:
    """Whether an occurrence of the trigger has an event of its own (ruling 86)."""
    return not isinstance(trigger, EVENTLESS)


def refuse_what_no_event_carries(node: Node, found: dict[str, Any]) -> None:
    """Refuse what asks for the enrolling event in a scenario whose triggers have none."""
    gathering = Gathering()
    for trigger in found["trigger"]:
        with gathering:
            refuse_property_date(node.items["trigger"], trigger)
    if "goal" in found:
        with gathering:
            refuse_property_date(node.items["goal"], found["goal"].trigger)
    carried = any(map(carries_event, found["trigger"]))
    for key in ASKED if not carried else ():
        for word, mark in _asking(found.get(key)):
            with gathering:
                message = f"`{word}` asks for the event that enrolled, and no trigger here has one"
                hint = "event, page_visited, email_… and changes have one; score, date, … have not"
                raise mistake(node.items[key], message, hint, mark)
    gathering.settle()


ASKED = ("conditions", "goal", "exit_when", "actions")


def refuse_property_date(node: Node, trigger: object) -> None:
    """Refuse `date: {property: ..}` where no event has enrolled yet."""
    if isinstance(trigger, triggers.DateComes) and trigger.of_event:
        message = "`property` reads the event that enrolled: it works only in `wait_for`"
        raise mistake(node, message, "name an `attribute`", trigger.mark)


def _asking(part: object) -> Iterator[tuple[str, Mark]]:
    """Each word that asks for the enrolling event, and where."""
    for word in walk(part):
        if isinstance(word, conditions.ThisEvent):
            yield "this_event", word.mark
        elif isinstance(word, conditions.Happened) and word.query.same:
            yield "same", word.query.mark
        elif isinstance(word, Goal | actions.WaitFor):
            yield from _awaiting(word.trigger)


def _awaiting(trigger: Trigger) -> Iterator[tuple[str, Mark]]:
    """In `goal` and `wait_for` a counted event's `same` is with the enrolling event (85)."""
    if isinstance(trigger, triggers.OnEvent) and trigger.query.same:
        yield "same", trigger.query.mark
    elif isinstance(trigger, triggers.DateComes) and trigger.of_event:
        yield "property", trigger.mark
