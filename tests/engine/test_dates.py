"""Rulings 12, 31, 32, 61, 92, 100 and 117: dates of contacts, in their zones, once each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, EVA, flow, hours, lines, score
from engine.world import POLICY, START
from flowscore.clock import DAY, HOUR, MINUTE, instant_of
from flowscore.engine.anniversaries import instant_of_value
from flowscore.language.triggers import DateComes
from flowscore.store.forms import forms_of

if TYPE_CHECKING:
    from engine.world import World

MADRID = "Europe/Madrid"


def at(text: str) -> int:
    """An instant written in UTC."""
    return instant_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


def occurred(world: World) -> list[tuple[str, str]]:
    """Who occurred, and the instant in UTC, in order."""
    rows = world.rows("""
        SELECT email, own_at FROM enrollments
        JOIN contacts ON contacts.id = contact_id ORDER BY own_at, email
    """)
    return [(who, datetime.fromtimestamp(own / 1e6, UTC).strftime("%F %R")) for who, own in rows]


def dated(world: World, trigger: str, *rows: str, header: str = "email,created_at,day") -> None:
    """A scenario on this trigger and contacts with dates, created on 1 January 2020."""
    world.apply(flow(f"{{date: {{{trigger}}}}}"))
    world.people(*rows, header=header)


# ---------------------------------------------------------------- a day


def test_a_day_comes_at_nine_in_the_zone_of_the_policy(world: World) -> None:
    """Rulings 31 and 100: no `at` is 09:00, no zone is the policy's."""
    world.policy = POLICY + f"timezone: {MADRID}\n"
    dated(world, "attribute: day", f"{ANA},2020-01-01,2026-03-03", f"{BEN},2020-01-01,soon")
    world.tick(START + 3 * DAY)
    assert occurred(world) == [(ANA, "2026-03-03 08:00")]
    assert world.rows("SELECT key, event_id FROM enrollments") == [
        (f"date:day:{at('2026-03-03T08:00')}", None)
    ]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-03-06", "2026-03-03 10:30"),
        ("2026-03-06 23:59", "2026-03-03 10:30"),
        ("2026-03-06T22:59:59Z", "2026-03-03 10:30"),
        ("2026-03-06T23:00:00Z", "2026-03-04 10:30"),  # already the 7th in Madrid
        ("2026-03-07T04:00:00+09:00", "2026-03-03 10:30"),
    ],
)
def test_a_day_offset_counts_from_the_calendar_day(world: World, value: str, wanted: str) -> None:
    """Ruling 31: the value's calendar day in the zone, whatever its hour."""
    trigger = f"attribute: day, offset: -3 days, at: '11:30', timezone: {MADRID}"
    dated(world, trigger, f"{ANA},2020-01-01,{value}")
    world.tick(START + 4 * DAY)
    assert occurred(world) == [(ANA, wanted)]


def test_a_day_that_was_told_too_late_does_not_come(world: World) -> None:
    """Ruling 31: only if the value was set before that instant."""
    world.apply(flow("{date: {attribute: day}}"))
    world.identify(ANA, START + 9 * HOUR - 1, day="2026-03-02")
    world.identify(BEN, START + 9 * HOUR, day="2026-03-02")
    world.identify(EVA, START, how=f"late:{10 * HOUR}", day="2026-03-02")
    world.tick(START + 12 * HOUR)
    assert occurred(world) == [(ANA, "2026-03-02 09:00")]


def test_a_value_that_changed_before_its_day_does_not_come(world: World) -> None:
    """By the value as it is known at T."""
    world.apply(flow("{date: {attribute: day}}"))
    world.identify(ANA, START, day="2026-03-03")
    world.identify(ANA, START + DAY, day="2026-03-04")
    world.tick(START + 3 * DAY)
    assert occurred(world) == [(ANA, "2026-03-04 09:00")]


def test_the_first_tick_ever_looks_one_step_back(world: World) -> None:
    """Ruling 12: only instants in (T - step, T]."""
    dated(world, "attribute: day", f"{ANA},2020-01-01,2026-03-02", f"{BEN},2020-01-01,2026-03-01")
    world.tick(START + 9 * HOUR + 59 * MINUTE, first=START + 9 * HOUR)
    assert occurred(world) == [(ANA, "2026-03-02 09:00")]


def test_a_missed_step_is_not_made_up_for(world: World) -> None:
    """Ruling 12: at 10:00 sharp the instant 09:00 is exactly one step old, and out."""
    dated(world, "attribute: day", f"{ANA},2020-01-01,2026-03-02")
    world.tick(START + 10 * HOUR, first=START + 10 * HOUR)
    assert occurred(world) == []


def test_a_coarse_grid_brings_each_day_at_its_own_time(world: World) -> None:
    """Ruling 6: own time is the instant, however late the tick."""
    world.apply(flow("{date: {attribute: sessions}}"))
    days = ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-20"]
    world.identify(ANA, START, sessions=days)
    world.tick(START + 8 * DAY, first=START + DAY, step=4 * DAY)
    assert [day for _, day in occurred(world)] == [
        "2026-03-03 09:00",
        "2026-03-04 09:00",
        "2026-03-05 09:00",
    ]


def test_a_list_of_dates_comes_for_each(world: World) -> None:
    world.apply(flow("{date: {attribute: sessions}}"))
    world.identify(ANA, START, sessions=["2026-03-03", "2026-03-05", "2026-03-03", "then"])
    world.tick(START + 4 * DAY)
    assert [day for _, day in occurred(world)] == ["2026-03-03 09:00", "2026-03-05 09:00"]


def test_creation_counts_as_a_date(world: World) -> None:
    """LANGUAGE 2: `created_at` counts as an attribute."""
    dated(
        world,
        "attribute: created_at, offset: 30 days, at: '08:00'",
        f"{ANA},2026-02-01T20:00:00Z",
        f"{BEN},2026-02-02T20:00:00Z",
        header="email,created_at",
    )
    world.tick(START + 5 * DAY)
    assert occurred(world) == [(ANA, "2026-03-03 08:00"), (BEN, "2026-03-04 08:00")]


# ---------------------------------------------------------------- hours and minutes


def test_hours_count_from_the_value_itself(world: World) -> None:
    """Ruling 31: from the instant; a time without a zone is in the zone; a bare date 00:00."""
    dated(
        world,
        f"attribute: day, offset: -90 minutes, timezone: {MADRID}",
        f"{ANA},2020-01-01,2026-03-03T10:00:00Z",
        f"{BEN},2020-01-01,2026-03-03 10:00",
        f"{EVA},2020-01-01,2026-03-04",
    )
    world.tick(START + 3 * DAY)
    assert occurred(world) == [
        (BEN, "2026-03-03 07:30"),
        (ANA, "2026-03-03 08:30"),
        (EVA, "2026-03-03 21:30"),
    ]


def test_an_instant_at_the_tick_is_in_and_at_the_one_before_is_out(world: World) -> None:
    """Ruling 1: (prev, T]."""
    dated(
        world,
        "attribute: day, offset: 2 hours",
        f"{ANA},2020-01-01,2026-03-02T03:00:00Z",
        f"{BEN},2020-01-01,2026-03-02T03:00:00.000001Z",
    )
    world.tick(START + 8 * HOUR)
    assert hours(world) == [(5, 5), (5 + 1 / 3.6e9, 6)]


# ---------------------------------------------------------------- zones and clocks


ZONES = "email,created_at,timezone,day"


def test_everybody_has_nine_in_their_own_zone(world: World) -> None:
    """Rulings 100 and 117: the contact's own zone, else the policy's, also if no one knows it."""
    world.policy = POLICY + "timezone: Asia/Tokyo\n"
    dated(
        world,
        "attribute: day, timezone: contact",
        f"{ANA},2020-01-01,America/New_York,2026-03-03",
        f"{BEN},2020-01-01,Mars/Olympus,2026-03-03",
        f"{EVA},2020-01-01,,2026-03-03",
        header=ZONES,
    )
    world.tick(START + 3 * DAY)
    assert occurred(world) == [
        (BEN, "2026-03-03 00:00"),
        (EVA, "2026-03-03 00:00"),
        (ANA, "2026-03-03 14:00"),
    ]


@pytest.mark.parametrize(
    ("value", "hour", "wanted"),
    [
        ("2026-03-29", "02:30", "2026-03-29 01:00"),  # skipped: the end of the gap
        ("2026-10-25", "02:30", "2026-10-25 00:30"),  # doubled: the first of the two
        ("2026-10-25", "03:00", "2026-10-25 02:00"),
    ],
)
def test_a_skipped_hour_and_a_doubled_one(world: World, value: str, hour: str, wanted: str) -> None:
    """Ruling 32."""
    trigger = f"attribute: day, at: '{hour}', timezone: {MADRID}"
    dated(world, trigger, f"{ANA},2020-01-01,{value}")
    first = at(value + "T00:00") - DAY
    world.tick(first + 3 * DAY, first=first, step=30 * MINUTE)
    assert occurred(world) == [(ANA, wanted)]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("2026-03-29 02:30", "2026-03-29 02:00"), ("2026-10-25 02:30", "2026-10-25 01:30")],
)
def test_hours_after_a_time_that_clocks_skip_or_double(
    world: World, value: str, wanted: str
) -> None:
    """Ruling 32 in 31: an hour after the first instant that the value can mean."""
    dated(
        world, f"attribute: day, offset: 1 hours, timezone: {MADRID}", f"{ANA},2020-01-01,{value}"
    )
    first = at(value[:10] + "T00:00")
    world.tick(first + DAY, first=first, step=30 * MINUTE)
    assert occurred(world) == [(ANA, wanted)]


# ---------------------------------------------------------------- every year


def test_a_birthday_comes_every_year(world: World) -> None:
    """Ruling 31: 29 February on the 28th, and on its own day in a leap year."""
    dated(
        world,
        "attribute: day, every: year",
        f"{ANA},2020-01-01,1984-02-29",
        f"{BEN},2020-01-01,2001-02-28",
        f"{EVA},2020-01-01,1990-03-01T12:00:00Z",
    )
    for year in (2027, 2028):
        world.tick(at(f"{year}-03-02T00:00"), first=at(f"{year}-02-27T00:00"))
    assert occurred(world) == [
        (ANA, "2027-02-28 09:00"),
        (BEN, "2027-02-28 09:00"),
        (EVA, "2027-03-01 09:00"),
        (BEN, "2028-02-28 09:00"),
        (ANA, "2028-02-29 09:00"),
        (EVA, "2028-03-01 09:00"),
    ]


def test_a_renewal_two_weeks_ahead_over_the_turn_of_the_year(world: World) -> None:
    """The offset counts from this year's day, which may lie in the next; none before the first."""
    dated(
        world,
        "attribute: day, offset: -14 days, every: year",
        f"{ANA},2020-01-01,2024-01-05",
        f"{BEN},2020-01-01,2028-01-05",
    )
    world.tick(at("2026-12-25T00:00"), first=at("2026-12-20T00:00"))
    assert occurred(world) == [(ANA, "2026-12-22 09:00")]


def test_an_hour_before_the_same_time_each_year(world: World) -> None:
    """Ruling 31 with hours and `every`: to the microsecond, and 29 February on the 28th."""
    dated(
        world,
        f"attribute: day, offset: -1 hours, every: year, timezone: {MADRID}",
        f"{ANA},2020-01-01,2020-03-05 18:15",
        f"{BEN},2020-01-01,2020-02-29 00:30",
        f"{EVA},2020-01-01,2021-03-05T17:15:00Z",
    )
    world.tick(at("2026-03-07T00:00"), first=at("2026-02-27T00:00"))
    assert occurred(world) == [
        (BEN, "2026-02-27 22:30"),
        (ANA, "2026-03-05 16:15"),
        (EVA, "2026-03-05 16:15"),
    ]


# ---------------------------------------------------------------- rules, grids, arithmetic


def test_a_rule_gives_its_points_at_the_date(world: World) -> None:
    """Ruling 6: dated that instant."""
    world.apply(score("points: 7, on: {date: {attribute: day, at: '09:20'}}"))
    world.people(f"{ANA},2020-01-01,2026-03-02", header="email,created_at,day")
    world.tick(START + 12 * HOUR)
    assert lines(world) == [(560, 7)]


@pytest.mark.parametrize(
    "trigger",
    [
        "attribute: day, timezone: contact",
        "attribute: day, every: year, timezone: contact",
        "attribute: day, offset: 5 hours",
        "attribute: day, offset: 5 hours, every: year, timezone: contact",
        "attribute: created_at, offset: 4 days",
    ],
)
def test_empty_instants_are_passed_over_and_none_is_missed(world: World, trigger: str) -> None:
    """The horizon names the next date: few ticks work, and the outcome is the whole grid's."""
    dated(
        world,
        trigger,
        f"{ANA},2026-03-01T05:00:00Z,{MADRID},2026-03-05",
        f"{BEN},2026-03-01T05:00:00Z,America/New_York,2026-03-06T13:00:00Z",
        f"{EVA},2026-03-02T05:00:00Z,,2026-03-06 23:00",
        header=ZONES,
    )
    report = world.tick(START + 10 * DAY)
    assert len(occurred(world)) == 3
    assert report.worked < 60 and report.ticks == 241


@pytest.mark.parametrize("offset", ["-999999 days", "999999 weeks", "999999 hours"])
def test_dates_beyond_every_calendar_never_come(world: World, offset: str) -> None:
    dated(world, f"attribute: day, offset: {offset}", f"{ANA},2020-01-01,2026-03-02")
    world.tick(START + 2 * DAY)
    assert occurred(world) == []


DAILY = DateComes(name="day", days=1)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-03-02", "2026-03-03 09:00"),
        (["2026-03-02", "2026-03-04"], "2026-03-05 09:00"),  # the first that is still to come
        ("9999-12-31", None),
        ("0001-01-01", "0001-01-02 09:00"),
        ("soon", None),
        (17, None),
        ([], None),
    ],
)
def test_when_the_date_of_one_value_comes(value: object, wanted: str | None) -> None:
    found = instant_of_value(DAILY, forms_of(value), "UTC", at("2026-03-04T00:00"))
    assert found == (None if wanted is None else at(wanted.replace(" ", "T")))


def test_the_next_anniversary_of_one_value() -> None:
    yearly = DAILY.model_copy(update={"yearly": True, "days": -14})
    value = forms_of("2024-01-05")
    assert instant_of_value(yearly, value, "UTC", at("2026-12-22T09:00")) == at("2026-12-22T09:00")
    assert instant_of_value(yearly, value, "UTC", at("2026-12-22T09:01")) == at("2027-12-22T09:00")
    assert instant_of_value(yearly, value, "UTC", at("2001-01-01T00:00")) == at("2023-12-22T09:00")
