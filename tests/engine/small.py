"""Short projects of one scenario or one rule, and short views of what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.world import START
from flowscore.clock import HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

ANA, BEN, EVA = "ana@x.example", "ben@x.example", "eva@x.example"
FLOW = """
    list: l
    ---
    scenario: s
    trigger: {trigger}
    reenroll: every_time
    actions: [{{add_to_list: l}}]
"""


ORDERED = """
    list: buyers
    ---
    scenario: bought
    trigger: {event: order}
    reenroll: every_time
    actions: [{add_to_list: buyers}]
"""


def flow(trigger: str) -> str:
    """A scenario with this trigger."""
    return FLOW.format(trigger=trigger)


def score(rule: str, more: str = "") -> str:
    """A score of one rule."""
    return f"""
    score: engagement
    {more}
    rules:
      - {{name: r, {rule}}}
"""


def hours(world: World) -> list[tuple[float, float]]:
    """Hours after the start at which each enrollment occurred and began, in order."""
    rows = world.rows("SELECT own_at, entered_at FROM enrollments ORDER BY entered_at, own_at")
    return [((own - START) / HOUR, (entered - START) / HOUR) for own, entered in rows]


def entries(world: World) -> list[tuple[int, int]]:
    """Hours after the start at which each enrollment occurred and began, in order."""
    rows = world.rows("SELECT own_at, entered_at FROM enrollments ORDER BY id")
    return [((own - START) // HOUR, (entered - START) // HOUR) for own, entered in rows]


def lines(world: World) -> list[tuple[float, float]]:
    """Minutes after the start and points of each line, in the order of own time."""
    rows = world.rows("SELECT own_at, points FROM ledger ORDER BY own_at, id")
    return [((at - START) / MINUTE, points / 10**8) for at, points in rows]
