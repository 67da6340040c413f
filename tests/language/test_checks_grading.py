"""Circles through grades and stages, loops that they close, and where nobody can ever stand."""

from __future__ import annotations

import pytest

from language.test_reading_grading import GRADE, SCORES, files

EXIT = "actions: [exit: x]\n"
FUNNEL = """\
lifecycle: buyer
stages: [lead, {stage: mql, when: {grade: [A4, A3]}}, {stage: sql, when: {in_list: ready}}, won]
---
list: ready
members: {score: {engagement: {at_least: hot}}}
---
scenario: won
trigger: {event: order_completed}
actions: [set_stage: won]
---
"""
WORLD = SCORES + GRADE + FUNNEL


@pytest.fixture
def said(load):
    """The problems of a severity, each as one line, of a text in that world."""

    def run(text: str, severity: str = "warning", world: str = WORLD) -> list[str]:
        transactional = "---\nsubject: x\ntopic: transactional\n---\n"
        used = "scenario: used\ntrigger: manual\nactions: [send_email: offer]\n"
        around = files(world) | {"scenarios/used.yaml": used, "scenarios/p.yaml": POLICY}
        around["templates/email/offer.html"] = transactional
        problems = [one for one in load(text, around)[1] if one.severity == severity]
        return [f"{p.mark}: {p.message}; {p.hint}" for p in problems]

    return run


POLICY = "policy: p\nsender: {name: Acme, address: hello@acme.example}\n"


def test_the_world_is_clean(said) -> None:
    text = "list: x\nmembers: {stage: lead}\n"
    assert said(text) == said(text, "error") == []


# --- circles (ruling 68) -------------------------------------------------------------------------

CIRCLES = {
    "score-reads-grade": (
        "score: fit\nrules: [{name: a, points: 5, when: {grade: A4}}]\n---\n",
        "grade 'lead-grade' → score 'fit' → grade 'lead-grade'",
    ),
    "score-reads-stage": (
        (
            "score: fit\nrules: [{name: a, points: 5, when: {stage: {at_least: mql}}}]\n---\n"
            "lifecycle: b\nstages: [lead, {stage: mql, when: {grade: A4}}]\n"
        ),
        "grade 'lead-grade' → score 'fit' → lifecycle 'b' → grade 'lead-grade'",
    ),
    "stage-reads-list-that-reads-stage": (
        (
            "lifecycle: b\nstages: [lead, {stage: mql, when: {in_list: x}}]\n---\n"
            "list: x\nmembers: [{not: {stage: lead}}]\n"
        ),
        "lifecycle 'b' → list 'x' → lifecycle 'b'",
    ),
    "stage-reads-score-that-reads-stage": (
        (
            "lifecycle: b\nstages: [lead, {stage: mql, when: {score: {x: {at_least: 5}}}}]\n---\n"
            "score: x\nrules: [{name: a, points: 5, when: {stage: mql}}]\n"
        ),
        "lifecycle 'b' → score 'x' → lifecycle 'b'",
    ),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_refuse_a_circle(name, said, load) -> None:
    text, way = CIRCLES[name]
    scores = SCORES.partition("score: fit")[0] if "score: fit" in text else SCORES
    [problem] = said(text, "error", scores + GRADE)
    assert f"these read one another in a circle: {way}; take one" in problem


def test_leave_out_what_a_circle_runs_through(load) -> None:
    text, _ = CIRCLES["score-reads-stage"]
    world = files(SCORES.partition("score: fit")[0] + GRADE)
    project, _ = load(text, world)
    assert (set(project.scores), project.grades, project.lifecycle) == ({"engagement"}, {}, None)
    assert not {"score/fit", "grade/lead-grade", "lifecycle/b"} & set(project.sources)


@pytest.mark.parametrize(
    "text",
    [
        # conditions are asked at an occurrence, and hold no state
        "score: x\nrules: [{name: a, points: 5, on: {event: a}, conditions: {stage: mql}}]\n",
        "score: x\nrules: [{name: a, points: 5, on: {stage: {enters: mql}}}]\n",
        # one way only
        "score: x\nrules: [{name: a, points: 5, when: {stage: mql}}]\n",
        "list: x\nmembers: [{grade: A4}, {stage: mql}, {in_list: ready}]\n",
    ],
)
def test_a_way_in_one_direction_is_no_circle(text, said) -> None:
    assert said(text, "error") == []


# --- loops (ACCEPTANCE T13) ----------------------------------------------------------------------


def restless(name: str, trigger: str, actions: str) -> str:
    return f"scenario: {name}\ntrigger: {trigger}\nreenroll: every_time\nactions: [{actions}]\n"


LOOPS = {
    "points-up": ("{grade: {enters: A4}}", "{add_points: {score: engagement, points: 5}}"),
    "points-of-fit": ("{grade: {enters: [A4, A3]}}", "{add_points: {score: fit, points: 5}}"),
    "points-down": ("{grade: {enters: D1}}", "{subtract_points: {score: fit, points: 5}}"),
    "reset": ("{grade: {enters: D1}}", "{reset_score: fit}"),
    "stages": ("{stage: {enters: [lead, sql]}}", "{set_stage: {stage: lead, back: true}}"),
    "stage-event": ("{event: stage_changed}", "{set_stage: {stage: lead, back: true}}"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_t13_warn_of_a_loop_through_cells_and_stages(name, said) -> None:
    trigger, actions = LOOPS[name]
    found = [one for one in said(restless("loop", trigger, actions)) if "without end" in one]
    assert [one.split("; ")[0] for one in found] == [
        "scenarios/x.yaml:2:11: scenario 'loop' can fire itself again, without end"
    ]


QUIET = {
    "another-score": (
        "{grade: {enters: A4}}",
        "{add_points: {score: other, points: 5}}",
    ),
    "up-into-the-lowest": ("{grade: {enters: D1}}", "{add_points: {score: fit, points: 5}}"),
    "along-a-whole-row": (
        "{grade: {enters: [A4, A3, A2, A1]}}",
        "{add_points: {score: engagement, points: 5}}",
    ),
    "forward-only": ("{stage: {enters: [mql, sql]}}", "{set_stage: sql}"),
    "where-one-is": ("{stage: {enters: mql}}", "{set_stage: {stage: mql, back: true}}"),
}


@pytest.mark.parametrize("name", QUIET)
def test_t13_say_nothing_of_what_comes_to_rest(name, said) -> None:
    other = "score: other\nrules: [{name: a, points: 5, on: {event: a}}]\n---\n"
    found = said(other + restless("loop", *QUIET[name]))
    assert [one for one in found if "without end" in one] == []


def test_t13_warn_of_stages_that_go_to_and_fro(said) -> None:
    text = restless("down", "{stage: {enters: sql}}", "{set_stage: {stage: mql, back: true}}")
    text += "---\n" + restless("up", "{stage: {enters: mql}}", "{set_stage: sql}")
    [found] = [one for one in said(text) if "without end" in one]
    assert "scenario 'down' → scenario 'up' → scenario 'down'" in found


def test_t13_warn_of_a_rule_that_feeds_its_own_grade(said) -> None:
    grade = GRADE.replace("lead-grade", "own").replace("fit, A", "x, A")
    text = (
        "score: x\nrules: [{name: a, points: 5, on: {grade: {own: {enters: A4}}}}]\n---\n" + grade
    )
    found = said(text, world=SCORES)
    assert ["rule 'a' of score 'x'" in one for one in found if "without end" in one] == [True]


# --- what nobody reaches -------------------------------------------------------------------------

NARROW = "score: narrow\nrange: {min: 30, max: 60}\nrules: [{name: a, points: 1, on: {event: a}}]\n"
NARROW_GRADE = """\
---
grade: narrow
fit: {score: narrow, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
"""


def test_warn_of_labels_beyond_the_score(said) -> None:
    found = said(NARROW + NARROW_GRADE, world=SCORES)
    assert found == [
        (
            "scenarios/x.yaml:6:1: nobody can get 'A' or 'D': 'narrow' stays between 30 and 60; "
            "lower the numbers, or give more points"
        )
    ]


@pytest.mark.parametrize(
    ("condition", "warns"), [("A4", True), ("[A4, D1]", True), ("[A4, B4]", False)]
)
def test_warn_of_cells_in_which_nobody_stands(condition, warns, said) -> None:
    asked = f"---\nlist: l\nmembers: {{grade: {condition}}}\n"
    found = [one for one in said(NARROW + NARROW_GRADE + asked, world=SCORES) if "hold" in one]
    assert ["nobody can get into A4" in one for one in found] == [True] * warns


def test_warn_of_a_rule_or_scenario_that_waits_for_such_a_cell(said) -> None:
    text = NARROW + NARROW_GRADE + "---\nscenario: s\ntrigger: {grade: {enters: [A4, A3]}}\n" + EXIT
    found = [one for one in said(text, world=SCORES) if "never fire" in one]
    assert len(found) == 1
    assert found[0].startswith(
        "scenarios/x.yaml:10:11: this trigger can never fire: nobody can get into A4, A3"
    )


def test_of_a_company_only_the_range_bounds(said) -> None:
    """Who joins brings points along: caps bound one contact's lines, not a company (ruling 96)."""
    rule = "{name: a, points: 30, on: {event: a}, cap: {times: 1}}"
    company = f"score: narrow\nof: company\nrules: [{rule}]\n"
    assert said(company + NARROW_GRADE, world=SCORES) == []
    contact = company.replace("of: company\n", "")
    assert "nobody can get 'A' or 'B'" in said(contact + NARROW_GRADE, world=SCORES)[0]


def test_an_idle_score_can_fall_below_what_its_rules_take(said) -> None:
    """Idleness takes the points of a `when`, which are then taken back from 0."""
    text = (
        "score: x\ndecay: {idle: {after: 1 day, reset: true}}\n"
        "rules: [{name: a, points: 5, when: {in_list: ready}}]\n---\n"
        "scenario: s\ntrigger: {score: {x: {falls_to: -5}}}\n" + EXIT
    )
    assert said(text) == []
    assert "can never fire" in said(text.replace("decay: {idle", "# {idle"))[0]


def test_warn_of_a_stage_to_which_nothing_leads(said) -> None:
    text = (
        "lifecycle: b\nstages: [lead, mql, won]\n---\nlist: l\nmembers: {stage: [mql, won]}\n---\n"
    )
    text += "scenario: s\ntrigger: {stage: {enters: mql}}\nactions: [set_stage: won]\n"
    assert [one.split("; ")[0] for one in said(text, world=SCORES)] == [
        "scenarios/x.yaml:2:16: nobody can get to the stage 'mql'",
        ("scenarios/x.yaml:8:11: this trigger can never fire: nobody can get to the stage 'mql'"),
    ]


def test_warn_of_waiting_for_the_first_stage(said) -> None:
    text = f"scenario: s\ntrigger: {{stage: {{enters: lead}}}}\n{EXIT}"
    assert said(text) == [
        (
            "scenarios/x.yaml:2:11: this trigger can never fire: everybody begins in 'lead'; "
            "for new people use `contact_created`"
        )
    ]
    back = (
        "---\nscenario: t\ntrigger: {event: a}\nactions: [set_stage: {stage: lead, back: true}]\n"
    )
    assert said(text + back) == []
    assert said(text, world=WORLD.replace("A3]}}", "A3]}, retreat: true}")) == []


def test_warn_of_a_step_to_the_first_stage(said) -> None:
    text = "scenario: s\ntrigger: {event: a}\nactions: [set_stage: lead]\n"
    assert [one.split(": ", 1)[1] for one in said(text)] == [
        (
            "this does nothing: 'lead' is the first stage, and a step goes forward; "
            "write {stage: lead, back: true}"
        )
    ]


@pytest.mark.parametrize(
    ("awaited", "warns"), [("sql", True), ("[sql, won]", True), ("mql", False)]
)
def test_warn_of_waiting_for_the_goal(awaited, warns, said) -> None:
    wait = f"{{wait_for: {{stage: {{enters: {awaited}}}, up_to: 1 day}}, then: [exit: x]}}"
    goal = "goal: {stage: {enters: [sql, won]}, up_to: 9 days}"
    text = f"scenario: s\ntrigger: {{event: a}}\n{goal}\nactions: [{wait}]\n"
    assert ["`then` never runs" in one for one in said(text)] == [True] * warns


RULES = "rules: [{name: a, points: 5, on: {event: a}}]\n"
FAST = {
    "{half_life: 6 hours}": "6 hours",
    "{expire: 90 minutes}": "90 minutes",
    "{step: {lose: 10%, every: 1 hour}}": "1 hour",
}


@pytest.mark.parametrize("decay", FAST)
def test_warn_of_fading_between_two_looks(decay, said) -> None:
    text = f"score: x\ndecay: {decay}\n{RULES}"
    assert said(text) == [
        (
            "scenarios/x.yaml:2:9: points fade only once in 1 day, and this takes less; "
            f"add `decay_every: {FAST[decay]}` to the policy"
        )
    ]


@pytest.mark.parametrize("decay", ["{half_life: 1 day}", "{expire: 3 days}", "none"])
def test_say_nothing_of_slow_fading(decay, said) -> None:
    assert said(f"score: x\ndecay: {decay}\n{RULES}") == []


def test_say_nothing_where_points_are_looked_at_often_enough(load) -> None:
    policy = POLICY + "decay_every: 1 hour\n"
    around = files(WORLD) | {"scenarios/p.yaml": policy}
    text = f"score: x\ndecay: {{half_life: 1 hour}}\n{RULES}"
    assert [one for one in load(text, around)[1] if "fade" in one.message] == []


def test_say_nothing_of_what_is_only_looked_at(said) -> None:
    """Ruling 104: a grade or a lifecycle that no scenario reads is there to be read by people."""
    assert said("list: x\nmembers: {inactive: 1 day}\n", world=SCORES + GRADE) == []
