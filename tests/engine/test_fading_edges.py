"""Rulings 50, 51, 54 and 128 at their edges: what is left in the working set, and huge numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, score
from engine.world import POLICY, START
from flowscore.clock import DAY, HOUR
from flowscore.engine.registry import apply_project
from flowscore.errors import FlowscoreError
from flowscore.language.project import load_project

if TYPE_CHECKING:
    from engine.world import World

TEN = "points: 10, on: {event: order}"
MOVING = "SELECT count(*) FROM fading"
TWO = """
    score: engagement
    decay: {half_life: 30 days}
    rules: [{name: r, points: 10, on: {event: order}}]
    ---
    score: other
    decay: {half_life: 30 days}
    rules: [{name: r, points: 10, on: {event: look}}]
"""


def test_a_score_that_is_gone_keeps_no_line_moving(world: World) -> None:
    """Else every decay instant would be a tick with nothing to do."""
    world.apply(TWO)
    world.track(ANA, "order", START)
    world.tick(START + DAY)
    assert world.rows(MOVING) == [(1,)]
    world.apply(TWO[TWO.index("    score: other") :])
    assert world.rows(MOVING) == [(0,)]
    assert world.tick(START + 9 * DAY).worked == 0
    world.apply(TWO)
    assert world.balance(ANA) == 8.1225


FAR_AND_NEAR = """
    score: engagement
    rules:
      - {name: a, RULE, decay: {half_life: 36500 days}}
      - {name: b, RULE, decay: {step: {lose: 0.001%, every: 36500 days}}}
      - {name: c, RULE, decay: {step: {lose: 99.9999%, every: 1 minute}}}
      - {name: d, RULE, decay: {step: {lose: 100%, every: 1 day}}}
      - {name: e, RULE, decay: {half_life: 1 minute}}
      - {name: f, RULE, decay: {linear: 36500 days}}
      - {name: g, RULE, decay: {expire: 36500 days}}
"""


@pytest.mark.parametrize("points", [1_000_000, -1_000_000, 0.0001])
def test_no_span_and_no_points_are_too_much(world: World, points: float) -> None:
    """Neither overflows nor underflows, on either database."""
    rule = f"points: {points}, on: {{event: order}}"
    world.apply(FAR_AND_NEAR.replace("RULE", rule))
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 3 * DAY)
    left = world.balance(ANA)
    assert left == pytest.approx(4 * points, rel=1e-3)
    world.apply(FAR_AND_NEAR.replace("RULE", f"{rule}, cap: {{times: 9}}"))
    assert world.balance(ANA) == left


def test_a_new_zone_fades_at_its_own_midnight(world: World) -> None:
    """From the apply on the balance is that of the last instant of the new zone."""
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track(ANA, "order", START)
    world.tick(START + DAY + HOUR)
    assert world.balance(ANA) == 9
    world.policy = POLICY + "timezone: America/Los_Angeles\n"
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    assert world.balance(ANA) == 9.6667
    world.tick(START + DAY + 7 * HOUR)
    assert world.balance(ANA) == 9.6667
    world.tick(START + DAY + 8 * HOUR)
    assert world.balance(ANA) == 8.6667
    world.policy = POLICY + "decay_every: 90 minutes\n"
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.tick(START + 2 * DAY + 2 * HOUR)  # the last instant was half an hour before
    assert world.balance(ANA) == pytest.approx(10 - 49.5 / 24, abs=1e-4)
    world.policy = POLICY
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    assert world.balance(ANA) == 8


def test_merged_lines_fade_on_and_are_booked_once(world: World) -> None:
    """At a merge both contacts' lines go on from where they were."""
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track(ANA, "order", START)
    world.track("visitor", "order", START + DAY)
    world.tick(START + 2 * DAY)
    world.identify(ANA, START + 3 * DAY, anonymous="visitor")
    world.tick(START + 3 * DAY)
    assert world.balance(ANA) == 15
    world.tick(START + 4 * DAY)
    assert world.balance(ANA) == 13
    world.tick(START + 12 * DAY)
    assert (world.balance(ANA), world.rows(MOVING)) == (0, [(0,)])


def test_points_of_nothing_and_caps_of_negative_rules(world: World) -> None:
    """A cap of a negative rule is of absolute values (ruling 55)."""
    rule = "points: -10, on: {event: order}, cap: {points: 25}"
    world.apply(score(rule, "decay: {linear: 10 days}"))
    for hour in range(4):
        world.track(ANA, "order", START + hour * HOUR)
    world.track(BEN, "order", START)
    world.tick(START + 5 * HOUR)
    assert (world.balance(ANA), world.balance(BEN)) == (-25, -10)
    world.tick(START + 11 * DAY)
    assert (world.balance(ANA), world.balance(BEN)) == (0, 0)


def test_an_apply_that_is_refused_leaves_no_trace_in_the_process(world: World) -> None:
    """Else the next one would run under the statements of what was refused."""
    world.apply(score(TEN))
    world.track(ANA, "order", START)
    world.tick(START)
    flow = "scenario: s\ntrigger: {event: order}\nactions: [{wait: 1 day}]\n"
    (world.root / "scenarios" / "all.yaml").write_text(f"{POLICY}---\n{flow}")
    project, _ = load_project(world.root)
    with pytest.raises(FlowscoreError, match="cannot enroll who stands there"):
        apply_project(world.store, project, START, enroll_existing=["s"])
    world.apply(score("points: 20, on: {event: order}"))
    assert world.balance(ANA) == 20
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert world.balance(ANA) == 40
