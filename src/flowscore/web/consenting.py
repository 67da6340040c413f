"""What people say on a page, as the lines that a tick takes in: with text, source and proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowscore.mail.proofs import Word, proof_of
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow

EVENTS = {True: "Subscribed", False: "Unsubscribed"}


@dataclass(frozen=True)
class Speaker:
    """Who speaks, where and when; `line_id` makes what is said count once."""

    email: str
    at: int  # microseconds
    where: str  # the source that stands in the record
    line_id: str
    secret: str
    source: str | None = None  # the write key's, for what a site's form brought

    def say(
        self, topic: str, granted: bool, text: str | None, more: Mapping[str, Any] | None = None
    ) -> InboxRow:
        """Yes or no to a topic."""
        proof = proof_of(self.secret, self.email, Word(topic, granted, self.at, text))
        said = {"topic": topic, "text": text, "proof": proof, "page": self.where, **(more or {})}
        properties = {name: value for name, value in said.items() if value is not None}
        return self._line(
            f"{self.line_id}:{topic}",
            {"type": "track", "event": EVENTS[granted], "properties": properties},
            consent_source=self.where,
        )

    def tell(self, traits: Mapping[str, Any]) -> InboxRow:
        """What the speaker says of themselves."""
        return self._line(f"{self.line_id}:traits", {"type": "identify"}, traits)

    def _line(
        self,
        message_id: str,
        call: dict[str, Any],
        traits: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> InboxRow:
        named = {"messageId": message_id, "traits": {**(traits or {}), "email": self.email}}
        row = read_call({**call, **named}, Reading(self.at))
        assert isinstance(row, InboxRow), row
        return row._replace(source=self.source, **more)
