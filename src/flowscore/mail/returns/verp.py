"""The envelope sender of each mail (VERP): what comes back to it says by itself which mail it was.

`bounces+TOKEN@mail.example.com`: the token is a message's number and its MAC, in letters that
survive servers which change case. Nobody can make one who does not know the secret.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from flowscore.mail.links import number_of, opens, sign
from flowscore.store.tables import messages

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.mail.message import Letter
    from flowscore.mail.settings import MailSettings

HEADER = "X-Flowscore-Message"
POSTMARK = "X-PM-Metadata-flowscore"  # what its webhooks repeat as `Metadata.flowscore`
LONGEST_TOKEN = 39  # a number of eight bytes and the MAC
LONGEST_LOCAL = 64 - 1 - LONGEST_TOKEN  # RFC 5321 4.5.3.1.1
TOKEN = re.compile(r"[a-z2-7]{28,39}")


def make_token(secret: str, number: int, key: str) -> str:
    """Names a message in an address or a header; lower case, at most 39 letters."""
    signed = sign(secret, "bounce", number, key)
    return b32encode(_bytes(signed)).decode().rstrip("=").lower()


def envelope_sender(bounce_address: str, token: str) -> str:
    """The address to which a mail comes back."""
    local, _, domain = bounce_address.rpartition("@")
    return f"{local}+{token}@{domain}"


def mark(letter: Letter, settings: MailSettings, number: int) -> Letter:
    """The mail with its message's token in its head, and in the address to which it comes back."""
    if not settings.secret:
        return letter
    token = make_token(settings.secret, number, letter.key)
    ours = settings.bounce_address
    sender = envelope_sender(ours, token) if ours else letter.sender
    names = (HEADER, POSTMARK) if settings.postmark else (HEADER,)
    head = "".join(f"{name}: {token}\r\n" for name in names)
    return replace(letter, sender=sender, content=head.encode() + letter.content)


def tokens_in(text: str, bounce_address: str) -> list[str]:
    """What stands behind the `+` of our bounce address wherever a header names it."""
    found = _pattern(bounce_address).findall(text)
    return list(dict.fromkeys(token.lower() for token in found))


@lru_cache(maxsize=8)
def _pattern(bounce_address: str) -> re.Pattern[str]:
    local, _, domain = bounce_address.rpartition("@")
    words = rf"(?<![\w.+-]){re.escape(local)}\+([\w.=-]{{1,64}})@{re.escape(domain)}(?![\w-])"
    return re.compile(words, re.IGNORECASE)


def prove(connection: Connection, secret: str, tokens: Iterable[str]) -> dict[str, int]:
    """The number of the message that each token names; a token that we did not make is not there.

    Takes tokens as they came, whatever their case. Without a secret nothing is proven.
    """
    if not secret:
        return {}
    read = {token: _read(token) for token in tokens}
    numbers = {token: (signed, number_of(signed)) for token, signed in read.items() if signed}
    keys = _keys(connection, {number for _, number in numbers.values() if number is not None})
    return {
        token: number
        for token, (signed, number) in numbers.items()
        if number is not None and number in keys
        and opens(secret, "bounce", signed, keys[number])
    }  # fmt: skip


KEYS = select(messages.c.id, messages.c.key).where(
    messages.c.id.in_(bindparam("numbers", expanding=True))
)


def _keys(connection: Connection, numbers: set[int]) -> dict[int, str]:
    known = [number for number in numbers if number < 1 << 63]
    return dict(connection.execute(KEYS, {"numbers": known}).tuples().all()) if known else {}


def _read(token: str) -> str | None:
    """The token in the letters of links, `links.sign`."""
    plain = token.strip().lower()
    if not TOKEN.fullmatch(plain):
        return None
    try:
        raw = b32decode(plain.upper() + "=" * (-len(plain) % 8))
    except ValueError:
        return None
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(signed: str) -> bytes:
    return urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
