"""The links of a mail: unsubscribe, preferences, view; signed, short, bound to their purpose.

A token is the message's number and 16 bytes of HMAC-SHA256 over purpose, number and key: it
fits in a header line, and a token of another store or another purpose does not open.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from flowscore.mail.scope import Record

if TYPE_CHECKING:
    from flowscore.mail.settings import MailSettings

Purpose = Literal["unsubscribe", "preferences", "view", "bounce", "confirm"]
PATHS: dict[Purpose, str] = {"unsubscribe": "u", "preferences": "p", "view": "v"}
CONFIRM = "y"
MAC_SIZE = 16


@dataclass(frozen=True, slots=True)
class Links:
    """What `links.…` says in a template, and the List-Unsubscribe header of marketing mail."""

    unsubscribe: str
    preferences: str
    view: str | None
    header: str

    def record(self) -> Record:
        """As templates see it; `view` is absent while no page can show the mail."""
        return Record(
            {"unsubscribe": self.unsubscribe, "preferences": self.preferences, "view": self.view},
            "links",
        )


# Internal mail about a contact must not let its reader unsubscribe that contact: they lead nowhere.
NO_LINKS = Links("#", "#", None, "")


def sign(secret: str, purpose: Purpose, number: int, key: str) -> str:
    """The token for a message's link."""
    head = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
    return urlsafe_b64encode(head + _mac(secret, purpose, number, key)).decode().rstrip("=")


def number_of(token: str) -> int | None:
    """The number of the message a token speaks of; not yet proven, see `opens`."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    return int.from_bytes(raw[:-MAC_SIZE], "big") if MAC_SIZE < len(raw) <= MAC_SIZE + 8 else None


def opens(secret: str, purpose: Purpose, token: str, key: str) -> bool:
    """Whether the token was made for this purpose and the message with this key."""
    number = number_of(token)
    if number is None or not token.isascii():
        return False
    return hmac.compare_digest(token, sign(secret, purpose, number, key))


def _mac(secret: str, purpose: str, number: int, key: str) -> bytes:
    said = f"{purpose}\0{number}\0{key}".encode()
    return hmac.digest(secret.encode(), said, sha256)[:MAC_SIZE]


def make_links(settings: MailSettings, sender: str, number: int, key: str) -> Links:
    """By the public URL where there is one, else by a mailto address, else to the sender."""
    mailbox = settings.unsubscribe_mailto
    mailto = f"mailto:{quote(mailbox or sender, safe='@+')}?subject=unsubscribe"
    if not settings.public_url:
        return Links(mailto, mailto, None, f"<{mailto}>")
    base = settings.public_url.rstrip("/")
    urls = {p: f"{base}/{way}/{sign(settings.secret, p, number, key)}" for p, way in PATHS.items()}
    header = f"<{urls['unsubscribe']}>" + (f", <{mailto}>" if mailbox else "")
    return Links(urls["unsubscribe"], urls["preferences"], urls["view"], header)


def confirm_link(settings: MailSettings, number: int, key: str) -> str:
    """Where a sign-up is confirmed; nothing asks for one before there is a public URL."""
    base = (settings.public_url or "").rstrip("/")
    return f"{base}/{CONFIRM}/{sign(settings.secret, 'confirm', number, key)}"


def can_unsubscribe(settings: MailSettings) -> bool:
    """Whether marketing mail that leaves the machine would have a working way out."""
    return bool(settings.unsubscribe_mailto or (settings.public_url and settings.secret))
