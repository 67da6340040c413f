"""The oracle, ruling by ruling: the triggers beyond the core."""

from __future__ import annotations

import pytest

from .small import (
    POINTS,
    entered,
    flow,
    identify,
    page,
    play,
    refused,
    scores,
    stamp,
    stays,
    track,
)

AGAIN = "reenroll: every_time"


def test_same_walks_each_combination_by_itself() -> None:
    """Ruling 22: with `same` the walk is made for each combination of the properties."""
    rule = POINTS.format("{event: {name: x, times: 2, same: [cart]}}")
    calls = [track("x", f"0{i}:00", cart=c) for i, c in enumerate(("a", "b", "A", "b", "a"), 1)]
    assert [at for at, _ in scores(play(rule, *calls, track("x", "06:00")))] == ["03:00", "04:00"]


def test_sum_completes_and_starts_again() -> None:
    """Rulings 22 and 94: the first event with which the sum is enough uses up all before it."""
    rule = POINTS.format("{event: {name: x, sum: {n: {at_least: 10}}, within: 3 hours}}")
    amounts = [("01:00", 6), ("04:00", 6), ("05:00", 4), ("06:00", 9), ("07:00", 10)]
    found = play(rule, *(track("x", at, n=n) for at, n in amounts))
    assert [at for at, _ in scores(found)] == ["05:00", "07:00"]


def test_gains_fire_on_the_line_that_first_is_enough() -> None:
    """Ruling 23: lines at face value in (e - w, e], without e below, with e enough."""
    text = POINTS.format("{event: x}") + "---\n"
    text += flow("{score: {s: {gains: 20, within: 2 hours}}}", more=AGAIN)
    calls = [track("x", at) for at in ("01:00", "03:00", "04:30", "05:00", "08:00", "09:59")]
    # 03:00 is exactly two hours after 01:00, and 05:00 after 03:00: out.
    assert [at for _, at in entered(play(text, *calls))] == ["05:00", "05:00", "10:00"]


def test_gains_ignore_what_is_taken() -> None:
    """Ruling 23: no take-back is subtracted; scenario points count."""
    text = """
score: s
rules: [{name: up, points: 10, on: {event: x}}, {name: down, points: -50, on: {event: y}}]
---
scenario: g
trigger: {event: z}
actions: [{add_points: 10}]
---
"""
    text += flow("{score: {gains: 20, within: 1 day}}")
    found = play(text, track("x", "01:00"), track("y", "01:30"), track("z", "02:00"))
    assert entered(found) == [("f", "02:00"), ("g", "02:00")]


def test_no_event_takes_lists_and_agrees_with_its_anchor() -> None:
    """Ruling 24: any of the names; missing `same` properties are no match."""
    quiet = "{no_event: {name: [y, x], after: {event: x}, within: 2 hours, same: [id]}}"
    rule = POINTS.format(quiet)
    calls = [track("x", "01:00", id=1), track("x", "02:00", id=2), track("y", "03:00", id=1)]
    assert scores(play(rule, *calls)) == [("04:00", 10)]
    bare = [track("x", "01:00"), track("y", "02:00")]
    assert scores(play(rule, *bare)) == [("03:00", 10)]


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [
        ("at: '05:00'", "2026-01-02", ["05:00"]),
        ("at: '05:00', timezone: Europe/Madrid", "2026-01-02", ["04:00"]),
        ("at: '05:00', timezone: contact", "2026-01-02", ["05:00"]),
        ("offset: -14 days, at: '05:00'", "2026-01-16", ["05:00"]),
        ("", "2026-01-02", ["09:00"]),
        ("offset: -2 hours", "2026-01-02T08:00:00Z", ["06:00"]),
        ("offset: 3 hours", "2026-01-02", ["03:00"]),
        ("offset: 3 hours, timezone: Europe/Madrid", "2026-01-02", ["02:00"]),
        ("at: '05:00', every: year", "1990-01-02", ["05:00"]),
        ("at: '05:00'", "1990-01-02", []),
        ("at: '05:00', every: year", "2027-01-02", []),
        ("at: '05:00', timezone: Europe/Madrid", "2026-01-01T23:30:00Z", ["04:00"]),
        ("at: '05:00'", "soon", []),
    ],
)
def test_date_of_a_contact(options: str, value: str, expected: list[str]) -> None:
    """Ruling 31: the calendar day in the zone for days, the instant for hours."""
    trigger = "{date: {attribute: d%s}}" % (f", {options}" if options else "")
    ana = {"d": value, "timezone": "Mars/Base"}
    found = play(flow(trigger, more=AGAIN), ana=ana, until=stamp("02 20:00"))
    assert [at for _, at in entered(found)] == expected


def test_a_date_that_was_set_too_late_is_none() -> None:
    """Ruling 31: only if the value was set before that instant; never after the tick."""
    text = flow("{date: {attribute: d, at: '05:00'}}")
    assert entered(play(text, identify("04:59", d="2026-01-02"))) == [("f", "05:00")]
    assert entered(play(text, identify("05:00", d="2026-01-02"))) == []
    assert entered(play(text, identify("04:00", "06:00", d="2026-01-02"))) == []


def test_the_29th_of_february_is_the_28th() -> None:
    """Ruling 31: where a year has none."""
    text = flow("{date: {attribute: d, at: '05:00', every: year}}")
    grid = {"since": "2026-02-27T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
    found = play(text, ana={"d": "2024-02-29"}, **grid)
    assert [row["entered_at"] for row in found["enrollments"]] == ["2026-02-28T05:00:00Z"]


def test_a_date_in_a_rule_is_dated_that_instant() -> None:
    """Ruling 6: date: that instant."""
    rule = POINTS.format("{date: {attribute: d, at: '05:30'}}")
    assert scores(play(rule, ana={"d": "2026-01-02"})) == [("05:30", 10)]


def test_schedule_in_the_zone_of_the_contact() -> None:
    """Rulings 33 and 100: the same local time for each contact; who fails is not recorded."""
    plan = "{schedule: {cron: '0 9 * * *', timezone: contact}}"
    text = flow(plan, more="reenroll: never\nconditions: [{attribute: {timezone: {exists: true}}}]")
    found = play(text, ana={"timezone": "Europe/Madrid"})
    assert entered(found) == [("f", "08:00")]
    assert refused(play(text)) == []


POLICY = "policy: default\ntopics: [news, offers]\n---\n"


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("{subscribed: news}", ["02:00", "06:00"]),
        ("{unsubscribed: news}", ["04:00"]),
        ("{unsubscribed: offers}", ["04:00"]),
        ("{unsubscribed: all}", ["04:00"]),
        ("{unsubscribed: email}", ["04:00"]),
        ("{subscribed: [offers, email]}", []),
        ("{unsubscribed: [news, offers, email]}", ["04:00"]),
    ],
)
def test_consent_changes(trigger: str, expected: list[str]) -> None:
    """Rulings 81 and 121: real changes alone; `all` is one event."""
    calls = [
        track("Subscribed", "02:00", topic="news"),
        track("Subscribed", "03:00", topic="news"),
        track("Unsubscribed", "04:00", topic="all"),
        track("Unsubscribed", "05:00", topic="news"),
        track("Subscribed", "06:00", topic="news"),
    ]
    found = play(POLICY + flow(trigger, more=AGAIN), *calls)
    assert [at for _, at in entered(found)] == expected


def test_an_older_word_of_consent_is_no_change() -> None:
    """Ruling 81: newest own time wins."""
    calls = [track("Subscribed", "03:00", topic="news")]
    calls.append(track("Unsubscribed", "02:00", "05:00", topic="news"))
    assert entered(play(POLICY + flow("{unsubscribed: news}"), *calls)) == []


def test_steps_change_consent_and_are_noticed() -> None:
    """Rulings 14 and 81: what a step does is noticed in the next round, dated T."""
    text = POLICY + flow("{event: x}", "[{unsubscribe: all}, {subscribe: news}]")
    text += "scenario: g\ntrigger: {unsubscribed: offers}\nactions: [{add_to_list: box}]\n---\n"
    text += "scenario: h\ntrigger: {subscribed: news}\nactions: [{exit: done}]\n---\n"
    text += "list: n\nmembers: [{consent: news}]"
    found = play(text, track("x", "01:00"))
    assert entered(found) == [("f", "01:00"), ("g", "01:00"), ("h", "01:00")]
    assert ("n", "00:00", None) in stays(found)


def test_email_not_clicked_occurs_for_each_mail() -> None:
    """LANGUAGE 3: short for `no_event`, one occurrence for each mail sent."""
    text = flow("{event: x}", "[{send_email: hello}]", AGAIN)
    text += POINTS.format("{email_not_clicked: {template: any, within: 2 hours}}")
    clicked = track("Email Link Clicked", "02:30", template="hello")
    found = play(text, track("x", "01:00"), track("x", "04:00"), clicked)
    assert scores(found) == [("06:00", 10)]


def test_one_event_enters_once_by_two_triggers() -> None:
    """Ruling 19b: an event enters a scenario at most once by itself."""
    text = flow("[{page_visited: '/a'}, {event: page_viewed}]", more=AGAIN)
    assert entered(play(text, page("/a", "01:00"))) == [("f", "01:00")]
