"""Why, and why not: conditions as trees, a journey, a scenario's gates, a list, for a person."""

from __future__ import annotations

import sys
from typing import Any

from flowscore.cli.printer import counted, say
from flowscore.views.sentences import refusal_words, stay_words, walk_words
from flowscore.views.words import day, event_words, number

Row = dict[str, Any]
GROUPS = {"all": "all of these:", "any": "one of these at least:", "not": "none of this:"}


def sign(holds: object) -> str:
    """✓ or ✗; words where the terminal cannot show these."""
    encoding = (sys.stdout.encoding or "utf-8").casefold()
    if not encoding.startswith("utf"):
        return "yes" if holds else "no "
    return "✓" if holds else "✗"


def tell_tree(tree: Row, indent: int) -> None:
    """Each leaf with true or false, what was wanted and what was seen."""
    start = f"{' ' * indent}{sign(tree['holds'])} "
    if tree["is"] == "leaf":
        say(f"{start}{tree['wanted']}{_seen(tree)}")
    elif tree["is"] == "not" and tree["of"][0]["is"] == "leaf":
        say(f"{start}{tree['wanted']}{_seen(tree['of'][0])}")
    else:
        say(f"{start}{GROUPS[tree['is']]}")
        for one in tree["of"]:
            tell_tree(one, indent + 2)


def _seen(leaf: Row) -> str:
    return f"; seen: {leaf['seen']}" if leaf["seen"] else ""


# ---------------------------------------------------------------- grades


def tell_grade(grade: Row) -> None:
    """The cell, what its letters and digits mean, and what the next cells take."""
    say()
    green = ", green" if grade["green"] else ""
    since = f" since {day(grade['since'])}" if grade["since"] else ""
    cell = f"{grade['cell']}{green}{since}" if grade["cell"] else "no cell yet"
    say(f"{grade['grade']}: {cell}")
    if grade["description"]:
        say(f"  {grade['description']}")
    say(f"  {grade['legend']}")
    for side in (grade["fit"], grade["engagement"]):
        say(f"  {side['score']} {number(side['balance'])} gives {side['label']}")
    for step in grade["missing"]:
        needs = f"needs {number(step['points'])} more {step['score']} for {step['cell']}"
        hidden = number(step["below_range"])
        say(f"  {needs}" + f" (it is {hidden} below its range)" * bool(step["below_range"]))
    if not grade["missing"]:
        say("  no cell is better than this one")


# ---------------------------------------------------------------- the journey


def tell_journey(journey: Row) -> None:
    """Stage after stage with its times and causes, then what the next one asks."""
    say()
    say(f"Journey ({journey['lifecycle']}): {journey['stage']} since {day(journey['since'])}")
    for stay in journey["history"]:
        say(f"  {stay_in_stage(stay)}: {stay['why']}")
    if not journey["next"]:
        say("  no stage comes after this one")
    for stage in journey["next"]:
        _tell_next(stage)
    if journey["stays_while"]:
        say(f"  stays {journey['stage']} while:")
        tell_tree(journey["stays_while"], 4)


def stay_in_stage(stay: Row) -> str:
    """`lead 2026-01-01 08:00 to 2026-02-03 10:00`."""
    if stay["skipped"]:
        return f"{stay['stage']} skipped {day(stay['entered_at'])}"
    until = f"to {day(stay['left_at'])}" if stay["left_at"] else "until now"
    return f"{stay['stage']} {day(stay['entered_at'])} {until}"


def _tell_next(stage: Row) -> None:
    steps = " or ".join(f"scenario/{one['scenario']}#{one['step']}" for one in stage["set_by"])
    by = f", or set by {steps}" if steps else ""
    if stage["condition"] is None:
        say(f"  next: {stage['stage']}, set by {steps or 'no scenario so far'}")
        return
    say(f"  next: {stage['stage']}{by}, when:")
    tell_tree(stage["condition"], 4)


# ---------------------------------------------------------------- a scenario


def tell_scenario(told: Row) -> None:
    """The triggers and gates in order, whether the next occurrence would enter, and the past."""
    say(f"{told['contact']} and the scenario {told['scenario']}{as_of(told)}")
    if told["description"]:
        say(f"  {told['description']}")
    _tell_verdict(told["would_enter"])
    for trigger in told["triggers"]:
        _tell_trigger(trigger)
    gate = told["reenroll"]
    say("Reenroll:")
    say(f"  {sign(gate['open'])} {gate['says']}; seen: {gate['seen']}")
    _tell_conditions(told)
    if told["exit_when"]:
        say("Leaves when:")
        tell_tree(told["exit_when"], 2)
    section("Enrollments", [walk_words(one) for one in told["enrollments"]])
    section("Did not enroll", [refusal_words(one) for one in told["refused"]])


def _tell_verdict(verdict: Row) -> None:
    if verdict["holds"]:
        say("  would enter now, if the trigger came")
        return
    say("  would not enter now, whatever came:")
    for reason in verdict["because"]:
        say(f"    {reason}")


def _tell_trigger(trigger: Row) -> None:
    say(f"Trigger: {trigger['says']}  {trigger['where'] or ''}".rstrip())
    if trigger["state"]:
        tell_tree(trigger["state"], 2)


def _tell_conditions(told: Row) -> None:
    if told["conditions"] is None:
        say("Conditions: none")
        return
    event = event_words(told["asked_with"])
    say(f"Conditions, asked with {event}:" if event else "Conditions:")
    tell_tree(told["conditions"], 2)


def as_of(told: Row) -> str:
    """`, as of 2026-11-22 09:00 (UTC); 3 calls wait for the next tick`."""
    waits = told["waiting"]
    many = "1,000 calls or more wait" if waits >= 1000 else f"{counted(waits, 'call')} "
    many += "" if waits >= 1000 else "waits" if waits == 1 else "wait"
    said = f"; {many} for the next tick" if waits else ""
    return f", as of {day(told['as_of']) or 'no tick yet'} (UTC){said}"


# ---------------------------------------------------------------- a list


def tell_list(told: Row) -> None:
    """In it or not, since when; the members' condition as a tree, or the steps that move people."""
    stands = f"in it since {day(told['since'])}" if told["member"] else "not in it"
    say(f"{told['contact']} and the list {told['list']}{as_of(told)}: {stands}")
    if told["description"]:
        say(f"  {told['description']}")
    if told["members"] is not None:
        say(f"Members:  {told['where']}")
        tell_tree(told["members"], 2)
    else:
        steps = [f"{one['does']}: {_step_words(one)}" for one in told["steps"]]
        section("Steps that move people", steps)
    section("Stays", [stay_words(stay) for stay in told["stays"]])


def _step_words(step: Row) -> str:
    return f"scenario/{step['scenario']}#{step['step']}  {step['where']}"


def section(title: str, lines: list[str]) -> None:
    """A title with its lines; `none` where there are none."""
    say(f"{title}:" if lines else f"{title}: none")
    for line in lines:
        say(f"  {line}")
