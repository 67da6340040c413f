"""Rulings 88, 119, 127 and 128: what a recompute judges anew, and what history does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.small import ANA, BEN, lines, score
from engine.world import START
from flowscore.clock import DAY, HOUR

if TYPE_CHECKING:
    from engine.world import World


SCENARIO = """
    ---
    list: l
    ---
    scenario: s
    trigger: {score: {engagement: {reaches: 10}}}
    reenroll: every_time
    actions: [{add_points: {score: engagement, points: 7}}]
"""


TWO = """
    score: engagement
    rules:
      - {{name: order, points: {points}, on: {{event: order}}}}
      - {{name: hot, points: 3, on: {{score: {{engagement: {{reaches: 10}}}}}}}}
      - {{name: pro, points: 1, when: {{attribute: {{plan: pro}}}}}}
"""


def test_a_recompute_keeps_what_is_not_of_the_log(world: World) -> None:
    """Ruling 128: lines from crossings and `when` stay while their rule is unchanged."""
    world.apply(TWO.format(points=10) + SCENARIO)
    world.identify(ANA, START, plan="pro")
    world.track(ANA, "order", START)
    world.tick(START)
    assert world.balance(ANA) == 21
    report = world.apply(TWO.format(points=4) + SCENARIO)
    assert (report.recomputed, world.balance(ANA)) == (["engagement"], 15)
    world.tick(START + 2 * HOUR)
    assert (world.balance(ANA), len(world.entered("s"))) == (15, 1)


def test_the_lines_of_a_changed_rule_vanish_with_it(world: World) -> None:
    """Ruling 128: a crossing's line goes when its rule changes, and is not given anew."""
    world.apply(TWO.format(points=10) + SCENARIO)
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply(TWO.format(points=10).replace("points: 3", "points: 4") + SCENARIO)
    assert world.balance(ANA) == 17


def test_a_recompute_judges_caps_by_own_time(world: World) -> None:
    """Ruling 128: whatever came first, the earlier order gets the points."""
    world.apply(score("points: 10, on: {event: order}"))
    world.track(ANA, "order", START + 2 * HOUR)
    world.track(ANA, "order", START, how=f"late:{5 * HOUR}")
    world.tick(START + 9 * HOUR)
    world.apply(score("points: 10, on: {event: order}, cap: {times: 1}"))
    assert lines(world) == [(0, 10)]


def test_a_recompute_walks_counts_anew(world: World) -> None:
    """Rulings 127 and 128: marks of score rules begin again; the next count goes on from there."""
    rule = "points: {points}, on: {{event: {{name: visit, times: 2}}}}"
    world.apply(score(rule.format(points=10)))
    for hour in range(3):
        world.track(ANA, "visit", START + hour * HOUR)
    world.tick(START + 3 * HOUR)
    world.apply(score(rule.format(points=4)))
    assert lines(world) == [(60, 4)]
    world.track(ANA, "visit", START + 4 * HOUR)
    world.tick(START + 4 * HOUR)
    assert lines(world) == [(60, 4), (240, 4)]


def test_a_recomputed_score_asks_lists_and_rules_that_read_it(world: World) -> None:
    """Rulings 68 and 128: silently, whatever hangs on it."""
    chain = """
    ---
    list: hot
    members: [{score: {engagement: {at_least: 10}}}]
    ---
    score: fit
    rules: [{name: hot, points: 5, when: {in_list: hot}}]
    ---
    list: seen
    ---
    scenario: s
    trigger: [{list_joined: hot}, {score: {fit: {reaches: 5}}}]
    actions: [{add_to_list: seen}]
    """
    world.apply(score("points: 1, on: {event: order}") + chain)
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply(score("points: 10, on: {event: order}") + chain)
    assert (world.members("hot"), world.balance(ANA, "fit")) == ([ANA], 5)
    world.tick(START + 5 * HOUR)
    assert world.members("seen") == []


def test_deadlines_of_history_only_score(world: World) -> None:
    """Ruling 88: past when its anchor was first known, it scores and enrolls nobody."""
    world.apply(
        score("points: -5, on: {no_event: {name: order, after: {event: cart}, within: 2 hours}}")
        + """
    ---
    list: l
    ---
    scenario: s
    trigger: {no_event: {name: order, after: {event: cart}, within: 2 hours}}
    reenroll: every_time
    actions: [{add_to_list: l}]
    """
    )
    world.track(ANA, "cart", START - 5 * HOUR, how="historical")
    world.track(ANA, "cart", START - HOUR, how="historical")
    world.track(BEN, "cart", START - 5 * HOUR)
    world.tick(START + 3 * HOUR)
    assert (world.balance(ANA), world.balance(BEN)) == (-10, -5)
    assert world.entered("s") == [BEN, ANA]


def test_history_and_live_events_of_one_tick(world: World) -> None:
    """Ruling 88: history raises the balance in silence, the live order crosses from there."""
    world.apply(
        score("points: 10, on: {event: order}")
        + """
    ---
    list: l
    ---
    scenario: ten
    trigger: {score: {engagement: {reaches: 10}}}
    actions: [{add_to_list: l}]
    ---
    scenario: twenty
    trigger: {score: {engagement: {reaches: 20}}}
    actions: [{add_to_list: l}]
    """
    )
    world.track(ANA, "order", START, how="historical")
    world.track(ANA, "order", START)
    world.tick(START)
    assert (world.balance(ANA), world.entered("ten"), world.entered("twenty")) == (20, [], [ANA])


def test_history_between_two_ticks_is_silent_too(world: World) -> None:
    """Ruling 88: imported when the grid has long run; what it fills fires nothing later."""
    world.apply(
        score("points: 10, on: {event: order}")
        + """
    ---
    list: hot
    members: [{score: {engagement: {at_least: 10}}}]
    ---
    list: l
    ---
    scenario: s
    trigger: [{list_joined: hot}, {score: {engagement: {reaches: 10}}}, {event: order}]
    actions: [{add_to_list: l}]
    """
    )
    world.track(ANA, "visit", START)
    world.tick(START)
    world.track(ANA, "order", START + HOUR, how="historical")
    world.tick(START + 5 * HOUR)
    assert (world.members("hot"), world.entered("s")) == ([ANA], [])
    world.track(ANA, "order", START + 6 * HOUR)
    world.tick(START + 6 * HOUR)
    assert world.rows("SELECT key FROM enrollments") == [("m3",)]


def test_119_known_people_imported_again_make_no_empty_instant_due(world: World) -> None:
    """A row that makes nobody waits for its receipt; the grid jumps there, not minute by minute."""
    world.apply(score("points: 1, on: {event: seen}"))
    world.people("ana@example.com,2026-01-01T00:00:00Z")
    world.tick(START + HOUR)
    world.people("ana@example.com,2026-01-01T00:00:00Z,Madrid", header="email,created_at,city")
    report = world.tick(START + 300 * DAY)
    assert report.ticks > 7000
    assert report.worked < 5
    assert world.tick(START + 401 * DAY).worked
    assert world.rows("SELECT value FROM attributes WHERE name = 'city'")
