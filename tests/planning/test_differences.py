"""Two versions of a definition, told apart in sentences that a marketer reads."""

from __future__ import annotations

import textwrap
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.engine.registry import definitions_of
from flowscore.language import actions, lifecycle, policy, scenario, scoring
from flowscore.language.project import digest, load_project
from flowscore.planning.differences import arrow, differences
from flowscore.planning.phrases import phrase
from flowscore.planning.summaries import summary
from oracle.cases import write
from oracle.features import whole
from oracle.generate import seeded

if TYPE_CHECKING:
    from flowscore.language.project import Project

AROUND = """\
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news, offers]
---
score: engagement
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
---
score: fit
rules: [{name: phone, points: 5, when: {attribute: {phone: {exists: true}}}}]
---
list: a
---
list: b
"""


def load(folder: Path, text: str) -> Project:
    (folder / "scenarios").mkdir(parents=True, exist_ok=True)
    (folder / "templates/email").mkdir(parents=True, exist_ok=True)
    for name in ("one", "two"):
        mail = f"---\nsubject: {name}\ntopic: news\n---\nHello\n"
        (folder / f"templates/email/{name}.md").write_text(mail)
    defined = textwrap.dedent(text).lstrip("\n")
    heading = defined.split("\n")[0]
    around = [one for one in AROUND.split("---\n") if not one.startswith(f"{heading}\n")]
    (folder / "scenarios/all.yaml").write_text("---\n".join([defined, *around]))
    project, problems = load_project(folder)
    assert not [one for one in problems if one.severity == "error"], problems
    return project


def told(folder: Path, kind: str, old: str, new: str) -> list[str]:
    """The differences of the definition that stands first in both texts."""
    name = textwrap.dedent(new).strip().split("\n")[0].partition(": ")[2]
    of = [_definition(load(folder, text), kind, name) for text in (old, new)]
    return list(differences(*of))


def _definition(project: Project, kind: str, name: str) -> Any:
    found = {(k, n): one for k, n, one in definitions_of(project)}
    return found[kind, name]


FLOW = "scenario: flow\ntrigger: {event: order}\nactions:\n"
STEPS = [
    ("- wait: 7 days", "- wait: 5 days", "wait 7 days → 5 days"),
    ("- wait: 1 day", "- wait: 36 hours", "wait 1 day → 36 hours"),
    (
        "- wait: {until: 09:00}",
        "- wait: {until: 09:30, days: [mon, tue], timezone: contact}",
        "wait until 09:00 → 09:30 on mon, tue in the contact's zone",
    ),
    (
        "- add_points: {score: engagement, points: 5}",
        "- subtract_points: {score: engagement, points: 2, reason: gone}",
        "add 5 points to engagement → subtract 2 points from engagement (gone)",
    ),
    ("- reset_score: fit", "- reset_score: engagement", "reset score fit → engagement"),
    (
        "- move_to_list: {from: a, to: b}",
        "- move_to_list: {from: b, to: a}",
        "move from list a to b → b to a",
    ),
    ("- set_attribute: {plan: trial}", "- set_attribute: {plan: 3}", "set plan to trial → 3"),
    ("- send_email: one", "- send_email: [one, two]", "send mail one → one, two"),
    (
        "- send_email: one",
        "- send_email: {template: one, once_per: 30 days, unless_late_by: 2 hours}",
        "send mail one → one, unless late by 2 hours, once per 30 days",
    ),
    (
        "- notify: {to: owner, template: one}",
        "- notify: {to: ana@x.example, template: one}",
        "notify owner with one → ana@x.example with one",
    ),
    (
        "- assign_owner: ana@x.example",
        "- assign_owner: {round_robin: [ana@x.example, ben@x.example]}",
        "assign owner ana@x.example → in turn ana@x.example, ben@x.example",
    ),
    ("- subscribe: news", "- subscribe: offers", "subscribe to news → offers"),
    (
        '- webhook: {url: "https://a.example/x"}',
        '- webhook: {url: "https://b.example/x"}',
        "call webhook https://a.example/x → https://b.example/x",
    ),
    (
        '- webhook: {url: "https://a.example/x", body: {a: 1}}',
        '- webhook: {url: "https://a.example/x", body: {a: 2}}',
        'call webhook https://a.example/x: body {"a":1} → {"a":2}',
    ),
    (
        "- wait_for: {event: left, up_to: 2 days}",
        "- wait_for: {event: left, up_to: 7 days}",
        "wait for left, up to 2 days → 7 days",
    ),
    (
        "- if: {in_list: a}\n    then: [{exit: done}]",
        "- if: {in_list: b}\n    then: [{exit: done}]",
        "if in list a → b",
    ),
    (
        "- split: [{name: x, share: 50%, actions: [{exit: x}]}, {name: y, share: 50%}]",
        "- split: [{name: x, share: 10%, actions: [{exit: x}]}, {name: y, share: 90%}]",
        "split into x 50%, y 50% → 10%, y 90%",
    ),
    ("- exit: bored", "- exit: done", "exit (bored) → (done)"),
    ("- wait: 1 day", "- wait: 1 day\n    enabled: false", "wait 1 day: step switched off"),
]


@pytest.mark.parametrize(("old", "new", "words"), STEPS, ids=[words for _, _, words in STEPS])
def test_a_changed_step_is_told_in_words(tmp_path: Path, old: str, new: str, words: str) -> None:
    found = told(tmp_path, "scenario", f"{FLOW}  {old}\n", f"{FLOW}  {new}\n")
    assert found == [f"actions/0: {words}"]


def test_steps_deep_inside_are_told_at_their_place(tmp_path: Path) -> None:
    flow = """
    scenario: flow
    trigger: {event: order}
    actions:
      - if: {in_list: a}
        then:
          - wait: 1 day
        else:
          - split:
              - {name: x, share: 50%, actions: [{add_to_list: a}]}
              - {name: y, share: 50%, actions: [{add_to_list: b}]}
    """
    new = flow.replace("wait: 1 day", "wait: 2 days").replace(
        "actions: [{add_to_list: b}]", "actions: [{add_to_list: b}, {exit: done}]"
    )
    inner, added = told(tmp_path, "scenario", flow, new)
    assert inner == "actions/0/then/0: wait 1 day → 2 days"
    assert added.endswith(": step added: exit (done)")


def test_a_step_with_an_id_is_known_wherever_it_goes(tmp_path: Path) -> None:
    old = f"{FLOW}  - wait: 1 day\n    id: pause\n  - exit: done\n"
    new = f"{FLOW}  - add_to_list: a\n  - wait: 3 days\n    id: pause\n  - exit: done\n"
    assert told(tmp_path, "scenario", old, new) == [
        "actions/0: step added: add to list a",
        "pause: wait 1 day → 3 days",
    ]


def test_what_stands_inside_a_new_step_is_told_with_it(tmp_path: Path) -> None:
    new = (
        f"{FLOW}  - exit: done\n  - if: {{in_list: a}}\n    then: [{{wait: 1 day}}, {{exit: a}}]\n"
    )
    assert told(tmp_path, "scenario", f"{FLOW}  - exit: done\n", new) == [
        "actions/1: step added: if in list a (then wait 1 day, exit (a))"
    ]


SETTINGS = [
    ("", "holdout: 10%", "holdout 0% → 10%"),
    ("", "priority: 3", "priority 0 → 3"),
    ("reenroll: never", "reenroll: {after: 30 days}", "reenroll never → after 30 days"),
    ("", "goal: {event: bought, up_to: 21 days}", "goal added: bought, up to 21 days"),
    ("goal: {event: bought}", "goal: {event: paid}", "goal bought → paid"),
    ("exit_when: {in_list: a}", "", "exit when removed: in list a"),
    ("conditions: {in_list: a}", "conditions: {in_list: b}", "condition in list a → b"),
]


@pytest.mark.parametrize(("old", "new", "words"), SETTINGS)
def test_a_changed_setting_is_told_in_words(tmp_path: Path, old: str, new: str, words: str) -> None:
    rest = f"{FLOW}  - wait: 1 day\n"
    assert told(tmp_path, "scenario", f"{rest}{old}\n", f"{rest}{new}\n") == [words]


def test_a_score_is_told_rule_by_rule(tmp_path: Path) -> None:
    old = """
    score: engagement
    rules:
      - {name: cart, points: 10, on: {event: cart_updated}}
      - {name: gone, points: -5, when: {inactive: 60 days}}
    range: {min: -100, max: 100}
    bands: {hot: 80, new: 20}
    """
    new = """
    score: engagement
    rules:
      - {name: cart, points: 12, on: {event: cart_updated}, cap: {points: 30, per: 1 day}}
      - {name: visit, points: 1, on: {page_visited: /pricing}}
    range: {min: -100}
    bands: {hot: 90, warm: 50}
    """
    assert told(tmp_path, "score", old, new) == [
        "rule gone removed: -5 points while no behaviour for 60 days",
        "rule cart: points 10 → 12",
        "rule cart: cap added: 30 points per 1 day",
        "rule visit added: 1 point for page_viewed /pricing",
        "range -100 to 100 → no limit",
        "band hot 80 → 90",
        "band new removed: 20",
        "band warm added: 50",
    ]


FADING = [
    ("", "{half_life: 30 days}", "decay added: half-life 30 days"),
    ("{half_life: 30 days}", "{half_life: 14 days}", "decay half-life 30 days → 14 days"),
    (
        "{half_life: 30 days}",
        "{expire: 90 days}",
        "decay half-life 30 days → expires after 90 days",
    ),
    ("{linear: 90 days}", "", "decay removed: linear over 90 days"),
    (
        "{step: {lose: 15%, every: 45 days}}",
        "{step: {lose: 20%, every: 45 days}}",
        "decay loses 15% every 45 days → 20% every 45 days",
    ),
    (
        "{idle: {after: 30 days, lose: 10, every: 7 days}}",
        "{idle: {after: 60 days, reset: true}}",
        "decay idle for 30 days loses 10 points, again every 7 days → 60 days resets",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), FADING, ids=[words for _, _, words in FADING])
def test_how_points_fade_is_told_in_words(tmp_path: Path, old: str, new: str, words: str) -> None:
    texts = [f"score: engagement\n{f'decay: {one}' if one else ''}\n{RULES}" for one in (old, new)]
    assert told(tmp_path, "score", *texts) == [words]


RULES = "rules: [{name: cart, points: 10, on: {event: cart_updated}}]\n"


def test_what_a_score_is_beside_its_rules_is_told(tmp_path: Path) -> None:
    old = "score: engagement\nscale: 1-10\nrange: {min: 0, max: 100}\n" + RULES
    new = """
    score: engagement
    scale: 1-100
    range: {min: 0, max: 100}
    of: company
    rules: [{name: cart, points: 10, on: {event: cart_updated}, decay: {linear: 9 days}}]
    """
    assert sorted(told(tmp_path, "score", old, new)) == [
        "of contact → company",
        "rule cart: decay added: linear over 9 days",
        "scale 1-10 → 1-100",
    ]


GRADE = """
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: below}
engagement: {score: engagement, 3: 50, 2: 25, 1: below}
green: [A3]
"""


def test_a_grade_is_told_axis_by_axis(tmp_path: Path) -> None:
    new = """
    grade: lead-grade
    fit: {score: fit, A: 80, B: 50, C: 25, D: below}
    engagement: {score: interest, 3: 50, 2: 25, 1: below}
    green: [A3, B3]
    ---
    score: interest
    rules: [{name: look, points: 5, on: {event: looked}}]
    """
    assert told(tmp_path, "grade", GRADE, new) == [
        "fit: A from 75 → 80",
        "fit: C whatever is below → from 25",
        "fit: D added: whatever is below",
        "engagement: score engagement → interest",
        "green cell added: B3",
    ]
    turned = GRADE.replace("1: below}", "1: below, axis: descending}")
    [*_, said] = told(tmp_path, "grade", GRADE, turned)
    assert said == "engagement: turned, so that 1 is the most active and 3 the least"


def test_a_lifecycle_is_told_stage_by_stage(tmp_path: Path) -> None:
    old = """
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {score: {engagement: {at_least: 20}}}}
      - {stage: sql, when: {in_list: a}}
      - customer
    """
    new = """
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {score: {engagement: {at_least: 30}}}, retreat: true}
      - customer
      - {stage: fan, when: {in_list: b}}
    """
    assert told(tmp_path, "lifecycle", old, new) == [
        "stage sql removed",
        "stage mql: when score engagement at least 20 → 30",
        "stage mql: retreat false → true",
        "stage fan added: when in list b",
    ]


def test_a_policy_is_told_in_words(tmp_path: Path) -> None:
    old = "policy: default\ntopics: [news, offers]\nwhen_capped: drop\n"
    new = """
    policy: default
    timezone: Europe/Madrid
    topics: [news, offers, events]
    sender: {name: Acme, address: hello@acme.example}
    suppress: {in_list: a}
    frequency_cap: [{emails: 1, per: 1 day}, {emails: 3, per: 7 days}]
    when_capped: {wait_up_to: 2 days}
    send_window: {days: [mon, fri], from: 09:00, to: 20:00, timezone: contact}
    pause_when: {bounces: 5%, of_last: 1000}
    decay_every: 1 hour
    """
    assert told(tmp_path, "policy", old, new) == [
        "timezone UTC → Europe/Madrid",
        "sender added: Acme <hello@acme.example>",
        "topic added: events",
        "suppress added: in list a",
        "frequency cap added: 1 mail per 1 day",
        "frequency cap added: 3 mails per 7 days",
        "a capped mail waits not at all → 2 days",
        "send window added: 09:00 to 20:00 on mon, fri in the contact's zone",
        "pause when added: bounces 5% of the last 1000",
        "points fade every day → every 1 hour",
    ]


def test_a_list_says_how_it_is_filled(tmp_path: Path) -> None:
    by_hand, by_itself = "list: a\n", "list: a\nmembers: [{event: order}]\n"
    assert told(tmp_path, "list", by_hand, by_itself) == [
        "filled by itself from now on, it was filled by hand; members: order"
    ]
    assert told(tmp_path, "list", by_itself, by_hand) == [
        "filled by hand from now on; members removed: order"
    ]


def test_an_arrow_says_only_what_is_another() -> None:
    assert arrow("wait 7 days", "wait 5 days") == "wait 7 days → 5 days"
    assert arrow("left", "left within 2 days") == "left → left within 2 days"


PARTS = (
    *actions.Action.__subclasses__(),
    *scoring.Decay.__subclasses__(),
    *(scoring.Axis, lifecycle.Stage),
    *(actions.Portion, scenario.Goal, scenario.Reenroll, scoring.Rule, scoring.Cap, scoring.Range),
    *(policy.Sender, policy.FrequencyCap, policy.SendWindow, policy.PauseWhen),
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_of_a_definition_has_its_words(part: type) -> None:
    assert part in phrase.registry


@pytest.mark.parametrize("seed", range(6))
def test_random_definitions_differ_in_words_where_they_differ_in_meaning(
    tmp_path: Path, seed: int
) -> None:
    write(seeded(seed, whole()), tmp_path)
    write_again = tmp_path / "other"
    write(seeded(seed + 100, whole()), write_again)
    found = [load_project(folder)[0] for folder in (tmp_path, write_again)]
    groups: dict[str, list[Any]] = {}
    for project in found:
        for kind, _, one in definitions_of(project):
            groups.setdefault(kind, []).append(one.model_copy(update={"name": "same"}))
    for group in groups.values():
        for old, new in combinations(group, 2):
            said = list(differences(old, new))
            assert bool(said) == (digest(old) != digest(new)), said
            assert not [one for one in said if "in another way" in one]
        assert all(list(summary(one)) for one in group)
