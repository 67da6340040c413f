"""The oracle, ruling by ruling: goals, exits, holdout, waits, splits and the younger steps."""

from __future__ import annotations

import pytest

from .cases import comparable, expected
from .small import (
    ANA,
    POINTS,
    case,
    ends,
    entered,
    flow,
    identify,
    play,
    refused,
    scores,
    stamp,
    stays,
    track,
)

WAITING = "[{wait: 3 hours}, {add_to_list: box}]"


# Goals and exits


def test_a_goal_ends_at_once() -> None:
    """LANGUAGE 4 and ruling 7: converted at T, no further step."""
    text = flow("{event: x}", WAITING, "goal: {event: y}")
    found = play(text, track("x", "01:00"), track("y", "02:10"))
    assert ends(found) == [("converted", "03:00", "03:00")] and stays(found) == []


def test_a_goal_needs_its_own_time_since_the_entry() -> None:
    """Ruling 37: own time >= entry, and noticed later than the entry."""
    text = flow("{event: x}", "[{wait: 8 hours}]", "goal: {event: y}")
    for at, received, outcome in (
        ("00:59", "03:00", "finished"),
        ("01:00", "03:00", "converted"),
        ("01:00", "01:00", "finished"),
    ):
        found = play(text, track("x", "01:00"), track("y", at, received))
        assert ends(found)[0][0] == outcome


@pytest.mark.parametrize(
    ("at", "received", "converted"),
    [
        ("04:00", "04:00", "04:00"),
        ("04:00", "05:00", None),
        ("04:01", "04:01", None),
        ("02:00", "03:50", "04:00"),
    ],
)
def test_a_goal_is_measured_after_the_last_step(
    at: str, received: str, converted: str | None
) -> None:
    """Rulings 41 and 90: own time <= entry + up_to, noticed by the first tick at or after it."""
    text = flow("{event: x}", more="goal: {event: y, up_to: 3 hours}")
    found = play(text, track("x", "01:00"), track("y", at, received))
    assert ends(found) == [("converted" if converted else "finished", "01:00", converted)]
    without = play(flow("{event: x}", more="goal: {event: y}"), track("x", "01:00"), track("y", at))
    assert ends(without) == [("finished", "01:00", None)]


def test_a_goal_counts_since_the_entry() -> None:
    """Ruling 37: `times` counts only events since the start; anchors may be older."""
    text = flow("{event: x}", "[{wait: 9 hours}]", "goal: {event: {name: y, times: 2}}")
    calls = [track("y", at) for at in ("00:30", "02:00", "04:00")]
    assert ends(play(text, track("x", "01:00"), *calls))[0] == ("converted", "04:00", "04:00")
    quiet = "goal: {no_event: {name: z, after: {event: y}, within: 2 hours}}"
    found = play(flow("{event: x}", "[{wait: 9 hours}]", quiet), track("x", "01:00"), calls[0])
    assert ends(found) == [("converted", "03:00", "03:00")]


def test_a_goal_agrees_with_the_enrolling_event() -> None:
    """Ruling 85: in `goal` with the enrolling event."""
    text = flow("{event: x}", "[{wait: 9 hours}]", "goal: {event: {name: y, same: [id]}}")
    calls = [track("x", "01:00", id=1), track("y", "02:00", id=2), track("y", "03:00", id="1")]
    assert ends(play(text, *calls)) == [("converted", "03:00", "03:00")]


def test_a_step_may_reach_the_goal() -> None:
    """Ruling 14: what steps make is noticed in the next round, also for a finished enrollment."""
    text = flow("{event: x}", more="goal: {list_joined: box, up_to: 1 hour}")
    assert ends(play(text, track("x", "01:00"))) == [("converted", "01:00", "01:00")]


def test_who_exited_is_not_watched() -> None:
    """Ruling 90: only enrollments that finished by their last step."""
    text = flow("{event: x}", "[{exit: no}]", "goal: {event: y, up_to: 9 hours}")
    assert ends(play(text, track("x", "01:00"), track("y", "02:00"))) == [("exited", "01:00", None)]


def test_exit_is_asked_before_the_first_step_and_in_every_round() -> None:
    """Ruling 40: also entered and exited at T with no step."""
    text = flow("{event: x}", WAITING, "exit_when: {event: y}")
    found = play(text, track("y", "00:30"), track("x", "01:00"))
    assert ends(found) == [("exited", "01:00", None)] and stays(found) == []
    assert ends(play(text, track("x", "01:00"), track("y", "02:00"))) == [("exited", "02:00", None)]


def test_goal_beats_exit() -> None:
    """Ruling 13: goals, then exits; both before any step."""
    text = flow("{event: x}", WAITING, "goal: {event: y}\nexit_when: {event: y}")
    found = play(text, track("x", "01:00"), track("y", "04:00"))
    assert ends(found) == [("converted", "04:00", "04:00")] and stays(found) == []


def test_exit_is_asked_before_each_step() -> None:
    """Ruling 40: what one step does may end the walk before the next."""
    steps = "[{add_to_list: box}, {remove_from_list: box}]"
    text = flow("{event: x}", steps, "exit_when: {in_list: box}")
    found = play(text, track("x", "01:00"))
    assert ends(found) == [("exited", "01:00", None)] and stays(found) == [("box", "01:00", None)]


def test_ends_of_this_round_free_for_entering_again() -> None:
    """Ruling 36: goal and exit of this round = outside."""
    more = "goal: {event: x}\nreenroll: when_finished"
    found = play(flow("{event: x}", WAITING, more), track("x", "01:00"), track("x", "02:00"))
    assert entered(found) == [("f", "01:00"), ("f", "02:00")] and refused(found) == []


def test_a_disabled_scenario_has_no_steps_but_people_leave() -> None:
    """Rulings 42 and 129: `enabled` is the newest's; goals and exits still end enrollments."""
    before = flow("{event: x}", WAITING, "goal: {event: y}")
    after = before.replace("scenario: f", "scenario: f\nenabled: false")
    later = ({"p.yaml": after}, stamp("02:00"))
    one = case(before, track("x", "01:00"), track("y", "07:00"))
    found = expected(type(one)(**{**one.__dict__, "later": later}))
    assert ends(found) == [("converted", "07:00", "07:00")] and stays(found) == []


def test_people_inside_keep_the_actions_of_their_version() -> None:
    """Ruling 129: actions, goal and exit of the version on which they entered."""
    before = flow("{event: x}", WAITING, "reenroll: every_time") + "list: new\n"
    after = before.replace("add_to_list: box", "add_to_list: new")
    one = case(before, track("x", "01:00"), track("x", "03:00"))
    found = expected(type(one)(**{**one.__dict__, "later": ({"p.yaml": after}, stamp("02:00"))}))
    assert stays(found) == [("box", "04:00", None), ("new", "06:00", None)]


# Holdout, splits


def test_held_out_contacts_walk_without_effects() -> None:
    """Ruling 43: the same path with every effect left out; it counts for reenroll."""
    text = flow("{event: x}", WAITING, "holdout: 100%\ngoal: {event: y, up_to: 9 hours}")
    found = play(text, track("x", "01:00"), track("x", "02:00"), track("y", "06:00"))
    assert ends(found) == [("converted", "04:00", "06:00")] and stays(found) == []
    assert refused(found) == [("reenroll", "02:00")]


def test_a_split_goes_by_running_sums() -> None:
    """Ruling 44: every contact has one way, the same every time."""
    steps = "[{split: [{name: a, share: 30%, actions: [{add_to_list: box}]},"
    steps += " {name: b, share: 70%, actions: [{add_to_list: other}]}]}]"
    text = flow("{event: x}", steps, "reenroll: every_time") + "list: other\n"
    people = [{"email": f"p{i}@example.com", "created_at": stamp("00:00")} for i in range(100)]
    calls = [
        track("x", at) | {"userId": row["email"], "messageId": f"{row['email']}{at}"}
        for row in people
        for at in ("01:00", "02:00")
    ]
    found = stays(play(text, *calls, people=people))
    assert len(found) == 100 and 15 < sum(stay[0] == "box" for stay in found) < 45


# wait_for


BOTH = "then: [{add_to_list: box}], else: [{add_to_list: other}]"
OTHER = "list: other\n"


def waited(trigger: str, *calls: dict[str, object], **more: str) -> list[tuple[str, ...]]:
    """Which list was joined when, after a `wait_for` from 01:00 to 04:00."""
    steps = f"[{{wait_for: {{{trigger}, up_to: 3 hours}}, {BOTH}}}]"
    found = play(flow("{event: x}", steps) + OTHER, track("x", "01:00", **more), *calls)
    return [(stay[0], stay[1]) for stay in stays(found)]


@pytest.mark.parametrize(
    ("at", "received", "expected"),
    [
        ("02:10", None, [("box", "03:00")]),
        ("04:00", None, [("box", "04:00")]),
        ("03:50", "04:00", [("box", "04:00")]),
        ("03:50", "04:01", [("other", "04:00")]),
        ("04:01", None, [("other", "04:00")]),
        ("01:00", None, [("other", "04:00")]),
        ("01:00", "02:00", [("box", "02:00")]),
        ("00:59", "02:00", [("other", "04:00")]),
    ],
)
def test_wait_for_looks_forward_up_to_its_deadline(
    at: str, received: str | None, expected: list[tuple[str, str]]
) -> None:
    """Rulings 37 and 38: own time from the step to the deadline, known at its tick."""
    assert waited("event: y", track("y", at, received)) == expected


def test_wait_for_goes_on_behind_in_both_cases() -> None:
    """Ruling 38: afterwards the walk goes on behind the step."""
    steps = "[{wait_for: {event: y, up_to: 2 hours}}, {add_to_list: box}]"
    assert stays(play(flow("{event: x}", steps), track("x", "01:00")))[0][1] == "03:00"
    found = play(flow("{event: x}", steps), track("x", "01:00"), track("y", "02:00"))
    assert stays(found)[0][1] == "02:00"


def test_wait_for_hears_what_an_earlier_step_did() -> None:
    """Ruling 37: what an earlier step of the same walk did is noticed later, so it counts."""
    steps = "[{add_to_list: box}, {wait_for: {list_joined: box, up_to: 3 hours}, "
    steps += "then: [{remove_from_list: box}]}]"
    assert stays(play(flow("{event: x}", steps), track("x", "01:00"))) == [
        ("box", "01:00", "01:00")
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-02T00:30:00Z", [("other", "01:00")]),
        ("2026-01-02T01:00:00Z", [("box", "01:00")]),
        ("2026-01-02T02:30:00Z", [("box", "03:00")]),
        ("2026-01-02T04:00:00Z", [("box", "04:00")]),
        ("2026-01-02T04:30:00Z", [("other", "04:00")]),
        ("soon", [("other", "04:00")]),
        (None, [("other", "04:00")]),
    ],
)
def test_wait_for_a_date(value: str | None, expected: list[tuple[str, str]]) -> None:
    """Ruling 92: past: `else` at once; exactly T: `then` at once; unreadable: to the deadline."""
    of_event = "date: {property: d, offset: 0 minutes}"
    assert waited(of_event, **({"d": value} if value else {})) == expected


def test_wait_for_a_date_that_changes() -> None:
    """Ruling 31: by the value known at T, if it was set before that instant."""
    call = identify("02:10", d="2026-01-02T03:30:00Z")
    assert waited("date: {attribute: d, offset: 0 minutes}", call) == [("box", "04:00")]


def test_wait_for_a_crossing() -> None:
    """Rulings 15 and 37: a balance that is there already has to cross again."""
    text = POINTS.format("{event: y}") + "---\n"
    steps = "[{wait_for: {score: {reaches: 10}, up_to: 3 hours}, then: [{add_to_list: box}]}]"
    before = play(text + flow("{event: x}", steps), track("y", "00:30"), track("x", "01:00"))
    assert stays(before) == []
    after = play(text + flow("{event: x}", steps), track("x", "01:00"), track("y", "02:00"))
    assert stays(after) == [("box", "02:00", None)]


# The younger steps


def test_enroll_is_noticed_in_the_next_round() -> None:
    """Rulings 46 and 86: the target's conditions apply, the event is the enrolling one's."""
    text = flow("{event: x}", "[{enroll: g}, {add_to_list: box}]", "reenroll: every_time")
    text += "scenario: g\ntrigger: manual\nconditions: [{in_list: box}]\n"
    text += 'actions: [{set_attribute: {n: "{{ event.n }}"}}]\n'
    found = play(text, track("x", "01:00", n=5), track("x", "02:00", n=6))
    assert entered(found) == [("f", "01:00"), ("f", "02:00"), ("g", "01:00")]
    assert refused(found) == [("reenroll", "02:00")]
    assert found["contacts"][0]["attributes"] == {"n": 5}


def test_a_reset_voids_what_is_dated_before() -> None:
    """Ruling 54: late events from before too; what is written after it stays."""
    text = POINTS.format("{event: y}") + "---\n"
    text += flow("{event: x}", "[{reset_score: s}, {add_points: 3}]")
    calls = [track("y", "01:00"), track("x", "02:00"), track("y", "01:30", "04:00")]
    assert play(text, *calls)["balances"][0]["balance"] == 3
    found = play(text, *calls, track("y", "05:00"))
    assert found["balances"][0]["balance"] == 13
    assert ("02:00", -10) in scores(found)
    assert [row["kind"] for row in comparable(found)["points"]] == ["reset", "sum"]


def test_owners_take_turns_by_age_and_address() -> None:
    """Ruling 130: a counter per scenario and step, in the order of phase 4."""
    people = [{"email": f"{n}@example.com", "created_at": stamp("00:00")} for n in "cab"]
    calls = [
        track("x", at) | {"userId": f"{n}@example.com", "messageId": n}
        for n, at in (("c", "01:00"), ("a", "02:00"), ("b", "02:00"))
    ]
    turns = "[{assign_owner: {round_robin: [one@x.example, two@x.example]}}]"
    found = play(flow("{event: x}", turns), *calls, people=people)
    owners = {row["email"][0]: row["attributes"]["owner"][:3] for row in found["contacts"]}
    assert owners == {"c": "one", "a": "two", "b": "one"}


def test_notes_and_webhooks_are_under_no_policy() -> None:
    """LANGUAGE 4 and ruling 73: neither consent nor caps hold for them."""
    steps = "[{notify: {to: a@x.example, template: hello}}, {webhook: {url: 'https://x.example'}}]"
    policy = "policy: default\nsuppress: {attribute: {email: {exists: true}}}\n---\n"
    found = play(policy + flow("{event: x}", steps), track("x", "01:00"), ana={"consent": "no"})
    rows = [(row["kind"], row["status"], row["contact"]) for row in found["messages"]]
    assert sorted(rows) == [("notify", "sent", ANA), ("webhook", "sent", ANA)]
