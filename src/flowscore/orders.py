"""What a door orders: a grid of ticks, a way to read a file, an enrollment by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flowscore.clock import rfc3339
from flowscore.errors import FlowscoreError
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
