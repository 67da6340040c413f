"""What fading, grades, the lifecycle and all that names them are read into."""

from __future__ import annotations

import pytest

from flowscore.clock import DAY, HOUR, WEEK
from flowscore.language import actions as a
from flowscore.language import conditions as c
from flowscore.language import scoring as s
from flowscore.language import triggers as t
from flowscore.language.lifecycle import Stage
from flowscore.language.project import digest, read_definition
from flowscore.language.words import Bounds

SCORES = """\
score: engagement
range: {min: 0, max: 100}
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
bands: {hot: 80, interested: 50}
---
score: fit
rules: [{name: size, points: 25, on: {event: size_told}}]
bands: {ideal: 75, fair: 20}
---
"""
GRADE = """\
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
---
"""
FUNNEL = """\
lifecycle: buyer
stages: [lead, {stage: mql, when: {inactive: 1 day}, retreat: true}, {stage: sql, when: {inactive: 2
  days}}, customer]
---
"""
WORLD = SCORES + GRADE + FUNNEL


def files(world: str) -> dict[str, str]:
    """The world in place of the base project's, which has a policy with topics."""
    mail = "---\nsubject: An offer\ntopic: transactional\n---\nHello\n"
    return {"scenarios/base.yaml": world, "templates/email/offer.html": mail}


@pytest.fixture
def read(load):
    """The project of a text among two scores, one grade and a lifecycle."""

    def run(text: str, world: str = WORLD):
        project, problems = load(text, files(world))
        assert [str(one) for one in problems if one.severity == "error"] == []
        return project

    return run


# --- how points fade -----------------------------------------------------------------------------

FADING = {
    "{expire: 90 days}": s.Expires(after=90 * DAY),
    "{linear: 12 weeks}": s.Linear(over=12 * WEEK),
    "{half_life: 36 hours}": s.HalfLife(half=36 * HOUR),
    "{step: {lose: 15%, every: 45 days}}": s.Steps(lose=150_000, every=45 * DAY),
    "{step: {lose: 0.5%, every: 1 day}}": s.Steps(lose=5_000, every=DAY),
    "{step: {lose: 100%, every: 1 day}}": s.Steps(lose=1_000_000, every=DAY),
    "none": s.Steady(),
}
IDLE = {
    "{idle: {after: 30 days, lose: 10, every: 7 days}}": s.Idle(
        after=30 * DAY, lose=10, every=7 * DAY
    ),
    "{idle: {after: 30 days, lose: 2.5, every: 7 days, reset: false}}": s.Idle(
        after=30 * DAY, lose=2.5, every=7 * DAY
    ),
    "{idle: {after: 60 days, reset: true}}": s.Idle(after=60 * DAY, reset=True),
}
RULES = "rules: [{name: a, points: 5, on: {event: a}}]\n"


@pytest.mark.parametrize("text", [*FADING, *IDLE])
def test_read_how_a_score_fades(text, read) -> None:
    score = read(f"score: x\ndecay: {text}\n{RULES}").scores["x"]
    assert repr(score.decay) == repr({**FADING, **IDLE}[text])


@pytest.mark.parametrize("text", FADING)
def test_read_how_a_rule_fades(text, read) -> None:
    rule = f"{{name: a, points: 5, on: {{event: a}}, decay: {text}}}"
    score = read(f"score: x\ndecay: {{expire: 1 day}}\nrules: [{rule}]\n").scores["x"]
    assert repr(score.rules[0].decay) == repr(FADING[text])


def test_a_rule_fades_as_its_score_does_unless_it_says_how(read) -> None:
    score = read("""
        score: x
        decay: {half_life: 30 days}
        rules:
          - {name: as-the-score, points: 1, on: {event: a}}
          - {name: in-its-own-way, points: 1, on: {event: a}, decay: {expire: 9 days}}
          - {name: never, points: 1, on: {event: a}, decay: none}
          - {name: while-it-holds, points: 1, when: {inactive: 1 day}}
    """).scores["x"]
    half = repr(s.HalfLife(half=30 * DAY))
    fading = [repr(score.fading_of(rule)) for rule in score.rules]
    assert fading == [half, repr(s.Expires(after=9 * DAY)), "None", "None"]
    assert (repr(score.fading_of_gifts), score.idle) == (half, None)


def test_an_idle_score_loses_as_a_whole(read) -> None:
    score = read(f"score: x\ndecay: {{idle: {{after: 1 day, reset: true}}}}\n{RULES}").scores["x"]
    assert score.idle == score.decay
    assert (score.fading_of(score.rules[0]), score.fading_of_gifts) == (None, None)


@pytest.mark.parametrize("scale", [(1, 10), (1, 100)])
def test_read_a_scale(scale, read) -> None:
    text = f"score: x\nscale: {scale[0]}-{scale[1]}\nrange: {{min: 0, max: 50}}\n{RULES}"
    assert read(text).scores["x"].scale == scale


@pytest.mark.parametrize("of", ["contact", "company"])
def test_read_whose_score_it_is(of, read) -> None:
    assert read(f"score: x\nof: {of}\n{RULES}").scores["x"].of == of


@pytest.mark.parametrize(
    ("text", "every"), [("", None), ("decay_every: 1 hour", HOUR), ("decay_every: 2 days", 2 * DAY)]
)
def test_read_how_often_points_fade(text, every, read) -> None:
    assert read(f"policy: p\n{text}\n").policy.decay_every == every


def test_a_score_that_does_not_fade_keeps_its_digest(read) -> None:
    plain = digest(read(f"score: x\n{RULES}").scores["x"])
    assert digest(read(f"score: x\nof: contact\n{RULES}").scores["x"]) == plain
    for line in ("decay: none", "decay: {expire: 9 days}", "of: company"):
        assert digest(read(f"score: x\n{line}\n{RULES}").scores["x"]) != plain


def test_the_digests_of_the_release_before() -> None:
    """As an older flowscore computed them: an upgrade recomputes nothing and applies nothing."""
    rule = s.Rule(name="a", points=5.0)
    assert not {"decay"} & set(_written(rule))
    assert not {"decay", "scale", "of"} & set(_written(s.Score(name="x", rules=(rule,))))


def _written(word) -> dict:
    fields = type(word).model_fields
    return {
        name: value
        for name, value in word.__dict__.items()
        if not (name in word.younger and value == fields[name].default)
    }


# --- grades --------------------------------------------------------------------------------------

FITS = {
    "{score: fit, A: 75, B: 50, C: 25}": (("A", 75.0), ("B", 50.0), ("C", 25.0), ("D", None)),
    "{score: fit, C: 25, A: 75, B: 50, D: below}": (
        ("A", 75.0),
        ("B", 50.0),
        ("C", 25.0),
        ("D", None),
    ),
    "{score: fit, A: ideal, B: 50, C: fair}": (("A", 75.0), ("B", 50.0), ("C", 20.0), ("D", None)),
    "{score: fit, A: 60, B: below}": (("A", 60.0), ("B", None)),
    "{score: fit, ideal: 75, good: 50.5, poor: below}": (
        ("ideal", 75.0),
        ("good", 50.5),
        ("poor", None),
    ),
    "{score: fit, zu-klein: below, größer: -3}": (("größer", -3.0), ("zu-klein", None)),
}
ACTIVE = {
    "{score: engagement, 4: 75, 3: 50, 2: 25}": ("4 75, 3 50, 2 25, 1 below", False),
    "{score: engagement, 2: 25, 3: 50, 4: 75}": ("4 75, 3 50, 2 25, 1 below", False),
    "{score: engagement, 3: hot, 2: interested, 1: below}": ("3 80, 2 50, 1 below", False),
    "{score: engagement, axis: ascending, 2: 9, 1: below}": ("2 9, 1 below", False),
    # descending: 1 is the most active, however it was written
    "{score: engagement, axis: descending, 1: 75, 2: 50, 3: 25}": (
        "1 75, 2 50, 3 25, 4 below",
        True,
    ),
    "{score: engagement, axis: descending, 4: 75, 3: 50, 2: 25}": (
        "1 75, 2 50, 3 25, 4 below",
        True,
    ),
    "{score: engagement, axis: descending, 3: 75, 2: 50, 1: below}": ("1 75, 2 50, 3 below", True),
    "{score: engagement, hot: 75, warm: 25, cold: below}": ("hot 75, warm 25, cold below", False),
}


def shown(axis: s.Axis) -> str:
    levels = (("below" if at is None else f"{at:g}") for _, at in axis.labels)
    return ", ".join(f"{label} {at}" for (label, _), at in zip(axis.labels, levels, strict=True))


@pytest.mark.parametrize("text", FITS)
def test_b03_read_a_fit(text, read) -> None:
    grade = f"grade: x\nfit: {text}\nengagement: {{score: engagement, 4: 75, 3: 50, 2: 25}}\n"
    assert read(grade, SCORES).grades["x"].fit.labels == FITS[text]


@pytest.mark.parametrize("text", ACTIVE)
def test_b01_read_an_engagement(text, read) -> None:
    grade = f"grade: x\nfit: {{score: fit, A: 75, B: below}}\nengagement: {text}\n"
    axis = read(grade, SCORES).grades["x"].engagement
    assert (shown(axis), axis.turned) == ACTIVE[text]


def test_b03_cells_are_called_by_their_labels(read) -> None:
    grade = read(
        """
        grade: x
        fit: {score: fit, ideal: 75, B: below}
        engagement: {score: engagement, 2: 50, 1: below}
        green: [ideal-2, B2]
        """,
        SCORES,
    ).grades["x"]
    assert grade.cells == ("ideal-2", "ideal-1", "B2", "B1")
    assert grade.green == ("ideal-2", "B2")


def test_b02_one_green_cell_needs_no_list(read) -> None:
    assert read(GRADE.replace("---", "green: A4"), SCORES).grades["lead-grade"].green == ("A4",)


# --- the lifecycle -------------------------------------------------------------------------------


def test_read_a_lifecycle(read) -> None:
    lifecycle = read(
        """
        lifecycle: buyer
        description: How people become customers.
        stages:
          - lead
          - {stage: mql, when: {grade: [A3, B4]}, retreat: true}
          - {stage: sql, when: [{grade: A4}, {consent: email}], retreat: false}
          - stage: customer
        """,
        SCORES + GRADE,
    ).lifecycle
    first = c.GradeIs(grade="lead-grade", cells=("A3", "B4"))
    both = c.All(of=(c.GradeIs(grade="lead-grade", cells=("A4",)), c.MayMail()))
    assert repr(lifecycle.stages) == repr(
        (
            Stage(name="lead"),
            Stage(name="mql", when=first, retreat=True),
            Stage(name="sql", when=both),
            Stage(name="customer"),
        )
    )
    assert lifecycle.names == ("lead", "mql", "sql", "customer")


# --- conditions, triggers, actions ---------------------------------------------------------------

A4 = c.GradeIs(grade="lead-grade", cells=("A4",))
CONDITIONS = {
    "{grade: A4}": A4,
    "{grade: [A4, D1]}": c.GradeIs(grade="lead-grade", cells=("A4", "D1")),
    "{grade: {lead-grade: A4}}": A4,
    "{stage: mql}": c.StageIs(stages=("mql",)),
    "{stage: [sql, lead]}": c.StageIs(stages=("sql", "lead")),
    "{stage: {at_least: mql}}": c.StageIs(stages=("mql", "sql", "customer"), at_least="mql"),
    "{stage: {at_least: customer}}": c.StageIs(stages=("customer",), at_least="customer"),
}
TRIGGERS = {
    "{grade: {enters: A4}}": t.GradeEnters(grade="lead-grade", cells=("A4",)),
    "{grade: {enters: [A3, A4]}}": t.GradeEnters(grade="lead-grade", cells=("A3", "A4")),
    "{grade: {lead-grade: {enters: [A4]}}}": t.GradeEnters(grade="lead-grade", cells=("A4",)),
    "{stage: {enters: sql}}": t.StageEnters(stages=("sql",)),
    "{stage: {enters: [mql, sql]}}": t.StageEnters(stages=("mql", "sql")),
}
ACTIONS = {
    "set_stage: sql": a.SetStage(path="actions/0", stage="sql"),
    "set_stage: {stage: sql}": a.SetStage(path="actions/0", stage="sql"),
    "set_stage: {stage: lead, back: true}": a.SetStage(path="actions/0", stage="lead", back=True),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_read_a_condition(text, read) -> None:
    members = read(f"list: x\nmembers: {text}\n").lists["x"].members
    assert repr(members) == repr(CONDITIONS[text])


@pytest.mark.parametrize("text", TRIGGERS)
def test_read_a_trigger(text, read) -> None:
    project = read(f"scenario: x\ntrigger: {text}\nenroll_existing: true\nactions: [exit: x]\n")
    assert repr(project.scenarios["x"].trigger) == repr((TRIGGERS[text],))


@pytest.mark.parametrize("text", TRIGGERS)
def test_wait_for_it_and_aim_at_it(text, read) -> None:
    inner = text[1:-1]
    scenario = read(
        f"scenario: x\ntrigger: {{event: a}}\ngoal: {{{inner}, up_to: 9 days}}\n"
        f"actions: [{{wait_for: {{{inner}, up_to: 1 day}}}}]\n"
    ).scenarios["x"]
    awaited = (scenario.goal.trigger, scenario.actions[0].trigger)
    assert repr(awaited) == repr((TRIGGERS[text],) * 2)


@pytest.mark.parametrize("text", TRIGGERS)
def test_give_points_for_it(text, read) -> None:
    score = read(f"score: x\nrules: [{{name: a, points: 5, on: {text}}}]\n").scores["x"]
    assert repr(score.rules[0].on) == repr((TRIGGERS[text],))


@pytest.mark.parametrize("text", ACTIONS)
def test_read_an_action(text, read) -> None:
    project = read(f"scenario: x\ntrigger: {{event: a}}\nactions:\n  - {text}\n")
    assert repr(project.scenarios["x"].actions) == repr((ACTIONS[text],))


SECOND = GRADE.replace("lead-grade", "priority").replace("A: 75, B: 50, C: 25", "X: 9, Y: below")


def test_with_several_grades_each_is_named(read, load) -> None:
    both = SCORES + GRADE + SECOND
    text = "list: x\nmembers: {grade: {priority: X4, lead-grade: [A4, A3]}}\n"
    assert repr(read(text, both).lists["x"].members) == repr(
        c.All(
            of=(
                c.GradeIs(grade="priority", cells=("X4",)),
                c.GradeIs(grade="lead-grade", cells=("A4", "A3")),
            )
        )
    )
    for bare in (
        "list: x\nmembers: {grade: A4}\n",
        "scenario: x\ntrigger: {grade: {enters: A4}}\nactions: [exit: x]\n",
    ):
        [problem] = [one for one in load(bare, files(both))[1] if one.severity == "error"]
        assert problem.message == "which grade? the project has lead-grade, priority"
        assert problem.hint == "name it: {lead-grade: …}"


def test_a_stage_carries_an_event_and_a_grade_does_not(read, load) -> None:
    """Ruling 110: `stage_changed` says from where to where; ruling 86: a cell says nothing."""
    text = (
        "scenario: x\ntrigger: {}\nconditions: {{this_event: {{from: mql}}}}\nactions: [exit: x]\n"
    )
    read(text.format("{stage: {enters: sql}}"))
    problems = load(text.format("{grade: {enters: A4}}"), files(WORLD))[1]
    assert "no trigger here has one" in problems[0].message


# --- what is not there, or cannot be read --------------------------------------------------------


def errors(problems) -> list[str]:
    return [f"{p.mark.file}: {p.message}" for p in problems if p.severity == "error"]


ASKING = """\
list: x
members: [{grade: A4}, {stage: sql}, {stage: {at_least: mql}}]
"""


@pytest.mark.parametrize("broken", ["grade: lead-grade\nfit: {score\n", "grade: lead-grade\n"])
def test_cells_of_a_broken_grade_are_no_mistake(broken, load) -> None:
    found = errors(load(ASKING, files(SCORES + FUNNEL + broken))[1])
    assert found
    assert all(one.startswith("scenarios/base.yaml") for one in found)


@pytest.mark.parametrize(
    "broken",
    ["lifecycle: b\nstages: [lead\n", "lifecycle: b\n", "lifecycle: b\nstages: [{a: 1}]\n"],
)
def test_stages_of_a_broken_lifecycle_are_no_mistake(broken, load) -> None:
    found = errors(load(ASKING, files(SCORES + GRADE + broken))[1])
    assert found
    assert all(one.startswith("scenarios/base.yaml") for one in found)


def test_bands_of_a_broken_score_make_no_labels_alike(load) -> None:
    broken = "score: fit\nbands: {ideal: 75, fair: 50\n"
    grade = "grade: x\nfit: {score: fit, A: ideal, B: fair, C: 25}\n"
    grade += "engagement: {score: engagement, 4: 75, 3: 50, 2: 25}\n"
    around = files(SCORES.partition("---")[0]) | {"scenarios/y.yaml": broken}
    found = errors(load(grade, around)[1])
    assert found
    assert all(one.startswith("scenarios/y.yaml") for one in found)


def test_cells_are_known_while_their_grade_has_a_mistake(load) -> None:
    wrong = GRADE.replace("C: 25", "C: 90")
    found = errors(load("list: x\nmembers: {grade: A5}\n", files(SCORES + wrong))[1])
    assert [one.split(": ")[0] for one in found] == ["scenarios/base.yaml", "scenarios/x.yaml"]


def test_read_a_stored_definition_by_the_cells_and_stages_of_now(read) -> None:
    project = read("list: x\nmembers: {inactive: 1 day}\n")
    again = read_definition(ASKING, "old.yaml", 1, project)
    assert repr(again.members.of[2]) == repr(
        c.StageIs(stages=("mql", "sql", "customer"), at_least="mql")
    )


def test_read_an_old_version_of_a_grade_by_its_own_cells(read) -> None:
    project = read("list: x\nmembers: {inactive: 1 day}\n")
    old = GRADE.replace("A: 75, B: 50, C: 25", "ideal: 75, poor: below")
    old = old.replace("---", "green: ideal-4")
    assert read_definition(old, "old.yaml", 1, project).green == ("ideal-4",)


def test_bounds_stay_what_they_were(read) -> None:
    members = read("list: x\nmembers: {score: {fit: {at_least: ideal}}}\n").lists["x"].members
    assert repr(members) == repr(c.ScoreIs(score="fit", bounds=Bounds(at_least=75.0)))
