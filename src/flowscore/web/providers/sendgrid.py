"""SendGrid's event webhook: posts signed with ECDSA, many events in each.

Signature as in Twilio SendGrid's «Getting Started with the Event Webhook Security Features»: over
the timestamp and the body as it came, P-256 and SHA-256, both headers `X-Twilio-Email-Event-…`.
Events as in its «Event Webhook Reference».
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from flowscore.clock import HOUR, SECOND
from flowscore.mail.returns.report import Report
from flowscore.web.providers.posts import (
    ForgedError,
    MalformedError,
    Post,
    Told,
    UnreadError,
    digest,
    gather,
    read_json,
    refuse_untimely,
    seconds_at,
    status_in,
    text_at,
)

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
MOST_EVENTS = 20_000
OLDEST = 25 * HOUR  # it tries again for a day; a post that is sent again changes nothing


class SendGrid:
    """Posts signed by one of the keys; several where several subusers send."""

    name = "sendgrid"

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = [_load(key) for key in keys]

    async def hear(self, post: Post) -> Told:
        """All events of a post."""
        self._prove(post)
        events = read_json(post.body)
        if type(events) is not list or len(events) > MOST_EVENTS:
            raise MalformedError(f"the body is not a JSON list of at most {MOST_EVENTS:,} events")
        return gather(events, lambda one: read(one, post.at))

    def _prove(self, post: Post) -> None:
        timestamp = post.headers.get(TIMESTAMP, "")
        signature = _decoded(post.headers.get(SIGNATURE, ""))
        said = timestamp.encode() + post.body
        if not any(_is_made_with(key, signature, said) for key in self.keys):
            raise ForgedError(
                "the signature is not made with this project's SendGrid key; switch «Signed Event "
                "Webhook» on, and compare FLOWSCORE_SENDGRID_PUBLIC_KEY with its verification key"
            )
        seconds = int(timestamp) if timestamp.isdecimal() else 0
        refuse_untimely(seconds * SECOND, post.at, OLDEST)


def _load(key: str) -> EllipticCurvePublicKey:
    loaded = load_der_public_key(b64decode(key))
    assert isinstance(loaded, EllipticCurvePublicKey)  # the settings are read by then
    return loaded


def _decoded(signature: str) -> bytes:
    try:
        return b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_made_with(key: EllipticCurvePublicKey, signature: bytes, said: bytes) -> bool:
    try:
        key.verify(signature, said, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


# --- events ---------------------------------------------------------------------------------------

DROPPED: dict[str, dict[str, Any]] = {
    "bounced address": {"what": "bounced", "hard": True, "kind": "no_such_address"},
    "invalid": {"what": "bounced", "hard": True, "kind": "no_such_address"},
    "spam reporting address": {"what": "complained"},
    "unsubscribed address": {"what": "unsubscribed"},
}
"""Why SendGrid did not even try; any other reason is about the mail or the account."""


def read(event: Any, now: int) -> Iterator[Report]:
    """What an event says; opens, clicks and deliveries say nothing here."""
    means = _meaning(event)
    if means is None:
        return
    recipient, name = text_at(event, "email"), text_at(event, "sg_event_id") or digest(event)
    if not recipient:
        raise UnreadError("email: found nothing, expected an address")
    yield Report(
        at=seconds_at(event, "timestamp", now),
        id=f"sendgrid:{name}",
        message_id=text_at(event, "smtp-id") or None,
        recipient=recipient,
        **means,
    )


def _meaning(event: Any) -> dict[str, Any] | None:
    word = text_at(event, "event")
    if word in ("bounce", "deferred", "dropped"):
        return _undelivered(event, word)
    if word == "spamreport":
        return {"what": "complained"}
    return {"what": "unsubscribed"} if word in ("unsubscribe", "group_unsubscribe") else None


def _undelivered(event: Any, word: str) -> dict[str, Any]:
    """A bounce of type `bounce` is for good: SendGrid itself sends nothing there any more."""
    text = text_at(event, "reason") or text_at(event, "response")
    said = {"text": text, "code": status_in(text_at(event, "status"), text)}
    soft = {"what": "bounced", "kind": "refused"}
    if word == "dropped":
        return said | DROPPED.get(text.casefold(), soft)
    if word == "deferred":
        return said | soft | {"kind": "delayed"}
    if text_at(event, "type") == "bounce":
        return said | soft | {"hard": True, "kind": "no_such_address"}
    return said | soft | ({"kind": "unreachable"} if text_at(event, "type") == "expired" else {})
