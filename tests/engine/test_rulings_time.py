"""Rulings 1 to 21: what a tick knows, which instants are ticks, and the order inside a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

ANA, BEN, EVA = "ana@x.example", "ben@x.example", "eva@x.example"
ORDERED = """
    list: buyers
    ---
    scenario: bought
    trigger: {event: order}
    reenroll: every_time
    actions: [{add_to_list: buyers}]
"""


def entries(world: World) -> list[tuple[int, int]]:
    """Hours after the start at which each enrollment occurred and began, in order."""
    rows = world.rows("SELECT own_at, entered_at FROM enrollments ORDER BY id")
    return [((own - START) // HOUR, (entered - START) // HOUR) for own, entered in rows]


def test_a_window_leaves_out_what_is_just_so_old(world: World) -> None:
    """Ruling 1: looking back 2 hours from T is (T - 2 h, T]."""
    world.apply("""
    list: fresh
    members: [{event: {name: order, within: 2 hours}}]
    """)
    world.track(ANA, "order", START)
    world.tick(START + HOUR)
    assert world.members("fresh") == [ANA]
    world.tick(START + 2 * HOUR)
    assert world.members("fresh") == []


@pytest.mark.parametrize(
    "calls",
    [
        [(START, 6, HOUR)],
        [(START, 2, HOUR), (START, 6, HOUR)],
        [(START, 1, HOUR), (START + 2 * HOUR, 4, 2 * HOUR), (START, 6, HOUR)],
    ],
)
def test_several_calls_run_the_instants_of_one(
    world: World, calls: list[tuple[int, int, int]]
) -> None:
    """Ruling 2: instants asked for twice run once; a coarser step only skips instants."""
    world.apply(ORDERED)
    world.track(ANA, "order", START + HOUR)
    world.track(BEN, "order", START + 6 * HOUR)
    for first, until, step in calls:
        world.tick(START + until * HOUR, first=first, step=step)
    assert entries(world) == [(1, 1), (6, 6)]
    assert world.tick(START + 6 * HOUR).ticks == 0


def test_a_grid_stands_on_whole_multiples_of_its_step(world: World) -> None:
    """Ruling 2: --from half past one with an hourly step begins at two."""
    world.apply(ORDERED)
    world.track(ANA, "order", START)
    world.tick(START + 4 * HOUR, first=START + 90 * MINUTE)
    assert entries(world) == [(0, 2)]


def test_what_commits_late_is_seen_by_the_next_tick(world: World) -> None:
    """Rulings 3 and 123: received before the watermark, committed after it: taken next."""
    world.apply(ORDERED)
    world.tick(START + 3 * HOUR)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 5 * HOUR)
    assert entries(world) == [(1, 4)]


def test_an_import_between_two_ticks_is_seen_once(world: World) -> None:
    """Rulings 3 and 9: a messageId that a tick has taken adds nothing, whatever it says."""
    world.apply(ORDERED)
    world.tick(START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + HOUR)
    world.numbers = iter([1])  # the same messageId again
    world.track(ANA, "order", START + 2 * HOUR, other="content")
    world.tick(START + 3 * HOUR)
    assert entries(world) == [(1, 1)]
    assert len(world.rows("SELECT id FROM events WHERE name = 'order'")) == 1


def test_a_contact_of_the_future_does_not_exist_yet(world: World) -> None:
    """Ruling 3: no list, no schedule, before `created_at`."""
    world.apply("""
    list: everybody
    members: [{attribute: {plan: pro}}]
    ---
    list: greeted
    ---
    scenario: morning
    trigger: {schedule: {cron: "0 * * * *"}}
    reenroll: every_time
    actions: [{add_to_list: greeted}]
    """)
    world.people(f"{ANA},2026-03-02T03:00:00Z,pro", header="email,created_at,plan")
    world.tick(START + 2 * HOUR)
    assert (world.members("everybody"), world.entered("morning")) == ([], [])
    world.tick(START + 4 * HOUR)
    assert world.members("everybody") == [ANA]
    assert entries(world) == [(3, 3), (4, 4)]


def test_conditions_are_asked_as_of_the_tick(world: World) -> None:
    """Ruling 5: a late event is judged by what is known at T."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: {event: order}
    conditions: [{attribute: {plan: pro}}]
    actions: [{add_to_list: l}]
    """)
    world.track(ANA, "order", START, how=f"late:{3 * HOUR}")
    world.identify(ANA, START + HOUR, plan="free")
    world.identify(ANA, START + 2 * HOUR, plan="pro")
    world.tick(START + 3 * HOUR)
    assert entries(world) == [(0, 3)]


def test_what_begins_and_ends_does_so_at_the_tick(world: World) -> None:
    """Ruling 7: entered, joined and ended at T, whatever the own time."""
    world.apply(ORDERED)
    world.track(ANA, "order", START + 10 * MINUTE)
    world.tick(START + HOUR)
    assert world.rows("SELECT own_at, entered_at, ended_at FROM enrollments") == [
        (START + 10 * MINUTE, START + HOUR, START + HOUR)
    ]
    assert world.rows("SELECT joined_at FROM members") == [(START + HOUR,)]


def test_an_occurrence_is_a_fact(world: World) -> None:
    """Ruling 8: a late order does not undo the deadline that was noticed; a recompute does."""
    rules = """
    score: engagement
    rules:
      - {{name: left, points: {points}, on: {{no_event: {{name: order, after: {{event: cart}},
         within: 2 hours}}}}}}
    """
    world.apply(rules.format(points=-5))
    world.track(ANA, "cart", START)
    world.tick(START + 2 * HOUR)
    world.track(ANA, "order", START + HOUR, how=f"late:{3 * HOUR}")
    world.tick(START + 4 * HOUR)
    assert world.balance(ANA) == -5
    world.apply(rules.format(points=-7))
    assert world.balance(ANA) == 0


def test_a_new_definition_finds_history(world: World) -> None:
    """Ruling 11: what was received up to the watermark counts in conditions and fires nothing."""
    world.apply("list: l")
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: {event: order}
    conditions: [{event: {name: order, times: 2}}]
    actions: [{add_to_list: l}]
    """)
    world.tick(START + HOUR)
    assert world.rows("SELECT reason FROM decisions") == []
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert entries(world) == [(2, 2)]


def test_nothing_is_history_on_the_first_tick_ever(world: World) -> None:
    """Ruling 11: months of events imported as live all fire at the first tick."""
    world.apply(ORDERED)
    world.track(ANA, "order", START - 60 * DAY)
    world.tick(START)
    assert entries(world) == [(-60 * 24, 0)]


def test_a_schedule_has_no_backlog(world: World) -> None:
    """Ruling 12: on the first tick ever only instants in (T - step, T]."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: {schedule: {cron: "*/20 * * * *"}}
    reenroll: every_time
    actions: [{add_to_list: l}]
    """)
    world.people(f"{ANA},2026-01-01T00:00:00Z")
    world.tick(START)
    assert [own for (own,) in world.rows("SELECT own_at FROM enrollments ORDER BY own_at")] == [
        START - 40 * MINUTE,
        START - 20 * MINUTE,
        START,
    ]


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
