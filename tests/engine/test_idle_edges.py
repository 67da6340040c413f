"""Rulings 50, 56 and 128 at their edges: what is lost once is not lost again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.small import ANA, BEN, score
from engine.test_idle import LOSE, losses
from engine.world import POLICY, START
from flowscore.clock import DAY, HOUR

if TYPE_CHECKING:
    from engine.world import World

ORDER = "points: 25, on: {event: order}"


def test_a_loss_taken_in_one_zone_is_not_taken_again_in_another(world: World) -> None:
    """A new zone has other decay instants; the span that was judged is judged but once."""
    world.apply(score(ORDER, LOSE))
    world.track(ANA, "order", START - 4 * HOUR)  # due 30 days later, at 20:00 UTC
    world.tick(START, first=START)
    world.tick(START + 30 * DAY + HOUR)
    assert world.balance(ANA) == 15
    world.policy = POLICY + "timezone: America/Los_Angeles\n"
    world.apply(score(ORDER, LOSE))
    world.tick(START + 31 * DAY)
    assert world.balance(ANA) == 15


def test_a_loss_not_yet_taken_is_taken_in_the_new_zone(world: World) -> None:
    """Nor is one forgotten between the last instant of one zone and the first of the other."""
    world.policy = POLICY + "timezone: America/Los_Angeles\n"
    world.apply(score(ORDER, LOSE))
    world.track(ANA, "order", START - 4 * HOUR)
    world.tick(START, first=START)
    world.tick(START + 30 * DAY + HOUR)
    assert world.balance(ANA) == 25
    world.policy = POLICY
    world.apply(score(ORDER, LOSE))
    world.tick(START + 31 * DAY)
    assert world.balance(ANA) == 15


def test_a_rule_may_be_called_decay(world: World) -> None:
    """Its lines are points like any others."""
    yaml = score(ORDER, LOSE).replace("name: r,", "name: decay,")
    world.apply(yaml)
    world.track(ANA, "order", START)
    world.tick(START + 40 * DAY)
    assert world.balance(ANA) == 5
    world.apply(yaml.replace("25", "26"))
    assert world.balance(ANA) == 6


def test_who_is_created_later_than_known_loses_too(world: World) -> None:
    """A date of creation that lies ahead begins the clock when it comes."""
    world.apply(
        """
    score: engagement
    decay: {idle: {after: 10 days, lose: 3, every: 10 days}}
    rules: [{name: r, points: 5, when: {attribute: {plan: pro}}}]
    """
    )
    world.people("ana@x.example,2026-03-12T00:00:00Z,pro", header="email,created_at,plan")
    world.tick(START + 29 * DAY, first=START)
    assert world.balance(ANA) == 2


def test_who_was_there_before_the_decay_loses(world: World) -> None:
    """Contacts that did nothing since a score with idle decay was applied are known to it."""
    world.apply(score(ORDER))
    world.track(ANA, "order", START)
    world.track(BEN, "look", START)
    world.tick(START + 10 * DAY)
    world.apply(score(ORDER, LOSE))
    world.tick(START + 30 * DAY)
    assert losses(world) == [(30, -10)]


def test_merged_contacts_lose_from_the_last_of_both(world: World) -> None:
    """Activity is united as points are."""
    world.apply(score(ORDER, LOSE))
    world.track(ANA, "order", START)
    world.track("visitor", "order", START + 5 * DAY)
    world.identify(ANA, START + 6 * DAY, anonymous="visitor")
    world.tick(START + 34 * DAY)
    assert losses(world) == []
    world.tick(START + 35 * DAY)
    assert losses(world) == [(35, -10)]
    assert world.balance(ANA) == 40
