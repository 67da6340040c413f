"""Two known contacts who turn out to be one: what the engine makes of them, on real ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.small import ANA
from engine.world import START
from flowscore.clock import DAY, HOUR, rfc3339
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import receive

if TYPE_CHECKING:
    from engine.world import World

SERIES = """
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}}]
    ---
    list: done
    ---
    scenario: series
    trigger: {event: order}
    reenroll: REENROLL
    actions: [{send_email: hello}, {wait: 1 day}, {send_email: more}, {add_to_list: done}]
    ---
    scenario: big
    trigger: {score: {engagement: {reaches: 20}}}
    actions: [{add_to_list: done}]
"""


def user(world: World, hour: float, kind: str = "track", **fields: Any) -> None:
    """A call of `u1`."""
    at = START + round(hour * HOUR)
    named = {"type": kind, "userId": "u1", "messageId": f"u@{hour}", **fields}
    row = read_call({**named, "timestamp": rfc3339(at)}, Reading(at))
    assert receive(world.store, [row]).taken == 1  # type: ignore[list-item]


def both(world: World, hour: float) -> None:
    user(world, hour, "identify", traits={"email": ANA})


@pytest.mark.parametrize("reenroll", ["never", "every_time"])
def test_of_two_walks_at_one_step_the_older_goes_on(world: World, reenroll: str) -> None:
    world.apply(SERIES.replace("REENROLL", reenroll), hello="news", more="news")
    user(world, 0, event="order")
    world.tick(START)
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    both(world, 3)
    world.tick(START + 3 * HOUR)
    ended = "SELECT outcome, reason FROM enrollments WHERE scenario = 'series' ORDER BY id"
    assert world.rows(ended) == [(None, ""), ("exited", "merged")]
    world.tick(START + 2 * DAY)
    sent = "SELECT template, count(*) FROM messages WHERE status = 'queued' GROUP BY template"
    assert sorted(world.rows(sent)) == [("hello", 1), ("more", 1)]


def test_points_of_both_cross_a_line_together(world: World) -> None:
    world.apply(SERIES.replace("REENROLL", "never"), hello="news", more="news")
    user(world, 0, event="order")
    world.track(ANA, "order", START)
    world.tick(START)
    assert world.entered("big") == []
    both(world, 1)
    world.tick(START + HOUR)
    assert (world.balance(ANA), world.entered("big")) == (20, [ANA])


FUNNEL = """
    lifecycle: buyer
    stages: [lead, {stage: mql, when: {event: look}}, customer]
    ---
    list: l
    ---
    scenario: sold
    trigger: {event: sale}
    actions: [{set_stage: customer}]
    ---
    scenario: welcome
    trigger: {stage: {enters: customer}}
    reenroll: every_time
    actions: [{add_to_list: l}]
"""


@pytest.mark.parametrize("older_is_customer", [True, False])
def test_the_stage_further_on_is_kept(world: World, older_is_customer: bool) -> None:
    """And nothing begins because of it: the person was there before."""
    world.apply(FUNNEL)
    user(world, 0, event="sale" if older_is_customer else "look")
    world.track(ANA, "look" if older_is_customer else "sale", START + HOUR)
    world.tick(START + 2 * HOUR)
    began = world.rows("SELECT count(*) FROM enrollments WHERE scenario = 'welcome'")
    both(world, 3)
    world.tick(START + 4 * HOUR)
    assert world.rows("SELECT stage FROM stages WHERE left_at IS NULL") == [("customer",)]
    assert world.rows("SELECT count(*) FROM enrollments WHERE scenario = 'welcome'") == began


def test_two_people_at_one_computer_are_told_apart_late(world: World) -> None:
    """Points go over with the events of the visitor, and are counted for both anew."""
    world.apply(SERIES.replace("REENROLL", "never"), hello="news", more="news")
    world.track("v", "order", START)
    world.identify("ben@x.example", START + 2 * HOUR, anonymous="v")
    world.tick(START + 2 * HOUR)
    assert world.balance("ben@x.example") == 10
    world.identify(ANA, START + HOUR, anonymous="v", how="late:10800000000")
    world.tick(START + 5 * HOUR)
    assert (world.balance("ben@x.example"), world.balance(ANA)) == (0, 10)
