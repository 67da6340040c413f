"""The journey explained: since when, why, what was skipped, and what the next stage asks."""

from __future__ import annotations

from typing import Any

from engine.world import START
from flowscore.clock import DAY, HOUR

from .explained import ANA, Explained

Row = dict[str, Any]
JOURNEY = """
score: engagement
rules: [{name: e, points: 10, on: {event: hello}}]
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {score: {engagement: {at_least: 10}}}, retreat: true}
  - {stage: sql, when: [{score: {engagement: {at_least: 30}}}, {attribute: {country: ES}}]}
  - talking
  - {stage: customer, when: {event: order_completed}}
---
scenario: spoke
trigger: {event: call_taken}
actions: [{set_stage: talking}]
---
scenario: lost
trigger: {event: bye}
actions: [{subtract_points: {score: engagement, points: 5}}]
"""


def journey(world: Explained, *events: str) -> Row:
    """Ana's journey after one event a day."""
    world.apply(JOURNEY)
    world.identify(ANA, START)
    for day, name in enumerate(events, start=1):
        world.track(ANA, name, START + day * DAY)
    world.tick(START + (len(events) + 1) * DAY)
    found: Row = world.explain()["journey"]
    return found


def test_d08_everybody_begins_in_the_first_stage(world: Explained) -> None:
    told = journey(world)
    assert (told["stage"], told["since"]) == ("lead", "2026-03-02T00:00:00Z")
    [stay] = told["history"]
    assert (stay["why"], stay["left_at"]) == ("everybody begins here", None)
    [following] = told["next"]
    assert following["stage"] == "mql"
    assert (following["condition"]["holds"], following["condition"]["seen"]) == (
        False,
        "engagement 0",
    )


def test_d08_the_way_is_told_with_its_times_and_causes(world: Explained) -> None:
    told = journey(world, "hello")
    assert told["stages"] == ["lead", "mql", "sql", "talking", "customer"]
    assert [(stay["stage"], stay["entered_at"], stay["left_at"]) for stay in told["history"]] == [
        ("lead", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        ("mql", "2026-03-03T00:00:00Z", None),
    ]
    assert told["why"] == "score engagement at least 10"
    assert told["stays_while"]["holds"]


def test_d07_the_next_stage_shows_what_is_missing(world: Explained) -> None:
    told = journey(world, "hello")
    [following] = told["next"]
    points, country = following["condition"]["of"]
    assert (points["holds"], points["wanted"], points["seen"]) == (
        False,
        "score engagement at least 30",
        "engagement 10",
    )
    assert (country["holds"], country["seen"]) == (False, "country = not known")


def test_d05_a_skipped_stage_is_told_with_the_reason(world: Explained) -> None:
    told = journey(world, "order_completed")
    skipped = [stay for stay in told["history"] if stay["skipped"]]
    assert [stay["stage"] for stay in skipped] == ["mql", "sql", "talking"]
    assert {stay["why"] for stay in skipped} == {
        "passed over, straight to customer: order_completed"
    }
    assert (told["stage"], told["why"], told["next"]) == ("customer", "order_completed", [])


def test_d08_a_retreat_is_told(world: Explained) -> None:
    told = journey(world, "hello", "bye")
    assert told["stage"] == "lead"
    assert told["why"] == "fell back from mql, which asks: score engagement at least 10"
    assert [stay["stage"] for stay in told["history"]] == ["lead", "mql", "lead"]


def test_d08_a_stage_set_by_hand_names_the_step(world: Explained) -> None:
    told = journey(world, "call_taken")
    assert (told["stage"], told["why"]) == ("talking", "set by scenario/spoke#actions/0")


def test_d08_a_bare_stage_ahead_names_who_sets_it(world: Explained) -> None:
    told = journey(world, "hello", "hello", "hello")
    assert told["stage"] == "mql"
    world.identify(ANA, START + 5 * DAY, country="ES")
    world.tick(START + 5 * DAY + HOUR)
    told = world.explain()["journey"]
    assert told["stage"] == "sql"
    assert [one["stage"] for one in told["next"]] == ["talking", "customer"]
    [step] = told["next"][0]["set_by"]
    assert (step["scenario"], step["step"]) == ("spoke", "actions/0")
    assert told["next"][0]["condition"] is None
    assert told["next"][1]["condition"]["seen"] == "0 times"


def test_a_project_without_a_lifecycle_has_no_journey(world: Explained) -> None:
    world.apply("list: l\n")
    world.identify(ANA, START)
    world.tick(START)
    assert world.explain()["journey"] is None
    assert world.explain()["grades"] == []
