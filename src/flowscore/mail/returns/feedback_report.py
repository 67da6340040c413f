"""Reads complaints: what mailbox providers send when somebody presses «spam» (ARF, RFC 5965)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flowscore.mail.returns.notice import Said
from flowscore.mail.returns.parts import fields_of, header_of

if TYPE_CHECKING:
    from email.message import Message

# `not-spam` (RFC 6430) takes one back, `auth-failure` (RFC 6591) speaks of our set-up.
MEANS: dict[str, Literal["complained", "unsubscribed"]] = {
    "abuse": "complained",
    "fraud": "complained",
    "other": "complained",
    "opt-out": "unsubscribed",
    "opt-out-list": "unsubscribed",
}


def read_feedback(part: Message) -> tuple[Said, ...]:
    """The complaint; nothing where the report says another thing. The address is often hidden."""
    fields = next(iter(fields_of(part)), part)
    kind = header_of(fields, "Feedback-Type").lower()
    if kind not in MEANS:
        return ()
    text = header_of(fields, "User-Agent")
    return (Said(MEANS[kind], _recipient(fields), kind=kind, text=text),)


def sender_of(part: Message) -> str:
    """The envelope sender that the mail had: ours names the mail."""
    fields = next(iter(fields_of(part)), part)
    return header_of(fields, "Original-Mail-From")


def _recipient(fields: Message) -> str | None:
    for name in ("Original-Rcpt-To", "Removal-Recipient"):
        address = header_of(fields, name).rpartition(";")[2].strip().strip("<>")
        if "@" in address:
            return address
    return None
