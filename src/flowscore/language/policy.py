"""The policy: how mail may be sent (LANGUAGE 6)."""

from __future__ import annotations

from typing import ClassVar, Literal

from flowscore.language.conditions import Condition
from flowscore.language.words import Scope, Word


class Sender(Word):
    """Who the mail is from."""

    name: str = ""
    address: str = ""
    reply_to: str | None = None


class FrequencyCap(Word):
    """At most so many marketing mails to a contact within any rolling `per` (microseconds)."""

    emails: int
    per: int


class SendWindow(Word):
    """When marketing mail may go: `opens` ≤ local time < `closes`, microseconds after midnight.

    Over midnight (`closes` ≤ `opens`) the weekday is the opening one. `days` from Monday, 0 to 6;
    none named is every day. `timezone` is an IANA name, `contact`, or None for the policy's.
    """

    days: tuple[int, ...] = ()
    opens: int
    closes: int
    timezone: str | None = None


class PauseWhen(Word):
    """Sending stops when, of the last `of_last` mails sent, this share (millionths) did harm."""

    bounces: int | None = None
    complaints: int | None = None
    of_last: int


CAPPED_WAIT = 3 * 86_400_000_000


class Policy(Scope):
    """How mail may be sent; one per project. Without a file: UTC, consent required.

    `capped_wait`: how long a capped mail is tried again (microseconds); None drops it at once.
    `decay_every`: points fade at every multiple of it since 1970 UTC (microseconds); None: daily,
    at 00:00 of the policy's zone (ruling 50).
    `tracking`: whether opens and clicks are kept with the contact, only counted, or not noticed.
    """

    younger: ClassVar[frozenset[str]] = frozenset(
        {
            "suppress",
            "frequency_caps",
            "capped_wait",
            "send_window",
            "pause_when",
            "decay_every",
            "tracking",
        }
    )

    name: str = "default"
    timezone: str = "UTC"
    sender: Sender | None = None
    topics: tuple[str, ...] = ()
    consent: Literal["required", "implied"] = "required"
    suppress: Condition | None = None
    frequency_caps: tuple[FrequencyCap, ...] = ()
    capped_wait: int | None = CAPPED_WAIT
    send_window: SendWindow | None = None
    pause_when: PauseWhen | None = None
    decay_every: int | None = None
    tracking: Literal["full", "anonymous", "off"] = "full"
