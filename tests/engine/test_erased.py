"""Nothing happens any more to whoever was erased, and nobody else notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.small import ANA, BEN
from engine.world import START
from flowscore.clock import DAY, HOUR
from flowscore.engine.recompute import order_texts
from flowscore.engine.rescoring import rescore
from flowscore.store.erasing import Outside, erase
from flowscore.store.tables import TABLES

if TYPE_CHECKING:
    from engine.world import World

# All that the clock alone brings about: deadlines, silences, windows, fading, losses, waits.
EVERYTHING = """
    score: engagement
    decay: {half_life: 10 days}
    rules:
      - {name: order, points: 10, on: {event: order}, cap: {times: 3, per: 1 day}}
      - {name: unread, points: -1, on: {email_not_opened: {within: 5 days}}}
      - name: unpaid
        points: -2
        on: {no_event: {name: paid, within: 6 days, after: {event: order}}}
      - {name: silent, points: -3, on: {inactive: 7 days}}
      - {name: keen, points: 4, when: {event: {name: order, within: 8 days}}}
      - {name: again, points: 1, on: {event: {name: order, times: {at_least: 2}}}}
    ---
    score: energy
    decay: {idle: {after: 9 days, lose: 1, every: 1 day}}
    rules: [{name: order, points: 50, on: {event: order}}]
    ---
    score: account
    of: company
    rules: [{name: order, points: 7, on: {event: order}}]
    ---
    grade: lead-grade
    fit: {score: account, A: 10, B: below}
    engagement: {score: engagement, 2: 10, 1: below}
    ---
    lifecycle: buyer
    stages: [lead, {stage: keen, when: {score: {engagement: {at_least: 5}}}, retreat: true}]
    ---
    list: buyers
    ---
    list: lately
    members: [{event: {name: order, within: 6 days}}]
    ---
    list: strangers
    members: [{not: {event: seen}}]
    ---
    scenario: bought
    trigger: [{event: order}, {inactive: 7 days}]
    reenroll: every_time
    goal: {event: paid, up_to: 30 days}
    actions: [{send_email: hello}, {wait: 12 days}, {add_points: {score: engagement, points: 3}},
              {add_to_list: buyers}]
    ---
    scenario: monthly
    trigger: {schedule: {cron: "0 9 20 * *"}}
    reenroll: every_time
    actions: [{add_points: {score: engagement, points: 1}}]
"""
OUTSIDE = Outside(lambda _: 0, order_texts)


def rows_of(world: World, number: int) -> dict[str, list[Any]]:
    """Whatever stands in the store of a contact's number."""
    return {
        name: world.rows(f"SELECT * FROM {name} WHERE contact_id = {number} ORDER BY 1, 2")
        for name, table in TABLES.items()
        if "contact_id" in table.c and name != "changes"
    }


@pytest.fixture
def lived(world: World) -> World:
    """Ana and Ben did the same, in one company."""
    world.apply(EVERYTHING, hello="news")
    for who in (ANA, BEN):
        world.people(f"{who},2026-03-01", header="email,created_at")
        world.group(who, "acme", START + HOUR)
        world.track(who, "order", START + DAY)
        world.track(who, "order", START + 2 * DAY)
        world.track(who, "email_sent", START + 2 * DAY, template="hello")
    world.tick(START + 3 * DAY)
    return world


def test_the_clock_brings_nothing_about_for_whoever_was_erased(lived: World) -> None:
    (number,) = lived.rows(f"SELECT id FROM contacts WHERE email = '{ANA}'")[0]
    before = {n: r for n, r in rows_of(lived, number).items() if r}
    assert {"ledger", "enrollments", "balances", "cells", "stages", "members"} <= before.keys()
    erase(lived.store, ("email", ANA), START + 3 * DAY, OUTSIDE)
    kept = rows_of(lived, number)
    lived.tick(START + 40 * DAY)
    assert rows_of(lived, number) == kept
    lived.apply(EVERYTHING.replace("points: 10, on", "points: 11, on"), hello="news")
    rescore(lived.store, ())
    lived.tick(START + 41 * DAY)
    assert rows_of(lived, number) == kept


def test_nobody_else_fares_otherwise_for_it(lived: World) -> None:
    """Ben's points, places and lists are those of a world in which Ana was never there."""
    erase(lived.store, ("email", ANA), START + 3 * DAY, OUTSIDE)
    lived.tick(START + 40 * DAY)
    assert lived.members("buyers") == [BEN]
    assert lived.rows("SELECT balance FROM company_balances WHERE score = 'account'") == [
        (14 * 10_000,)
    ], "the company's without hers"
    assert lived.rows("SELECT count(*) FROM contacts") == [(1,)]
    rules = dict(lived.rows("SELECT rule, count(*) FROM ledger WHERE contact_id IN"
                            " (SELECT id FROM contacts) GROUP BY rule"))  # fmt: skip
    assert {"unread", "unpaid", "silent", "keen", "bought", "monthly"} <= rules.keys()
