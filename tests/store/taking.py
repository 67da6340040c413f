"""What tests of intake share: calls received and taken in, the store seen as plain rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from flowscore.clock import parse_duration
from flowscore.store.calls import read_call
from flowscore.store.database import Store
from flowscore.store.fields import Reading, Reject
from flowscore.store.inbox import InboxRow, Received, receive
from flowscore.store.intake import forget_taken, take_in

HOUR = parse_duration("1 hour") or 0
START = 1_767_225_600_000_000  # 2026-01-01T00:00Z


@dataclass(frozen=True)
class Template:
    topic: str


@dataclass(frozen=True)
class Policy:
    topics: tuple[str, ...] = ("news", "offers")


@dataclass(frozen=True)
class Project:
    templates: dict[str, Template] = field(default_factory=lambda: {"hello": Template("news")})
    policy: Policy = Policy()
    scenarios: dict[str, Any] = field(default_factory=dict)


def at(hours: float) -> int:
    """So many hours after the beginning of 2026."""
    return START + round(hours * HOUR)


def stamp(hours: float) -> str:
    from flowscore.clock import rfc3339

    return rfc3339(at(hours))


def call(kind: str, hours: float, **fields: Any) -> dict[str, Any]:
    """A call that happened so many hours after the start; `user` and `anon` name who."""
    names = {"user": "userId", "anon": "anonymousId", "id": "messageId"}
    named = {names.get(key, key): value for key, value in fields.items()}
    return {"type": kind, "timestamp": stamp(hours), "messageId": f"{kind}@{hours}", **named}


def track(event: str, hours: float, **fields: Any) -> dict[str, Any]:
    return call("track", hours, event=event, **{"id": f"{event}@{hours}", **fields})


def rows_of(calls: list[dict[str, Any]], received: float | None, **how: Any) -> list[InboxRow]:
    """Received then; with None each when it happened."""
    reading = Reading(at(received or 0), as_live=received is None, **how)
    rows = [read_call(one, reading) for one in calls]
    assert not any(isinstance(row, Reject) for row in rows), rows
    return rows  # type: ignore[return-value]


def send(
    store: Store, *calls: dict[str, Any], received: float | None = None, **how: Any
) -> Received:
    return receive(store, rows_of(list(calls), received, **how))


def tick(store: Store, hours: float, project: Project | None = None) -> int:
    """Take in everything that is due, as a tick does."""
    project = project or Project()
    with store.transact() as connection:
        taken = take_in(connection, store.dialect, project, at(hours), True)
        taken += take_in(connection, store.dialect, project, at(hours), False)
    forget_taken(store)
    return taken


def look(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def change(store: Store, statement: str) -> None:
    with store.transact() as connection:
        connection.execute(text(statement))


def names(store: Store, who: str = "ana@x.es") -> list[str]:
    """The names of a contact's events, in the order of the log."""
    found = look(
        store,
        f"SELECT e.name FROM events e JOIN contacts c ON c.id = e.contact_id "
        f"WHERE c.email_folded = '{who}' ORDER BY e.id",
    )
    return [name for (name,) in found]


def attributes(store: Store) -> dict[str, Any]:
    """Of the only contact: name -> (text, number), or a list of texts."""
    found: dict[str, Any] = {}
    rows = "SELECT name, text FROM attributes WHERE element >= 0 ORDER BY name, element"
    for name, text_ in look(store, rows):
        found[name] = text_ if name not in found else [found[name], text_]
    return found
