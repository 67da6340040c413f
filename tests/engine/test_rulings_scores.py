"""Rulings 15, 52 to 58, 68, 95, 115, 116 and 126: lines, caps, ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, lines, score
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World


def test_points_stand_while_a_condition_holds(world: World) -> None:
    """Ruling 52: given and taken back at the T that sees it, by the clock too."""
    world.apply(score("points: 5, when: {event: {name: order, within: 2 hours}}"))
    world.track(ANA, "order", START + 30 * MINUTE)
    world.track(ANA, "order", START + 5 * HOUR)
    world.tick(START + 9 * HOUR)
    assert lines(world) == [(60, 5), (180, -5), (300, 5), (420, -5)]


def test_a_when_rule_sees_lists_as_of_the_round_before(world: World) -> None:
    """Ruling 68: a list that the tick fills is seen in the next round of the same tick."""
    world.apply("""
    score: other
    rules: [{name: buyer, points: 5, when: {in_list: buyers}}]
    ---
    list: buyers
    members: [{score: {engagement: {at_least: 10}}}]
    ---
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}}]
    """)
    world.track(ANA, "order", START)
    world.tick(START)
    keys = world.rows("SELECT key FROM ledger WHERE rule = 'buyer'")
    assert keys == [(f"{START}/2",)]


def test_a_range_cuts_what_is_read(world: World) -> None:
    """Ruling 53: raw 130 reads 100; 20 less is 110 and still reads 100."""
    world.apply(
        score("points: 65, on: {event: up}}\n      - {name: down, points: -20, on: {event: down}",
              "range: {min: -10, max: 100}")
    )  # fmt: skip
    for minute in (0, 1):
        world.track(ANA, "up", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.balance(ANA) == 100
    world.track(ANA, "down", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.balance(ANA) == 100
    assert world.rows("SELECT raw FROM balances") == [(110 * 10**8,)]
    for hour in range(3, 10):
        world.track(ANA, "down", START + hour * HOUR)
    world.tick(START + 10 * HOUR)
    assert world.balance(ANA) == -10


def test_crossings_read_the_cut_balance(world: World) -> None:
    """Ruling 53: what never leaves the top never crosses it again."""
    world.apply(
        score("points: 60, on: {event: up}}\n      - {name: down, points: -20, on: {event: down}",
              "range: {max: 100}")
        + """
    ---
    list: l
    ---
    scenario: top
    trigger: {score: {engagement: {reaches: 100}}}
    reenroll: every_time
    actions: [{add_to_list: l}]
    """
    )  # fmt: skip
    for hour, name in enumerate(("up", "up", "down", "up", "down", "down", "down", "down", "up")):
        world.track(ANA, name, START + hour * HOUR)
    world.tick(START + 12 * HOUR)
    entered = world.rows("SELECT entered_at FROM enrollments")
    assert [(at - START) / HOUR for (at,) in entered] == [1, 8]


CAPS = [
    ("points: 10, cap: {points: 25}", [10, 10, 5]),
    ("points: -10, cap: {points: 25}", [-10, -10, -5]),
    ("points: 10, cap: {times: 2}", [10, 10]),
    ("points: 10, cap: {points: 25, per: 1 hour}", [10, 10, 5, 10, 10]),
    ("points: 10, cap: {times: 1, per: 30 minutes}", [10, 10]),
    ("points: 2.5, cap: {points: 6}", [2.5, 2.5, 1]),
]


@pytest.mark.parametrize(("rule", "given"), CAPS)
@pytest.mark.parametrize("step", [HOUR, DAY])
def test_caps_leave_what_is_left_over(
    world: World, rule: str, given: list[float], step: int
) -> None:
    """Ruling 55: by own time in (t - per, t], whatever the grid; absolute for a negative rule."""
    world.apply(score(f"on: {{event: order}}, {rule}"))
    for minute in (0, 10, 20, 29, 60, 70):
        world.track(ANA, "order", START + minute * MINUTE)
    world.tick(START + DAY, first=START, step=step)
    assert [points for _, points in lines(world)] == given


def test_a_cap_looks_back_from_own_time_when_events_come_late(world: World) -> None:
    """Ruling 55: a late order looks only at lines before it; 116: without `per` at all."""
    world.apply(score("points: 10, on: {event: order}, cap: {times: 1, per: 1 hour}"))
    world.track(ANA, "order", START + 3 * HOUR)
    world.track(ANA, "order", START + 150 * MINUTE, how=f"late:{5 * HOUR}")
    world.tick(START + 9 * HOUR)
    assert lines(world) == [(150, 10), (180, 10)]
    world.apply(score("points: 10, on: {event: visit}, cap: {times: 1}"))
    world.track(ANA, "visit", START + 12 * HOUR)
    world.track(ANA, "visit", START + 10 * HOUR, how=f"late:{5 * HOUR}")
    world.tick(START + 20 * HOUR)
    assert lines(world) == [(720, 10)]


def test_a_score_cap_bounds_positive_rule_lines_alone(world: World) -> None:
    """Ruling 55: by own time, then rule position; negatives, `when` and scenarios outside."""
    world.apply("""
    score: engagement
    cap: {points: 25, per: 1 day}
    rules:
      - {name: a, points: 10, on: {event: order}}
      - {name: b, points: 20, on: {event: order}}
      - {name: c, points: -3, on: {event: order}}
      - {name: d, points: 7, when: {event: order}}
    ---
    scenario: s
    trigger: {event: order}
    actions: [{add_points: {score: engagement, points: 100}}]
    """)
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + HOUR)
    rows = world.rows("SELECT rule, points / 100000000 FROM ledger ORDER BY rule, own_at")
    assert rows == [("a", 10), ("b", 15), ("c", -3), ("c", -3), ("d", 7), ("s", 100)]


def test_an_award_meets_the_rules_cap_and_then_the_scores(world: World) -> None:
    """Ruling 55: what the score's cap leaves over counts for the rule's own."""
    world.apply("""
    score: engagement
    cap: {points: 12}
    rules:
      - {name: a, points: 10, on: {event: order}, cap: {points: 15}}
      - {name: b, points: 10, on: {event: cart}}
    """)
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "cart", START + 2 * HOUR)
    world.tick(START + 3 * HOUR)
    assert lines(world) == [(0, 10), (60, 2)]


def test_conditions_that_fail_use_the_occurrence_up(world: World) -> None:
    """Ruling 95: no line now, and none when the condition comes true."""
    world.apply(score("points: 10, on: {event: order}, conditions: [{attribute: {plan: pro}}]"))
    world.track(ANA, "order", START)
    world.identify(ANA, START + HOUR, plan="pro")
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 3 * HOUR)
    assert lines(world) == [(120, 10)]


def test_state_triggers_of_rules_come_in_the_next_round(world: World) -> None:
    """Ruling 58: noticed in phase 3, awarded in phase 1 of the round after, dated T."""
    world.apply("""
    score: bonus
    rules:
      - {name: hot, points: 5, on: {score: {engagement: {reaches: 10}}},
         conditions: [{in_list: box}]}
      - {name: listed, points: 2, on: {list_joined: box}}
    ---
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}}]
    ---
    list: box
    ---
    scenario: s
    trigger: {event: order}
    actions: [{add_to_list: box}]
    """)
    world.track(ANA, "order", START + 10 * MINUTE)
    world.tick(START + HOUR)
    assert world.balance(ANA, "bonus") == 7
    assert lines(world) == [(10, 10), (60, 5), (60, 2)]


def test_conditions_of_a_phase_are_asked_before_its_first_line(world: World) -> None:
    """Ruling 115: neither of two rules sees what the other gives in the same phase."""
    world.apply("""
    score: a
    rules: [{name: r, points: 10, on: {event: order}, conditions: [{score: {b: {below: 5}}}]}]
    ---
    score: b
    rules: [{name: r, points: 10, on: {event: order}, conditions: [{score: {a: {below: 5}}}]}]
    """)
    world.track(ANA, "order", START)
    world.tick(START)
    assert (world.balance(ANA, "a"), world.balance(ANA, "b")) == (10, 10)


def test_balances_are_whole_sums(world: World) -> None:
    """Ruling 126: a tenth of a point ten times is just 1."""
    world.apply(
        score("points: 0.1, on: {event: order}")
        + "    ---\n    list: one\n    members: [{score: {engagement: {at_least: 1}}}]\n"
    )
    for minute in range(10):
        world.track(ANA, "order", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert (world.rows("SELECT raw FROM balances"), world.members("one")) == ([(10**8,)], [ANA])


def test_a_balance_is_held_against_that_of_the_last_look(world: World) -> None:
    """Ruling 15: up and down again between two looks is no crossing; across ticks it is."""
    world.apply(
        score("points: 10, on: {event: up}}\n      - {name: d, points: -10, on: {event: down}")
        + """
    ---
    list: l
    ---
    scenario: s
    trigger: [{score: {engagement: {reaches: 10}}}, {score: {engagement: {falls_to: 0}}}]
    reenroll: every_time
    actions: [{add_to_list: l}]
    """
    )
    world.track(ANA, "up", START + MINUTE)
    world.track(ANA, "down", START + 2 * MINUTE)
    world.tick(START + HOUR)
    assert world.entered("s") == []
    world.track(ANA, "up", START + 2 * HOUR)
    world.track(ANA, "down", START + 3 * HOUR)
    world.tick(START + 4 * HOUR)
    assert world.entered("s") == [ANA, ANA]
