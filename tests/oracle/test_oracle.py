"""The oracle, ruling by ruling: words, time, order and triggers."""

from __future__ import annotations

from .cases import run
from .reading import read_yaml
from .small import (
    POINTS,
    case,
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
from .values import localised, operate, same_value, slug, wildcard

# Words and values


def test_yaml_is_read_as_a_person_expects() -> None:
    """LANGUAGE 1: only true and false are booleans, 09:00 and leading zeros are text."""
    (read,) = read_yaml("on: [NO, yes, 09:00, 007, 2026-01-02, true, 1.5, -3, ~]")
    assert read == {"on": ["NO", "yes", "09:00", "007", "2026-01-02", True, 1.5, -3, None]}


def test_numbers_in_text_count_but_codes_do_not() -> None:
    """Ruling 60: text like `25`, `-3.5` counts as a number; `08001` does not."""
    assert same_value("25", 25) and same_value("-3.5", -3.5) and not same_value("08001", 8001)
    assert same_value("true", True) and same_value("es", "ES")


def test_absent_passes_only_negatives() -> None:
    """Ruling 60: empty text is absent; a negative operator denies its positive."""
    now, zone = run(case("score: s\n")).world.now, run(case("score: s\n")).world.zone
    assert operate([], "is_not", "x", now, zone) and operate([], "not_in", ["x"], now, zone)
    assert not operate([], "at_least", 0, now, zone) and not operate([], "matches", ".*", now, zone)


def test_paths_match_as_a_whole() -> None:
    """Ruling 63: `*` is any run, also `/`; `/blog/*` does not match `/blog`."""
    assert wildcard("/blog/*", "/blog/a/b") and not wildcard("/blog/*", "/blog")
    rule = POINTS.format('{page_visited: "/Pricing"}')
    assert len(scores(play(rule, page("/pricing/?x=1", "01:00"), page("/pricing/x", "02:00")))) == 1


def test_event_names_are_slugs() -> None:
    """Ruling 64: lower-case, every run of other characters one `_`; Segment's mail names."""
    assert slug(" Order  Completed! ") == "order_completed"
    assert slug("Email Link Clicked") == "email_clicked"


def test_skipped_local_time_is_the_end_of_the_gap() -> None:
    """Ruling 32: a skipped local time is the first instant after the gap, a doubled the first."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    madrid = ZoneInfo("Europe/Madrid")
    assert localised(datetime(2026, 3, 29, 2, 30), madrid).hour == 1
    assert localised(datetime(2026, 3, 29, 2, 30), madrid).minute == 0
    assert localised(datetime(2026, 10, 25, 2, 30), madrid).hour == 0


# Time and the grid


def test_windows_leave_out_what_is_exactly_so_old() -> None:
    """Ruling 1: looking back w from t is (t-w, t]."""
    text = "list: l\nmembers: [{event: {name: x, within: 2 hours}}]"
    assert stays(play(text, track("x", "01:00"))) == [("l", "01:00", "03:00")]


def test_ticks_are_multiples_of_the_step() -> None:
    """Ruling 2: whole multiples of the grid step since 1970; both ends included."""
    found = play(flow("{event: x}"), track("x", "01:10"), since=stamp("00:30"))
    assert entered(found) == [("f", "02:00")]


def test_own_time_is_never_after_receipt() -> None:
    """Ruling 4: own time = min(timestamp, receipt)."""
    found = play(POINTS.format("{event: x}"), track("x", "05:00", received="02:30"))
    assert scores(found) == [("02:30", 10)]


def test_late_event_scores_at_its_own_time_and_enters_at_t() -> None:
    """Rulings 6 and 7: points at the event's own time; entered_at is always T."""
    found = play(
        POINTS.format("{event: x}") + "---\n" + flow("{event: x}"), track("x", "01:10", "04:20")
    )
    assert scores(found) == [("01:10", 10)] and entered(found) == [("f", "05:00")]


def test_first_of_repeated_calls_wins() -> None:
    """Ruling 9: the same messageId twice: the first received wins."""
    one, two = track("x", "01:00", n=1), track("x", "01:00", "03:00", n=2)
    found = play(POINTS.format("{event: {name: x, where: {n: 2}}}"), one, two)
    assert scores(found) == []


def test_conditions_are_asked_as_of_the_tick() -> None:
    """Ruling 5: as of T, with everything known at T."""
    found = play(
        flow("{event: x}", more="conditions: [{event: y}]"),
        track("x", "01:10"),
        track("y", "01:50"),
    )
    assert entered(found) == [("f", "02:00")]


def test_occurrences_are_facts() -> None:
    """Ruling 8: a late event that would have prevented an occurrence changes nothing."""
    quiet = "{no_event: {name: y, after: {event: x}, within: 2 hours}}"
    found = play(POINTS.format(quiet), track("x", "01:00"), track("y", "02:00", "05:00"))
    assert scores(found) == [("03:00", 10)]


# Order inside a tick


def test_one_round_crosses_each_threshold_once() -> None:
    """Rulings 15 and 16: 0 to 60 crosses 20 and 50; «20» acts before «50», whatever the names."""
    text = """
score: s
rules: [{name: r, points: 60, on: {event: x}}]
---
scenario: a-late
trigger: {score: {s: {reaches: 50}}}
actions: [{move_to_list: {from: new, to: hot}}]
---
scenario: z-early
trigger: {score: {s: {reaches: 20}}}
actions: [{add_to_list: new}]
---
list: new
---
list: hot
"""
    found = play(text, track("x", "01:00"))
    assert stays(found) == [("hot", "01:00", None), ("new", "01:00", "01:00")]


def test_up_and_down_between_two_looks_is_no_crossing() -> None:
    """Ruling 15: balances are compared at phase 3 of two rounds."""
    text = """
score: s
rules:
  - {name: up, points: 60, on: {event: x}}
  - {name: down, points: -60, on: {event: y}}
---
"""
    found = play(text + flow("{score: {reaches: 50}}"), track("x", "01:10"), track("y", "01:20"))
    assert entered(found) == []
    apart = play(text + flow("{score: {reaches: 50}}"), track("x", "01:10"), track("y", "02:20"))
    assert entered(apart) == [("f", "02:00")]


def test_crossing_again_needs_to_have_been_below() -> None:
    """LANGUAGE 3: not again until it has been below; reenroll decides the second."""
    text = """
score: s
rules:
  - {name: up, points: 60, on: {event: x}}
  - {name: down, points: -60, on: {event: y}}
---
"""
    calls = [track("x", "01:00"), track("x", "02:00"), track("y", "03:00"), track("x", "05:00")]
    found = play(text + flow("{score: {reaches: 50}}", more="reenroll: every_time"), *calls)
    assert entered(found) == [("f", "01:00")]
    calls.append(track("y", "04:00"))
    again = play(text + flow("{score: {reaches: 50}}", more="reenroll: every_time"), *calls)
    assert entered(again) == [("f", "01:00"), ("f", "05:00")]


def test_falling_to_a_number_counts_it() -> None:
    """LANGUAGE 3: `falls_to: -10` crosses downwards, likewise."""
    text = POINTS.format("{event: x}").replace("points: 10", "points: -5") + "---\n"
    found = play(text + flow("{score: {falls_to: -10}}"), track("x", "01:00"), track("x", "02:00"))
    assert entered(found) == [("f", "02:00")]


def test_scenarios_feed_each_other_within_a_tick() -> None:
    """Ruling 14: what steps make is noticed in the next round of the same tick."""
    text = (
        flow("{event: x}") + "scenario: g\ntrigger: {list_joined: box}\nactions: [{add_points: 5}]"
    )
    found = play(text + "\n---\nscore: s", track("x", "01:00"))
    assert entered(found) == [("f", "01:00"), ("g", "01:00")] and scores(found) == [("01:00", 5)]


def test_a_loop_is_stopped_after_twenty_rounds() -> None:
    """Ruling 20: round 21 runs phases 1 to 3 only and refuses with `loop`."""
    step = "[{move_to_list: {from: a, to: b}}, {move_to_list: {from: b, to: a}}]"
    text = f"""
scenario: f
trigger: [{{event: x}}, {{list_joined: a}}]
reenroll: every_time
actions: {step}
---
list: a
---
list: b
"""
    found = run(case(text, track("x", "01:00")))
    assert len(found.world.enrollments) == 20
    assert [d[1::2] for d in found.world.decisions] == [("f", "loop")]


def test_a_step_sees_points_of_the_step_before_but_not_dynamic_lists() -> None:
    """Ruling 17: points at once; dynamic lists are those of phase 2 of this round."""
    text = """
score: s
---
list: hot
members: [{score: {at_least: 5}}]
---
"""
    branch = "{if: {score: {at_least: 5}}, then: [{add_to_list: box}]}"
    other = "{if: {in_list: hot}, then: [{add_points: 100}]}"
    found = play(
        text + flow("{event: x}", f"[{{add_points: 5}}, {branch}, {other}]"), track("x", "01:00")
    )
    assert stays(found) == [("box", "01:00", None), ("hot", "01:00", None)]
    assert scores(found) == [("01:00", 5)]


def test_static_list_changes_each_fire() -> None:
    """Ruling 21: joined and left inside one tick: static lists fire for each change."""
    text = flow("{event: x}", "[{add_to_list: box}, {remove_from_list: box}]")
    text += "scenario: g\ntrigger: {list_joined: box}\nactions: []\n---\n"
    text += "scenario: h\ntrigger: {list_left: box}\nactions: []"
    found = play(text, track("x", "01:00"))
    assert entered(found) == [("f", "01:00"), ("g", "01:00"), ("h", "01:00")]
    assert stays(found) == [("box", "01:00", "01:00")]


# Triggers


def test_counted_trigger_uses_up_and_starts_again() -> None:
    """Ruling 22: the completing event uses up every matching event up to it."""
    calls = [track("x", f"{hour:02}:00") for hour in range(1, 8)]
    found = play(POINTS.format("{event: {name: x, times: 3}}"), *calls)
    assert scores(found) == [("03:00", 10), ("06:00", 10)]


def test_counted_trigger_looks_back_half_open() -> None:
    """Rulings 1 and 22: three of them in (e-w, e]."""
    rule = POINTS.format("{event: {name: x, times: 2, within: 2 hours}}")
    assert scores(play(rule, track("x", "01:00"), track("x", "03:00"))) == []
    assert scores(play(rule, track("x", "01:01"), track("x", "03:00"))) == [("03:00", 10)]


def test_late_events_before_the_mark_are_used() -> None:
    """Ruling 127: every event at or before the mark is used, late ones too."""
    rule = POINTS.format("{event: {name: x, times: 2}}")
    calls = [track("x", "01:00"), track("x", "03:00"), track("x", "02:00", "05:00")]
    assert scores(play(rule, *calls, track("x", "06:00"))) == [("03:00", 10)]


def test_late_event_makes_an_earlier_seen_one_complete() -> None:
    """Ruling 116: the occurrence comes then, with that event's time and key."""
    rule = POINTS.format("{event: {name: x, times: 2, within: 1 hour}}")
    found = play(
        rule + "---\n" + flow("{event: {name: x, times: 2}}"),
        track("x", "03:00"),
        track("x", "02:30", "05:00"),
    )
    assert scores(found) == [("03:00", 10)] and entered(found) == [("f", "05:00")]


def test_late_plain_event_still_occurs() -> None:
    """Rulings 22 and 127: marks belong to counted triggers; a plain one takes each event."""
    found = play(POINTS.format("{event: x}"), track("x", "03:00"), track("x", "02:00", "05:00"))
    assert scores(found) == [("02:00", 10), ("03:00", 10)]


def test_an_event_enters_a_scenario_once() -> None:
    """Ruling 19b: one event that matches two triggers of one scenario is one occurrence."""
    more = "reenroll: every_time"
    found = play(flow("[{event: x}, {event: [x, y]}]", more=more), track("x", "01:00"))
    assert entered(found) == [("f", "01:00")]


def test_no_event_counts_the_deadline_in() -> None:
    """Ruling 24: unless a matching event has own time in (a, a+w]."""
    rule = POINTS.format("{no_event: {name: y, after: {event: x}, within: 2 hours}}")
    assert scores(play(rule, track("x", "01:10"))) == [("03:10", 10)]
    assert scores(play(rule, track("x", "01:10"), track("y", "03:10"))) == []
    assert scores(play(rule, track("x", "01:10"), track("y", "01:10"))) == [("03:10", 10)]


def test_every_anchor_has_its_own_deadline() -> None:
    """Ruling 24: naming the anchor's event among the awaited makes it «quiet since the last»."""
    calls = (track("x", "01:00"), track("x", "02:00"))
    each = POINTS.format("{no_event: {name: y, after: {event: x}, within: 2 hours}}")
    assert scores(play(each, *calls)) == [("03:00", 10), ("04:00", 10)]
    last = POINTS.format("{no_event: {name: [x, y], after: {event: x}, within: 2 hours}}")
    assert scores(play(last, *calls)) == [("04:00", 10)]


def test_inactive_once_per_stretch() -> None:
    """Ruling 25: fires at anchor + d unless behaviour in between."""
    rule, lately = POINTS.format("{inactive: 3 hours}"), {"created_at": stamp("01 23:00")}
    found = play(rule, track("x", "01:00"), track("x", "04:00"), ana=lately)
    assert scores(found) == [("07:00", 10)]


def test_inactive_before_a_quiet_import_is_history() -> None:
    """Rulings 88 and 119: deadlines already past at the import only score."""
    text = POINTS.format("{inactive: 3 hours}") + "---\n"
    text += flow("{inactive: 3 hours}", more="reenroll: never")
    found = play(text)
    assert found["points"][0]["at"] == stamp("01 03:00") and entered(found) == []
    found = play(text, ana={"created_at": stamp("00:30")})
    assert scores(found) == [("03:30", 10)] and entered(found) == [("f", "04:00")]


def test_late_anchor_still_meets_its_deadline() -> None:
    """Ruling 24: noticed at the first tick at or after a+w that knows the anchor."""
    text = flow("{no_event: {name: y, after: {event: x}, within: 2 hours}}", more="reenroll: never")
    assert entered(play(text, track("x", "01:00", "05:10"))) == [("f", "06:00")]


def test_falling_thresholds_act_last_and_highest_first() -> None:
    """Rulings 16 and 91: class 0 no threshold, 1 `reaches`, 2 `falls_to`, the highest first."""
    text = "score: s\n"
    for name, trigger in (
        ("a", "{score: {falls_to: -10}}"),
        ("b", "[{event: x}, {score: {falls_to: 0}}]"),
        ("c", "{score: {reaches: 5}}"),
        ("d", "{event: x}"),
    ):
        text += f"---\nscenario: {name}\ntrigger: {trigger}\nreenroll: never\nactions: []\n"
    assert [scenario.name for scenario in run(case(text)).scenarios] == ["d", "c", "b", "a"]


def test_condition_inactive_needs_age() -> None:
    """Ruling 25: no behaviour in (T-d, T] and created_at at or before T-d."""
    text = "list: l\nmembers: [{inactive: 3 hours}]"
    found = play(text, track("x", "05:00"), ana={"created_at": stamp("01:00")})
    assert stays(found) == [("l", "04:00", "05:00"), ("l", "08:00", None)]


def test_machine_opens_count_only_where_asked() -> None:
    """Ruling 34: human only; `machine: true` counts both."""
    opened = track("Email Opened", "01:00", template="hello", machine=True)
    assert scores(play(POINTS.format("{email_opened: hello}"), opened)) == []
    both = POINTS.format("{email_opened: {template: hello, machine: true}}")
    assert scores(play(both, opened)) == [("01:00", 10)]


def test_attribute_change_needs_a_change() -> None:
    """Ruling 27: created values are no change, absent to value is; a late older value is none."""
    rule = POINTS.format("{attribute: {plan: {to: pro}}}")
    assert scores(play(rule, identify("01:10", plan="PRO"))) == [("01:10", 10)]
    assert scores(play(rule, identify("01:10", plan="pro"), ana={"plan": "pro"})) == []
    assert scores(play(rule, identify("01:10", plan="pro"), people=[])) == []
    late = play(rule, identify("03:00", plan="free"), identify("02:00", "05:00", plan="pro"))
    assert scores(late) == [] and late["contacts"][0]["attributes"] == {"plan": "free"}


def test_contact_created_is_for_events_not_quiet_imports() -> None:
    """Rulings 70 and 119: created_at is the first event's own time; imports are quiet."""
    rule = POINTS.format("contact_created")
    assert scores(play(rule)) == []
    assert scores(play(rule, track("x", "01:20"), people=[])) == [("01:20", 10)]
    loud = play(rule, ana={"created_at": stamp("00:30")}, quiet=False)
    assert scores(loud) == [("00:30", 10)]


def test_schedule_meets_everybody_who_passes() -> None:
    """Ruling 33: every cron instant in (prev, T]; failing contacts are not recorded."""
    plan = '{schedule: {cron: "0 9 * * *", timezone: Europe/Madrid}}'
    found = play(flow(plan, more="reenroll: every_time"), until=stamp("03 12:00"))
    assert entered(found) == [("f", "08:00"), ("f", "08:00")]
    none = play(flow(plan, more="conditions: [{in_list: box}]\nreenroll: every_time"))
    assert entered(none) == [] and refused(none) == []


def test_schedule_on_the_first_tick_has_no_backlog() -> None:
    """Ruling 12: only instants in (T-step, T]."""
    plan = '{schedule: {cron: "*/20 * * * *", timezone: UTC}}'
    found = play(flow(plan, more="reenroll: every_time"), until=stamp("00:00"))
    assert len(entered(found)) == 3
