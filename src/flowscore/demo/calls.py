"""Writes the demo's events as Segment's libraries would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowscore.clock import HOUR, instant_of, rfc3339
from flowscore.demo.people import Person

if TYPE_CHECKING:
    from random import Random

Call = dict[str, Any]

LATE = 0.03  # sent a day later, by a telephone that had no network
TWICE = 0.03  # sent again, because the answer got lost

SITE = "https://almendro.example"


@dataclass
class Diary:
    """What one person does, call by call; `named` from the moment we know who they are."""

    person: Person
    named: bool
    calls: list[Call] = field(default_factory=list)

    def page(self, at: int, path: str) -> None:
        """A page of the website."""
        self._write(at, "page", properties={"path": path, "url": SITE + path})

    def track(self, at: int, event: str, **properties: Any) -> None:
        """Something they did."""
        self._write(at, "track", event=event, properties=properties)

    def identify(self, at: int) -> None:
        """They say who they are; what their browser did before becomes theirs."""
        person = self.person
        names = {"first_name": person.first_name, "last_name": person.last_name}
        traits = {"email": person.email, **names, "locale": person.locale, **person.traits}
        self.named = True
        self._write(at, "identify", traits=traits)
        self.calls[-1]["anonymousId"] = person.anonymous_id

    def _write(self, at: int, kind: str, **words: Any) -> None:
        number = f"{kind}-{self.person.number:04d}-{len(self.calls):04d}"
        who = (
            {"userId": self.person.user_id}
            if self.named
            else {"anonymousId": self.person.anonymous_id}
        )
        call = {"messageId": number, "type": kind, "timestamp": rfc3339(at), **who, **words}
        self.calls.append(call)


def as_received(rng: Random, calls: list[Call], until: int) -> list[Call]:
    """What reaches us of the calls: some late, some twice, nothing after `until`; in order."""
    lines = [line for call in calls for line in _posted(rng, call)]
    lines.sort(key=lambda call: (_receipt(call), str(call["messageId"])))
    return [line for line in lines if _receipt(line) <= rfc3339(until)]


def _posted(rng: Random, call: Call) -> list[Call]:
    chance = rng.random()
    if chance < LATE and call["type"] == "page":
        return [{**call, "receivedAt": _hours_later(call, 24)}]
    if chance < LATE + TWICE:
        return [call, {**call, "receivedAt": _hours_later(call, 0)}]
    return [call]


def _hours_later(call: Call, hours: int) -> str:
    return rfc3339(instant_of(datetime.fromisoformat(str(call["timestamp"]))) + hours * HOUR)


def _receipt(call: Call) -> str:
    return str(call.get("receivedAt") or call["timestamp"])
