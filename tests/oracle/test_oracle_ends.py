"""The oracle, ruling by ruling: enrolment, steps, scores, people, mail; and the generator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from .cases import Case, canonical, disagreements, expected, write
from .generate import Features, cases, large, seeded
from .small import (
    ANA,
    POINTS,
    entered,
    flow,
    identify,
    mails,
    play,
    refused,
    scores,
    stamp,
    stays,
    track,
)

# Enrolment, steps, ends


def test_gates_come_in_order_and_use_up() -> None:
    """Ruling 35: reenroll before conditions; a refused occurrence does not count for `never`."""
    more = "conditions: [{event: {name: x, times: {at_least: 2}}}]"
    found = play(flow("{event: x}", more=more), *(track("x", f"0{n}:00") for n in (1, 2, 3)))
    assert entered(found) == [("f", "02:00")]
    assert refused(found) == [("conditions", "01:00"), ("reenroll", "03:00")]


def test_reenroll_after_counts_from_the_last_entry() -> None:
    """Ruling 36: T - last entered_at >= d, and not inside."""
    calls = [track("x", f"0{n}:00") for n in (1, 2, 3, 4)]
    found = play(flow("{event: x}", more="reenroll: {after: 2 hours}"), *calls)
    assert entered(found) == [("f", "01:00"), ("f", "03:00")]
    waiting = flow("{event: x}", "[{wait: 150 minutes}]", "reenroll: {after: 1 hour}")
    assert entered(play(waiting, *calls)) == [("f", "01:00")]


def test_when_finished_and_every_time() -> None:
    """LANGUAGE 4: `when_finished` not while inside, `every_time` even while inside."""
    calls = [track("x", f"0{n}:00") for n in (1, 2, 3, 4)]
    found = play(flow("{event: x}", "[{wait: 2 hours}]", "reenroll: when_finished"), *calls)
    assert entered(found) == [("f", "01:00"), ("f", "04:00")]
    each = play(flow("{event: x}", "[{wait: 2 hours}]", "reenroll: every_time"), *calls)
    assert len(entered(each)) == 4


def test_waits_are_done_at_the_first_tick_and_count_from_it() -> None:
    """Ruling 39: due at start + d; the next wait counts from that tick."""
    steps = "[{wait: 90 minutes}, {wait: 90 minutes}, {add_to_list: box}]"
    assert stays(play(flow("{event: x}", steps), track("x", "01:00"))) == [("box", "05:00", None)]


def test_wait_until_sharp_is_no_wait() -> None:
    """Rulings 39 and 117: 09:00 sharp: no wait; days choose the day."""
    steps = "[{wait: {until: 09:00, timezone: UTC}}, {add_to_list: box}]"
    assert stays(play(flow("{event: x}", steps), track("x", "09:00"))) == [("box", "09:00", None)]
    steps = "[{wait: {until: 09:00, days: [sat], timezone: UTC}}, {add_to_list: box}]"
    found = play(flow("{event: x}", steps), track("x", "02:00"), until=stamp("04 00:00"))
    assert found["members"][0]["joined_at"] == stamp("03 09:00")


def test_disabled_things_do_nothing() -> None:
    """Ruling 42 and LANGUAGE 4: a disabled scenario enrolls nobody, a disabled step is passed."""
    found = play(flow("{event: x}", more="enabled: false"), track("x", "01:00"))
    assert entered(found) == [] and refused(found) == []
    steps = "[{enabled: false, add_to_list: box}, {exit: done}, {add_to_list: box}]"
    ended = play(flow("{event: x}", steps), track("x", "01:00"))
    assert stays(ended) == [] and ended["enrollments"][0]["outcome"] == "exited"


def test_enroll_existing_in_the_first_live_tick() -> None:
    """Rulings 45 and 107: state holds already and no occurrence in that round."""
    trigger = "{attribute: {plan: {to: pro}}}"
    found = play(flow(trigger, more="enroll_existing: true"), ana={"plan": "pro"})
    assert entered(found) == [("f", "00:00")]
    assert entered(play(flow(trigger), ana={"plan": "pro"})) == []


def test_list_steps_without_effect_fire_nothing() -> None:
    """Ruling 48: `add_to_list` for members has no effect; `move_to_list` joins also from none."""
    text = flow("{event: x}", "[{move_to_list: {from: other, to: box}}]", "reenroll: every_time")
    text += "list: other\n---\nscenario: g\ntrigger: {list_joined: box}\nreenroll: every_time\n"
    found = play(text + "actions: []", track("x", "01:00"), track("x", "02:00"))
    assert [name for name, _ in entered(found)] == ["f", "f", "g"]


def test_set_attribute_keeps_types_and_leaves_on_undefined() -> None:
    """LANGUAGE 4 and ruling 95: a lone expression keeps its type; undefined leaves it."""
    steps = (
        '[{set_attribute: {n: "{{ event.total }}", m: "{{ event.no }}", t: "x{{ event.total }}"}}]'
    )
    found = play(flow("{event: x}", steps), track("x", "01:00", total=5))
    assert found["contacts"][0]["attributes"] == {"n": 5, "t": "x5"}


# Scores


def test_points_cap_cuts_the_last_award() -> None:
    """Ruling 55: 10, 10, then 5 of 25; exactly `per` later is free again."""
    rule = POINTS.format("{event: x}, cap: {points: 25, per: 4 hours}")
    calls = [track("x", f"0{n}:00") for n in (1, 2, 3, 4, 5)]
    assert scores(play(rule, *calls)) == [("01:00", 10), ("02:00", 10), ("03:00", 5), ("05:00", 10)]


def test_times_cap_without_per_counts_all() -> None:
    """Ruling 116: a cap without `per` counts all lines whatever their date."""
    rule = POINTS.format("{event: x}, cap: {times: 1}")
    found = play(rule, track("x", "03:00"), track("x", "01:00", "05:00"))
    assert scores(found) == [("03:00", 10)]


def test_when_points_stand_while_true() -> None:
    """Ruling 52: +p at the T that first sees it true, -p at the T that sees it false."""
    text = "score: s\nrules: [{name: w, points: 5, when: {event: {name: x, within: 2 hours}}}]"
    assert scores(play(text, track("x", "01:30"))) == [("02:00", 5), ("04:00", -5)]


def test_range_only_cuts_what_is_read() -> None:
    """Ruling 53: raw 130, max 100, -20: 110 reads 100."""
    text = """
score: s
range: {min: 0, max: 100}
rules: [{name: up, points: 130, on: {event: x}}, {name: down, points: -20, on: {event: y}}]
"""
    found = play(text, track("x", "01:00"), track("y", "02:00"))
    assert found["balances"] == [{"contact": ANA, "score": "s", "balance": 100}]
    assert sum(row["points"] for row in found["points"]) == 100


def test_state_triggers_in_rules_are_dated_t() -> None:
    """Ruling 58: noticed in phase 3, awarded in phase 1 of the next round, dated T."""
    text = POINTS.format("{event: x}")
    text += "---\nscore: t\nrules: [{name: b, points: 1, on: {score: {s: {reaches: 10}}}}]"
    assert scores(play(text, track("x", "01:10"))) == [("01:10", 10), ("02:00", 1)]


def test_rule_conditions_that_fail_use_the_occurrence_up() -> None:
    """Ruling 95: used up without a line."""
    rule = POINTS.format("{event: x}, conditions: [{event: y}]")
    assert scores(play(rule, track("x", "01:00"), track("y", "02:00"))) == []


def test_never_is_at_most_zero() -> None:
    """Ruling 66: `at_most: 0` is «never»."""
    text = "list: l\nmembers: [{event: {name: x, times: {at_most: 0}}}]"
    assert stays(play(text, track("x", "05:00"))) == [("l", "00:00", "05:00")]


# People


def test_anonymous_points_move_and_cross() -> None:
    """Ruling 71: on merge events and lines move; a resulting crossing is an ordinary one at T."""
    seen = track("x", "01:10") | {"anonymousId": "v"}
    del seen["userId"]
    text = POINTS.format("{event: x}") + "---\n" + flow("{score: {reaches: 10}}")
    assert play(text, seen, people=[])["balances"] == []
    found = play(text, seen, identify("03:10") | {"anonymousId": "v"})
    assert scores(found) == [("01:10", 10)] and entered(found) == [("f", "04:00")]


def test_contacts_do_not_exist_before_their_creation() -> None:
    """Ruling 3: contacts whose created_at is after T do not exist yet."""
    text = "list: l\nmembers: [{not: {in_list: box}}]\n---\nlist: box"
    assert stays(play(text, ana={"created_at": stamp("03:30")})) == [("l", "04:00", None)]


# Mail


def test_mail_is_sent_after_the_tick_and_noticed_in_the_next() -> None:
    """Ruling 72: `email_sent` has own time T and is noticed in the next tick."""
    text = flow("{event: x}", "[{send_email: hello}]") + "policy: default\ntopics: [news]\n---\n"
    found = play(text + POINTS.format("{email_sent: hello}"), track("x", "01:00"))
    assert mails(found) == [("01:00", "sent", None)] and scores(found) == [("01:00", 10)]
    cut = play(
        text + POINTS.format("{email_sent: hello}"), track("x", "01:00"), until=stamp("01:00")
    )
    assert mails(cut) == [("01:00", "sent", None)] and scores(cut) == []


@pytest.mark.parametrize(
    ("consent", "word", "status"),
    [
        ("required", "", "withheld"),
        ("required", "news", "sent"),
        ("required", "offers", "withheld"),
        ("required", "no", "withheld"),
        ("implied", "", "sent"),
        ("implied", "no", "withheld"),
    ],
)
def test_consent_of_a_topic(consent: str, word: str, status: str) -> None:
    """Rulings 76 and 82: the topic's own word first, else general."""
    text = flow("{event: x}", "[{send_email: hello}]")
    text += f"policy: default\ntopics: [news, offers]\nconsent: {consent}"
    ((_, found, _),) = mails(play(text, track("x", "01:00"), ana={"consent": word}))
    assert found == status


def test_unsubscribing_from_all_and_back_to_one() -> None:
    """Ruling 81: `all` refuses general and every topic; a later `news` grants news alone."""
    text = (
        "policy: default\ntopics: [news, offers]\n---\nlist: n\nmembers: [{consent: news}]\n---\n"
    )
    text += "list: o\nmembers: [{consent: offers}]"
    found = play(
        text,
        track("Unsubscribed", "02:00", topic="all"),
        track("Subscribed", "04:00", topic="news"),
    )
    assert stays(found) == [("n", "00:00", "02:00"), ("n", "04:00", None), ("o", "00:00", "02:00")]


def test_once_per_withholds_the_repeated_template() -> None:
    """Ruling 78: queued or sent, not withheld, in (T-d, T]."""
    text = flow(
        "{event: x}", "[{send_email: {template: hello, once_per: 2 hours}}]", "reenroll: every_time"
    )
    found = play(text, *(track("x", f"0{n}:00") for n in (1, 2, 3)))
    assert mails(found) == [
        ("01:00", "sent", None),
        ("02:00", "withheld", "once_per"),
        ("03:00", "sent", None),
    ]


def test_late_mail_is_withheld() -> None:
    """Ruling 75: withheld when T - due > d, due being the wait's end."""
    steps = "[{wait: 30 minutes}, {send_email: {template: hello, unless_late_by: %s}}]"
    late = play(flow("{event: x}", steps % "20 minutes"), track("x", "01:00"))
    assert mails(late) == [("02:00", "withheld", "late")]
    fine = play(flow("{event: x}", steps % "30 minutes"), track("x", "01:00"))
    assert mails(fine) == [("02:00", "sent", None)]


def test_email_not_opened_trigger_and_condition() -> None:
    """Rulings 30 and 65: not opened in (s, s+w], the latest such mail sent by T - w."""
    text = flow("{event: x}", "[{send_email: hello}]")
    text += POINTS.format("{email_not_opened: {template: hello, within: 2 hours}}")
    text += "---\nlist: cold\nmembers: [{email_not_opened: {template: hello, within: 2 hours}}]"
    assert scores(play(text, track("x", "01:00"))) == [("03:00", 10)]
    assert stays(play(text, track("x", "01:00"))) == [("cold", "03:00", None)]
    found = play(text, track("x", "01:00"), track("Email Opened", "03:00", template="hello"))
    assert scores(found) == [] and stays(found) == []


# The generator and the files


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(Features(calls=12)))
def test_any_case_gives_tables_in_canonical_order(one: Case) -> None:
    """LANGUAGE 9: the same input gives the same output."""
    found = expected(one)
    assert found == expected(one)
    assert all(rows == canonical(rows) for rows in found.values())


def test_calls_may_stand_in_any_order_of_the_file() -> None:
    """Rulings 3 and 10: what counts is receipt and own time."""
    one = seeded(7, Features(duplicates=False, calls=60))
    other = Case(**{**one.__dict__, "events": list(reversed(one.events))})
    assert expected(one) == expected(other)


def test_a_large_case_is_quick(tmp_path: Any) -> None:
    """Ten contacts, a hundred calls, two hundred ticks; and its folder has all its files."""
    one = large(1)
    assert expected(one)["balances"]
    write(one, tmp_path)
    assert (tmp_path / "contacts.csv").exists() and (tmp_path / "events.jsonl").exists()


def test_an_export_is_compared_column_by_column(tmp_path: Any) -> None:
    """Ruling 108: more columns are welcome, and a differing row is named."""
    one = seeded(3)
    for name, rows in expected(one).items():
        text = "".join(json.dumps({**row, "more": 1}) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text)
    assert disagreements(one, tmp_path) == []
    (tmp_path / "balances.jsonl").write_text("")
    assert all(line.startswith("- balances") for line in disagreements(one, tmp_path))
