"""Rulings 2, 12, 32, 33 and 100: instants of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.small import ANA, BEN, EVA, flow, hours
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE, instant_of

if TYPE_CHECKING:
    from engine.world import World


ZONES = "{schedule: {cron: '30 2 * * *', timezone: contact}}"


def test_a_coarse_grid_catches_every_instant_of_every_zone(world: World) -> None:
    """Rulings 32, 33 and 100: a day's grid over the night in which Madrid has no 02:30."""
    world.apply(flow(ZONES))
    night = instant_of(datetime(2026, 3, 28, tzinfo=UTC))
    header = "email,created_at,timezone"
    world.people(
        f"{ANA},2026-03-01T00:00:00Z,Europe/Madrid",
        f"{BEN},2026-03-01T00:00:00Z,",
        f"{EVA},2026-03-01T00:00:00Z,europe/madrid",
        header=header,
    )
    world.tick(night + 2 * DAY, first=night, step=2 * DAY)
    rows = world.rows("""
        SELECT email, own_at, entered_at FROM enrollments
        JOIN contacts ON contacts.id = contact_id ORDER BY email, own_at
    """)
    found = [(email, (own - night) / HOUR) for email, own, _ in rows if own > night]
    assert found == [
        (ANA, 1.5),
        (ANA, 25.0),
        (BEN, 2.5),
        (BEN, 26.5),
        (EVA, 2.5),
        (EVA, 26.5),
    ]


def test_a_doubled_time_is_the_first_of_the_two(world: World) -> None:
    """Ruling 32: on 25 October Madrid has 02:30 twice, at 00:30Z and 01:30Z."""
    autumn = instant_of(datetime(2026, 10, 25, tzinfo=UTC))
    world.apply(
        flow(
            "[{schedule: {cron: '30 2 * * *', timezone: Europe/Madrid}}, "
            "{schedule: {at: 2026-10-25 02:45, timezone: Europe/Madrid}}]"
        )
    )
    world.people(f"{ANA},2026-03-01T00:00:00Z")
    world.tick(autumn + 6 * HOUR, first=autumn)
    rows = world.rows("SELECT own_at FROM enrollments ORDER BY own_at")
    assert [(own - autumn) / MINUTE for (own,) in rows] == [30, 45]


def test_a_schedule_meets_those_who_pass_at_the_tick(world: World) -> None:
    """Ruling 33: who fails is not recorded; day of month and weekday given: either."""
    world.apply(
        flow("{schedule: {cron: '0 9 5 * MON'}}").replace(
            "reenroll", "conditions: [{attribute: {plan: pro}}]\n    reenroll"
        )
    )
    world.identify(ANA, START, plan="pro")
    world.identify(BEN, START, plan="free")
    world.tick(START + 7 * DAY + 12 * HOUR)
    assert hours(world) == [(9, 9), (3 * 24 + 9, 3 * 24 + 9), (7 * 24 + 9, 7 * 24 + 9)]
    assert world.rows("SELECT reason FROM decisions") == []


def test_a_moment_past_at_activation_never_comes(world: World) -> None:
    """Ruling 33: `at` before the watermark of the apply."""
    world.apply("list: l")
    world.people(f"{ANA},2026-03-01T00:00:00Z")
    world.tick(START + 12 * HOUR)
    world.apply(flow("{schedule: {at: 2026-03-02 09:00}}"))
    world.tick(START + 2 * DAY)
    assert hours(world) == []


def test_a_schedule_gives_points_to_everybody(world: World) -> None:
    """LANGUAGE 5: `on` takes a trigger; points are dated by its instants."""
    world.apply("""
    score: engagement
    rules:
      - {name: daily, points: 2, on: {schedule: {cron: "0 9 * * *"}},
         conditions: [{attribute: {plan: pro}}]}
    """)
    world.identify(ANA, START, plan="pro")
    world.identify(BEN, START, plan="free")
    world.tick(START + 2 * DAY)
    assert (world.balance(ANA), world.balance(BEN)) == (4, 0)
    assert world.rows("SELECT own_at FROM ledger ORDER BY own_at") == [
        (START + 9 * HOUR,),
        (START + 33 * HOUR,),
    ]


def test_a_zone_told_late_brings_no_instant_of_before(world: World) -> None:
    """Rulings 2 and 33: passing over quiet instants is the same as walking them all."""
    world.apply(flow("{schedule: {cron: '0 9 * * *', timezone: contact}}"))
    world.identify(BEN, START, plan="x")
    world.identify(ANA, START, plan="x")
    world.identify(ANA, START + 8 * HOUR + MINUTE, timezone="Asia/Karachi")
    world.tick(START + 12 * HOUR)
    assert (world.entered("s"), hours(world)) == ([BEN], [(9, 9)])
    world.tick(START + 30 * HOUR)
    assert (world.entered("s"), hours(world)) == ([BEN, ANA], [(9, 9), (28, 28)])
