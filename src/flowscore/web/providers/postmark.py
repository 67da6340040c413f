"""Postmark's webhooks: not signed, so the address they are posted to carries a password.

Postmark's developer pages («Bounce webhook», «Spam complaint webhook», «Subscription change
webhook») advise HTTP Basic authentication (RFC 7617), written into the webhook's URL.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flowscore.mail.returns.report import Report
from flowscore.web.providers.posts import (
    ForgedError,
    Post,
    Told,
    UnreadError,
    digest,
    gather,
    object_at,
    read_object,
    status_in,
    text_at,
    time_at,
)


class StrangerError(ForgedError):
    """No password, or another one."""

    code = "unauthorized"

    @property
    def headers(self) -> dict[str, str]:
        """What is asked for (RFC 7617)."""
        return {"WWW-Authenticate": 'Basic realm="flowscore", charset="UTF-8"'}


class Postmark:
    """Posts with one of the passwords; two while it is changed. Any user name will do."""

    name = "postmark"

    def __init__(self, passwords: Sequence[str]) -> None:
        self.passwords = [one.encode() for one in passwords]

    async def hear(self, post: Post) -> Told:
        """The one record of a post."""
        given = _password(post.headers.get("authorization", ""))
        if not any(hmac.compare_digest(given, one) for one in self.passwords):
            raise StrangerError(
                "the password is not this project's; write it into the webhook's URL at Postmark: "
                "https://flowscore:PASSWORD@…/hooks/postmark"
            )
        record = read_object(post.body)
        told = gather([record], lambda one: read(one, post.at))
        token = text_at(object_at(record, "Metadata"), "flowscore")
        return replace(told, heard=[replace(one, token=token) for one in told.heard])


def _password(header: str) -> bytes:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(encoded.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


# --- records --------------------------------------------------------------------------------------

HARD = {"what": "bounced", "hard": True, "kind": "no_such_address"}
TYPES: dict[str, dict[str, Any] | None] = {
    "HardBounce": HARD,
    "BadEmailAddress": HARD,
    "SoftBounce": {"kind": "mailbox_full"},
    "Transient": {"kind": "unreachable"},
    "DnsError": {"kind": "unreachable"},
    "Blocked": {"kind": "refused"},
    "SpamNotification": {"kind": "refused"},
    "VirusNotification": {"kind": "refused"},
    "DMARCPolicy": {"kind": "refused"},
    "SMTPApiError": {"kind": "refused"},
    "Unknown": {"kind": "undelivered"},
    "SpamComplaint": {"what": "complained"},
    "Unsubscribe": {"what": "unsubscribed"},
    "ManuallyDeactivated": {"what": "unsubscribed"},
    "Subscribe": None,
    "AutoResponder": None,
    "AddressChange": None,
    "ChallengeVerification": None,
    "OpenRelayTest": None,
    "Unconfirmed": None,
    "InboundError": None,
    "TemplateRenderingFailed": None,
}
"""Postmark's types of bounces («Bounce API», «Bounce types»); None: nothing that concerns us."""


def read(record: dict[str, Any], now: int) -> Iterator[Report]:
    """What a record says. Its MessageID is Postmark's own: which mail it is, a token says that
    the mail took along (`verp.mark`), else only whom it is about is known.
    """
    means = _meaning(record)
    if means is None:
        return
    recipient = text_at(record, "Email") or text_at(record, "Recipient")
    if not recipient:
        raise UnreadError("Email: found nothing, expected an address")
    key = "ChangedAt" if text_at(record, "ChangedAt") else "BouncedAt"
    said = {"what": "bounced", **_words(record), **means}
    yield Report(
        at=time_at(record, key, now), id=f"postmark:{_name(record)}", recipient=recipient, **said
    )


def _meaning(record: dict[str, Any]) -> dict[str, Any] | None:
    kind = text_at(record, "RecordType")
    if kind == "SubscriptionChange":
        return _change(record)
    if kind not in ("Bounce", "SpamComplaint"):
        return None
    return TYPES.get(text_at(record, "Type"), {"kind": "undelivered"})


def _change(record: dict[str, Any]) -> dict[str, Any] | None:
    """A refusal. Bounces and complaints come as records of their own; and that Postmark may send
    again is no word of the person's.
    """
    refused = text_at(record, "SuppressionReason") == "ManualSuppression"
    return {"what": "unsubscribed"} if refused and record.get("SuppressSending") is True else None


def _words(record: dict[str, Any]) -> dict[str, str]:
    text = text_at(record, "Details") or text_at(record, "Description")
    return {"text": text, "code": status_in(text)}


def _name(record: dict[str, Any]) -> str:
    """By which a record counts once: bounces have a number, changes have none."""
    number = text_at(record, "ID")
    return f"{text_at(record, 'RecordType')}:{number}" if number else digest(record)
