"""Every point: lines of each kind, what they are worth now, and the sum."""

from __future__ import annotations

from typing import Any

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.views.explain_lines import parts_in_hundredths, sheet

from .explained import ANA, BEN, Explained

Row = dict[str, Any]


def figures(score: Row) -> list[tuple[str, float, float | None]]:
    return [(line["kind"], line["points"], line["worth"]) for line in score["lines"]]


def engagement(more: str = "", rule: str = "{name: r, points: 10, on: {event: hello}}") -> str:
    return f"score: engagement\n{more}\nrules:\n  - {rule}\n"


def test_d07_decay_is_a_line_and_each_line_says_what_it_is_worth(world: Explained) -> None:
    """The golden number: 8 points, half-life 30 days, after 90 days: 1."""
    rule = "{name: r, points: 8, on: {event: hello}}"
    world.apply(engagement("decay: {half_life: 30 days}", rule))
    world.track(ANA, "hello", START)
    world.tick(START + 90 * DAY, step=DAY)
    score = world.score()
    assert score["balance"] == 1
    assert figures(score) == [("rule", 8, 1), ("decay", -7, None)]
    assert score["lines"][0]["means"] == "+8 for each hello; half of it is gone every 30 days"
    assert score["lines"][1]["where"] == "scenarios/all.yaml:6:9"


@pytest.mark.parametrize(
    ("decay", "words"),
    [
        ("{expire: 90 days}", "gone after 90 days"),
        ("{linear: 60 days}", "fades to nothing over 60 days"),
        ("{step: {lose: 15%, every: 45 days}}", "loses 15% every 45 days"),
        ("none", ""),
    ],
)
def test_f06_a_rule_says_in_plain_words_what_it_gives_and_how_that_fades(
    world: Explained, decay: str, words: str
) -> None:
    rule = f"{{name: r, points: 10, on: {{event: hello}}, cap: {{times: 1}}, decay: {decay}}}"
    world.apply(engagement("decay: {half_life: 30 days}", rule))
    world.track(ANA, "hello", START)
    world.tick(START + 30 * DAY, step=DAY)
    [line, *_] = world.score()["lines"]
    said = "+10 for each hello, at most once"
    assert line["means"] == (f"{said}; {words}" if words else said)


def test_d07_what_a_range_cuts_is_a_line(world: Explained) -> None:
    world.apply(engagement("range: {min: -100, max: 15}"))
    for minute in range(2):
        world.track(ANA, "hello", START + minute * MINUTE)
    world.tick(START + HOUR)
    score = world.score()
    assert figures(score) == [("rule", 10, 10), ("rule", 10, 10), ("cut", -5, -5)]
    assert score["balance"] == 15
    assert score["lines"][-1]["where"] == "scenarios/all.yaml:6:1"


RESET = """
---
scenario: clear
trigger: {event: bye}
actions: [{reset_score: engagement}]
"""


def test_d07_a_reset_is_a_line_and_what_it_voids_is_worth_nothing(world: Explained) -> None:
    """What had faded before the reset, and what came too late, is a line of its own."""
    world.apply(engagement("decay: {linear: 10 days}") + RESET)
    world.track(ANA, "hello", START)
    world.track(ANA, "bye", START + 5 * DAY)
    world.track(ANA, "hello", START + 6 * DAY)
    world.tick(START + 8 * DAY, step=DAY)
    score = world.score()
    assert figures(score) == [
        ("rule", 10, 0),
        ("reset", -5, 0),
        ("rule", 10, 8),
        ("decay", -2, None),
        ("void", -5, None),
    ]
    assert score["balance"] == 8
    assert score["lines"][1]["where"] == "scenarios/all.yaml:13:11"


def test_d07_losses_of_the_idle_are_lines(world: Explained) -> None:
    idle = "decay: {idle: {after: 3 days, lose: 4, every: 2 days}}"
    world.apply(engagement(idle))
    world.track(ANA, "hello", START)
    world.tick(START + 8 * DAY, step=DAY)
    score = world.score()
    assert figures(score) == [
        ("rule", 10, 10),
        ("idle", -4, -4),
        ("idle", -4, -4),
        ("idle", -2, -2),
    ]
    assert score["balance"] == 0
    assert {line["reason"] for line in score["lines"][1:]} == {"nothing done for so long"}
    means = "after 3 days without activity the score loses 4, and again every 2 days"
    assert {line["means"] for line in score["lines"][1:]} == {means}


PARTS = """
score: engagement
range: {min: 0, max: 50}
scale: 1-10
rules:
  - {name: cart, points: 10.005, on: {event: cart_updated}}
  - {name: team, points: 25, when: {attribute: {employees: {at_least: 10}}}}
  - {name: moved, points: 3, on: {attribute: country}}
  - {name: reader, points: 2, when: {page_visited: /blog}}
---
scenario: gift
trigger: {event: cart_updated}
actions: [{add_points: {score: engagement, points: 20, reason: a present}}]
"""


def test_a16_what_they_told_and_what_they_did_are_apart(world: Explained) -> None:
    world.apply(PARTS)
    world.identify(ANA, START, employees=20, country="ES")
    world.identify(ANA, START + MINUTE, country="FR")
    world.track(ANA, "cart_updated", START + 2 * MINUTE)
    world.tick(START + HOUR)
    score = world.score()
    assert score["parts"] == {"explicit": 28, "implicit": 10.005, "given": 20, "cut": -8.005}
    parts = {line["rule"]: line["part"] for line in score["lines"]}
    assert parts["team"] == parts["moved"] == "explicit"
    assert parts["cart"] == "implicit"
    assert score["lines"][0]["reason"] == "employees is at least 10"


def test_a17_both_parts_make_the_total(world: Explained) -> None:
    test_a16_what_they_told_and_what_they_did_are_apart(world)
    score = world.score()
    assert sum(score["parts"].values()) == pytest.approx(score["balance"]) == 50
    assert sum(parts_in_hundredths(score).values()) == sheet(score).total == 5000


@pytest.mark.parametrize(("events", "scale"), [(0, 1), (1, 3), (2, 4), (3, 6), (9, 10)], ids=str)
def test_a15_score_is_shown_on_its_scale_too(world: Explained, events: int, scale: int) -> None:
    """1 + round half up(balance / 60 · 9) (ruling 59)."""
    world.apply(engagement("range: {min: 0, max: 60}\nscale: 1-10"))
    world.identify(ANA, START)
    for minute in range(events):
        world.track(ANA, "hello", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.score()["scale"] == {"value": scale, "from": 1, "to": 10}


def test_d07_a_gift_names_its_step(world: Explained) -> None:
    world.apply(PARTS)
    world.track(ANA, "cart_updated", START)
    world.tick(START + HOUR)
    [gift] = [line for line in world.score()["lines"] if line["kind"] == "scenario"]
    assert (gift["rule"], gift["reason"], gift["part"]) == ("gift", "a present", "given")
    assert gift["where"] == "scenarios/all.yaml:17:11"
    assert gift["event"]["name"] == "cart_updated"


SHARED = engagement("of: company\ndecay: {linear: 10 days}")


def test_d07_a_companys_score_says_whose_line_it_was(world: Explained) -> None:
    world.apply(SHARED)
    for who in (ANA, BEN):
        world.group(who, "acme", START)
    world.track(ANA, "hello", START + MINUTE)
    world.track(BEN, "hello", START + 2 * MINUTE)
    world.tick(START + 5 * DAY + HOUR)
    for who in (ANA, BEN):
        score = world.score(who=who)
        assert (score["balance"], score["of"], score["company"]) == (10.0021, "company", "acme")
        told = [(line.get("member"), line["points"]) for line in score["lines"][:3]]
        assert told == [(ANA, 10), (BEN, 10), (None, pytest.approx(-9.9979, abs=1e-4))]
        assert sum(line["points"] for line in score["lines"]) == pytest.approx(10.0021, abs=1e-9)


def test_who_is_with_no_company_reads_nothing_of_its_score(world: Explained) -> None:
    world.apply(SHARED)
    world.track(ANA, "hello", START)
    world.tick(START + HOUR)
    score = world.score()
    assert (score["balance"], score["company"], score["lines"]) == (0, None, [])


def test_f05_a_sensitive_rule_says_why_it_asks(world: Explained) -> None:
    rule = (
        "{name: old, points: -5, when: {attribute: {age: {at_least: 70}}}, "
        "because: it needs a driving licence}"
    )
    world.apply(engagement(rule=rule))
    world.identify(ANA, START, age=71)
    world.tick(START + HOUR)
    [line] = world.score()["lines"]
    words = "-5 while age is at least 70 (asked because: it needs a driving licence)"
    assert line["means"] == words


def test_place_among_all_is_told_to_the_first(world: Explained) -> None:
    world.apply(engagement())
    for who, count in ((ANA, 1), (BEN, 2)):
        for minute in range(count):
            world.track(who, "hello", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert (world.score(who=BEN)["rank"], world.score(who=ANA)["rank"]) == (1, 2)


def test_long_ledgers_are_summed_by_rule_and_still_add_up(world: Explained) -> None:
    world.apply(
        "score: engagement\nrules:\n"
        "  - {name: a, points: 0.333, on: {event: hello}}\n"
        "  - {name: b, points: 1, on: {event: hello}}\n"
    )
    for minute in range(30):
        world.track(ANA, "hello", START + minute * MINUTE)
    world.tick(START + HOUR)
    score = world.score()
    shown = sheet(score, newest=10)
    assert [line.because for line in shown.lines[:2]] == ["25 earlier lines", "25 earlier lines"]
    assert [line.points for line in shown.lines[:2]] == [833, 2500]
    assert len(shown.lines) == 2 + 10 + 1
    assert sum(line.points or 0 for line in shown.lines) == shown.total == 3999
    assert len(sheet(score, None).lines) == 61
    assert score["strongest"] == [
        {"kind": "rule", "rule": "b", "times": 30, "worth": 30},
        {"kind": "rule", "rule": "a", "times": 30, "worth": 9.99},
    ]
