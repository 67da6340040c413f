"""Every key of scores, decay, grades and the lifecycle, through the commands (LANGUAGE 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flowscore.language.grammar import decay, grades, lifecycle, scoring
from flowscore.language.grammar.policy import POLICY as POLICY_KEYS

if TYPE_CHECKING:
    from flowscore.language.grammar.shapes import Table

    from .conftest import Project

ANA, BEN = "ana@example.com", "ben@example.com"


def keys(**tables: Table) -> set[str]:
    """`table.key` for every key of these tables."""
    return {f"{name}.{key}" for name, table in tables.items() for key in table.keys}


ORDER = "rules: [{name: order, points: 10, on: {event: order}}]"
VISIT = "rules: [{name: visit, points: 10, on: {event: visit}MORE}]"
BALANCES = {  # each a score of its own; on the second two visits and an order, ten days pass
    "score.rules": (ORDER, 10),
    "score.range": (f"range: {{max: 15}}\n{VISIT}", 15),
    "score.cap": (f"cap: {{points: 12}}\n{VISIT}", 12),
    "score.decay": (f"decay: {{linear: 20 days}}\n{ORDER}", 5),
    "score.of": (f"of: company\n{ORDER}", 20),
    "rule.points": ("rules: [{name: order, points: 7.5, on: {event: order}}]", 7.5),
    "rule.on": ("rules: [{name: two, points: 10, on: [{event: order}, {event: visit}]}]", 30),
    "rule.when": ("rules: [{name: plan, points: 5, when: {attribute: {plan: pro}}}]", 5),
    "rule.conditions": (VISIT.replace("MORE", ", conditions: [{attribute: {plan: free}}]"), 0),
    "rule.cap": (VISIT.replace("MORE", ", cap: {times: 1}"), 10),
    "rule.decay": (
        f"decay: {{linear: 20 days}}\n{ORDER.replace('order}', 'order}, decay: none')}",
        10,
    ),
    "rule.because": (
        "rules: [{name: age, points: 5, when: {attribute: {age: {at_least: 18}}}, because: law}]",
        5,
    ),
    "cap.times": (f"cap: {{times: 1}}\n{VISIT}", 10),
    "cap.points": (VISIT.replace("MORE", ", cap: {points: 15}"), 15),
    "cap.per": (VISIT.replace("MORE", ", cap: {times: 1, per: 1 hour}"), 20),
    "range.min": (f"range: {{min: -15}}\n{VISIT.replace('10', '-10')}", -15),
    "range.max": (f"range: {{max: 12}}\n{VISIT}", 12),
    "decay.expire": (f"decay: {{expire: 10 days}}\n{ORDER}", 0),
    "decay.linear": (f"decay: {{linear: 40 days}}\n{ORDER}", 7.5),
    "decay.half_life": (f"decay: {{half_life: 5 days}}\n{ORDER}", 2.5),
    "decay.step": (f"decay: {{step: {{lose: 20%, every: 5 days}}}}\n{ORDER}", 6.4),
    "decay.idle": (f"decay: {{idle: {{after: 4 days, lose: 1, every: 3 days}}}}\n{ORDER}", 8),
    "line.expire": (ORDER.replace("order}", "order}, decay: {expire: 11 days}"), 10),
    "line.linear": (ORDER.replace("order}", "order}, decay: {linear: 20 days}"), 5),
    "line.half_life": (ORDER.replace("order}", "order}, decay: {half_life: 10 days}"), 5),
    "line.step": (ORDER.replace("order}", "order}, decay: {step: {lose: 10%, every: 9 days}}"), 9),
    "step.lose": (f"decay: {{step: {{lose: 50%, every: 5 days}}}}\n{ORDER}", 2.5),
    "step.every": (f"decay: {{step: {{lose: 50%, every: 6 days}}}}\n{ORDER}", 5),
    "idle.after": (f"decay: {{idle: {{after: 9 days, lose: 1, every: 3 days}}}}\n{ORDER}", 9),
    "idle.lose": (f"decay: {{idle: {{after: 4 days, lose: 4, every: 3 days}}}}\n{ORDER}", 2),
    "idle.every": (f"decay: {{idle: {{after: 4 days, lose: 1, every: 6 days}}}}\n{ORDER}", 9),
    "idle.reset": (f"decay: {{idle: {{after: 4 days, reset: true}}}}\n{ORDER}", 0),
}
SHOWN = {"score.score", "score.description", "score.objective", "score.bands", "score.scale",
         "rule.name"}  # fmt: skip


def test_every_key_of_a_score_moves_its_balance(project: Project) -> None:
    assert set(BALANCES) | SHOWN == keys(
        score=scoring.SCORE, rule=scoring.RULE, cap=scoring.CAP, range=scoring.RANGE,
        decay=decay.SCORE_DECAY, line=decay.LINE_DECAY, step=decay.STEP, idle=decay.IDLE,
    )  # fmt: skip
    scores = {name.replace(".", "-").replace("_", "-"): one for name, one in BALANCES.items()}
    texts = (f"score: {name}\n{text}\n" for name, (text, _) in scores.items())
    project.scenario("---\n".join(texts).replace("MORE", "")).apply()
    project.people(ANA, BEN)
    project.happened(
        *(project.group(who, "1", "acme", name="Acme") for who in (ANA, BEN)),
        project.identify(ANA, "1", plan="pro", age=30),
        *(project.track(ANA, event, at) for event, at in
          (("order", "2"), ("visit", "2"), ("visit", "2 02:00"))),
        project.track(BEN, "order", "2"),
    )  # fmt: skip
    project.tick("1", "12", every="6h")
    rows = project.export()["balances"]
    found = {row["score"]: row["balance"] for row in rows if row["contact"] == ANA}
    assert found == {name: balance for name, (_, balance) in scores.items()}


def test_what_a_score_only_shows_is_shown(project: Project) -> None:
    project.scenario("""
    score: interest
    description: Pages and mails.
    objective: Who is about to buy.
    range: {min: 0, max: 90}
    bands: {hot: 60, warm: 30}
    scale: 1-10
    rules: [{name: first-visit, points: 40, on: {event: visit}}]
    """).apply().people(ANA)
    project.happened(project.track(ANA, "visit", "2")).tick("1", "3", every="6h")
    [told] = project.ok("explain", ANA, "--json").json["scores"]
    assert (told["score"], told["description"]) == ("interest", "Pages and mails.")
    assert told["objective"] == "Who is about to buy."
    assert told["band"] == "warm"
    assert told["scale"] == {"value": 5, "from": 1, "to": 10}
    assert [line["rule"] for line in told["lines"]] == ["first-visit"]


GRADED = {
    "grade.grade", "grade.description", "grade.fit", "grade.engagement", "grade.green",
    "fit.score", "engagement.score", "engagement.axis",
}  # fmt: skip


def test_every_key_of_a_grade_is_seen_in_the_queue(project: Project) -> None:
    assert keys(grade=grades.GRADE, fit=grades.FIT, engagement=grades.ENGAGEMENT) == GRADED
    project.scenario("""
    score: size
    rules: [{name: large, points: 50, when: {attribute: {size: {at_least: 100}}}}]
    ---
    score: interest
    rules: [{name: visit, points: 50, on: {event: visit}}]
    ---
    grade: priority
    description: Whom to call.
    fit: {score: size, large: 50, small: below}
    engagement: {score: interest, axis: descending, 1: 100, 2: 50, 3: below}
    green: [large-1, large-2]
    """).apply().people(ANA, BEN)
    project.happened(
        project.identify(ANA, "2", size=120),
        *(project.track(ANA, "visit", "2", n=n) for n in (1, 2)),
        project.track(BEN, "visit", "2"),
    )
    project.tick("1", "3", every="6h")
    told = project.ok("leads", "--json").json
    assert (told["matrix"]["grade"], told["matrix"]["description"]) == ("priority", "Whom to call.")
    assert told["matrix"]["green"] == ["large-1", "large-2"]
    assert [(row["contact"], row["cell"], row["green"]) for row in told["leads"]] == [
        (ANA, "large-1", True), (BEN, "small-2", False),
    ]  # fmt: skip
    [legend] = [line for line in project.ok("leads").out.splitlines() if line.startswith("large =")]
    assert legend == (
        "large = size from 50, small below; "
        "1 = interest from 100 (the most active), 2 from 50, 3 below"
    )


STAGED = {
    "lifecycle.lifecycle", "lifecycle.description", "lifecycle.stages",
    "stage.stage", "stage.when", "stage.retreat",
}  # fmt: skip


def test_every_key_of_the_lifecycle_is_seen_in_the_journey(project: Project) -> None:
    assert keys(lifecycle=lifecycle.LIFECYCLE, stage=lifecycle.STAGE) == STAGED
    project.scenario("""
    lifecycle: buyer
    description: How people become customers.
    stages:
      - lead
      - {stage: warm, when: {event: {name: visit, within: 2 days}}, retreat: true}
      - {stage: hot, when: {event: {name: demo, within: 2 days}}}
      - promised
    ---
    scenario: promises
    trigger: {event: promise}
    actions: [{set_stage: promised}]
    """).apply().people(ANA, BEN, "eva@example.com")
    project.happened(
        project.track(ANA, "visit", "2"),
        project.track(BEN, "demo", "2"),
        project.track("eva@example.com", "promise", "2"),
    )
    first = project.tick("1", "3", every="6h").export()["contacts"]
    assert sorted(row["stage"] for row in first) == ["hot", "promised", "warm"]
    project.tick("3", "6", every="6h")
    told = {who: project.ok("explain", who, "--json").json["journey"] for who in (ANA, BEN)}
    assert [row["stage"] for row in told[ANA]["history"]] == ["lead", "warm", "lead"]
    assert told[BEN]["stage"] == "hot"  # says nothing of retreat
    assert (told[ANA]["lifecycle"], told[ANA]["description"]) == (
        "buyer", "How people become customers.",
    )  # fmt: skip


@pytest.mark.parametrize(("every", "left"), [("", 10), ("decay_every: 1 hour", 5)])
def test_decay_every_is_the_grid_on_which_points_fade(
    project: Project, every: str, left: float
) -> None:
    assert "decay_every" in POLICY_KEYS.keys
    project.write("scenarios/policy.yaml", f"policy: default\n{every}\n")
    project.scenario(f"score: engagement\ndecay: {{linear: 10 hours}}\n{ORDER}").apply()
    project.people(ANA).happened(project.track(ANA, "order", "2 10:00"))
    assert project.tick("2 10:00", "2 15:00").balance(ANA) == left
    assert project.tick("2 15:00", "3").balance(ANA) == 0
