"""Grades: rulings 13, 15, 18, 21, 29, 45, 58, 59, 68, 71, 88, 106, 107 and 129."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, EVA, entries
from engine.world import START
from flowscore.clock import HOUR, MINUTE
from flowscore.errors import FlowscoreError

if TYPE_CHECKING:
    from engine.world import World

SCORES = """
    score: fit
    rules:
      - {name: chief, points: 80, when: {attribute: {title: {matches: chief}}}}
      - {name: student, points: -20, when: {attribute: {title: student}}}
    ---
    score: engagement
    rules:
      - {name: visit, points: 30, on: {event: visit}}
      - {name: leave, points: -30, on: {event: leave}}
"""
GRADE = """
    ---
    grade: lead-grade
    fit: {score: fit, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
"""
LIST = """
    ---
    list: l
"""


def scenario(trigger: str) -> str:
    """A scenario that may be entered every time."""
    return f"""
    ---
    scenario: s
    trigger: {trigger}
    reenroll: every_time
    actions: [{{add_to_list: l}}]
"""


HOT = SCORES + GRADE + LIST + scenario("{grade: {enters: [A3, A4]}}")


def visit(world: World, who: str, hour: int, times: int = 1, name: str = "visit") -> None:
    """So many visits in the hour before."""
    for number in range(times):
        world.track(who, name, START + hour * HOUR - number * MINUTE)


def cell(world: World, who: str, grade: str = "lead-grade") -> str | None:
    """The contact's cell."""
    found = world.rows(
        "SELECT cell FROM cells JOIN contacts ON contacts.id = contact_id "
        f"WHERE email = '{who}' AND grade = '{grade}'"
    )
    return found[0][0] if found else None


def test_b01_a4_is_perfect_fit_and_very_active_and_d1_is_neither(world: World) -> None:
    world.apply(SCORES + GRADE)
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 0, 3)
    world.identify(BEN, START, title="Student")
    world.tick(START)
    assert (cell(world, ANA), cell(world, BEN)) == ("A4", "D1")


@pytest.mark.parametrize(
    ("visits", "expected"), [(0, "D1"), (1, "D2"), (2, "D3"), (3, "D4"), (9, "D4")]
)
def test_b05_activity_alone_stays_in_the_lowest_row(
    world: World, visits: int, expected: str
) -> None:
    """The label is the highest line that the balance reaches (ruling 59)."""
    world.apply(SCORES + GRADE)
    world.identify(ANA, START, title="Student")
    visit(world, ANA, 0, visits)
    world.tick(START)
    assert cell(world, ANA) == expected


def test_b06_fit_alone_stays_in_the_lowest_column(world: World) -> None:
    world.apply(SCORES + GRADE)
    world.identify(ANA, START, title="Chief buyer")
    world.tick(START)
    assert cell(world, ANA) == "A1"


def test_exactly_the_line_is_enough(world: World) -> None:
    world.apply(SCORES + GRADE.replace("4: 75, 3: 50, 2: 25", "4: 60, 3: 30, 2: 10"))
    visit(world, ANA, 0)
    world.tick(START)
    assert cell(world, ANA) == "D3"


def test_b03_the_teams_own_words_and_a_turned_axis(world: World) -> None:
    """Ruling 106: with `axis: descending` 1 is the most active."""
    world.apply(
        SCORES
        + """
    ---
    grade: words
    fit: {score: fit, ideal: 75, good: 50, poor: below}
    engagement: {score: engagement, 1: 75, 2: 50, 3: 25, axis: descending}
"""
    )
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 0, 3)
    world.tick(START)
    assert cell(world, ANA, "words") == "ideal-1"


def test_everybody_gets_a_cell_at_the_first_look(world: World) -> None:
    """Ruling 18: without a line both balances are 0."""
    world.apply(SCORES + GRADE)
    world.people(f"{ANA},2026-03-01", f"{BEN},2026-03-02T02:00:00Z")
    world.tick(START)
    assert (cell(world, ANA), cell(world, BEN)) == ("D1", None)
    world.tick(START + 2 * HOUR)
    assert cell(world, BEN) == "D1"


def test_several_grades_stand_side_by_side(world: World) -> None:
    second = GRADE.replace("lead-grade", "priority").replace("C: 25", "C: 25, D: 0, E: below")
    world.apply(SCORES + GRADE + second + LIST + scenario("{grade: {priority: {enters: D2}}}"))
    visit(world, ANA, 1)
    world.tick(START + HOUR)
    assert (cell(world, ANA), cell(world, ANA, "priority")) == ("D2", "D2")
    assert world.entered("s") == [ANA]


# ---------------------------------------------------------------- `grade: {enters: …}`


def test_entering_the_set_from_outside_it_fires_once(world: World) -> None:
    """Rulings 21 and 29: A3 → A4 inside the set is no entering; again after leaving it is."""
    world.apply(HOT)
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 1, 2)  # A3
    visit(world, ANA, 2)  # A4
    visit(world, ANA, 3, 3, "leave")  # A1
    visit(world, ANA, 4, 2)  # A3
    world.tick(START + 5 * HOUR)
    assert entries(world) == [(1, 1), (4, 4)]


def test_entering_from_no_cell_fires(world: World) -> None:
    """Rulings 18 and 29: a contact begins in no cell."""
    world.apply(SCORES + GRADE + LIST + scenario("{grade: {enters: D1}}"))
    world.identify(ANA, START + HOUR)
    world.tick(START + 2 * HOUR)
    assert entries(world) == [(1, 1)]


def test_up_and_down_between_two_looks_is_no_entering(world: World) -> None:
    """Rulings 15 and 21: only the difference between two refreshes counts."""
    world.apply(HOT)
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 1, 2)
    visit(world, ANA, 1, 2, "leave")
    world.tick(START + 2 * HOUR)
    assert entries(world) == []
    assert cell(world, ANA) == "A1"


def test_points_of_a_step_move_the_cell_in_the_next_round(world: World) -> None:
    """Rulings 14, 17 and 18: what a scenario gives counts as any points do, in the same tick."""
    world.apply(
        HOT
        + """
    ---
    scenario: gift
    trigger: {event: gift}
    actions: [{add_points: {score: engagement, points: 60}}]
"""
    )
    world.identify(ANA, START, title="Chief buyer")
    world.track(ANA, "gift", START + HOUR)
    world.tick(START + HOUR)
    assert (cell(world, ANA), world.entered("s")) == ("A3", [ANA])


def test_the_cell_is_of_this_round_for_conditions_and_lists(world: World) -> None:
    """Rulings 13 and 68: lists are refreshed behind grades, `when` rules see the round before."""
    world.apply(
        HOT
        + """
    ---
    list: hot
    members: [{grade: [A3, A4]}]
    ---
    score: bonus
    rules: [{name: hot, points: 5, when: {grade: [A3, A4]}}]
    ---
    scenario: asks
    trigger: {event: visit}
    conditions: [{grade: A3}]
    actions: [{wait: 1 day}]
"""
    )
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 1, 2)
    visit(world, ANA, 3, 2, "leave")
    world.tick(START + 2 * HOUR)
    assert (world.members("hot"), world.balance(ANA, "bonus")) == ([ANA], 5)
    assert world.entered("asks") == [ANA]
    world.tick(START + 3 * HOUR)
    assert (world.members("hot"), world.balance(ANA, "bonus")) == ([], 0)


def test_a_rule_on_a_grade_awards_in_the_next_round(world: World) -> None:
    """Ruling 58: noticed in phase 3, awarded in the same tick, dated T."""
    world.apply(
        SCORES
        + GRADE
        + """
    ---
    score: hand-over
    rules: [{name: hot, points: 7, on: {grade: {enters: [A3, A4]}}}]
"""
    )
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 1, 2)
    world.tick(START + HOUR)
    rows = world.rows("SELECT points / 100000000, own_at FROM ledger WHERE score = 'hand-over'")
    assert rows == [(7, START + HOUR)]


def test_a_goal_and_a_wait_hear_a_grade(world: World) -> None:
    world.apply(
        SCORES
        + GRADE
        + """
    ---
    scenario: nurture
    trigger: {event: signup}
    goal: {grade: {enters: A3}, up_to: 7 days}
    actions:
      - wait_for: {grade: {enters: A2}, up_to: 2 days}
        then: [{set_attribute: {warm: true}}, {wait: 5 days}]
"""
    )
    world.identify(ANA, START, title="Chief buyer")
    world.track(ANA, "signup", START)
    visit(world, ANA, 1)
    visit(world, ANA, 2)
    world.tick(START + 2 * HOUR)
    assert world.rows("SELECT outcome, ended_at FROM enrollments") == [
        ("converted", START + 2 * HOUR)
    ]
    assert world.rows("SELECT count(*) FROM attributes WHERE name = 'warm'") == [(1,)]


# ---------------------------------------------------------------- history, applies, merges


def test_history_gives_cells_and_fires_nothing(world: World) -> None:
    """Ruling 88."""
    world.apply(HOT)
    world.tick(START)
    world.identify(ANA, START + MINUTE, how="historical", title="Chief buyer")
    world.track(ANA, "visit", START + MINUTE, how="historical")
    world.track(ANA, "visit", START + 2 * MINUTE, how="historical")
    world.tick(START + HOUR)
    assert (cell(world, ANA), entries(world)) == ("A3", [])
    visit(world, ANA, 2)
    world.tick(START + 2 * HOUR)
    assert (cell(world, ANA), entries(world)) == ("A4", [])


def test_a_new_grade_gives_everybody_a_cell_silently(world: World) -> None:
    """Ruling 128: recomputing is silent; the cells are what the next entering is held against."""
    world.apply(SCORES)
    world.identify(ANA, START, title="Chief buyer")
    world.identify(BEN, START)
    visit(world, ANA, 1, 2)
    world.tick(START + HOUR)
    world.apply(HOT)
    assert (cell(world, ANA), cell(world, BEN)) == ("A3", "D1")
    visit(world, ANA, 2)
    world.tick(START + 2 * HOUR)
    assert entries(world) == []


def test_changed_points_and_changed_lines_move_cells_silently(world: World) -> None:
    world.apply(HOT)
    world.identify(ANA, START, title="Chief buyer")
    visit(world, ANA, 1)
    world.tick(START + HOUR)
    assert cell(world, ANA) == "A2"
    world.apply(HOT.replace("visit, points: 30", "visit, points: 60"))
    assert cell(world, ANA) == "A3"
    world.apply(HOT.replace("4: 75, 3: 50, 2: 25", "4: 20, 3: 10, 2: 5"))
    assert cell(world, ANA) == "A4"
    visit(world, ANA, 2)
    world.tick(START + 2 * HOUR)
    assert entries(world) == []


def test_a_grade_that_is_gone_takes_its_cells_along(world: World) -> None:
    world.apply(SCORES + GRADE)
    world.identify(ANA, START)
    world.tick(START)
    world.apply(SCORES)
    assert world.rows("SELECT count(*) FROM cells") == [(0,)]


def test_enroll_existing_takes_in_who_stands_in_the_cells(world: World) -> None:
    """Rulings 45 and 107."""
    world.apply(SCORES + GRADE + LIST)
    for who in (ANA, BEN):
        world.identify(who, START, title="Chief buyer")
    world.identify(EVA, START)
    visit(world, ANA, 1, 2)
    world.tick(START + HOUR)
    taking = scenario("{grade: {enters: [A3, A4]}}").replace(
        "reenroll: every_time", "enroll_existing: true"
    )
    world.apply(SCORES + GRADE + LIST + taking)
    world.tick(START + 2 * HOUR)
    assert world.rows("SELECT key FROM enrollments") == [("existing",)]
    assert world.entered("s") == [ANA]


def test_a_cell_that_people_inside_still_need_cannot_go(world: World) -> None:
    """Ruling 129: the version that names it says so, and how many are inside."""
    waiting = """
    ---
    scenario: s
    trigger: {event: visit}
    actions: [{wait: 1 day}, {if: {grade: A4}, then: [{add_to_list: l}]}]
"""
    world.apply(SCORES + GRADE + LIST + waiting)
    visit(world, ANA, 1)
    world.tick(START + HOUR)
    with pytest.raises(FlowscoreError, match=r"^cell 'A4 of lead-grade' cannot go: .*1 contact is"):
        world.apply(SCORES + LIST)


def test_a_merge_asks_again_and_entering_is_noticed(world: World) -> None:
    """Ruling 71: the visitor's points come along; a crossing by that is an ordinary one at T."""
    world.apply(HOT)
    world.identify(ANA, START, title="Chief buyer")
    for minute in (1, 2):
        world.track("visitor", "visit", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert cell(world, ANA) == "A1"
    assert world.rows("SELECT count(*) FROM cells") == [(2,)]
    world.identify(ANA, START + 2 * HOUR, anonymous="visitor")
    world.tick(START + 2 * HOUR)
    assert (cell(world, ANA), entries(world)) == ("A3", [(2, 2)])
    assert world.rows("SELECT count(*) FROM cells") == [(1,)]


def test_a_visitor_has_a_cell_and_enrolls_nowhere(world: World) -> None:
    """Ruling 71."""
    world.apply(SCORES + GRADE + LIST + scenario("{grade: {enters: D2}}"))
    world.track("visitor", "visit", START)
    world.tick(START)
    assert world.rows("SELECT cell FROM cells") == [("D2",)]
    assert entries(world) == []
