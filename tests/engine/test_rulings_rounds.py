"""Rulings 15 to 21 and 91: the order inside a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.small import ANA, ORDERED, entries
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World


LADDER = """
    score: engagement
    rules: [{name: order, points: 60, on: {event: order}}]
    ---
    list: new
    ---
    list: interested
    ---
    scenario: z-new
    trigger: {score: {engagement: {reaches: 20}}}
    actions: [{add_to_list: new}]
    ---
    scenario: a-interested
    trigger: {score: {engagement: {reaches: 50}}}
    actions: [{move_to_list: {from: new, to: interested}}]
"""


def test_one_tick_crosses_both_lines_and_the_lower_acts_first(world: World) -> None:
    """Rulings 15 and 16: whatever the names, «new» comes before «interested»."""
    world.apply(LADDER)
    world.track(ANA, "order", START)
    world.tick(START)
    assert (world.members("new"), world.members("interested")) == ([], [ANA])


def test_scenarios_go_by_priority_class_number_and_name(world: World) -> None:
    """Ruling 91: (-priority, class, number, name); falling lines last, the higher first."""
    names = ["z-first", "event", "gain-10", "gain-20", "fall-5", "fall-0"]
    world.apply(
        """
    score: s
    rules:
      - {name: up, points: 30, on: {event: up}}
    ---
    score: d
    rules:
      - {name: up, points: 30, on: {event: up}}
    ---
    list: l
    ---
    scenario: fall-0
    trigger: [{score: {d: {falls_to: 0}}}, {event: go}]
    actions: [{set_attribute: {order: "{{ contact.order | default('') }} fall-0"}}]
    ---
    scenario: fall-5
    trigger: [{score: {d: {falls_to: 5}}}, {event: go}]
    actions: [{set_attribute: {order: "{{ contact.order | default('') }} fall-5"}}]
    ---
    scenario: gain-20
    trigger: [{score: {s: {reaches: 20}}}, {score: {d: {falls_to: 9}}}, {event: go}]
    actions: [{set_attribute: {order: "{{ contact.order | default('') }} gain-20"}}]
    ---
    scenario: gain-10
    trigger: [{score: {s: {reaches: 99}}}, {score: {s: {reaches: 10}}}, {event: go}]
    actions: [{set_attribute: {order: "{{ contact.order | default('') }} gain-10"}}]
    ---
    scenario: event
    trigger: {event: go}
    actions: [{set_attribute: {order: "{{ contact.order | default('') }} event"}}]
    ---
    scenario: z-first
    priority: 1
    trigger: {event: go}
    actions: [{set_attribute: {order: "{{ contact.order | default('') }} z-first"}}]
    """
    )
    world.track(ANA, "go", START)
    world.tick(START)
    (said,) = world.rows("SELECT text FROM attributes WHERE name = 'order'")[0]
    assert said.split() == names


def test_a_step_sees_lists_of_static_kind_at_once_and_dynamic_ones_of_phase_2(
    world: World,
) -> None:
    """Ruling 17: the next step sees points and static lists written before it."""
    world.apply("""
    score: engagement
    rules: [{name: order, points: 1, on: {event: order}}]
    ---
    list: hot
    members: [{score: {engagement: {at_least: 10}}}]
    ---
    list: static
    ---
    scenario: s
    trigger: {event: order}
    actions:
      - add_points: {score: engagement, points: 20}
      - add_to_list: static
      - if: {all: [{score: {engagement: {at_least: 21}}}, {in_list: static}]}
        then: [{set_attribute: {saw: points}}]
      - if: {in_list: hot}
        then: [{set_attribute: {saw: dynamic}}]
    """)
    world.track(ANA, "order", START)
    world.tick(START)
    assert world.rows("SELECT text FROM attributes WHERE name = 'saw'") == [("points",)]
    assert world.members("hot") == [ANA]


def test_each_occurrence_is_judged_after_the_one_before_has_entered(world: World) -> None:
    """Ruling 19: of two orders in one round the earlier enters, the later is refused."""
    world.apply(ORDERED.replace("every_time", "when_finished"))
    world.track(ANA, "order", START + 20 * MINUTE)
    world.track(ANA, "order", START + 10 * MINUTE)
    world.tick(START + HOUR)
    assert world.rows("SELECT own_at FROM enrollments") == [(START + 10 * MINUTE,)]
    assert world.rows("SELECT own_at, reason FROM decisions") == [(START + 20 * MINUTE, "reenroll")]


def test_an_event_enters_a_scenario_once_by_itself(world: World) -> None:
    """Ruling 19b: two triggers that it matches are one occurrence, in scenarios and rules."""
    world.apply("""
    score: engagement
    rules:
      - {name: r, points: 10, on: [{event: order}, {event: {name: order, where: {total: 5}}}]}
    ---
    list: l
    ---
    scenario: s
    trigger: [{event: order}, {event: {name: [order, cart]}}]
    reenroll: every_time
    actions: [{add_to_list: l}]
    """)
    world.track(ANA, "order", START, total=5)
    world.tick(START)
    assert (world.balance(ANA), world.entered("s")) == (10, [ANA])
    assert world.rows("SELECT reason FROM decisions") == []


def test_an_event_counts_once_for_a_rule_and_its_cap(world: World) -> None:
    """Rulings 19b and 55: what completes a count and matches alone takes from the cap once."""
    world.apply("""
    score: engagement
    rules:
      - {name: r, points: 10, cap: {points: 30},
         on: [{event: order}, {event: {name: order, times: 2}}]}
    """)
    for minute in range(4):
        world.track(ANA, "order", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.balance(ANA) == 30


def test_two_schedules_that_meet_are_one_instant(world: World) -> None:
    """Ruling 19b: another instant is another occurrence; the same one is the same."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger:
      - schedule: {cron: "0 9 * * *"}
      - schedule: {cron: "0 9 * * MON"}
    reenroll: every_time
    actions: [{add_to_list: l}]
    """)
    world.people(f"{ANA},2026-01-01T00:00:00Z")
    world.tick(START + 2 * DAY)
    assert entries(world) == [(9, 9), (33, 33)]


def test_static_changes_all_fire_and_dynamic_ones_only_their_difference(world: World) -> None:
    """Ruling 21: joined and left in one walk is two events; a dynamic list shows the rest."""
    world.apply("""
    list: box
    ---
    list: pros
    members: [{attribute: {plan: pro}}]
    ---
    list: seen
    ---
    scenario: s
    trigger: {event: order}
    actions:
      - add_to_list: box
      - remove_from_list: box
      - set_attribute: {plan: pro}
      - set_attribute: {plan: free}
    ---
    scenario: joined
    trigger: [{list_joined: box}, {list_left: box}, {list_joined: pros},
              {attribute: {plan: {}}}]
    reenroll: every_time
    actions: [{add_to_list: seen}]
    """)
    world.identify(ANA, START, plan="none")
    world.track(ANA, "order", START + MINUTE)
    world.tick(START + HOUR)
    said = world.rows("""
        SELECT e.name, e.subject FROM enrollments n JOIN events e ON e.id = n.event_id
        WHERE n.scenario = 'joined' ORDER BY e.id
    """)
    assert said == [
        ("list_joined", "box"),
        ("list_left", "box"),
        ("attribute_changed", "plan"),
        ("attribute_changed", "plan"),
    ]
