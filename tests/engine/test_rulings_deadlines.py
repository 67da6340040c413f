"""Rulings 24 to 26, 85, 119 and 120: awaited events that do not come, and silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, EVA, flow, hours
from engine.world import START
from flowscore.clock import HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World


CART = "{no_event: {name: order, after: {event: cart}, within: 2 hours}}"


@pytest.mark.parametrize(("ordered", "enters"), [(0, True), (1, False), (120, False), (121, True)])
def test_a_deadline_looks_at_what_lies_behind_its_anchor(
    world: World, ordered: int, enters: bool
) -> None:
    """Rulings 1 and 24: (a, a + w]: at the anchor is out, at the deadline is in."""
    world.apply(flow(CART))
    world.track(ANA, "cart", START)
    world.track(ANA, "order", START + ordered * MINUTE)
    world.tick(START + 3 * HOUR)
    assert (hours(world) == [(2, 2)]) is enters


def test_a_late_anchor_is_noticed_when_known(world: World) -> None:
    """Ruling 24: at the first tick at or after a + w that knows the anchor."""
    world.apply(flow(CART))
    world.track(ANA, "cart", START, how=f"late:{5 * HOUR}")
    world.track(BEN, "cart", START, how=f"late:{5 * HOUR}")
    world.track(BEN, "order", START + HOUR)
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2, 5)]


def test_an_anchor_among_the_awaited_means_quiet_since_the_last(world: World) -> None:
    """Ruling 24: each cart has its deadline, another cart within it answers."""
    world.apply(flow("{no_event: {name: [order, cart], after: {event: cart}, within: 2 hours}}"))
    for hour in (0, 1, 2):
        world.track(ANA, "cart", START + hour * HOUR)
    world.tick(START + 9 * HOUR)
    assert hours(world) == [(4, 4)]


def test_deadlines_agree_on_named_properties(world: World) -> None:
    """Rulings 24 and 85: an order of another cart is no answer; without the property none is."""
    world.apply(
        flow(
            "{no_event: {name: order, after: {event: cart}, within: 2 hours, "
            "same: [cart_id, shop]}}"
        )
    )
    world.track(ANA, "cart", START, cart_id=1, shop="A")
    world.track(ANA, "order", START + HOUR, cart_id=2, shop="A")
    world.track(BEN, "cart", START, cart_id=1, shop="A")
    world.track(BEN, "order", START + HOUR, cart_id="1", shop="a")
    world.track(EVA, "cart", START, cart_id=1)
    world.track(EVA, "order", START + HOUR, cart_id=1, shop="")
    world.tick(START + 3 * HOUR)
    assert world.entered("s") == [ANA, EVA]


def test_a_number_agrees_with_its_text(world: World) -> None:
    """Ruling 85: compared like `is`, so 5 is 5.0 and the text 5; letters in any case."""
    world.apply(flow("{no_event: {name: order, after: {event: cart}, within: 2 hours, same: id}}"))
    for place, (first, second) in enumerate([(5, "5"), (5.0, 5), ("x", "X")]):
        world.track(f"c{place}@x.example", "cart", START, id=first)
        world.track(f"c{place}@x.example", "order", START + HOUR, id=second)
    world.tick(START + 3 * HOUR)
    assert world.entered("s") == []


def test_the_completing_event_is_the_anchor(world: World) -> None:
    """Ruling 120: `after` with `times`: the deadline runs from the second cart."""
    world.apply(
        flow(
            "{no_event: {name: order, within: 2 hours, "
            "after: {event: {name: cart, times: 2, within: 3 hours}}}}"
        )
    )
    world.track(ANA, "cart", START)
    world.track(ANA, "cart", START + HOUR)
    world.track(BEN, "cart", START)
    world.track(BEN, "cart", START + 3 * HOUR)
    world.track(EVA, "cart", START)
    world.track(EVA, "cart", START + HOUR)
    world.track(EVA, "order", START + 2 * HOUR)
    world.tick(START + 9 * HOUR)
    assert world.entered("s") == [ANA]
    assert hours(world) == [(3, 3)]


def test_a_completing_event_of_rules_is_the_anchor(world: World) -> None:
    """Ruling 120 in a rule: each second cart without an order costs points."""
    world.apply("""
    score: engagement
    rules:
      - name: left
        points: -5
        on: {no_event: {name: order, after: {event: {name: cart, times: 2}}, within: 2 hours}}
    """)
    for hour in range(5):
        world.track(ANA, "cart", START + hour * HOUR)
    world.tick(START + 9 * HOUR)
    assert world.balance(ANA) == -10
    assert world.rows("SELECT own_at FROM ledger ORDER BY own_at") == [
        (START + 3 * HOUR,),
        (START + 5 * HOUR,),
    ]


QUIET = "{inactive: 5 hours}"


def test_silence_counts_from_creation_where_nothing_precedes(world: World) -> None:
    """Ruling 25: created at 1, silent: 6. Somebody's visit at 2 makes it 7, once."""
    world.apply(flow(QUIET))
    world.people(f"{ANA},2026-03-02T01:00:00Z", f"{BEN},2026-03-02T01:00:00Z")
    world.tick(START + HOUR)
    world.track(BEN, "visit", START + 2 * HOUR)
    world.track(BEN, "visit", START + 2 * HOUR)
    world.tick(START + 20 * HOUR)
    assert hours(world) == [(6, 6), (7, 7)]
    assert world.entered("s") == [ANA, BEN]


def test_each_stretch_of_silence_occurs_once(world: World) -> None:
    """Ruling 25: a visit ends a stretch, the next begins at it."""
    world.apply(flow(QUIET))
    for hour in (0, 4, 12):
        world.track(ANA, "visit", START + hour * HOUR)
    world.tick(START + 48 * HOUR)
    assert hours(world) == [(9, 9), (17, 17)]


def test_a_late_visit_within_the_stretch_comes_too_late(world: World) -> None:
    """Rulings 8 and 25: the stretch is a fact; the late visit has a deadline of its own."""
    world.apply(flow(QUIET))
    world.track(ANA, "visit", START)
    world.track(ANA, "visit", START + 3 * HOUR, how=f"late:{3 * HOUR}")
    world.tick(START + 20 * HOUR)
    assert hours(world) == [(5, 5), (8, 8)]


def test_mail_and_identify_are_no_behaviour(world: World) -> None:
    """Ruling 26: only a person's deeds end the silence."""
    world.apply(flow(QUIET))
    world.track(ANA, "visit", START)
    world.identify(ANA, START + HOUR, plan="pro")
    world.track(ANA, "Email Opened", START + 2 * HOUR, machine=True, template="t")
    world.track(ANA, "Email Sent", START + 2 * HOUR, template="t")
    world.track(ANA, "Unsubscribed", START + 3 * HOUR, topic="news")
    world.track(BEN, "visit", START)
    world.track(BEN, "Email Opened", START + 2 * HOUR, template="t")
    world.tick(START + 20 * HOUR)
    assert hours(world) == [(5, 5), (7, 7)]


def test_silence_past_at_a_quiet_import_is_history(world: World) -> None:
    """Ruling 119: whose 5 hours were over at the import is not written to; later ones are."""
    world.apply(flow(QUIET))
    world.people(f"{ANA},2026-03-01T12:00:00Z", f"{BEN},2026-03-01T22:00:00Z")
    world.tick(START + 20 * HOUR)
    assert (world.entered("s"), hours(world)) == ([BEN], [(3, 3)])
