"""What is held of one person: all of it, and nothing of anybody else (ACCEPTANCE F02)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from engine.small import ANA, BEN
from engine.world import START, World
from flowscore.clock import DAY, HOUR, rfc3339
from flowscore.engine.registry import live_project
from flowscore.views.person import person

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.store.database import Store

MODEL = """
    score: engagement
    objective: Who is looking.
    rules:
      - {name: order, points: 10, on: {event: order}}
      - name: grown-up
        points: 5
        when: {attribute: {age: {at_least: 18}}}
        because: minors may not sign
    ---
    score: account
    of: company
    rules: [{name: order, points: 7, on: {event: order}}]
    ---
    list: buyers
    ---
    scenario: bought
    description: Thanks.
    trigger: {event: order}
    actions: [{add_to_list: buyers}, {add_points: {score: engagement, points: 3}}]
"""


@pytest.fixture
def told(store: Store, project_folder: Path) -> Any:
    """Ana came as a visitor and shares a company with Ben, who did something else."""
    world = World(project_folder, store)
    world.apply(MODEL)
    world.people(f"{ANA},2026-01-01,yes", f"{BEN},2026-01-01,no", header="email,created_at,consent")
    world.track("visitor-1", "page_liked", START + HOUR, secret_of="ana")
    world.identify(ANA, START + 2 * HOUR, anonymous="visitor-1", age=30, city="Vigo")
    for who in (ANA, BEN):
        world.group(who, "acme", START + 2 * HOUR, name="Acme")
        world.track(who, "order", START + 3 * HOUR, note=f"note of {who}")
    world.track(BEN, "order", START + 4 * HOUR)
    world.track(ANA, "unsubscribed", START + 5 * HOUR, topic="news")
    world.track(ANA, "Sales Feedback", START + 6 * HOUR, verdict="qualified")
    world.tick(START + DAY)
    world.track(ANA, "order", START + 2 * DAY)

    def of(email: str) -> dict[str, Any]:
        with store.read() as connection:
            return person(connection, live_project(connection), email)

    return of


def test_f02_everything_that_is_held_of_a_person(told: Any) -> None:
    ana = told(ANA)
    assert ana["identities"] == [
        {"kind": "anonymous", "value": "visitor-1"},
        {"kind": "email", "value": ANA},
    ]
    assert {one["name"]: one["value"] for one in ana["attributes"]} == {"age": 30, "city": "Vigo"}
    assert ana["attributes"][0]["since"] == rfc3339(START + 2 * HOUR)
    assert ana["company"] == {"id": "acme", "name": "Acme"}
    names = [event["name"] for event in ana["events"]]
    assert {"page_liked", "order", "unsubscribed", "sales_feedback"} <= set(names)
    assert [one["name"] for one in ana["consent_history"]] == ["unsubscribed"]
    assert {one["topic"]: one["granted"] for one in ana["consent"]} == {
        "email": True,
        "news": False,
    }
    assert [one["properties"]["verdict"] for one in ana["feedback"]] == ["qualified"]
    assert [one["list"] for one in ana["lists"]] == ["buyers"]
    assert [(one["scenario"], one["description"], one["begins"]) for one in ana["scenarios"]] == [
        ("bought", "Thanks.", "order")
    ]
    assert [(one["kind"], one["name"]) for one in ana["waiting"]] == [("track", "order")]


def test_f06_the_rules_that_rate_stand_in_plain_words(told: Any) -> None:
    engagement = next(one for one in told(ANA)["scores"] if one["score"] == "engagement")
    assert engagement["objective"] == "Who is looking."
    assert engagement["balance"] == 18
    assert engagement["rules"] == [
        {"rule": "order", "means": "+10 for each order", "because": ""},
        {
            "rule": "grown-up",
            "means": "+5 while age is at least 18 (asked because: minors may not sign)",
            "because": "minors may not sign",
        },
    ]
    assert {line["rule"]: line["worth"] for line in engagement["lines"]} == {
        "order": 10,
        "grown-up": 5,
        "bought": 3,
    }


def test_f02_nothing_of_anybody_else(told: Any) -> None:
    """Of the company's score only the own lines; nothing that names the colleague."""
    ana = told(ANA)
    account = next(one for one in ana["scores"] if one["score"] == "account")
    assert account["balance"] == 21, "the company's"
    assert [line["worth"] for line in account["lines"]] == [7]
    assert BEN not in json.dumps(ana)
    assert "note of " + ANA in json.dumps(ana)
    assert ANA not in json.dumps(told(BEN))


def test_f03_no_use_of_the_data_is_hidden_from_the_person(told: Any, store: Store) -> None:
    """Every row of the store that is of the person stands in what the person is told."""
    ana = told(ANA)
    tables = {
        "events": len(ana["events"]),
        "identities": len(ana["identities"]),
        "attributes": len(ana["attributes"]),
        "members": len(ana["lists"]),
        "enrollments": len(ana["scenarios"]),
        "messages": len(ana["mails"]),
        "decisions": len(ana["refused"]),
        "ledger": sum(line["at"] is not None for s in ana["scores"] for line in s["lines"]),
        "cells": len(ana["grades"]),
    }
    of_ana = f"contact_id = (SELECT id FROM contacts WHERE email = '{ANA}')"
    with store.read() as connection:
        for table, shown in tables.items():
            count = text(f"SELECT count(*) FROM {table} WHERE {of_ana}")
            assert connection.scalar(count) == shown, table
