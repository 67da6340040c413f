"""Rulings 22, 26, 27, 30, 34, 63, 116 and 127: counted events, changes, mail, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, flow, hours
from engine.world import START
from flowscore.clock import HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World


THRICE = "{event: {name: visit, times: 3, within: 2 hours}}"


def test_the_completing_event_names_the_occurrence_and_uses_up(world: World) -> None:
    """Ruling 22: 3 of them in (e - w, e]; the count starts again behind e."""
    world.apply(flow(THRICE))
    for minute in (0, 30, 60, 90, 110, 119, 125):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.tick(START + 3 * HOUR)
    assert world.rows("SELECT key FROM enrollments ORDER BY own_at") == [("m3",), ("m6",)]


def test_a_visit_just_two_hours_old_is_out_of_the_count(world: World) -> None:
    """Ruling 1 in 22: the window is open at its far end."""
    world.apply(flow(THRICE))
    for minute in (0, 60, 120):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.tick(START + 3 * HOUR)
    assert hours(world) == []
    world.track(ANA, "visit", START + 180 * MINUTE - 1)
    world.tick(START + 3 * HOUR)
    world.tick(START + 4 * HOUR)
    assert len(hours(world)) == 1


def test_a_late_event_makes_an_earlier_one_complete(world: World) -> None:
    """Ruling 116: the occurrence comes then, with that event's time and key."""
    world.apply(flow("{event: {name: visit, times: 2, within: 2 hours}}"))
    world.track(ANA, "visit", START + 2 * HOUR)
    world.track(ANA, "visit", START + HOUR, how=f"late:{4 * HOUR}")
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2, 5)]
    assert world.rows("SELECT key FROM enrollments") == [("m1",)]


def test_a_late_event_before_the_mark_is_used(world: World) -> None:
    """Ruling 127: every event at or before the mark is used, late ones too."""
    world.apply(flow("{event: {name: visit, times: 2}}"))
    world.track(ANA, "visit", START + HOUR)
    world.track(ANA, "visit", START + 2 * HOUR)
    world.track(ANA, "visit", START, how=f"late:{4 * HOUR}")
    world.track(ANA, "visit", START + 5 * HOUR)
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2, 2)]


def test_history_counts_for_scenarios_but_does_not_complete(world: World) -> None:
    """Ruling 127: of three historical visits none completes or uses up; a live one does."""
    world.apply(flow("{event: {name: visit, times: 3}}"))
    for hour in (1, 2, 3):
        world.track(ANA, "visit", START - hour * HOUR, how="historical")
    world.tick(START)
    assert hours(world) == []
    world.track(ANA, "visit", START + HOUR)
    world.tick(START + HOUR)
    assert hours(world) == [(1, 1)]


def test_history_completes_counts_of_rules(world: World) -> None:
    """Ruling 127: for score rules the walk covers history."""
    world.apply("""
    score: engagement
    rules: [{name: r, points: 10, on: {event: {name: visit, times: 2}}}]
    """)
    for hour in (1, 2, 3):
        world.track(ANA, "visit", START - hour * HOUR, how="historical")
    world.track(ANA, "visit", START)
    world.tick(START)
    assert world.balance(ANA) == 20


def test_marks_outlive_an_apply_that_leaves_the_trigger(world: World) -> None:
    """Rulings 22 and 129: what was used up stays used; one open visit still counts."""
    world.apply(flow("{event: {name: visit, times: 2}}"))
    for hour in range(3):
        world.track(ANA, "visit", START + hour * HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(flow("{event: {name: visit, times: 2}}") + "    description: the same count\n")
    world.track(ANA, "visit", START + 3 * HOUR)
    world.tick(START + 3 * HOUR)
    assert hours(world) == [(1, 1), (3, 3)]


CHANGE = "{attribute: {plan: {from: free, to: [pro, team]}}}"


def test_only_a_real_change_occurs(world: World) -> None:
    """Rulings 27 and 93: creation is none, the same in other letters is none, older is none."""
    world.apply(flow(CHANGE))
    world.identify(ANA, START, plan="free")
    world.identify(ANA, START + HOUR, plan="FREE")
    world.identify(ANA, START + 3 * HOUR, plan="Pro")
    world.identify(ANA, START + 2 * HOUR, how=f"late:{3 * HOUR}", plan="free")
    world.identify(ANA, START + 6 * HOUR, plan="team")
    world.identify(BEN, START, plan="pro")
    world.tick(START + 9 * HOUR)
    assert hours(world) == [(3, 3)]


def test_absent_and_then_there_is_a_change(world: World) -> None:
    """Rulings 27 and 60: empty text is absent; so is what was never said."""
    world.apply(flow("{attribute: {plan: {to: pro}}}"))
    world.identify(ANA, START, name="Ana", plan="")
    world.identify(ANA, START + HOUR, plan="pro")
    world.identify(BEN, START, name="Ben")
    world.identify(BEN, START + HOUR, plan="pro")
    world.tick(START + 2 * HOUR)
    assert world.entered("s") == [ANA, BEN]


def test_a_late_older_value_stays_behind_an_emptied_one(world: World) -> None:
    """Ruling 27: the newest own time wins, also where it says that there is no value."""
    world.apply("""
    list: pros
    members: [{attribute: {plan: pro}}]
    """)
    world.identify(ANA, START, plan="free")
    world.identify(ANA, START + 3 * HOUR, plan="")
    world.identify(ANA, START + 2 * HOUR, how=f"late:{2 * HOUR}", plan="pro")
    world.tick(START + 5 * HOUR)
    assert world.members("pros") == []


def test_what_a_step_emptied_stays_empty(world: World) -> None:
    """Ruling 27: a late identify older than the step says nothing; a newer one is a change."""
    world.apply("""
    list: l
    ---
    scenario: clear
    trigger: {event: order}
    actions: [{set_attribute: {plan: ""}}]
    ---
    scenario: s
    trigger: {attribute: {plan: {to: pro}}}
    actions: [{add_to_list: l}]
    """)
    world.identify(ANA, START, plan="free")
    world.track(ANA, "order", START + 3 * HOUR)
    world.identify(ANA, START + 2 * HOUR, how=f"late:{2 * HOUR}", plan="pro")
    world.tick(START + 5 * HOUR)
    assert world.members("l") == []
    world.identify(ANA, START + 6 * HOUR, plan="pro")
    world.tick(START + 6 * HOUR)
    assert world.members("l") == [ANA]


def opened(world: World, **properties: str) -> None:
    """A mail sent at 0 with id a, and an open an hour later."""
    world.track(ANA, "Email Sent", START, template="hello", message_id="a")
    world.track(ANA, "Email Opened", START + HOUR, **properties)


@pytest.mark.parametrize(
    ("properties", "enters"),
    [
        ({"template": "other", "message_id": "a"}, False),
        ({"template": "hello", "message_id": "b"}, True),
        ({"template": "hello"}, False),
        ({"template": "other"}, True),
    ],
)
def test_an_open_answers_its_own_mail(
    world: World, properties: dict[str, str], enters: bool
) -> None:
    """Ruling 30: by message id where both have one, else by template."""
    world.apply(flow("{email_not_opened: {template: any, within: 2 hours}}"), hello="news")
    opened(world, **properties)
    world.tick(START + 3 * HOUR)
    assert bool(hours(world)) is enters


def test_opens_are_human_unless_said(world: World) -> None:
    """Ruling 34: in triggers and conditions alike; without a flag it was a person."""
    world.apply(
        flow("{email_opened: any}")
        + """
    ---
    list: both
    members: [{email_opened: {template: any, machine: true}}]
    ---
    list: people
    members: [{email_opened: any}]
    """
    )
    world.track(ANA, "Email Opened", START, template="hello", machine=True)
    world.track(BEN, "Email Opened", START, template="hello")
    world.tick(START)
    assert (world.entered("s"), world.members("both")) == ([BEN], [ANA, BEN])
    assert world.members("people") == [BEN]


PATHS = [
    ("/blog/*", "/blog/a", True),
    ("/blog/*", "/blog", False),
    ("/blog/*", "/Blog/a/b/?utm=1", True),
    ("/pricing", "/pricing/#top", True),
    ("/pricing", "/pricing-2", False),
    ("*", "/", True),
    ("/a_b", "/axb", False),
    ("/100%", "/100%", True),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), PATHS)
def test_paths_match_as_a_whole(world: World, pattern: str, path: str, fits: bool) -> None:
    """Ruling 63, also from `url`."""
    world.apply(
        f"""
    list: a
    members: [{{page_visited: "{pattern}"}}]
    """
    )
    world._call(ANA, {"type": "page", "properties": {"path": path}}, START, "live")
    url = "https://www.x.example" + path
    world._call(BEN, {"type": "page", "properties": {"url": url}}, START, "live")
    world.tick(START)
    assert world.members("a") == ([ANA, BEN] if fits else [])
