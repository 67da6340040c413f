"""What `explain` says a condition saw: the same words on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from engine.world import START, World
from flowscore.store.database import Store
from flowscore.store.tables import decisions

ANA = "ana@example.com"
PROJECT = """
score: s
rules: [{{name: a, points: 8.7, on: {{event: hello}}}}]
---
scenario: flow
trigger: {{event: hello}}
conditions: [{condition}]
actions: [{{exit: in}}]
"""


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("{score: {s: {above: 100}}}", "s 8.7"),
        ("{attribute: {created_at: {older_than: 3 days}}}", "created_at = 2026-03-02 00:00 UTC"),
        ("{attribute: {plan: pro, email: {starts_with: x}}}", "plan = not known; email = " + ANA),
        ("{event: {name: order, times: 2}}", "0 times"),
    ],
)
def test_a_refusal_says_what_was_seen(
    store: Store, project_folder: Path, condition: str, wanted: str
) -> None:
    world = World(project_folder, store)
    world.apply(PROJECT.format(condition=condition))
    world.track(ANA, "hello", START)
    world.tick(START)
    with store.read() as connection:
        detail = connection.execute(select(decisions.c.detail)).scalar_one()
    assert detail["seen"] == wanted
