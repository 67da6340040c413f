"""The oracle, ruling by ruling: grades and the lifecycle."""

from __future__ import annotations

from typing import Any

from .small import entered, flow, identify, play, stamp, stays, track

SCORES = """
score: fit
rules: [{name: f, points: 80, when: {attribute: {plan: pro}}}]
bands: {good: 50}
---
score: engagement
rules:
  - {name: up, points: 60, on: {event: x}}
  - {name: down, points: -60, on: {event: y}}
---
"""
GRADE = """
grade: g
fit: {score: fit, A: 75, B: good, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
---
"""
FUNNEL = """
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {score: {engagement: {at_least: 50}}}, retreat: true}
  - {stage: sql, when: {score: {engagement: {at_least: 100}}}}
  - customer
---
"""


def cells(found: dict[str, Any]) -> dict[str, str]:
    """The one contact's cells."""
    return dict(found["contacts"][0]["grades"])


def stage(found: dict[str, Any]) -> str:
    """The one contact's stage."""
    return str(found["contacts"][0]["stage"])


def moves(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Time, from and to of each change of stage."""
    rows = [(r["at"][11:16], *r["properties"].values()) for r in found["events"]]
    return sorted(rows)


# Grades


def test_cells_are_the_highest_lines_reached() -> None:
    """Ruling 59: the highest line with balance at or above it; below all D and 1."""
    assert cells(play(SCORES + GRADE)) == {"g": "D1"}
    assert cells(play(SCORES + GRADE, track("x", "01:00"), ana={"plan": "pro"})) == {"g": "A3"}


def test_own_words_and_a_turned_axis() -> None:
    """LANGUAGE 5 and ruling 106: words are joined with a hyphen; descending makes 1 the top."""
    own = "fit: {score: fit, ideal: 75, good: 50, poor: below}"
    words = GRADE.replace("fit: {score: fit, A: 75, B: good, C: 25}", own)
    assert cells(play(SCORES + words)) == {"g": "poor-1"}
    for lines in ("1: 75, 2: 50, 3: 25", "4: 75, 3: 50, 2: 25"):
        axis = f"engagement: {{score: engagement, axis: descending, {lines}}}"
        turned = GRADE.replace("engagement: {score: engagement, 4: 75, 3: 50, 2: 25}", axis)
        assert cells(play(SCORES + turned)) == {"g": "D4"}
        assert cells(play(SCORES + turned, track("x", "01:00"))) == {"g": "D2"}
        both = [track("x", "01:00"), track("x", "02:00")]
        assert cells(play(SCORES + turned, *both)) == {"g": "D1"}


def test_entering_cells_is_from_outside_them() -> None:
    """Ruling 29: A3 to A4 enters nothing; from no cell one does enter."""
    text = SCORES + GRADE + flow("{grade: {enters: [D3, D4]}}", more="reenroll: every_time")
    calls = [track("x", "01:00"), track("x", "02:00"), track("y", "04:00"), track("y", "05:00")]
    found = play(text, *calls, track("x", "06:00"))
    assert entered(found) == [("f", "01:00"), ("f", "06:00")]
    born = play(SCORES + GRADE + flow("{grade: {enters: D1}}"))
    assert entered(born) == [("f", "00:00")]


def test_lists_read_the_cell_of_this_round_and_rules_that_before() -> None:
    """Rulings 13 and 68: grades, then stages, then lists; phase 1 comes before."""
    text = SCORES + GRADE + "list: l\nmembers: [{grade: D3}]\n---\nscore: late\n"
    text += "rules: [{name: r, points: 1, on: {event: x}, conditions: [{grade: D3}]}]\n"
    found = play(text, track("x", "01:00"))
    assert stays(found) == [("l", "01:00", None)]
    assert [row["score"] for row in found["points"]] == ["engagement"]


# The lifecycle


def test_the_first_stage_is_given_without_firing() -> None:
    """Ruling 28; also in phase 1 of the first round."""
    text = SCORES + FUNNEL + flow("{stage: {enters: lead}}") + "score: s\n"
    text += "rules: [{name: r, points: 1, on: {event: z}, conditions: [{stage: lead}]}]\n"
    found = play(text, track("z", "01:00"), people=[])
    assert stage(found) == "lead" and not entered(found) and not moves(found)
    assert [row["points"] for row in found["points"]] == [1]


def test_forward_to_the_furthest_and_back_from_what_lets_go() -> None:
    """LANGUAGE 5: mql retreats, sql does not; `customer` is only set."""
    calls = [track("x", "01:00"), track("y", "02:00"), track("x", "03:00"), track("x", "04:00")]
    found = play(SCORES + FUNNEL, *calls, track("y", "05:00"), track("y", "06:00"))
    assert moves(found) == [
        ("01:00", "lead", "mql"),
        ("02:00", "mql", "lead"),
        ("03:00", "lead", "mql"),
        ("04:00", "mql", "sql"),
    ]
    assert stage(found) == "sql"


def test_what_is_skipped_fires_nothing() -> None:
    """Ruling 28: only on entering exactly that stage."""
    both = flow("{stage: {enters: mql}}") + "scenario: g\ntrigger: {stage: {enters: sql}}\n"
    text = SCORES + FUNNEL + both + "actions: [{set_attribute: {was: '{{ event.from }}'}}]\n"
    found = play(text, track("x", "01:10"), track("x", "01:20"))
    assert entered(found) == [("g", "02:00")]
    assert found["contacts"][0]["attributes"]["was"] == "lead"


def test_a_stage_set_by_a_scenario_does_not_retreat() -> None:
    """Ruling 49: forward only unless `back`."""
    text = SCORES + FUNNEL + flow("{event: a}", "[{set_stage: mql}]")
    found = play(text, track("a", "01:00"), track("x", "02:00"), track("y", "03:00"))
    assert moves(found) == [("01:00", "lead", "mql")]
    text = SCORES + FUNNEL + flow("{event: a}", "[{set_stage: customer}, {set_stage: mql}]")
    text += "scenario: g\ntrigger: {event: b}\nactions: [{set_stage: {stage: lead, back: true}}]\n"
    found = play(text, track("a", "01:00"), track("b", "02:00"))
    assert moves(found) == [("01:00", "lead", "customer"), ("02:00", "customer", "lead")]


def test_a_retreat_passes_bare_stages_over() -> None:
    """Ruling 49: to the nearest earlier stage that holds, at last the first."""
    text = """
lifecycle: l
stages:
  - lead
  - {stage: warm, when: {score: {engagement: {at_least: 60}}}}
  - bare
  - {stage: hot, when: {score: {engagement: {at_least: 120}}}, retreat: true}
"""
    calls = [track("x", "01:10"), track("x", "01:20"), track("y", "03:00")]
    assert moves(play(SCORES + text, *calls)) == [
        ("02:00", "lead", "hot"),
        ("03:00", "hot", "warm"),
    ]
    assert moves(play(SCORES + text, *calls, track("y", "02:30")))[-1] == ("03:00", "hot", "lead")


def test_steps_see_the_stage_that_a_step_set() -> None:
    """Ruling 17: `set_stage` at once, automatic stages as of phase 2."""
    step = "[{set_stage: mql}, {if: {stage: {at_least: mql}}, then: [{add_to_list: box}]}]"
    found = play(SCORES + FUNNEL + flow("{event: a}", step), track("a", "01:00"))
    assert [row["list"] for row in found["members"]] == ["box"]
    step = "[{add_points: {score: engagement, points: 60}}, {if: {stage: mql}, then: [{exit: no}]}]"
    found = play(SCORES + FUNNEL + flow("{event: a}", step), track("a", "01:00"))
    assert found["enrollments"][0]["outcome"] == "finished" and stage(found) == "mql"


def test_existing_states_of_grade_and_stage() -> None:
    """Ruling 107: in one of the cells, exactly that stage, in the first tick of a scenario."""
    more = "enroll_existing: true"
    text = SCORES + FUNNEL + flow("{stage: {enters: lead}}", more=more)
    assert entered(play(text)) == [("f", "00:00")]
    text = SCORES + FUNNEL + flow("{stage: {enters: mql}}", more=more)
    assert entered(play(text)) == []


def test_state_rules_come_in_the_next_round() -> None:
    """Ruling 58: `on: {stage: …}` is awarded in phase 1 of the next round, dated T."""
    text = SCORES + FUNNEL + "score: s\nrules:\n"
    text += "  - {name: r, points: 7, on: {stage: {enters: mql}}}\n"
    found = play(text, track("x", "01:10"), identify("02:00", a=1))
    assert [(r["at"], r["points"]) for r in found["points"] if r["score"] == "s"] == [
        (stamp("02:00"), 7)
    ]
