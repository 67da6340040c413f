"""Rulings 56 and 97: a score that loses when nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.small import ANA, BEN, score
from engine.world import START
from flowscore.clock import DAY, HOUR

if TYPE_CHECKING:
    from engine.world import World

LOSE = "decay: {idle: {after: 30 days, lose: 10, every: 7 days}}"
TEN = "points: 10, on: {event: order}"
LOSSES = "SELECT own_at, points FROM ledger WHERE rule = 'decay' ORDER BY own_at, points"


def losses(world: World) -> list[tuple[float, float]]:
    """(days after the start, points) of each loss."""
    return [((at - START) / DAY, points / 10**8) for at, points in world.rows(LOSSES)]


def test_losses_come_at_the_first_decay_instant_after_their_deadline(world: World) -> None:
    """30 days after the last behaviour, then every 7; never past 0."""
    world.apply(score("points: 25, on: {event: order}", LOSE))
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 31 * DAY)
    assert losses(world) == [(31, -10)]
    world.tick(START + 100 * DAY)
    assert losses(world) == [(31, -10), (38, -10), (45, -5)]
    assert world.balance(ANA) == 0


def test_behaviour_starts_the_clock_anew(world: World) -> None:
    """Also what came in with the very tick that would have taken the loss."""
    world.apply(score("points: 25, on: {event: order}", LOSE))
    world.track(ANA, "order", START)
    world.track(ANA, "look", START + 29 * DAY, how=f"late:{DAY}")
    world.tick(START + 58 * DAY)
    assert losses(world) == []
    world.tick(START + 59 * DAY)
    assert losses(world) == [(59, -10)]


def test_behaviour_after_the_instant_does_not_undo_it(world: World) -> None:
    """A coarse tick goes through its decay instants one after another (ruling 97)."""
    world.apply(score("points: 25, on: {event: order}", LOSE))
    world.track(ANA, "order", START)
    world.track(ANA, "look", START + 31 * DAY)
    last = START + 48 * DAY
    world.tick(last, first=last, step=DAY)
    assert losses(world) == []  # the first tick ever looks back one step alone
    world.tick(last + 20 * DAY, step=DAY)
    assert losses(world) == [(61, -10), (68, -10)]


def test_t02_decay_is_never_activity(world: World) -> None:
    """Its own lines do not count as behaviour: neither for idle decay nor for `inactive`."""
    world.apply(
        score("points: 100, on: {event: order}", LOSE)
        + """
    ---
    list: asleep
    members: [{inactive: 40 days}]
    """
    )
    world.track(ANA, "order", START)
    world.tick(START + 40 * DAY)
    assert losses(world) == [(30, -10), (37, -10)]
    assert world.members("asleep") == [ANA]


def test_a_negative_balance_is_left_alone(world: World) -> None:
    """Nothing is lost below 0, and nothing is given back."""
    world.apply(score("points: -5, on: {event: complaint}", LOSE))
    world.track(ANA, "complaint", START)
    world.tick(START + 60 * DAY)
    assert (losses(world), world.balance(ANA)) == ([], -5)


def test_a_score_can_be_reset_when_idle(world: World) -> None:
    """One reset for each stretch; what comes after counts from 0."""
    world.apply(score(TEN, "decay: {idle: {after: 60 days, reset: true}}"))
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + 80 * DAY)
    world.tick(START + 60 * DAY)
    assert world.balance(ANA) == 0
    world.tick(START + 100 * DAY)
    assert world.balance(ANA) == 10
    world.tick(START + 200 * DAY)
    assert losses(world) == [(60, -10), (140, -10)]


def test_losses_set_off_what_points_set_off(world: World) -> None:
    """Ruling 18; the loss is known to round 1 of its tick."""
    world.apply(
        score("points: 25, on: {event: order}", LOSE)
        + """
    ---
    scenario: cooled
    trigger: {score: {falls_to: 15}}
    actions: [{add_points: 1}]
    """
    )
    world.track(ANA, "order", START)
    world.tick(START + 30 * DAY)
    assert world.rows("SELECT entered_at FROM enrollments") == [(START + 30 * DAY,)]


def test_who_came_to_be_and_never_did_anything_loses_too(world: World) -> None:
    """The clock is that of `inactive`: it starts with the creation (trap T03)."""
    world.apply("""
    score: engagement
    decay: {idle: {after: 10 days, lose: 3, every: 10 days}}
    rules: [{name: r, points: 5, when: {attribute: {plan: pro}}}]
    """)
    world.people("ana@x.example,2026-03-01T00:00:00Z,pro", header="email,created_at,plan")
    world.tick(START + 400 * DAY, first=START + 400 * DAY)
    world.tick(START + 425 * DAY)
    assert world.balance(ANA) < 5


def test_history_comes_in_as_if_it_had_run(world: World) -> None:
    """Ruling 88: what the past took is taken, silently, and dated then."""
    world.apply(score("points: 25, on: {event: order}", LOSE))
    world.track(ANA, "order", START - 40 * DAY, how="historical")
    world.tick(START)
    assert losses(world) == [(-10, -10), (-3, -10)]
    assert world.balance(ANA) == 5


def test_a_recompute_takes_what_would_have_been_lost(world: World) -> None:
    """Ruling 128: a changed score is judged as if it had always been so."""
    world.apply(score("points: 25, on: {event: order}"))
    world.track(ANA, "order", START)
    world.track(BEN, "order", START + 20 * DAY)
    world.tick(START + 40 * DAY)
    world.apply(score("points: 25, on: {event: order}", LOSE))
    assert losses(world) == [(30, -10), (37, -10)]
    assert (world.balance(ANA), world.balance(BEN)) == (5, 25)
    world.tick(START + 50 * DAY)
    assert losses(world) == [(30, -10), (37, -10), (44, -5), (50, -10)]
    world.apply(score("points: 26, on: {event: order}", LOSE))
    assert losses(world) == [(30, -10), (37, -10), (44, -6), (50, -10)]
    world.apply(score("points: 26, on: {event: order}"))
    assert losses(world) == []
    assert world.balance(ANA) == 26


def test_a_recompute_of_what_ran_changes_nothing(world: World) -> None:
    """Live losses and those judged anew are the same."""
    rules = score("points: 33, on: {event: order}", LOSE)
    world.apply(rules)
    for who, day in ((ANA, 0), (ANA, 12), (BEN, 5), (ANA, 60), (BEN, 90)):
        world.track(who, "order", START + day * DAY + 5 * HOUR)
    world.tick(START + 130 * DAY)
    live = losses(world)
    world.apply(rules.replace("points: 33", "points: 34"))
    world.apply(rules)
    assert losses(world) == live
    assert len(live) > 6
