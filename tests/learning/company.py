"""A made-up company on a real store: leads with a history, imported and ticked like anybody's."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flowscore.clock import DAY, HOUR, instant_of, rfc3339
from flowscore.workspace import Workspace

START = instant_of(datetime(2026, 3, 2, tzinfo=UTC))
POLICY = "policy: default\nconsent: implied\n"


@dataclass
class Lead:
    """A lead: when it came (days after START), what was known then, what it did (day, event)."""

    name: str
    came: float
    traits: dict[str, Any] = field(default_factory=dict)
    did: list[tuple[float, str]] = field(default_factory=list)
    later: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"{self.name}@x.example"


def at(day: float) -> int:
    """The instant so many days after START."""
    return START + round(day * DAY)


def calls_of(lead: Lead) -> Iterable[dict[str, Any]]:
    """What the lead did, as calls; `page /path` is a page, anything else an event."""
    for number, (day, what) in enumerate(lead.did):
        call: dict[str, Any] = {
            "userId": lead.email,
            "messageId": f"{lead.name}-{number}",
            "timestamp": rfc3339(at(day)),
        }
        event, _, about = what.partition(" ")
        if event == "page":
            yield call | {"type": "page", "properties": {"path": about}}
        else:
            yield call | {"type": "track", "event": event, "properties": json.loads(about or "{}")}
    for number, (day, traits) in enumerate(lead.later):
        yield {
            "type": "identify",
            "userId": lead.email,
            "messageId": f"{lead.name}-i{number}",
            "timestamp": rfc3339(at(day)),
            "traits": traits,
        }


def import_leads(folder: Path, leads: Sequence[Lead], url: str | None = None) -> Workspace:
    """The leads in the store of the project: applied, imported as they came, ticked once."""
    if url is not None:
        (folder / ".env").write_text(f"FLOWSCORE_DATABASE_URL={url}\n", encoding="utf-8")
    workspace = Workspace(folder)
    workspace.apply()
    put(workspace, leads)
    last = max(day for lead in leads for day, _ in (*lead.did, *lead.later, (lead.came, "")))
    tick(workspace, at(last) + HOUR)
    return workspace


def put(workspace: Workspace, leads: Sequence[Lead]) -> None:
    """Import contacts and what they did, each received when it happened."""
    from flowscore.orders import Reading

    names = sorted({name for lead in leads for name in lead.traits})
    people, done = workspace.root / "people.csv", workspace.root / "done.jsonl"
    with people.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "created_at", *names])
        for lead in leads:
            row = [lead.traits.get(name, "") for name in names]
            writer.writerow([lead.email, rfc3339(at(lead.came)), *row])
    with done.open("w", encoding="utf-8") as file:
        for lead in leads:
            for call in calls_of(lead):
                file.write(json.dumps(call) + "\n")
    assert not workspace.import_contacts(people, Reading({}), as_live=True).rejected
    if done.stat().st_size:
        taken = workspace.import_events(done, Reading({}), as_live=True, historical=False)
        assert not taken.rejected


def tick(workspace: Workspace, until: int) -> None:
    """One tick at that instant, which takes in all that came before."""
    from flowscore.orders import Grid

    step = HOUR
    instant = -(-until // step) * step
    workspace.tick(instant, Grid(instant, instant, step))
