"""Rulings 37 to 43 and 90: goals, exits, the holdout; asked at once, whatever people wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.small import ANA, BEN, EVA
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

AIMED = """
    list: l
    ---
    scenario: s
    trigger: {{event: order}}
    {more}
    actions:
      - wait: {wait}
      - add_to_list: l
"""


def ends(world: World) -> list[tuple[int | None, str | None, int | None]]:
    """Of each enrollment the hour it ended, its outcome, the hour it converted."""
    rows = world.rows("SELECT ended_at, outcome, converted_at FROM enrollments ORDER BY id")
    return [(hour(ended), outcome, hour(converted)) for ended, outcome, converted in rows]


def hour(at: int | None) -> int | None:
    return None if at is None else (at - START) // HOUR


def test_t06_goal_does_not_wait_for_the_end_of_a_delay(world: World) -> None:
    world.apply(AIMED.format(more="goal: {event: paid}", wait="30 days"))
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 3 * HOUR)
    world.tick(START + 5 * HOUR)
    assert ends(world) == [(3, "converted", 3)]


def test_t06_exit_does_not_wait_for_the_end_of_a_delay(world: World) -> None:
    exits = "exit_when: {event: {name: paid, since: entered}}"
    world.apply(AIMED.format(more=exits, wait="30 days"))
    world.track(ANA, "paid", START)
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 3 * HOUR)
    world.tick(START + 5 * HOUR)
    assert ends(world) == [(3, "exited", None)]


def test_a_goal_wins_over_an_exit_of_the_same_round(world: World) -> None:
    """Ruling 13."""
    more = "goal: {event: paid}\n    exit_when: {event: {name: paid, since: entered}}"
    world.apply(AIMED.format(more=more, wait="30 days"))
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 3 * HOUR)
    world.tick(START + 5 * HOUR)
    assert ends(world) == [(3, "converted", 3)]


def test_what_enrolled_is_no_goal(world: World) -> None:
    """Ruling 37: noticed in the round of entry, it does not count; the next one does."""
    world.apply(AIMED.format(more="goal: {event: order, up_to: 5 hours}", wait="30 days"))
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 4 * HOUR)
    assert ends(world) == [(None, None, None)]
    world.track(ANA, "order", START + 6 * HOUR)
    world.tick(START + 7 * HOUR)
    assert ends(world) == [(6, "converted", 6)]


def test_a_goal_is_measured_after_the_last_step(world: World) -> None:
    """Rulings 41 and 90: up to its end, which counts as in time, and not behind it."""
    world.apply(AIMED.format(more="goal: {event: paid, up_to: 10 hours}", wait="1 hours"))
    for who, late in ((ANA, 0), (BEN, 1), (EVA, 0)):
        world.track(who, "order", START + HOUR)
        if who != EVA:
            world.track(who, "paid", START + 11 * HOUR + late)
    world.tick(START + 15 * HOUR)
    assert ends(world) == [(2, "converted", 11), (2, "finished", None), (2, "finished", None)]


def test_a_goal_known_too_late_does_not_count(world: World) -> None:
    """Ruling 90: noticed at or before the first tick at the end of the span."""
    world.apply(AIMED.format(more="goal: {event: paid, up_to: 90 minutes}", wait="1 hours"))
    world.track(ANA, "order", START + HOUR)
    world.track(BEN, "order", START + HOUR)
    world.track(ANA, "paid", START + 2 * HOUR, how=f"late:{HOUR}")
    world.track(BEN, "paid", START + 2 * HOUR, how=f"late:{HOUR + 1}")
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(2, "converted", 3), (2, "finished", None)]


def test_without_a_span_a_goal_counts_only_inside(world: World) -> None:
    world.apply(AIMED.format(more="goal: {event: paid}", wait="1 hours"))
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 4 * HOUR)
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(2, "finished", None)]


def test_times_of_a_goal_count_from_entry(world: World) -> None:
    """Ruling 37."""
    goal = "goal: {event: {name: visit, times: 2, within: 5 hours}, up_to: 20 hours}"
    world.apply(AIMED.format(more=goal, wait="30 days"))
    for at in (0, 3, 9, 12):
        world.track(ANA, "visit", START + at * HOUR)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 20 * HOUR)
    assert ends(world) == [(12, "converted", 12)]


def test_the_sum_of_a_goal_counts_from_entry(world: World) -> None:
    goal = "goal: {event: {name: paid, sum: {total: {at_least: 50}}}}"
    world.apply(AIMED.format(more=goal, wait="30 days"))
    world.track(ANA, "paid", START, total=49)
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 3 * HOUR, total="20.5")
    world.track(ANA, "paid", START + 4 * HOUR, total=29.5)
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(4, "converted", 4)]


def test_same_in_a_goal_is_the_enrolling_event(world: World) -> None:
    """Ruling 85."""
    goal = "goal: {event: {name: paid, same: [cart]}}"
    world.apply(AIMED.format(more=goal, wait="30 days"))
    world.track(ANA, "order", START + HOUR, cart="a")
    world.track(ANA, "paid", START + 2 * HOUR, cart="b")
    world.track(ANA, "paid", START + 3 * HOUR)
    world.track(ANA, "paid", START + 4 * HOUR, cart="A")
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(4, "converted", 4)]


def test_a_goal_may_be_silence(world: World) -> None:
    """Ruling 37: the anchor of `no_event` may be older than the entry."""
    goal = "goal: {no_event: {name: paid, after: {event: bill}, within: 6 hours}}"
    world.apply(AIMED.format(more=goal, wait="30 days"))
    world.track(ANA, "bill", START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(6, "converted", 6)]


def test_a_goal_may_be_points_that_the_scenario_gives(world: World) -> None:
    world.apply("""
    score: engagement
    rules: [{name: r, points: 1, on: {event: visit}}]
    ---
    scenario: s
    trigger: {event: order}
    goal: {score: {reaches: 5}}
    actions: [{add_points: 5}, {wait: 3 days}]
    """)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert ends(world) == [(1, "converted", 1)]


def test_exit_is_asked_before_the_first_step(world: World) -> None:
    """Ruling 40: entered and exited at T, with no step."""
    world.apply(AIMED.format(more="exit_when: {attribute: {plan: pro}}", wait="1 hours"))
    world.identify(ANA, START, plan="pro")
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert ends(world) == [(1, "exited", None)]
    assert world.rows("SELECT * FROM steps") == []


def test_exit_is_asked_between_the_steps_of_one_walk(world: World) -> None:
    world.apply("""
    list: l
    ---
    list: m
    ---
    scenario: s
    trigger: {event: order}
    exit_when: {in_list: l}
    actions: [{add_to_list: l}, {add_to_list: m}]
    """)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert (world.members("l"), world.members("m")) == ([ANA], [])


def test_exit_by_the_clock(world: World) -> None:
    """A window that the clock leaves lets people out, without any event."""
    exits = "exit_when: {event: {name: visit, times: {at_most: 0}, within: 5 hours}}"
    world.apply(AIMED.format(more=exits, wait="30 days"))
    world.track(ANA, "visit", START + HOUR)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(6, "exited", None)]


def test_exit_after_an_apply_that_was_silent(world: World) -> None:
    """A recompute fires nothing, but who is inside is asked in every round (40, 128)."""
    scored = """
    score: engagement
    rules: [{{name: r, points: {points}, on: {{event: order}}}}]
    ---
    scenario: s
    trigger: {{event: order}}
    exit_when: {{score: {{at_least: 10}}}}
    actions: [{{wait: 30 days}}]
    """
    world.apply(scored.format(points=1))
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(scored.format(points=10))
    world.track(BEN, "visit", START + 3 * HOUR)
    world.tick(START + 4 * HOUR)
    assert ends(world) == [(3, "exited", None)]


def test_disabled_people_still_convert_and_exit(world: World) -> None:
    """Ruling 42."""
    aims = "goal: {event: paid}\n    exit_when: {event: {name: gone, since: entered}}"
    world.apply(AIMED.format(more=aims, wait="30 days"))
    for who in (ANA, BEN, EVA):
        world.track(who, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(AIMED.format(more=aims + "\n    enabled: false", wait="2 days"))
    world.track(ANA, "paid", START + 3 * HOUR)
    world.track(BEN, "gone", START + 4 * HOUR)
    world.tick(START + 40 * DAY, step=HOUR)
    assert ends(world) == [(3, "converted", 3), (4, "exited", None), (None, None, None)]


def test_people_inside_keep_their_goal(world: World) -> None:
    """Ruling 129: also those who have finished and are still measured."""
    world.apply(AIMED.format(more="goal: {event: paid, up_to: 20 hours}", wait="1 hours"))
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 3 * HOUR)
    world.apply(AIMED.format(more="goal: {event: signed, up_to: 20 hours}", wait="1 hours"))
    world.track(BEN, "order", START + 4 * HOUR)
    world.tick(START + 6 * HOUR)
    for who in (ANA, BEN):
        world.track(who, "paid", START + 7 * HOUR)
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(2, "converted", 7), (5, "finished", None)]


def test_the_holdout_walks_and_nothing_is_done_to_it(world: World) -> None:
    """Ruling 43: it is measured, and drawn once for a contact and a scenario."""
    world.apply("""
    score: engagement
    rules: [{name: r, points: 1, on: {event: visit}}]
    ---
    list: l
    ---
    scenario: s
    trigger: {event: order}
    holdout: 50%
    goal: {event: paid, up_to: 9 hours}
    actions:
      - add_points: 5
      - add_to_list: l
      - set_attribute: {plan: pro}
      - send_email: hello
      - wait: 2 hours
      - subtract_points: 1
    """, hello="news")  # fmt: skip
    people = [f"p{n:02}@x.example" for n in range(40)]
    for who in people:
        world.track(who, "order", START + HOUR)
        world.track(who, "paid", START + 4 * HOUR)
    world.tick(START + 5 * HOUR)
    held = {
        who
        for who, is_held in world.rows(
            "SELECT email, held FROM enrollments e JOIN contacts c ON c.id = contact_id"
        )
        if is_held
    }
    assert 10 < len(held) < 30
    assert set(world.members("l")) == set(people) - held
    assert {who for who in people if world.balance(who)} == set(people) - held
    assert len(world.rows("SELECT * FROM messages")) == 40 - len(held)
    assert len(world.rows("SELECT * FROM attributes WHERE name = 'plan'")) == 40 - len(held)
    assert ends(world) == [(3, "converted", 4)] * 40
    steps = "SELECT enrollment_id, count(*) FROM steps GROUP BY 1"
    assert {count for _, count in world.rows(steps)} == {6}


def test_a_window_of_minutes_on_a_grid_of_hours(world: World) -> None:
    """The goal's end lies between two ticks: the second still notices what came in time."""
    world.apply(AIMED.format(more="goal: {event: paid, up_to: 30 minutes}", wait="30 days"))
    world.track(ANA, "order", START + HOUR)
    world.track(BEN, "order", START + HOUR)
    world.track(ANA, "paid", START + HOUR + 30 * MINUTE)
    world.track(BEN, "paid", START + HOUR + 31 * MINUTE)
    world.tick(START + 4 * HOUR)
    assert ends(world) == [(2, "converted", 2), (None, None, None)]
