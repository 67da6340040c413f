"""Points and lists are the same in whatever order calls arrive, too: see tests/store/test_order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from flowscore.clock import HOUR
from flowscore.engine.tick import run_ticks
from store.taking import at, look, send
from store.test_order import QUERIES, Caller, state

if TYPE_CHECKING:
    from engine.world import World
    from flowscore.store.database import Store

PROJECT = """
    score: engagement
    rules:
      - {name: looked, points: 3, on: {event: looked}}
      - {name: bought, points: 10, on: {event: bought}}
      - {name: met, points: 7, on: contact_created}
      - {name: is-pro, points: 5, when: {attribute: {plan: pro}}}
      - {name: has-bought, points: 2, when: {event: bought}}
    ---
    list: warm
    members: [{score: {engagement: {at_least: 15}}}]
    ---
    list: pros
    members: [{attribute: {plan: pro}}]
    ---
    list: lookers
    members: [{event: {name: looked, times: 2}}]
    ---
    list: bought
    ---
    scenario: thanks
    trigger: {event: bought}
    actions: [{wait: 2 hours}, {send_email: thanks}, {wait: 1 day}, {add_to_list: bought}]
"""
POINTS = {
    **QUERIES,
    "points": """
        SELECT contact_id, score, sum(points) FROM ledger
        GROUP BY contact_id, score HAVING sum(points) <> 0
    """,
    "balances": "SELECT contact_id, score, raw, balance FROM balances WHERE raw <> 0",
    "lists": "SELECT contact_id, list FROM members WHERE left_at IS NULL AND list <> 'bought'",
}
EMPTIED = (
    *("events", "calls", "changes", "taken", "contacts", "identities", "claims", "attributes"),
    *("companies", "company_attributes", "consents", "consent_records", "words", "ledger", "marks"),
    *("balances", "fading", "activity", "members", "enrollments", "steps", "decisions", "messages"),
)


class Clock:
    """Ticks go on from one order of arrival to the next: a store's time does not turn back."""

    def __init__(self) -> None:
        self.hour = 200

    def arrive(self, store: Store, calls: list[dict[str, Any]], pick: random.Random) -> None:
        order = pick.sample(calls, len(calls))
        while order:
            some, order = order[: (size := pick.randint(1, len(order)))], order[size:]
            send(store, *some, received=self.hour)
            run_ticks(store, until=at(self.hour), step=HOUR)
            self.hour += pick.randint(1, 20)
        run_ticks(store, until=at(self.hour), step=HOUR)


def empty(store: Store) -> None:
    with store.transact() as connection:
        for name in EMPTIED:
            connection.execute(text(f"DELETE FROM {name}"))


def hold(store: Store, clock: Clock, seed: int, orders: int) -> None:
    calls = Caller(seed).calls()
    found = []
    for order in range(orders):
        empty(store)
        clock.arrive(store, calls, random.Random(seed * 100 + order))
        found.append(state(store, POINTS))
        assert look(store, "SELECT count(*) FROM enrollments WHERE contact_id NOT IN "
                    "(SELECT id FROM contacts)") == [(0,)]  # fmt: skip
        assert found[-1] == found[0], (seed, order, calls)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_calls_ends_with_the_same_points_and_lists(world: World, seed: int) -> None:
    world.apply(PROJECT, thanks="news")
    clock = Clock()
    for one in range(seed * 3, seed * 3 + 3):
        hold(world.store, clock, one, 3)
