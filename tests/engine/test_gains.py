"""Rulings 6, 19b, 23, 53, 58, 88 and 128: points won in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, hours, lines
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

HOT = """
    list: hot
    ---
    score: engagement
    {score}
    rules:
      - {{name: small, points: 10, on: {{event: visit}}}}
      - {{name: big, points: 25, on: {{event: demo}}}}
      - {{name: bad, points: -50, on: {{event: complaint}}}}
      - {{name: phone, points: 20, when: {{attribute: {{phone: {{exists: true}}}}}}}}
    ---
    scenario: signal
    trigger: {trigger}
    reenroll: every_time
    actions: [{{add_to_list: hot}}]
"""
THIRTY = "{score: {engagement: {gains: 30, within: 2 hours}}}"


def hot(trigger: str = THIRTY, score: str = "") -> str:
    """The project with this trigger."""
    return HOT.format(trigger=trigger, score=score)


def visits(world: World, *minutes: int, name: str = "visit") -> None:
    """Events of Ana so many minutes after the start."""
    for minute in minutes:
        world.track(ANA, name, START + minute * MINUTE)


def test_the_line_that_reaches_the_gain_is_the_occurrence(world: World) -> None:
    """Rulings 6 and 23: its own time; what is two hours old is out; it arms itself again."""
    world.apply(hot())
    visits(world, 0, 60, 120, 150, 170, 290, 291, 292)
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2.5, 3), (292 / 60, 5)]


def test_a_line_counts_what_came_before_it_alone(world: World) -> None:
    """Ruling 23: more lines while the sum stands at 30 or more fire nothing."""
    world.apply(hot())
    visits(world, 10, 20, 30, 40, 50)
    world.tick(START + 2 * HOUR)
    assert hours(world) == [(0.5, 1)]


def test_one_line_can_be_enough(world: World) -> None:
    world.apply(hot("{score: {engagement: {gains: 25, within: 1 hours}}}"))
    visits(world, 10, 100, name="demo")
    visits(world, 101)
    world.tick(START + 3 * HOUR)
    assert hours(world) == [(10 / 60, 1), (100 / 60, 2)]


def test_neither_losses_nor_the_range_nor_take_backs_count(world: World) -> None:
    """Rulings 23 and 53: face values of positive lines."""
    world.apply(hot(score="range: {min: -100, max: 15}"))
    visits(world, 10)
    visits(world, 20, name="complaint")
    world.identify(ANA, START + 30 * MINUTE, phone="1")
    world.identify(ANA, START + 70 * MINUTE, phone="")
    world.tick(START + 3 * HOUR)
    assert hours(world) == [(1, 1)]  # 10 and the 20 that stood from the tick at 01:00


def test_points_of_steps_count_too(world: World) -> None:
    """Ruling 23: rules, `when` and scenarios."""
    world.apply(
        hot()
        + """
    ---
    scenario: gift
    trigger: {event: present}
    actions: [{add_points: {score: engagement, points: 20}}]
    """
    )
    visits(world, 30)
    visits(world, 40, name="present")
    world.tick(START + 3 * HOUR)
    assert hours(world)[-1] == (1, 1)
    assert world.entered("signal") == [ANA]


def test_a_late_line_is_judged_at_its_own_time(world: World) -> None:
    """Only new lines fire: the late one does, if the window up to it is enough."""
    world.apply(hot())
    visits(world, 0, 10, 130)
    world.track(ANA, "visit", START + 15 * MINUTE, how=f"late:{5 * HOUR}")
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(0.25, 6)]


def test_two_gains_of_one_scenario_are_two_signals(world: World) -> None:
    """Ruling 19b: another threshold is another occurrence, though one line reaches both."""
    both = "[{score: {engagement: {gains: 20, within: 1 hours}}}, " + THIRTY + "]"
    world.apply(hot(both))
    visits(world, 10)
    visits(world, 20, name="demo")
    world.tick(START + HOUR)
    assert hours(world) == [(20 / 60, 1), (20 / 60, 1)]


def test_history_gains_nothing_but_counts(world: World) -> None:
    """Ruling 88: historical lines fire nothing; a live one finds them in its window."""
    world.apply(hot())
    for minute in (1, 2, 3, 4):
        world.track(ANA, "visit", START - 3 * DAY + minute * MINUTE, how="historical")
    world.track(ANA, "visit", START - 90 * MINUTE, how="historical")
    world.track(ANA, "visit", START - 80 * MINUTE, how="historical")
    world.tick(START)
    assert hours(world) == []
    visits(world, 20)
    world.tick(START + HOUR)
    assert hours(world) == [(20 / 60, 1)]


def test_recomputed_lines_fire_nothing(world: World) -> None:
    """Ruling 128: a recompute is silent."""
    world.apply(hot("{score: {engagement: {gains: 35, within: 2 hours}}}"))
    visits(world, 10, 20, 30)
    world.tick(START + HOUR)
    world.apply(hot("{score: {engagement: {gains: 35, within: 2 hours}}}").replace("10,", "15,"))
    world.tick(START + 2 * HOUR)
    assert world.balance(ANA) == 45
    assert hours(world) == []


def test_a_rule_on_gains_is_awarded_in_the_next_round(world: World) -> None:
    """Ruling 58: in the same tick, dated as the line, and its own line counts for others."""
    world.apply("""
    score: engagement
    rules:
      - {name: visit, points: 10, on: {event: visit}}
      - {name: burst, points: 100, on: {score: {engagement: {gains: 30, within: 2 hours}}}}
    """)
    visits(world, 10, 20, 30, 40)
    world.tick(START + HOUR)
    assert lines(world) == [(10, 10), (20, 10), (30, 10), (30, 100), (40, 10)]
    key = world.rows("SELECT key FROM ledger WHERE rule = 'burst'")
    assert key == [("gains:engagement:30:visit:m3",)]


@pytest.mark.parametrize("change", ["points: 100, ", "points: 50, "])
def test_its_lines_stay_while_the_rule_is_unchanged(world: World, change: str) -> None:
    """Ruling 128: recomputing keeps them; they vanish with a change of their own rule."""
    yaml = """
    score: engagement
    rules:
      - {name: visit, points: %d, on: {event: visit}}
      - {name: burst, %s on: {score: {engagement: {gains: 30, within: 2 hours}}}}
    """
    world.apply(yaml % (10, "points: 100, "))
    visits(world, 10, 20, 30)
    world.tick(START + HOUR)
    world.apply(yaml % (11, change))
    assert world.balance(ANA) == (133 if "100" in change else 33)


def test_each_contact_gains_alone(world: World) -> None:
    world.apply(hot())
    for minute, who in ((1, ANA), (2, BEN), (3, ANA), (4, BEN), (5, ANA)):
        world.track(who, "visit", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.entered("signal") == [ANA]
