"""Rulings 45, 107 and 129: who is taken in on activation, and what a new version changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN
from engine.world import START
from flowscore.clock import HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World


EXISTING = """
    list: l
    ---
    scenario: s
    trigger: {trigger}
    enroll_existing: true
    reenroll: every_time
    actions: [{{add_to_list: l}}]
"""


@pytest.mark.parametrize(
    ("trigger", "who"),
    [
        ("{attribute: {plan: {to: pro}}}", [ANA]),
        ("{list_joined: pros}", [ANA]),
        ("{inactive: 2 hours}", [BEN]),
        ("{score: {engagement: {reaches: 10}}}", [ANA]),
        ("{score: {engagement: {falls_to: 9}}}", [BEN]),
    ],
)
def test_who_stands_there_already_is_taken_in_once(
    world: World, trigger: str, who: list[str]
) -> None:
    """Rulings 45 and 107: at the first live tick, with nothing else due; key `existing`."""
    before = """
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}}]
    ---
    list: pros
    members: [{attribute: {plan: pro}}]
    """
    world.apply(before)
    world.identify(ANA, START, plan="pro")
    world.track(ANA, "order", START + 3 * HOUR)
    world.identify(BEN, START, plan="free")
    world.track(BEN, "visit", START + HOUR)
    world.tick(START + 3 * HOUR)
    world.apply(before + "---" + EXISTING.format(trigger=trigger))
    world.tick(START + 4 * HOUR)
    assert world.entered("s") == who
    assert world.rows("SELECT key, own_at FROM enrollments") == [("existing", START + 4 * HOUR)]
    world.tick(START + 4 * HOUR + 30 * MINUTE)
    assert len(world.entered("s")) == len(who)


def test_who_has_an_occurrence_in_that_round_gets_no_other(world: World) -> None:
    """Ruling 45: on the first tick ever the crossing itself is the occurrence."""
    world.apply(
        """
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}}]
    ---
    """
        + EXISTING.format(trigger="{score: {engagement: {reaches: 10}}}")
    )
    world.track(ANA, "order", START)
    world.tick(START)
    assert len(world.entered("s")) == 1
    assert world.rows("SELECT key FROM enrollments WHERE key = 'existing'") == []


def test_a_newer_version_takes_nobody_in_again(world: World) -> None:
    """Ruling 45: on activation, not on each change of the file."""
    flow = EXISTING.format(trigger="{attribute: {plan: {to: pro}}}")
    world.identify(ANA, START, plan="pro")
    world.apply(flow)
    world.tick(START)
    world.apply(flow + "    description: as before\n")
    world.tick(START + 2 * HOUR)
    assert world.entered("s") == [ANA]


FLOW = """
    list: a
    ---
    list: b
    ---
    scenario: first
    priority: {first}
    trigger: {{event: order}}
    actions: [{{wait: 2 hours}}, {{set_attribute: {{last: first}}}}, {{add_to_list: {name}}}]
    ---
    scenario: second
    trigger: {{event: order}}
    actions: [{{wait: 2 hours}}, {{set_attribute: {{last: second}}}}]
"""


def test_priority_is_always_the_newest(world: World) -> None:
    """Ruling 129: who is inside keeps the actions, and goes in the order of the new file."""
    world.apply(FLOW.format(first=5, name="a"))
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply(FLOW.format(first=-5, name="b"))
    world.tick(START + 5 * HOUR)
    assert (world.members("a"), world.members("b")) == ([ANA], [])
    assert world.rows("SELECT text FROM attributes WHERE name = 'last'") == [("first",)]


def test_lists_and_policy_are_always_the_live_ones(world: World) -> None:
    """Ruling 129: a branch of an old version asks the new list."""
    flow = """
    list: big
    members: [{{event: {{name: order, where: {{total: {{at_least: {line}}}}}}}}}]
    ---
    list: a
    ---
    scenario: s
    trigger: {{event: order}}
    actions: [{{wait: 2 hours}}, {{if: {{in_list: big}}, then: [{{add_to_list: a}}]}}]
    """
    world.apply(flow.format(line=100))
    world.track(ANA, "order", START, total=50)
    world.tick(START)
    world.apply(flow.format(line=10))
    world.tick(START + 3 * HOUR)
    assert world.members("a") == [ANA]


def test_another_policy_is_asked_of_everybody(world: World) -> None:
    """Ruling 129: with consent required nobody may be mailed who has not said so."""
    lists = """
    list: mailable
    members: [{consent: email}]
    ---
    score: s
    rules: [{name: may, points: 5, when: {consent: email}}]
    """
    world.apply(lists)
    world.identify(ANA, START, plan="a")
    world.tick(START)
    assert (world.members("mailable"), world.balance(ANA, "s")) == ([ANA], 5)
    world.policy = "policy: default\ntopics: [news]\n"
    world.apply(lists)
    assert (world.members("mailable"), world.balance(ANA, "s")) == ([], 0)
