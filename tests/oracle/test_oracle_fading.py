"""The oracle, ruling by ruling: points that fade, idleness, and scores of companies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .fading import instants, last_instant, worth
from .model import Decay, Policy
from .small import ANA, entered, flow, group, play, scores, stamp, track

DAY = timedelta(days=1)
BOB = "bob@example.com"


def fading(decay: str, points: float = 10, more: str = "") -> str:
    """A score of one rule on `x` whose points fade."""
    rules = f"rules:\n  - {{name: r, points: {points}, on: {{event: x}}}}\n"
    return f"score: s\ndecay: {decay}\n{more}\n{rules}---\n"


def balance(found: dict[str, Any], who: str = ANA) -> float:
    """What is read of the one score."""
    (row,) = [row for row in found["balances"] if row["contact"] == who]
    return float(row["balance"])


# Formulas and instants


@pytest.mark.parametrize(
    ("points", "decay", "days", "left"),
    [
        (10, Decay("linear", 60 * DAY), 30, "5"),
        (9, Decay("linear", 90 * DAY), 3, "8.7"),
        (8, Decay("half_life", 30 * DAY), 90, "1"),
        (8, Decay("half_life", 30 * DAY), 15, "5.65685425"),
        (-8, Decay("half_life", 30 * DAY), 15, "-5.65685425"),
        (10, Decay("linear", 60 * DAY), 61, "0"),
        (10, Decay("expire", 90 * DAY), 89, "10"),
        (10, Decay("expire", 90 * DAY), 90, "0"),
        (10, Decay("step", 45 * DAY, 150_000), 44, "10"),
        (10, Decay("step", 45 * DAY, 150_000), 45, "8.5"),
        (10, Decay("step", 45 * DAY, 150_000), 90, "7.225"),
    ],
)
def test_golden_numbers(points: int, decay: Decay, days: int, left: str) -> None:
    """LANGUAGE 5 and ruling 51, to 8 decimals, half away from zero."""
    assert worth(Decimal(points), decay, days * DAY) == Decimal(left)


def test_instants_are_local_midnights_or_multiples() -> None:
    """Ruling 50: 00:00 of the policy's zone, also where it is skipped; or multiples since 1970."""
    madrid = Policy(zone=ZoneInfo("Europe/Madrid"))
    start, end = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    assert [one.hour for one in instants(madrid, start, end)] == [23, 22]
    assert last_instant(madrid, start).day == 27
    beirut = Policy(zone=ZoneInfo("Asia/Beirut"))  # 00:00 of the 29th is skipped
    assert [one.hour for one in instants(beirut, start, end)] == [22, 21]
    often = Policy(decay_every=timedelta(minutes=90))
    assert last_instant(often, datetime(2026, 3, 2, 4, tzinfo=UTC)).hour == 3


def test_worth_is_that_of_the_last_instant() -> None:
    """Ruling 50: between two instants nothing moves; before its first one a line is whole."""
    text = fading("{linear: 4 days}")
    assert balance(play(text, track("x", "02 06:00"), until=stamp("03 12:00"))) == 8.125
    assert balance(play(text, track("x", "02 06:00"), until=stamp("02 23:00"))) == 10
    hourly = text + "policy: p\ndecay_every: 1 hour\nsender: {name: a, address: a@b.example}\n"
    assert balance(play(hourly, track("x", "02 06:00"), until=stamp("02 18:00"))) == 8.75


def test_a_rule_fades_by_its_own_decay_and_when_never() -> None:
    """LANGUAGE 5 and ruling 52: a rule's word beats the score's, also `none`; `when` stands."""
    text = """
score: s
decay: {expire: 1 day}
rules:
  - {name: a, points: 10, on: {event: x}, decay: none}
  - {name: b, points: 5, on: {event: x}, decay: {expire: 3 days}}
  - {name: c, points: 2, on: {event: x}}
  - {name: d, points: 1, when: {event: x}}
"""
    assert balance(play(text, track("x", "02 06:00"), until=stamp("04 12:00"))) == 16


def test_points_of_scenarios_fade_by_the_score() -> None:
    """Ruling 57: dated T, by the score's own decay."""
    text = fading("{linear: 2 days}") + flow("{event: y}", "[{add_points: 4}]")
    assert balance(play(text, track("y", "02 12:00"), until=stamp("03 12:00"))) == 3


def test_decay_fires_crossings() -> None:
    """Ruling 18: any change of the balance counts, decay too."""
    text = fading("{linear: 2 days}") + flow("{score: {falls_to: 4}}")
    found = play(text, track("x", "02 00:00"), until=stamp("05 00:00"))
    assert found["enrollments"][0]["entered_at"] == stamp("04 00:00")
    assert balance(found) == 0


def test_caps_and_gains_look_at_faces() -> None:
    """Rulings 23 and 53: what has faded still counts in full."""
    text = fading("{expire: 1 hour}", more="cap: {points: 25}") + flow(
        "{score: {gains: 25, within: 3 days}}"
    )
    calls = [track("x", f"{day} 01:00") for day in ("02", "03", "04", "05")]
    found = play(text, *calls, until=stamp("06 00:00"))
    assert sorted(p["points"] for p in found["points"] if p["kind"] == "rule") == [5, 10, 10]
    assert [row["entered_at"] for row in found["enrollments"]] == [stamp("04 01:00")]


def test_a_reset_makes_all_before_it_worthless() -> None:
    """Ruling 54: also what would fade on, and late news from before."""
    text = fading("{linear: 10 days}") + flow("{event: y}", "[{reset_score: s}]")
    calls = [track("x", "02 01:00"), track("y", "02 03:00"), track("x", "02 02:00", "02 05:00")]
    assert balance(play(text, *calls, until=stamp("06 00:00"))) == 0
    assert balance(play(text, *calls, track("x", "02 04:00"), until=stamp("04 00:00"))) < 10


# Idleness


def test_idle_loses_at_the_next_instant_and_never_past_nothing() -> None:
    """Rulings 56 and 97: at last behaviour + after + k·every, at the first instant from there."""
    text = fading("{idle: {after: 1 day, lose: 4, every: 1 day}}")
    for day, left in (("03", 10), ("04", 6), ("05", 2), ("06", 0), ("09", 0)):
        found = play(text, track("x", "02 06:00"), until=stamp(f"{day} 12:00"))
        assert balance(found) == left, day


def test_idle_takes_several_at_once_and_starts_anew() -> None:
    """Ruling 56: more losses between two instants come together; behaviour begins a new stretch."""
    text = fading("{idle: {after: 12 hours, lose: 1, every: 6 hours}}")
    assert balance(play(text, track("x", "02 00:00"), until=stamp("03 00:00"))) == 7
    calls = [track("x", "02 00:00"), track("seen", "03 01:00")]
    assert balance(play(text, *calls, until=stamp("03 23:00"))) == 7
    assert balance(play(text, *calls, until=stamp("04 00:00"))) == 5


def test_idle_counts_behaviour_received_in_this_tick() -> None:
    """Ruling 97: what came in late, but with this tick, saves the points."""
    text = fading("{idle: {after: 1 day, lose: 4, every: 1 day}}")
    late = track("seen", "03 22:00", received="03 23:30")
    assert balance(play(text, track("x", "02 06:00"), late, until=stamp("04 00:00"))) == 10
    later = track("seen", "03 22:00", received="04 00:30")
    assert balance(play(text, track("x", "02 06:00"), later, until=stamp("04 01:00"))) == 6


def test_idle_leaves_a_negative_balance_alone() -> None:
    """Ruling 56."""
    text = fading("{idle: {after: 1 hour, lose: 4, every: 1 hour}}", points=-5)
    assert balance(play(text, track("x", "02 06:00"), until=stamp("06 00:00"))) == -5


def test_idle_resets_once_a_stretch() -> None:
    """Ruling 56: one reset line; who begins again begins at nothing."""
    text = fading("{idle: {after: 1 day, reset: true}}")
    found = play(text, track("x", "02 06:00"), until=stamp("07 00:00"))
    assert [(row["at"], row["points"]) for row in found["points"] if row["kind"] == "reset"] == [
        (stamp("04 00:00"), -10)
    ]
    again = play(text, track("x", "02 06:00"), track("x", "04 06:00"), until=stamp("05 00:00"))
    assert balance(again) == 10


def test_idle_fires_crossings() -> None:
    """Ruling 18."""
    text = fading("{idle: {after: 1 day, lose: 4, every: 1 day}}")
    found = play(
        text + flow("{score: {falls_to: 5}}"), track("x", "02 06:00"), until=stamp("06 00:00")
    )
    assert found["enrollments"][0]["entered_at"] == stamp("05 00:00")


# Companies


def shared(name: str, when: str, company: str | None = None) -> list[dict[str, Any]]:
    """A colleague's `x`, after joining a company."""
    who = f"{name}@example.com"
    calls = [track("x", when) | {"userId": who, "messageId": f"{name}{when}"}]
    if company:
        joined = group(company, when) | {"userId": who, "messageId": f"g{name}{when}"}
        calls.insert(0, joined)
    return calls


OURS = "score: s\nof: company\nrules:\n  - {name: r, points: 10, on: {event: x}}\n---\n"


def test_a_company_reads_the_sum_of_its_members() -> None:
    """Ruling 96: each member reads it; who has no company reads 0."""
    calls = [*shared("ana", "01:00", "acme"), *shared("bob", "02:00", "acme")]
    calls += shared("eva", "03:00")
    found = play(OURS, *calls)
    assert [balance(found, f"{n}@example.com") for n in ("ana", "bob", "eva")] == [20, 20, 0]


def test_who_changes_company_takes_the_lines_along() -> None:
    """Ruling 96: the sum is over present members."""
    calls = [*shared("ana", "01:00", "acme"), *shared("bob", "02:00", "acme")]
    calls += [group("initech", "04:00")]
    found = play(OURS, *calls)
    assert balance(found) == 10 and balance(found, BOB) == 10


def test_a_crossing_belongs_to_whose_line_came_last() -> None:
    """Rulings 96 and 115: one occurrence for the company."""
    calls = [*shared("ana", "01:00", "acme"), *shared("bob", "02:00", "acme")]
    found = play(OURS + flow("{score: {reaches: 20}}"), *calls)
    assert [row["contact"] for row in found["enrollments"]] == [BOB]
    assert entered(found) == [("f", "02:00")]


def test_caps_and_gains_look_at_all_members() -> None:
    """Ruling 96."""
    text = OURS.replace("on: {event: x}", "on: {event: x}, cap: {times: 2}")
    calls = [*shared("ana", "01:00", "acme"), *shared("bob", "02:00", "acme")]
    calls += [*shared("cyd", "03:00", "acme")]
    found = play(text + flow("{score: {gains: 20, within: 1 day}}"), *calls)
    assert scores(found) == [("01:00", 10), ("02:00", 10)]
    assert [row["contact"] for row in found["enrollments"]] == [BOB]


def test_a_company_is_reset_as_a_whole() -> None:
    """Ruling 54 over ruling 96: one line for each present member."""
    calls = [*shared("ana", "01:00", "acme"), *shared("bob", "02:00", "acme"), track("y", "03:00")]
    found = play(OURS + flow("{event: y}", "[{reset_score: s}]"), *calls)
    assert balance(found) == balance(found, BOB) == 0
    assert [row["points"] for row in found["points"] if row["kind"] == "reset"] == [-10, -10]


def test_steps_see_the_company_as_of_phase_two() -> None:
    """Ruling 130: points of the step before do not count yet, unlike a contact's own."""
    step = "[{add_points: 5}, {if: {score: {at_least: 15}}, then: [{add_to_list: box}]}]"
    own = play(
        OURS.replace("of: company\n", "") + flow("{event: x}", step), *shared("ana", "01:00")
    )
    assert own["members"]
    found = play(OURS + flow("{event: x}", step), *shared("ana", "01:00", "acme"))
    assert balance(found) == 15 and not found["members"]
