"""Rulings 1 to 12: what a tick knows, and which instants are ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, ORDERED, entries
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World


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
