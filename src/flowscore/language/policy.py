"""The policy: how mail may be sent (LANGUAGE 6)."""

from __future__ import annotations

from typing import Literal

from flowscore.language.words import Scope, Word


class Sender(Word):
    """Who the mail is from."""

    name: str = ""
    address: str = ""
    reply_to: str | None = None


class Policy(Scope):
    """Zone, sender, topics and consent; one per project. Without a file: UTC, consent required."""

    name: str = "default"
    timezone: str = "UTC"
    sender: Sender | None = None
    topics: tuple[str, ...] = ()
    consent: Literal["required", "implied"] = "required"
