"""Growing volume: the same result for each, at a cost that follows what changed (E17, T20)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from .conftest import Project

MODEL = """
score: engagement
rules:
  - {name: cart, points: 10, on: {event: cart_updated}, cap: {points: 30, per: 7 days}}
  - {name: phone, points: 5, when: {attribute: {phone: {exists: true}}}}
---
list: warm
members: [{score: {at_least: 10}}, {not: {event: {name: order_completed, within: 30 days}}}]
---
scenario: offer
trigger: {list_joined: warm}
conditions: [{event: {name: cart_updated, times: {at_least: 1}}}]
actions: [{send_email: offer}, {wait: 2 days}, {add_points: {score: engagement, points: 1}}]
"""


def crowd(project: Project, size: int) -> Project:
    """So many contacts, half of them with an offer, and all that follows done."""
    project.scenario(MODEL).mail("offer").apply()
    project.people(*(f"c{n:05}@example.com" for n in range(size)))
    project.happened(
        *(project.track(f"c{n:05}@example.com", "cart_updated", "2") for n in range(0, size, 2))
    )
    return project.tick("1", "7", deliver=False)


def life(project: Project, *names: str) -> list[dict[str, Any]]:
    """What these contacts do in the following days."""
    return [
        {**call, "messageId": f"{name}-{n}"}
        for name in names
        for n, call in enumerate(
            [
                project.track(f"{name}@example.com", "cart_updated", "8 10:00"),
                project.track(f"{name}@example.com", "cart_updated", "8 11:00"),
                project.track(f"{name}@example.com", "order_completed", "10 11:00"),
            ]
        )
    ]


def outcome(project: Project, *names: str) -> dict[str, list[Any]]:
    """Every row of the export about these contacts, without the keys, which count up."""
    addresses = {f"{name}@example.com" for name in names}
    return {
        table: [
            {k: v for k, v in row.items() if k not in ("key", "message_id")}
            for row in rows
            if row.get("contact", row.get("email")) in addresses
        ]
        for table, rows in project.export().items()
    }


def test_e17_each_contact_fares_the_same_in_a_crowd(project: Project, tmp_path: Path) -> None:
    names = ("ana", "ben")
    other = type(project)(tmp_path / "other")
    other.write("scenarios/policy.yaml", (project.root / "scenarios/policy.yaml").read_text())
    for one, size in ((project, 0), (other, 1000)):
        crowd(one, size).people("ana@example.com", "ben@example.com")
        one.happened(*life(one, *names)).tick("7", "14")
    alone, among = outcome(project, *names), outcome(other, *names)
    assert alone["messages"]
    assert json.dumps(alone, sort_keys=True) == json.dumps(among, sort_keys=True)


@contextmanager
def counting_steps() -> Iterator[list[int]]:
    """How many thousand steps SQLite's machine takes meanwhile: the work, whatever the clock."""
    steps: list[int] = []

    def watch(dbapi: Any, _: object) -> None:
        dbapi.set_progress_handler(lambda: steps.append(1), 1000)

    event.listen(Engine, "connect", watch)
    yield steps
    event.remove(Engine, "connect", watch)


def cost_of_ten_changed(project: Project, size: int) -> int:
    """Of the ticks of a day in which ten contacts did something."""
    crowd(project, size)
    project.happened(*life(project, *(f"c{n:05}" for n in range(10))))
    with counting_steps() as steps:
        project.tick("7", "9", deliver=False)
    return len(steps)


def test_t20_ten_changed_contacts_cost_the_same_in_a_crowd(
    project: Project, tmp_path: Path
) -> None:
    other = type(project)(tmp_path / "other")
    other.write("scenarios/policy.yaml", (project.root / "scenarios/policy.yaml").read_text())
    small = cost_of_ten_changed(project, 100)
    large = cost_of_ten_changed(other, 3000)
    assert large <= 1.5 * small, f"{large} thousand steps of SQLite against {small}"
