"""What a door orders: a grid of ticks, a way to read a file, an enrollment, what sales says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from flowscore.clock import rfc3339
from flowscore.errors import FlowscoreError
from flowscore.store.calls import read_call
from flowscore.store.feedback import FEEDBACK
from flowscore.store.fields import Reading as CallReading
from flowscore.store.fields import Reject, digest
from flowscore.store.inbox import InboxRow


@dataclass(frozen=True)
class Reading:
    """How a file is read: what its columns mean, and in which encoding."""

    columns: dict[str, str]
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Grid:
    """Which ticks: in [first, until], every so often; nothing named means those that are owed."""

    first: int | None = None
    until: int | None = None
    every: int | None = None

    def refuse_going_back(self, until: int, mark: int | None) -> None:
        """Ticks that are done are never done again; a clock that was set back is told."""
        if self.first is not None and self.first > until:
            raise FlowscoreError(
                f"--from {rfc3339(self.first)} lies after --until {rfc3339(until)}: "
                "no tick in between"
            )
        if mark is not None and until < mark:
            raise FlowscoreError(
                f"ticks were run up to {rfc3339(mark)} already, and {rfc3339(until)} lies before: "
                "they are never run again. Name a later --until; if the clock was set back, "
                "wait until it is past that instant"
            )


def enrollment_request(scenario: str, email: str, now: int) -> InboxRow:
    """The inbox line that asks for an enrollment by hand; the engine listens to its name."""
    folded = email.casefold()
    return InboxRow(
        message_id=f"enroll/{scenario}/{folded}/{now}",
        kind="track",
        name="enroll_requested",
        user_kind="email",
        user_value=folded,
        email=email,
        email_folded=folded,
        anonymous_id=None,
        own_at=now,
        received_at=now,
        subject=scenario,
        properties=json.dumps({"scenario": scenario}),
        forms="{}",
        source="flowscore scenarios enroll",
    )


@dataclass(frozen=True)
class Feedback:
    """What sales says of a lead, at which instant.

    `number` is what it has in the system it comes from, if any; without one the same words of
    one lead on one day are one feedback, however often they are said.
    """

    verdict: str
    at: int
    reason: str = ""
    amount: float | None = None
    by: str = ""
    number: str = ""

    def line(self, email: str, now: int) -> InboxRow:
        """The inbox line, read as a call that comes in by any other door."""
        said = {"reason": self.reason, "amount": self.amount, "by": self.by}
        properties = {"verdict": self.verdict, **{k: v for k, v in said.items() if v or v == 0}}
        call = {
            "type": "track",
            "event": FEEDBACK,
            "messageId": self._message_id(email.casefold(), properties),
            "email": email,
            "timestamp": rfc3339(self.at),
            "properties": properties,
        }
        line = read_call(call, CallReading(now))
        if isinstance(line, Reject):
            raise FlowscoreError(line.reason)
        return line._replace(source="flowscore feedback")

    def _message_id(self, folded: str, properties: Mapping[str, object]) -> str:
        if self.number:
            return f"feedback/{folded}/{self.number}"
        return f"feedback/{digest([folded, rfc3339(self.at)[:10], properties])}"
