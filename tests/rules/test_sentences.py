"""What `explain` and refusals call a condition or a trigger: the words of a marketer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from flowscore.language.project import load_project
from flowscore.language.scoring import Cap
from flowscore.rules.explain import sentence
from flowscore.rules.scoring_words import cap_text

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.language.scenario import Scenario

PROJECT = """
policy: default
topics: [news]
---
score: engagement
rules: [{{name: r, points: 5, on: {{event: visit}}}}]
---
list: l
---
scenario: s
trigger: {trigger}
reenroll: every_time
conditions: {conditions}
actions: [{{exit: done}}]
"""


def read(
    folder: Path, trigger: str = "{event: go}", conditions: str = "[{in_list: l}]"
) -> Scenario:
    """The scenario with this trigger and these conditions."""
    (folder / "scenarios").mkdir()
    text = PROJECT.format(trigger=trigger, conditions=conditions)
    (folder / "scenarios" / "s.yaml").write_text(textwrap.dedent(text))
    project, problems = load_project(folder)
    assert not [one for one in problems if one.severity == "error"], problems
    return project.scenarios["s"]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("{company: {industry: software}}", "company's industry is software"),
        ("{this_event: {rating: {at_least: 9}}}", "this event's rating is at least 9"),
        ("{random: 12.5%}", "drawn at random (12.5%)"),
        (
            "{event: {name: order, sum: {total: {at_least: 500}}, within: 30 days}}",
            "order with total adding up to at least 500 within 30 days",
        ),
        (
            "{event: {name: order, times: 2, within: 60 days, older_than: 30 days}}",
            "order at least 2 times within 60 days more than 30 days ago",
        ),
        (
            "{event: {name: order, since: entered, same: [cart_id]}}",
            "order of the same cart_id since entering",
        ),
        ("{email_clicked: {link: '*/offer'}}", "email_clicked link */offer"),
    ],
)
def test_a_condition_in_english(tmp_path: Path, condition: str, wanted: str) -> None:
    found = read(tmp_path, conditions=f"[{condition}]").conditions
    assert found is not None
    assert sentence(found) == wanted


@pytest.mark.parametrize(
    ("trigger", "wanted"),
    [
        (
            "{score: {engagement: {gains: 30, within: 2 days}}}",
            "score engagement gains 30 within 2 days",
        ),
        ("{subscribed: news}", "subscribed news"),
        ("{unsubscribed: [email, all]}", "unsubscribed mail in general or everything"),
        ("{date: {attribute: renewal}}", "on renewal at 09:00"),
        (
            "{date: {attribute: born, offset: -3 days, at: 10:30, every: year, timezone: contact}}",
            "every year 3 days before born at 10:30, contact's own time",
        ),
        (
            "{date: {attribute: webinar, offset: 90 minutes, timezone: Europe/Madrid}}",
            "90 minutes after webinar, Europe/Madrid",
        ),
        (
            "{no_event: {name: order, after: {event: cart}, within: 1 hour, same: [cart_id]}}",
            "no order on the same cart_id within 1 hour after cart",
        ),
    ],
)
def test_a_trigger_in_english(tmp_path: Path, trigger: str, wanted: str) -> None:
    assert sentence(read(tmp_path, trigger).trigger[0]) == wanted


@pytest.mark.parametrize(
    ("times", "wanted"), [(1, "once"), (2, "2 times"), (21, "21 times"), (1001, "1,001 times")]
)
def test_how_often_a_cap_lets_a_rule_give(times: int, wanted: str) -> None:
    assert cap_text(Cap(times=times)) == wanted


def test_alternatives_stand_apart_beside_and(tmp_path: Path) -> None:
    conditions = "[{in_list: l}, {event: {name: [demo, trial]}}]"
    found = read(tmp_path, "{event: visit}", conditions).conditions
    assert sentence(found) == "in list l and (demo or trial)"
