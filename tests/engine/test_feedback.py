"""What sales says starts scenarios and is read by conditions; nobody's clock begins anew by it."""

from __future__ import annotations

from engine.small import ANA, BEN
from engine.world import START, World
from flowscore.clock import DAY, HOUR

STUDENTS = """
    list: students
    ---
    list: won
    members: [{event: {name: sales_feedback, where: {verdict: won, amount: {at_least: 1000}}}}]
    ---
    scenario: not-for-us
    trigger: {event: {name: sales_feedback, where: {verdict: not_qualified}}}
    actions: [{add_to_list: students}]
"""


def test_e11_feedback_starts_a_scenario_and_fills_a_list(world: World) -> None:
    world.apply(STUDENTS)
    world.people(f"{ANA},2026-01-01", f"{BEN},2026-01-01")
    world.track(ANA, "Sales Feedback", START + HOUR, verdict="not_qualified", reason="student")
    world.track(BEN, "Sales Feedback", START + HOUR, verdict="won", amount=1200)
    world.tick(START + 2 * HOUR)
    assert world.members("students") == [ANA]
    assert world.members("won") == [BEN]


def test_feedback_is_no_activity_of_the_lead(world: World) -> None:
    """Ruling 26: who is only talked about has still done nothing."""
    world.apply("""
        list: quiet
        members: [{inactive: 3 days}]
        ---
        score: engagement
        decay: {idle: {after: 3 days, lose: 10, every: 7 days}}
        rules: [{name: visit, points: 30, on: {page_visited: /a}}]
    """)
    for who in (ANA, BEN):
        world.track(who, "order", START + HOUR)
    world._call(ANA, {"type": "page", "properties": {"path": "/a"}}, START + HOUR, "live")
    world.track(ANA, "Sales Feedback", START + 2 * DAY, verdict="qualified")
    world.track(BEN, "order", START + 2 * DAY)
    world.tick(START + 4 * DAY)
    assert world.members("quiet") == [ANA]
    assert world.balance(ANA) == 20
