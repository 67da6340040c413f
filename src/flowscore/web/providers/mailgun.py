"""Mailgun's webhooks: an HMAC over time and token, and one event in each post.

Signature and retries as in Mailgun's user manual («Securing webhooks», «Automatic retries»):
HMAC-SHA256 of `timestamp` and `token` with the HTTP webhook signing key, in hexadecimal.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from flowscore.clock import HOUR, SECOND
from flowscore.mail.returns.kinds import judge
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
    refuse_untimely,
    seconds_at,
    status_in,
    text_at,
)

OLDEST = 9 * HOUR  # it tries again for eight, with the signature of the first time
MOST_TOKENS = 100_000


class Mailgun:
    """Posts signed by one of the keys; two while a key is changed."""

    name = "mailgun"

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = [key.encode() for key in keys]
        self.tokens = Tokens()

    async def hear(self, post: Post) -> Told:
        """The one event of a post."""
        body = read_object(post.body)
        event = object_at(body, "event-data")
        self._prove(object_at(body, "signature"), event, post.at)
        return gather([event], lambda one: read(one, post.at))

    def _prove(self, signature: dict[str, Any], event: Any, now: int) -> None:
        timestamp, token = text_at(signature, "timestamp"), text_at(signature, "token")
        given = text_at(signature, "signature").encode()
        said = f"{timestamp}{token}".encode()
        made = [hmac.new(key, said, sha256).hexdigest().encode() for key in self.keys]
        if not token or not any(hmac.compare_digest(given, one) for one in made):
            raise ForgedError(
                "the signature is not made with this project's Mailgun signing key; compare "
                "FLOWSCORE_MAILGUN_SIGNING_KEY with «HTTP webhook signing key» at Mailgun"
            )
        signed_at = int(timestamp) * SECOND if timestamp.isdecimal() else 0
        refuse_untimely(signed_at, now, OLDEST)
        self.tokens.bind(token, digest(event), signed_at, now)


class Tokens:
    """Which event each token came with. The signature does not cover the event: whoever has seen
    one could sign another with it. What is told again with the same token is the same event.
    """

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self.most = most
        self.seen: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def bind(self, token: str, said: str, signed_at: int, now: int) -> None:
        """Remember the token as long as it is valid; refuse it with another event."""
        self._forget(now)
        if self.seen.setdefault(token, (said, signed_at))[0] != said:
            raise ForgedError("this token came with another event before", "token_used")

    def _forget(self, now: int) -> None:
        """The oldest first, which are about in the order in which they were signed."""
        while self.seen and (len(self.seen) >= self.most or self._is_stale(now)):
            self.seen.popitem(last=False)

    def _is_stale(self, now: int) -> bool:
        _, signed_at = next(iter(self.seen.values()))
        return now - signed_at > OLDEST


# --- events ---------------------------------------------------------------------------------------


def read(event: dict[str, Any], now: int) -> Iterator[Report]:
    """What an event says (Mailgun's user manual, «Event structure»)."""
    word = text_at(event, "event")
    if word == "failed":
        yield _failed(event, now)
    elif word in ("complained", "unsubscribed"):
        yield _report(event, now, what=word)


REASONS: dict[str, dict[str, Any]] = {
    "suppress-bounce": {"what": "bounced", "kind": "no_such_address", "hard": True},
    "suppress-complaint": {"what": "complained"},
    "suppress-unsubscribe": {"what": "unsubscribed"},
    "old": {"what": "bounced", "kind": "unreachable"},
    "espblock": {"what": "bounced", "kind": "refused"},
}
"""Why Mailgun gave up, where no server's words say it: its own lists, its own patience."""


def _failed(event: dict[str, Any], now: int) -> Report:
    """Permanent is what a server answered with 5xx; whether that is hard its code says."""
    status = object_at(event, "delivery-status")
    text = text_at(status, "message") or text_at(status, "description")
    said = {"text": text, "code": status_in(text_at(status, "enhanced-code"), text)}
    if text_at(event, "severity") == "temporary":
        return _report(event, now, what="bounced", kind="delayed", **said)
    if means := REASONS.get(text_at(event, "reason")):
        return _report(event, now, **means, **said)
    kind = judge(said["code"], f"{text_at(status, 'code')} {text}")
    return _report(event, now, what="bounced", kind=kind.name, hard=kind.hard, **said)


def _report(event: dict[str, Any], now: int, **more: Any) -> Report:
    """`id` is unique within a day only, hence the time beside it."""
    recipient = text_at(event, "recipient")
    if not recipient:
        raise UnreadError("recipient: found nothing, expected an address")
    at = seconds_at(event, "timestamp", now)
    name = f"{at}:{text_at(event, 'id')}" if text_at(event, "id") else digest(event)
    message_id = text_at(object_at(event, "message", "headers"), "message-id")
    return Report(
        at=at, id=f"mailgun:{name}", message_id=message_id or None, recipient=recipient, **more
    )
