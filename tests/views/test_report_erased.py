"""The person goes, the sums stay: a report says the same before and after people were erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flowscore.clock import DAY
from flowscore.planning.phrases import phrase
from flowscore.store.erasing import Outside, erase
from flowscore.store.stripping import TOUCHES
from flowscore.views.reporting.inquiry import Wishes
from flowscore.views.reporting.report import make_report
from flowscore.views.reporting.touches import ATTRIBUTES

from .conftest import NOW
from .report_world import World, made
from .test_report_counts import PERIODS, PROJECT

if TYPE_CHECKING:
    from flowscore.store.database import Store

Row = dict[str, Any]
NOTHING_OUTSIDE = Outside(sweep=lambda _: 0, relearn=lambda _: None)


def written(store: Store, seed: int) -> World:
    world = made(seed)
    for number, row in world.leads.items():
        world.add("identities", kind="email", value=row["email"], contact_id=number)
    world.write(store)
    return world


def report(store: Store, since: int | None, until: int | None) -> Row:
    """Without the addresses that it lists, and without those of whom something is known now."""
    with store.read() as connection:
        told = make_report(connection, PROJECT, Wishes(since=since, until=until), phrase)
    told["qualification"].pop("became")
    told["qualification"]["not_yet"].pop("furthest")
    told.pop("groups")
    return told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_sums_stay(store: Store, seed: int) -> None:
    world = written(store, seed)
    before = [report(store, *period) for period in PERIODS]
    for row in list(world.leads.values())[::3]:
        assert erase(store, ("email", row["email"]), NOW + DAY, NOTHING_OUTSIDE).was_known
    assert [report(store, *period) for period in PERIODS] == before


def test_what_sales_said_of_one_person_alone_goes(store: Store) -> None:
    world = written(store, 4)
    said = {"verdict": "lost", "reason": "ana is ill"}
    world.rows.clear()
    world.event(1, "sales_feedback", NOW - DAY, properties=said)
    world.rows["events"][0] |= {"id": 100_000, "message_id": "only"}
    world.write(store)
    assert "ana is ill" in str(report(store, None, None)["feedback"]["reasons"])
    erase(store, ("email", "p001@x.example"), NOW + DAY, NOTHING_OUTSIDE)
    told = report(store, None, None)["feedback"]
    assert "ana is ill" not in str(told["reasons"])
    assert {row["verdict"]: row["times"] for row in told["verdicts"]}["lost"] > 0


def test_what_leads_touched_is_what_is_kept_of_them() -> None:
    assert set(ATTRIBUTES) == TOUCHES
