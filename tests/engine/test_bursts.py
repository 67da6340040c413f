"""Rulings 19, 35, 36 and 47: many occurrences at once, in one tick and over several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN
from engine.world import START
from flowscore.clock import HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

BURST = """
    score: engagement
    rules: [{{name: r, points: 1, on: {{event: visit}}}}]
    ---
    scenario: s
    trigger: {{event: order}}
    reenroll: {reenroll}
    actions: [{{add_points: 10}}, {{wait: {wait}}}, {{add_points: 100}}]
"""


def burst(world: World) -> None:
    """Twenty orders of Ana's within one hour, one of Ben's, three of Ana's two hours later."""
    for minute in range(10):
        world.track(ANA, "order", START + minute * MINUTE)
        world.track(ANA, "order", START + minute * MINUTE)
    world.track(BEN, "order", START + MINUTE)
    for minute in range(3):
        world.track(ANA, "order", START + 2 * HOUR + minute * MINUTE)


@pytest.mark.parametrize(
    ("reenroll", "wait", "entered", "refused"),
    [
        ("every_time", "5 hours", 23, 0),
        ("never", "5 hours", 1, 22),
        ("when_finished", "30 minutes", 2, 21),
        ("{after: 2 hours}", "30 minutes", 2, 21),
        ("{after: 4 hours}", "30 minutes", 1, 22),
    ],
)
def test_a_burst_enters_as_often_as_it_says(
    reenroll: str, wait: str, entered: int, refused: int, world: World
) -> None:
    """Each occurrence is judged after the one before has entered; none is lost, none is twice."""
    world.apply(BURST.format(reenroll=reenroll, wait=wait))
    burst(world)
    world.tick(START + 9 * HOUR)
    assert world.entered("s").count(ANA) == entered
    assert world.entered("s").count(BEN) == 1
    assert len(world.rows("SELECT * FROM decisions")) == refused
    assert world.balance(ANA) == entered * 110
    assert world.balance(BEN) == 110
