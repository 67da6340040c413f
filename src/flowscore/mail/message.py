"""A rendered mail as the bytes that travel (RFC 5322, RFC 2045, RFC 8058).

Written by hand over the standard library's encoders: its `EmailMessage` costs more than
rendering and sending together, and folds a long List-Unsubscribe into encoded words that no
mailbox provider reads.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime, quote
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from flowscore.clock import datetime_of

if TYPE_CHECKING:
    from flowscore.language.policy import Sender
    from flowscore.mail.templates import Rendered

CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_=+-]*(\.[A-Za-z0-9_=+-]+)*")
ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]\\]+@[^\s@<>(),;:\"\[\]\\]+")
LONGEST_LINE = 76
ENCODED_BYTES = 39  # 52 characters of base64: fits behind `Subject: ` too
LONGEST_HEADER = 900


class BadHeaderError(ValueError):
    """A header value or an address that would break out of its line, or that no server takes."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An envelope with its content; `key` names it for good."""

    key: str
    sender: str
    recipient: str
    content: bytes


def build(
    rendered: Rendered, sender: Sender, recipient: str, key: str, now: int, queued_at: int = 0
) -> Letter:
    """The letter: plain text and HTML, headers that survive every server on the way.

    Date is `now`; the Message-ID is the same whenever the message is built again.
    """
    to, from_ = clean_address(recipient), clean_address(sender.address)
    name = message_name(key, queued_at, recipient)
    lines = [
        *_identity(sender.name, from_, sender.reply_to),
        f"To: {to}",
        header("Subject", rendered.subject),
        f"Date: {_date(now)}",
        f"Message-ID: <{name}@{from_.rpartition('@')[2]}>",
        *(plain_header(title, value) for title, value in rendered.headers.items()),
        "MIME-Version: 1.0",
    ]
    content = "\r\n".join(lines).encode() + _body(rendered, name)
    return Letter(key, from_, to, content)


def file_name(key: str) -> str:
    """The key where it can stand in a Message-ID and name a file, else a digest of it."""
    if len(key) <= 120 and SAFE_KEY.fullmatch(key):
        return key
    return sha256(key.encode()).hexdigest()[:32]


def message_name(key: str, queued_at: int, recipient: str) -> str:
    """The left side of the Message-ID: readable, and another one in another store."""
    digest = sha256(f"{key}\0{queued_at}\0{recipient}".encode()).hexdigest()[:16]
    return f"{file_name(key)}.{digest}"


def clean_address(address: str) -> str:
    """The address with its domain in ASCII; refuses what is none or smuggles a line."""
    if CONTROL.search(address) or not ADDRESS.fullmatch(address.strip()):
        raise BadHeaderError(f"{address[:80]!r} is no mail address")
    local, _, domain = address.strip().rpartition("@")
    if domain.isascii():
        return f"{local}@{domain}"
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise BadHeaderError(f"{address[:80]!r} has no valid domain") from error


def header(title: str, value: str) -> str:
    """A header for people: folded at blanks, encoded where it is not ASCII (RFC 2047)."""
    _refuse_control(title, value)
    if value.isascii() and len(title) + len(value) + 2 <= LONGEST_LINE and "=?" not in value:
        return f"{title}: {value}"
    return f"{title}: {_encoded(title, value)}"


def plain_header(title: str, value: str) -> str:
    """A header for machines: one ASCII line, never folded and never encoded."""
    _refuse_control(title, value)
    if not value.isascii() or len(value) > LONGEST_HEADER:
        raise BadHeaderError(f"{title} has to be short ASCII, not {value[:80]!r}")
    return f"{title}: {value}"


def _encoded(title: str, value: str) -> str:
    """Folded at blanks; as encoded words where it is not plain ASCII."""
    if value.isascii() and "=?" not in value:
        coded = Header(value, "us-ascii", maxlinelen=LONGEST_LINE, header_name=title)
        return coded.encode(linesep="\r\n")
    return "\r\n ".join(_encoded_words(value))


def _encoded_words(value: str) -> Iterator[str]:
    """RFC 2047: whole characters, 75 bytes a word at most; ten times faster than email.header."""
    part = b""
    for letter in value:
        raw = letter.encode("utf-8", "replace")
        if len(part) + len(raw) > ENCODED_BYTES:
            yield _encoded_word(part)
            part = b""
        part += raw
    yield _encoded_word(part)


def _encoded_word(part: bytes) -> str:
    return f"=?utf-8?b?{b64encode(part).decode()}?="


def _refuse_control(title: str, value: str) -> None:
    if CONTROL.search(value):
        raise BadHeaderError(f"{title} must be one line, not {value[:80]!r}")


@lru_cache(maxsize=64)
def _identity(name: str, address: str, reply_to: str | None) -> tuple[str, ...]:
    """From and Reply-To: the same for every mail of a project."""
    lines = [header("From", address) if not name else f"From: {_display(name)} <{address}>"]
    if reply_to:
        lines.append(f"Reply-To: {clean_address(reply_to)}")
    return tuple(lines)


def _display(name: str) -> str:
    _refuse_control("From", name)
    return f'"{quote(name)}"' if name.isascii() else _encoded("From", name)


@lru_cache(maxsize=8)
def _date(now: int) -> str:
    return format_datetime(datetime_of(now).replace(microsecond=0))


def _body(rendered: Rendered, name: str) -> bytes:
    """multipart/alternative; `=_` cannot stand in quoted-printable text, so no part holds it."""
    boundary = "=_" + sha256(name.encode()).hexdigest()[:24]
    line = f"\r\n--{boundary}".encode()
    parts = (("plain", rendered.text), ("html", rendered.html))
    opened = f'\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode()
    return opened + b"".join(line + _part(*part) for part in parts) + line + b"--\r\n"


def _part(kind: str, text: str) -> bytes:
    head = (
        f"\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + quoted_printable(text)


def quoted_printable(text: str) -> bytes:
    """UTF-8 text in lines of at most 76 bytes, each ended by CRLF."""
    lines = "\n".join(text.splitlines()).replace("\n", "\r\n") + "\r\n"
    return b2a_qp(lines.encode("utf-8", "replace"), istext=True, quotetabs=False)
