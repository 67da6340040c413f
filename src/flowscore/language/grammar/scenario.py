"""Reading scenarios and lists (LANGUAGE 4 and 5)."""

from __future__ import annotations

from typing import Any

from flowscore import clock
from flowscore.language import scenario as words
from flowscore.language import triggers
from flowscore.language.actions import Action
from flowscore.language.document import Node
from flowscore.language.grammar.actions import ACTIONS, STEPS
from flowscore.language.grammar.conditions import CONDITION_OR_LIST
from flowscore.language.grammar.enrolling import refuse_what_no_event_carries
from flowscore.language.grammar.mistakes import Gathering, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.policy import POLICY
from flowscore.language.grammar.shapes import (
    DURATION,
    NAME,
    WHOLE,
    WORDS,
    YES_NO,
    Key,
    Shape,
    Table,
    read_keys,
)
from flowscore.language.grammar.shares import SHARE
from flowscore.language.grammar.spelling import did_you_mean, listed
from flowscore.language.grammar.triggers import ONE_OR_MORE_TRIGGERS, TRIGGERS
from flowscore.language.grammar.waits import GOAL, awaited_schema, read_awaited
from flowscore.language.triggers import Trigger
from flowscore.language.words import walk

STATES = (
    "score with reaches or falls_to, grade, stage, list_joined, attribute with `to` and without "
    "`from`, subscribed, unsubscribed, inactive"
)
MODES = ("never", "when_finished", "every_time")
HIGHEST = 1_000_000


def read_reenroll(node: Node, names: Names) -> words.Reenroll:
    """A mode, or `{after: 30 days}`."""
    if isinstance(node.value, dict):
        after = read_keys(node, names, REENROLL)["after"]
        return words.Reenroll(mark=node.place, mode="after", after=after)
    if isinstance(node.value, str) and node.value in MODES:
        return words.Reenroll(mark=node.place, mode=node.value)
    hint = did_you_mean(str(node.value), MODES, _meant_mode(node))
    raise unexpected(node, f"{listed(MODES)} or {{after: 30 days}}", hint)


def _meant_mode(node: Node) -> str:
    """`true` and `false` stand for the two ends in other tools."""
    if isinstance(node.value, bool):
        return f"did you mean '{'every_time' if node.value else 'never'}'?"
    if clock.parse_duration(str(node.value)) is not None:
        return f"write {{after: {node.value}}}"
    return ""


def read_priority(node: Node, names: Names) -> int:
    """A whole number; higher goes first."""
    priority = WHOLE.read(node, names)
    if abs(priority) > HIGHEST:
        raise unexpected(node, f"a number between -{HIGHEST} and {HIGHEST}")
    return priority


def read_goal(node: Node, names: Names) -> words.Goal:
    """One trigger, with or without `up_to`."""
    trigger, up_to = read_awaited(node, names, GOAL)
    return words.Goal(mark=node.place, trigger=trigger, up_to=up_to)


def read_scenario(node: Node, names: Names) -> words.Scenario:
    """A whole scenario."""
    found = read_keys(node, names, SCENARIO)
    gathering = Gathering()
    with gathering:
        _demand_reenroll(node, found)
    with gathering:
        _demand_state(node, found)
    with gathering:
        _refuse_twin_steps(node, found["actions"])
    with gathering:
        refuse_what_no_event_carries(node, found)
    gathering.settle()
    return words.Scenario(mark=node.mark, **found)


def repeats(trigger: Trigger) -> str:
    """The word of a trigger that occurs again by nature, else nothing (LANGUAGE 4)."""
    match trigger:
        case triggers.Schedule(cron=str()):
            return "cron"
        case triggers.GoneQuiet():
            return "inactive"
        case triggers.NoEvent():
            return "no_event"
        case triggers.MailNotAnswered():
            return trigger.awaited.replace("_", "_not_")
        case triggers.DateComes(yearly=True):
            return "every: year"
    return ""


def is_state(trigger: Trigger) -> bool:
    """Whether people can be in the trigger's state already (ruling 107)."""
    match trigger:
        case triggers.ScoreCrosses() | triggers.ListJoined() | triggers.GoneQuiet():
            return True
        case triggers.ConsentChanges() | triggers.GradeEnters() | triggers.StageEnters():
            return True
        case triggers.AttributeChanges(origin=None, to=to):
            return to is not None
        case triggers.Manual():  # hinders nothing
            return True
    return False


def _demand_reenroll(node: Node, found: dict[str, Any]) -> None:
    for trigger in found["trigger"]:
        word = repeats(trigger)
        if word and "reenroll" not in found:
            message = f"the trigger '{word}' comes again and again, and `reenroll` is not written"
            hint = "say what is meant: reenroll: never, when_finished, every_time or {after: …}"
            raise mistake(node.items["trigger"], message, hint, trigger.mark)


def _demand_state(node: Node, found: dict[str, Any]) -> None:
    if not found.get("enroll_existing"):
        return
    for trigger in found["trigger"]:
        if not is_state(trigger):
            message = (
                f"enroll_existing needs a state, the trigger in line {trigger.mark.line} is none"
            )
            hint = f"states: {STATES}"
            raise mistake(node.items["enroll_existing"], message, hint)


def _refuse_twin_steps(node: Node, actions: tuple[Action, ...]) -> None:
    gathering = Gathering()
    seen: dict[str, Action] = {}
    for action in walk(actions):
        if isinstance(action, Action):
            with gathering:
                if action.path in seen:
                    hint = f"the first stands in line {seen[action.path].mark.line}"
                    message = f"two steps have the id '{action.path}'"
                    raise mistake(node.items["actions"], message, hint, action.mark)
            seen.setdefault(action.path, action)
    gathering.settle()


def read_contact_list(node: Node, names: Names) -> words.ContactList:
    """A list; dynamic when it has members."""
    return words.ContactList(mark=node.mark, **read_keys(node, names, LIST))


REENROLL = Table(
    "reenroll",
    {"after": Key(DURATION, "So long after the last enrollment began.", required=True)},
)
AMBIGUOUS = {"attribute", "score", "grade", "stage"}  # triggers and conditions alike
STARTS = set(TRIGGERS.keys) - AMBIGUOUS
ASKS = {"all", "any", "not", "in_list", "company", "consent", "this_event", "random"}
STEP_WORDS = set(ACTIONS.keys) - {"exit", "enroll"}
SCENARIO = Table(
    "a scenario",
    {
        "scenario": Key(NAME, "The scenario's name.", "name", True),
        "description": Key(WORDS, "What it is for."),
        "enabled": Key(YES_NO, "false: enrolls nobody and does no step."),
        "trigger": Key(ONE_OR_MORE_TRIGGERS, "What starts it (of several: any).", required=True),
        "conditions": Key(CONDITION_OR_LIST, "Asked once, at the occurrence."),
        "reenroll": Key(
            Shape(read_reenroll, {"anyOf": [{"enum": list(MODES)}, REENROLL.schema]}),
            "Whether a contact may enter again; never by default.",
        ),
        "enroll_existing": Key(YES_NO, "true: also those for whom the state holds already."),
        "priority": Key(
            Shape(read_priority, {"type": "integer"}), "Higher goes first; 0 by default."
        ),
        "goal": Key(
            Shape(read_goal, awaited_schema()),
            "What makes it a success; with `up_to` measured after the last step too.",
        ),
        "exit_when": Key(CONDITION_OR_LIST, "Ends it at once for whom this holds."),
        "holdout": Key(SHARE, "This share is enrolled and measured, and nothing is done to it."),
        "actions": Key(STEPS, "The steps, in order.", required=True),
    },
    elsewhere={
        **dict.fromkeys(set(POLICY.keys) - {"description"}, "it stands in the policy"),
        **dict.fromkeys(
            ("attribute", "score", "grade", "stage"), "put it under `trigger` or `conditions`"
        ),
        **dict.fromkeys(STARTS, "put it under `trigger`"),
        **dict.fromkeys(ASKS, "put it under `conditions`"),
        **dict.fromkeys(STEP_WORDS, "make it a step: a line with '- ' under `actions`"),
        "quiet_hours": "it stands in the policy, as `send_window`",
        **dict.fromkeys(("segment", "audience"), "write `conditions: {in_list: NAME}`"),
    },
)
LIST = Table(
    "a list",
    {
        "list": Key(NAME, "The list's name.", "name", True),
        "description": Key(WORDS, "Who is on it, and why."),
        "members": Key(CONDITION_OR_LIST, "Who is on it; without members it is filled by hand."),
    },
)
