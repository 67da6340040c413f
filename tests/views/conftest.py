"""A small store written by hand: what the views read is all there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Table

from flowscore.clock import DAY, HOUR
from flowscore.store import tables
from flowscore.store.tables import POINT, SHOWN

from .explained import Explained

if TYPE_CHECKING:
    from flowscore.store.database import Store

Put = Callable[..., None]
NOW = 20_000 * DAY  # 2024-10-04T00:00:00Z


@pytest.fixture
def put(store: Store) -> Put:
    """`put(table, {...}, {...})` writes rows."""

    def write(table: Table, *rows: dict[str, Any]) -> None:
        with store.transact() as connection:
            for row in rows:
                connection.execute(table.insert().values(**row))

    return write


def person(number: int, email: str | None, created_at: int = NOW - DAY) -> dict[str, Any]:
    return {
        "id": number,
        "email": email,
        "email_folded": email and email.casefold(),
        "known": email is not None,
        "created_at": created_at,
        "draw_a": 0,
        "draw_b": 0,
    }


def line(number: int, points: float, at: int, kind: str = "rule", **more: Any) -> dict[str, Any]:
    return {
        "contact_id": number,
        "score": "engagement",
        "rule": "cart",
        "kind": kind,
        "key": f"m{at}",
        "points": round(points * POINT),
        "own_at": at,
        "tick_at": at,
        "reason": "",
        **more,
    }


def balance(number: int, raw: float, shown: float, score: str = "engagement") -> dict[str, Any]:
    return {
        "contact_id": number,
        "score": score,
        "raw": round(raw * POINT),
        "balance": round(shown * SHOWN),
        "looked": 0,
    }


def walk(number: int, contact: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "contact_id": contact,
        "scenario": "welcome",
        "definition_id": 1,
        "key": f"k{number}",
        "own_at": NOW - HOUR,
        "entered_at": NOW - HOUR,
        "position": 0,
        "due_at": NOW + DAY,
        "reason": "",
        **more,
    }


def mail(number: int, contact: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "key": f"welcome.{number}.actions-0",
        "kind": "email",
        "contact_id": contact,
        "enrollment_id": number,
        "scenario": "welcome",
        "step": "actions/0",
        "priority": 0,
        "place": 0,
        "template": "hello",
        "topic": "news",
        "entered_at": NOW,
        "queued_at": NOW - HOUR,
        "due_at": NOW,
        "next_at": NOW,
        "attempts": 0,
        "status": "queued",
        "sent_event": False,
        **more,
    }


def definition(number: int, kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "kind": kind,
        "name": name,
        "version": 1,
        "source": f"{kind}: {name}",
        "digest": "d",
        "file": "scenarios/all.yaml",
        "line": 1,
        "applied_at": NOW,
        **more,
    }


@pytest.fixture
def people(put: Put) -> Put:
    """Ana, Ben, somebody of tomorrow and a visitor; the watermark stands at NOW."""
    put(
        tables.contacts,
        person(1, "Ben@example.com"),
        person(2, "ana@example.com"),
        person(3, "zoe@example.com", NOW + DAY),
        person(4, None),
    )
    put(tables.state, {"key": "watermark", "value": NOW})
    return put


@pytest.fixture
def world(store: Store, project_folder: Path) -> Explained:
    """A real engine on this store; answers as `explain` gives them."""
    return Explained(project_folder, store)
