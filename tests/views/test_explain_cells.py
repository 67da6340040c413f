"""Grades explained: the cell, its legend always beside it, and what the next cells take."""

from __future__ import annotations

from engine.world import START
from flowscore.clock import HOUR, MINUTE

from .explained import ANA, Explained

SCORES = """
score: fit
rules: [{name: f, points: 10, on: {event: fits}}]
---
score: engagement
rules: [{name: e, points: 10.5, on: {event: hello}}]
bands: {hot: 75, warm: 50}
---
"""
GRADE = """
grade: lead-grade
description: Whom to call.
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: hot, 3: warm, 2: 25}
green: [A4, B4]
"""
LEGEND = (
    "A = fit from 75, B from 50, C from 25, D below; "
    "4 = engagement from 75 (the most active), 3 from 50, 2 from 25, 1 below"
)


def graded(world: Explained, grade: str, fits: int, hellos: int) -> dict[str, object]:
    """Ana with so many events of each kind."""
    world.apply(SCORES + grade)
    world.identify(ANA, START)
    for name, count in (("fits", fits), ("hello", hellos)):
        for minute in range(count):
            world.track(ANA, name, START + minute * MINUTE)
    world.tick(START + HOUR)
    [found] = world.explain()["grades"]
    return found


def test_b01_a_cell_comes_with_its_legend_green_or_not(world: Explained) -> None:
    grade = graded(world, GRADE, fits=8, hellos=8)
    assert (grade["cell"], grade["green"], grade["missing"]) == ("A4", True, [])
    assert (grade["legend"], grade["description"]) == (LEGEND, "Whom to call.")
    assert grade["since"] == "2026-03-02T01:00:00Z"


def test_b01_who_did_nothing_stands_in_d1(world: Explained) -> None:
    grade = graded(world, GRADE, fits=0, hellos=0)
    assert (grade["cell"], grade["green"], grade["legend"]) == ("D1", False, LEGEND)


def test_d07_it_says_what_is_missing_for_the_next_cells(world: Explained) -> None:
    grade = graded(world, GRADE, fits=6, hellos=6)
    assert grade["cell"] == "B3"
    assert grade["missing"] == [
        {"cell": "B4", "score": "engagement", "points": 12, "below_range": 0},
        {"cell": "A3", "score": "fit", "points": 15, "below_range": 0},
    ]


def test_b01_a_turned_axis_has_1_as_the_most_active(world: Explained) -> None:
    turned = GRADE.replace("4: hot, 3: warm, 2: 25", "axis: descending, 1: 75, 2: 50, 3: 25")
    grade = graded(world, turned.replace("green: [A4, B4]", ""), fits=8, hellos=6)
    assert grade["cell"] == "A2"
    assert grade["missing"] == [
        {"cell": "A1", "score": "engagement", "points": 12, "below_range": 0}
    ]
    assert "1 = engagement from 75 (the most active), 2 from 50" in str(grade["legend"])


def test_b02_own_words_stand_in_cells_and_legend(world: Explained) -> None:
    own = (
        "grade: g\n"
        "fit: {score: fit, ideal: 75, good: 50, poor: below}\n"
        "engagement: {score: engagement, 4: 75, 3: 50, 2: 25}\n"
    )
    grade = graded(world, own, fits=5, hellos=0)
    assert grade["cell"] == "good-1"
    assert str(grade["legend"]).startswith("ideal = fit from 75, good from 50, poor below; 4 = ")
    assert {"cell": "ideal-1", "score": "fit", "points": 25, "below_range": 0} in grade["missing"]
