"""Rulings 18, 50, 51, 54, 57 and 97: points fade at fixed instants, and what that sets off."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, score
from engine.world import POLICY, START
from flowscore.clock import DAY, HOUR

if TYPE_CHECKING:
    from engine.world import World

TEN = "points: 10, on: {event: order}"


def faded(world: World, decay: str, days: int, points: int = 10) -> float:
    """The balance so many days after one event at midnight."""
    world.apply(score(f"points: {points}, on: {{event: order}}", f"decay: {decay}"))
    world.track(ANA, "order", START)
    world.tick(START + days * DAY)
    return world.balance(ANA)


@pytest.mark.parametrize(
    ("decay", "points", "days", "left"),
    [
        ("{linear: 60 days}", 10, 30, 5),
        ("{linear: 90 days}", 9, 3, 8.7),
        ("{half_life: 30 days}", 8, 90, 1),
        ("{expire: 90 days}", 7, 89, 7),
        ("{expire: 90 days}", 7, 90, 0),
        ("{step: {lose: 15%, every: 45 days}}", 10, 44, 10),
        ("{step: {lose: 15%, every: 45 days}}", 10, 90, 7.225),
        ("{linear: 60 days}", -10, 30, -5),
        ("none", 10, 90, 10),
    ],
)
def test_a14_a_lead_that_stands_still_loses_score(
    world: World, decay: str, points: int, days: int, left: float
) -> None:
    """The golden numbers of LANGUAGE 5, through ticks alone."""
    assert faded(world, decay, days, points) == left


def test_points_fade_at_midnight_alone(world: World) -> None:
    """Ruling 50: between two decay instants nothing moves; age counts from the own time."""
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track(ANA, "order", START + 12 * HOUR)
    world.tick(START + 23 * HOUR)
    assert world.balance(ANA) == 10
    world.tick(START + DAY)
    assert world.balance(ANA) == 9.5
    world.tick(START + DAY + 23 * HOUR)
    assert world.balance(ANA) == 9.5
    world.tick(START + 2 * DAY)
    assert world.balance(ANA) == 8.5


def test_the_policy_may_say_how_often(world: World) -> None:
    """`decay_every: 1 hour` for short buying cycles (ACCEPTANCE E07)."""
    world.policy = POLICY + "decay_every: 1 hour\n"
    world.apply(score(TEN, "decay: {linear: 10 hours}"))
    world.track(ANA, "order", START)
    world.tick(START + 3 * HOUR)
    assert world.balance(ANA) == 7


def test_midnight_is_that_of_the_policys_zone(world: World) -> None:
    """New York: 05:00 UTC in March before the clocks change."""
    world.policy = POLICY + "timezone: America/New_York\n"
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track(ANA, "order", START + 5 * HOUR)
    world.tick(START + DAY + 4 * HOUR)
    assert world.balance(ANA) == 10
    world.tick(START + DAY + 5 * HOUR)
    assert world.balance(ANA) == 9


def test_a_rule_may_fade_its_own_way(world: World) -> None:
    """A rule's decay goes before the score's; `none` keeps its points."""
    world.apply("""
    score: engagement
    decay: {linear: 10 days}
    rules:
      - {name: a, points: 10, on: {event: order}}
      - {name: b, points: 10, on: {event: order}, decay: {half_life: 1 day}}
      - {name: c, points: 10, on: {event: order}, decay: none}
      - {name: d, points: 10, when: {event: {name: order}}}
    """)
    world.track(ANA, "order", START)
    world.tick(START + DAY)
    assert world.balance(ANA) == 9 + 5 + 10 + 10


def test_decay_sets_off_what_points_set_off(world: World) -> None:
    """Ruling 18: falling to a line by decay is a crossing; lists follow in the same tick."""
    world.apply("""
    score: engagement
    decay: {linear: 10 days}
    rules: [{name: r, points: 10, on: {event: order}}]
    ---
    list: warm
    members: [{score: {at_least: 8}}]
    ---
    scenario: cooled
    trigger: {score: {falls_to: 7}}
    reenroll: every_time
    actions: [{subtract_points: 1}]
    """)
    world.track(ANA, "order", START)
    world.tick(START + 2 * DAY)
    assert world.members("warm") == [ANA]
    world.tick(START + 3 * DAY)
    assert world.members("warm") == []
    assert world.entered("cooled") == [ANA]
    assert world.rows("SELECT entered_at FROM enrollments") == [(START + 3 * DAY,)]
    assert world.balance(ANA) == 6


def test_what_scenarios_gave_fades_by_the_scores_own_decay(world: World) -> None:
    """Ruling 57."""
    world.apply("""
    score: engagement
    decay: {linear: 10 days}
    rules: [{name: r, points: 10, on: {event: nothing}, decay: none}]
    ---
    scenario: gift
    trigger: {event: order}
    actions: [{add_points: 5}]
    """)
    world.track(ANA, "order", START)
    world.tick(START + 5 * DAY)
    assert world.balance(ANA) == 2.5


def test_settled_lines_leave_the_working_set(world: World) -> None:
    """A pass costs what still moves: what is worth nothing for good is not looked at again."""
    world.apply("""
    score: engagement
    rules:
      - {name: a, points: 10, on: {event: order}, decay: {expire: 2 days}}
      - {name: b, points: 10, on: {event: order}, decay: {linear: 3 days}}
      - {name: c, points: 10, on: {event: order}, decay: {half_life: 6 hours}}
      - {name: d, points: 10, on: {event: order}, decay: {step: {lose: 50%, every: 6 hours}}}
      - {name: e, points: 10, on: {event: order}, decay: {step: {lose: 100%, every: 1 day}}}
      - {name: f, points: 10, on: {event: order}}
    """)
    world.track(ANA, "order", START)
    world.tick(START + HOUR)
    names = "SELECT rule FROM fading ORDER BY rule"
    assert world.rows(names) == [("a",), ("b",), ("c",), ("d",), ("e",)]
    world.tick(START + 2 * DAY)
    assert world.rows(names) == [("b",), ("c",), ("d",)]
    world.tick(START + 12 * DAY)
    assert world.rows(names) == []
    assert world.balance(ANA) == 10


def test_a_late_event_comes_in_with_what_it_lost(world: World) -> None:
    """Its own time counts; one whose points have gone gives nothing."""
    world.apply(score(TEN, "decay: {linear: 4 days}"))
    world.track(ANA, "order", START, how=f"late:{3 * DAY}")
    world.track(BEN, "order", START, how=f"late:{5 * DAY}")
    world.tick(START + 3 * DAY)
    assert world.balance(ANA) == 2.5
    world.tick(START + 5 * DAY)
    assert (world.balance(ANA), world.balance(BEN)) == (0, 0)
    assert world.rows("SELECT count(*) FROM ledger") == [(2,)]
    assert world.rows("SELECT count(*) FROM fading") == [(0,)]


def test_the_grid_jumps_to_the_next_decay(world: World) -> None:
    """Nothing else is due: one tick a day; with everything settled, none."""
    world.apply(score(TEN, "decay: {expire: 10 days}"))
    world.track(ANA, "order", START)
    world.tick(START)
    assert world.tick(START + 20 * DAY).worked == 1
    assert world.balance(ANA) == 0


def test_a_coarse_grid_comes_to_the_same(world: World) -> None:
    """Exact at the decay instants, however many a tick passes over."""
    world.apply(score(TEN, "decay: {half_life: 3 days}"))
    world.track(ANA, "order", START)
    last = (START + 18 * DAY) // (9 * DAY) * 9 * DAY
    world.tick(last, step=9 * DAY)
    worth = 10 * 0.5 ** ((last - START) / (3 * DAY))
    assert world.balance(ANA) == float(Decimal(worth).quantize(Decimal("0.0001"), ROUND_HALF_UP))


RESET = """
score: engagement
decay: {linear: 10 days}
rules: [{name: r, points: 10, on: {event: order}}]
---
scenario: wipe
trigger: {event: wipe}
reenroll: every_time
actions: [{reset_score: engagement}]
"""


def test_t05_old_decay_cannot_pull_below_zero_after_a_reset(world: World) -> None:
    """Ruling 54: everything before the reset is worth 0 from then on."""
    world.apply(RESET)
    world.track(ANA, "order", START)
    world.track(ANA, "wipe", START + 5 * DAY)
    world.track(ANA, "order", START + 6 * DAY)
    world.tick(START + 5 * DAY)
    assert world.balance(ANA) == 0
    assert world.rows("SELECT points FROM ledger WHERE kind = 'reset'") == [(-5 * 10**8,)]
    world.tick(START + 7 * DAY)
    assert world.balance(ANA) == 9
    world.track(ANA, "order", START + 4 * DAY, how=f"late:{4 * DAY}")
    world.tick(START + 8 * DAY)
    assert world.balance(ANA) == 8


def test_t05_a_reset_survives_a_recompute(world: World) -> None:
    """What comes out is what would have been, with the new points."""
    world.apply(RESET)
    world.track(ANA, "order", START)
    world.track(ANA, "wipe", START + 5 * DAY)
    world.track(ANA, "order", START + 6 * DAY)
    world.tick(START + 8 * DAY)
    world.apply(RESET.replace("points: 10", "points: 20"))
    assert world.balance(ANA) == 16
    assert world.rows("SELECT points FROM ledger WHERE kind = 'reset'") == [(-10 * 10**8,)]
    world.tick(START + 9 * DAY)
    assert world.balance(ANA) == 14


def test_a_merge_brings_what_still_fades_together(world: World) -> None:
    """Ruling 71: the lines of a visitor who is named go on fading under their name."""
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track("visitor", "order", START)
    world.track(ANA, "order", START)
    world.tick(START + DAY)
    world.identify(ANA, START + DAY + HOUR, anonymous="visitor")
    world.tick(START + 2 * DAY)
    assert world.balance(ANA) == 16
    world.tick(START + 3 * DAY)
    assert world.balance(ANA) == 14
    assert world.rows("SELECT count(DISTINCT contact_id) FROM fading") == [(1,)]


def test_a_changed_decay_counts_for_what_is_there(world: World) -> None:
    """Ruling 128, silently; then it goes on from there."""
    faded(world, "{linear: 10 days}", 2)
    world.apply(score(TEN, "decay: {half_life: 2 days}"))
    assert world.balance(ANA) == 5
    world.tick(START + 4 * DAY)
    assert world.balance(ANA) == 2.5
    world.apply(score(TEN))
    assert world.balance(ANA) == 10
    world.tick(START + 5 * DAY)
    assert world.balance(ANA) == 10


def test_gains_and_caps_read_face_values(world: World) -> None:
    """Rulings 23 and 55: what faded was won all the same."""
    world.apply("""
    score: engagement
    decay: {half_life: 1 day}
    rules: [{name: r, points: 10, on: {event: order}, cap: {points: 25, per: 10 days}}]
    ---
    scenario: hot
    trigger: {score: {gains: 20, within: 3 days}}
    actions: [{subtract_points: 1}]
    """)
    for day in range(4):
        world.track(ANA, "order", START + day * DAY)
    world.tick(START + 3 * DAY)
    assert world.rows("SELECT points FROM ledger WHERE kind = 'rule' ORDER BY id") == [
        (10 * 10**8,),
        (10 * 10**8,),
        (5 * 10**8,),
    ]
    assert world.rows("SELECT own_at FROM enrollments") == [(START + DAY,)]


def test_history_comes_in_faded(world: World) -> None:
    """Imported history stands at its own time, so it has lost what it would have lost."""
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track(ANA, "order", START - 4 * DAY, how="historical")
    world.tick(START)
    assert world.balance(ANA) == 6


def test_a_tick_counts_whose_points_faded(world: World) -> None:
    world.apply(score(TEN, "decay: {linear: 10 days}"))
    world.track(ANA, "order", START)
    world.track(BEN, "order", START)
    assert world.tick(START + HOUR).counts.faded == 0
    counts = world.tick(START + 2 * DAY).counts
    assert (counts.faded, counts.lines) == (4, 0), "two balances on two days"


def test_what_comes_late_at_the_resets_own_instant_fades(world: World) -> None:
    """Ruling 54: dated at the reset and written later, a line counts, and so it fades."""
    world.apply("""
    score: engagement
    decay: {linear: 10 days}
    rules: [{name: quiet, points: 10, on: {inactive: 1 day}}]
    ---
    scenario: wipe
    trigger: {attribute: {plan: {to: none}}}
    actions: [{reset_score: engagement}]
    """)
    world.identify(ANA, START - 2 * DAY)
    world.identify(ANA, START + DAY, plan="none")
    world.track(ANA, "ask", START, how=f"late:{DAY + 2 * HOUR}")
    world.tick(START + 3 * DAY, first=START - 2 * DAY)
    assert world.balance(ANA) == 8
