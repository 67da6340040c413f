"""What a mail to the bounce address turns out to be, before anybody has asked the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Said:
    """What a notice says of one recipient; `kind` and `code` as `report.Report` has them."""

    what: Literal["bounced", "complained", "unsubscribed"]
    recipient: str | None = None
    hard: bool = False
    kind: str = ""
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A bounce or a complaint.

    `addressed` are the tokens of the addresses it came back to, `carried` what the headers of the
    returned mail bring; neither is proven yet.
    """

    said: tuple[Said, ...]
    addressed: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    message_id: str | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to act on: an automatic answer, a success, a report of another kind."""

    why: Literal["automatic answer", "delivered", "report of another kind"]


@dataclass(frozen=True, slots=True)
class Unread:
    """A person has to look at it: somebody's own words, or what cannot be read."""

    why: str
