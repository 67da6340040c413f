"""Rulings 20, 35, 36, 39, 42, 47, 48, 93 and 95: gates, waits, effects of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN
from engine.world import START
from flowscore.clock import DAY, HOUR

if TYPE_CHECKING:
    from engine.world import World


def decisions(world: World) -> list[tuple[int, str]]:
    """Hours after the start and reason of each refusal, in order."""
    rows = world.rows("SELECT at, reason FROM decisions ORDER BY id")
    return [((at - START) // HOUR, reason) for at, reason in rows]


def entered(world: World) -> list[int]:
    """Hours after the start at which each enrollment began, in order."""
    rows = world.rows("SELECT entered_at FROM enrollments ORDER BY id")
    return [(at - START) // HOUR for (at,) in rows]


GATED = """
    list: l
    ---
    scenario: s
    {more}
    trigger: {{event: order}}
    conditions: [{{attribute: {{plan: pro}}}}, {{event: {{name: order, times: {{at_most: 2}}}}}}]
    actions: [{{add_to_list: l}}]
"""


def test_a_refused_occurrence_is_used_up_and_does_not_count(world: World) -> None:
    """Ruling 35: refused by conditions, it is not asked again; `never` still lets the next in."""
    world.apply(GATED.format(more=""))
    world.identify(ANA, START, plan="free")
    world.track(ANA, "order", START + HOUR)
    world.identify(ANA, START + 2 * HOUR, plan="pro")
    world.tick(START + 4 * HOUR)
    assert (entered(world), decisions(world)) == ([], [(1, "conditions")])
    world.track(ANA, "order", START + 5 * HOUR)
    world.track(ANA, "order", START + 6 * HOUR)
    world.tick(START + 9 * HOUR)
    assert (entered(world), decisions(world)) == ([5], [(1, "conditions"), (6, "reenroll")])


def test_the_triggering_event_counts_in_conditions(world: World) -> None:
    """Ruling 35: the first order is `times: {at_most: 1}`."""
    world.apply("""
    list: l
    ---
    scenario: first
    trigger: {event: order}
    reenroll: every_time
    conditions: [{event: {name: order, times: {at_most: 1}}}]
    actions: [{add_to_list: l}]
    """)
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert (entered(world), decisions(world)) == ([0], [(1, "conditions")])


@pytest.mark.parametrize(
    ("mode", "hours"),
    [
        ("never", [0]),
        ("when_finished", [0, 3, 6]),
        ("every_time", [0, 1, 2, 3, 4, 5, 6]),
        ("{after: 2 hours}", [0, 3, 6]),
        ("{after: 4 hours}", [0, 4]),
    ],
)
def test_reenroll_says_when_again(world: World, mode: str, hours: list[int]) -> None:
    """Rulings 36 and 47: a walk that ends in this tick's phase 4 is inside in its phase 3."""
    world.apply(f"""
    list: l
    ---
    scenario: s
    trigger: {{event: order}}
    reenroll: {mode}
    actions: [{{wait: 2 hours}}, {{add_to_list: l}}]
    """)
    for hour in range(7):
        world.track(ANA, "order", START + hour * HOUR)
    world.tick(START + 6 * HOUR)
    assert entered(world) == hours


def test_a_wait_counts_from_the_tick_that_did_the_one_before(world: World) -> None:
    """Ruling 39: due at start + d, done at the first tick at or after it."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: {event: order}
    actions: [{wait: 90 minutes}, {wait: 90 minutes}, {add_to_list: l}]
    """)
    world.track(ANA, "order", START)
    world.tick(START + 9 * HOUR)
    assert world.rows("SELECT joined_at FROM members") == [(START + 4 * HOUR,)]


OFF = """
    list: l
    ---
    scenario: s
    enabled: {enabled}
    trigger: [{{event: order}}, {{event: {{name: visit, times: 2}}}},
              {{no_event: {{name: order, after: {{event: cart}}, within: 2 hours}}}}]
    reenroll: every_time
    actions: [{{wait: 2 hours}}, {{set_attribute: {{at: done}}}}]
"""


def test_a_disabled_scenario_uses_up_what_occurs(world: World) -> None:
    """Ruling 42: orders, counts and deadlines of that time enroll nobody later."""
    world.apply(OFF.format(enabled="false"))
    world.track(ANA, "order", START)
    world.track(ANA, "visit", START)
    world.track(ANA, "visit", START + HOUR)
    world.track(ANA, "cart", START)
    world.track(BEN, "cart", START + 3 * HOUR)
    world.tick(START + 3 * HOUR)
    world.apply(OFF.format(enabled="true"))
    world.track(ANA, "visit", START + 4 * HOUR)
    world.tick(START + 9 * HOUR)
    assert (world.entered("s"), entered(world), decisions(world)) == ([BEN], [5], [])


def test_due_steps_run_after_enabling_and_keep_their_times(world: World) -> None:
    """Ruling 42: due at 2, off from 1 to 6: done at 7; the wait behind counts from there."""
    on = OFF.replace("actions: [", "actions: [").replace(
        "{{set_attribute: {{at: done}}}}]",
        "{{set_attribute: {{at: done}}}}, {{wait: 1 hour}}, {{add_to_list: l}}]",
    )
    world.apply(on.format(enabled="true"))
    world.track(ANA, "order", START)
    world.tick(START + HOUR)
    world.apply(on.format(enabled="false"))
    world.tick(START + 6 * HOUR)
    assert world.rows("SELECT name FROM attributes") == []
    world.apply(on.format(enabled="true"))
    world.tick(START + 9 * HOUR)
    assert world.rows("SELECT set_at FROM attributes") == [(START + 7 * HOUR,)]
    assert world.rows("SELECT joined_at FROM members") == [(START + 8 * HOUR,)]
    assert world.rows("SELECT due_at FROM enrollments") == [(START + 8 * HOUR,)]


def test_what_is_so_already_is_no_effect_and_no_event(world: World) -> None:
    """Ruling 48: members join once; who is in none of `from` joins `to` all the same."""
    world.apply("""
    list: a
    ---
    list: b
    ---
    scenario: s
    trigger: {event: order}
    reenroll: every_time
    actions:
      - add_to_list: [a, a]
      - remove_from_list: b
      - move_to_list: {from: [b], to: a}
      - set_attribute: {plan: pro}
      - set_attribute: {plan: PRO}
    ---
    scenario: mover
    trigger: {event: visit}
    actions: [{move_to_list: {from: [a], to: b}}]
    """)
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + HOUR)
    world.track(BEN, "visit", START)
    world.tick(START + 2 * HOUR)
    assert (world.members("a"), world.members("b")) == ([ANA], [BEN])
    told = world.rows("SELECT name, subject FROM events WHERE NOT behaviour ORDER BY name, subject")
    assert [row for row in told if row[0] != "contact_created"] == [
        ("attribute_changed", "plan"),
        ("list_joined", "a"),
        ("list_joined", "b"),
    ]


def test_a_list_of_names_in_an_action_means_all_in_order(world: World) -> None:
    """Ruling 93: any of them in triggers and conditions, all of them in actions."""
    world.apply("""
    list: a
    ---
    list: b
    ---
    list: c
    ---
    list: any-of
    members: [{in_list: [a, c]}, {event: [order, never]}]
    ---
    scenario: s
    trigger: {event: [order, cart]}
    reenroll: every_time
    conditions: [{attribute: {country: [ES, MX]}}]
    actions: [{add_to_list: [a, b]}, {move_to_list: {from: [a, b], to: [b, c]}}]
    """)
    world.identify(ANA, START, country="mx")
    world.identify(BEN, START, country="NO")
    for who in (ANA, BEN):
        world.track(who, "order", START + HOUR)
        world.track(who, "cart", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert [world.members(name) for name in ("a", "b", "c", "any-of")] == [[], [ANA], [ANA], [ANA]]


def test_an_undefined_value_leaves_the_attribute(world: World) -> None:
    """Ruling 95: and the walk goes on; a lone expression keeps its type."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: {event: order}
    actions:
      - set_attribute: {plan: "{{ event.plan }}", seats: "{{ event.seats }}", n: 5}
      - set_attribute: {note: "bought {{ event.seats }}"}
      - add_to_list: l
    """)
    world.identify(ANA, START, plan="free")
    world.track(ANA, "order", START + HOUR, seats=3)
    world.tick(START + HOUR)
    assert world.members("l") == [ANA]
    assert world.rows("SELECT name, text, number FROM attributes ORDER BY name") == [
        ("n", "5", 5),
        ("note", "bought 3", None),
        ("plan", "free", None),
        ("seats", "3", 3),
    ]


def test_branches_and_ends(world: World) -> None:
    """Ruling 37 aside: `if` without `else`, `exit` with its reason, steps that are off."""
    world.apply("""
    list: a
    ---
    list: b
    ---
    scenario: s
    trigger: {event: order}
    actions:
      - if: {attribute: {plan: pro}}
        then:
          - add_to_list: a
          - {enabled: false, exit: never}
      - if: {not: {in_list: a}}
        then: [{exit: not pro}]
      - add_to_list: b
    """)
    world.identify(ANA, START, plan="pro")
    world.identify(BEN, START, plan="free")
    for who in (ANA, BEN):
        world.track(who, "order", START + HOUR)
    world.tick(START + HOUR)
    assert (world.members("a"), world.members("b")) == ([ANA], [ANA])
    assert world.rows("SELECT outcome, reason FROM enrollments ORDER BY outcome") == [
        ("exited", "not pro"),
        ("finished", ""),
    ]


def test_the_bound_leaves_the_rest_to_the_next_tick(world: World) -> None:
    """Ruling 20: others enter in round 21 and walk at the next tick; the loop is not resumed."""
    world.apply("""
    score: engagement
    rules: [{name: spun, points: 1, on: {attribute: {plan: {}}}}]
    ---
    list: l
    ---
    list: late
    ---
    scenario: spin
    trigger: {attribute: {plan: {}}}
    reenroll: every_time
    actions: [{set_attribute: {plan: "{{ contact.plan }}x"}}]
    ---
    scenario: twenty
    trigger: {score: {engagement: {reaches: 21}}}
    actions: [{add_to_list: late}]
    """)
    world.identify(ANA, START, plan="a")
    world.tick(START)
    world.identify(ANA, START + HOUR, plan="b")
    world.tick(START + HOUR)
    assert world.balance(ANA) == 21
    assert world.rows("SELECT entered_at, ended_at FROM enrollments WHERE scenario = 'twenty'") == [
        (START + HOUR, None)
    ]
    world.tick(START + 4 * HOUR)
    assert world.rows("SELECT joined_at FROM members WHERE list = 'late'") == [(START + 2 * HOUR,)]
    assert world.balance(ANA) == 21


def test_manual_occurs_for_nobody_by_itself(world: World) -> None:
    """LANGUAGE 3: only when enrolled by hand."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: manual
    actions: [{add_to_list: l}]
    """)
    world.track(ANA, "order", START)
    world.tick(START + DAY)
    assert world.entered("s") == []
