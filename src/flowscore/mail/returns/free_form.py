"""Reads bounces that keep to no standard: flufl.bounce knows their forms, words tell the kind."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.utils import getaddresses, parseaddr
from typing import TYPE_CHECKING

from flufl.bounce import all_failures

from flowscore.mail.returns.kinds import CODE, judge
from flowscore.mail.returns.notice import Said
from flowscore.mail.returns.parts import header_of, headers_of, texts_of

if TYPE_CHECKING:
    from email.message import Message

logging.getLogger("flufl.bounce").disabled = True  # it logs the mails it stumbles over

LARGEST = 64 * 1024  # bytes: what a person would read of it
LONGEST_LINE = 998  # RFC 5321 4.5.3.1.6; patterns are tried on each
ADDRESS = re.compile(rb"[^\s<>@,;:]{1,64}@[^\s<>@,;:]{1,255}")
COPY = re.compile(
    r"^(?:[- ]*(?:below this line is a copy|this is a copy of the|original message|forwarded "
    r"message|your message follows|unsent message below|the header of the original)"
    r"|Return-Path:|Received:)",
    re.IGNORECASE | re.MULTILINE,
)
MAILERS = ("mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mail.delivery")
AUTOMATIC = re.compile(
    r"^(auto[- ]?reply|automatic reply|autoreply|out of (the )?office|vacation|abwesen"
    r"|automatische antwort|respuesta autom|fuera de (la )?oficina|réponse automatique"
    r"|absence du bureau|risposta automatica)",
    re.IGNORECASE,
)


def read_free_form(message: Message, content: bytes) -> tuple[Said, ...]:
    """What happened to each recipient; nothing where it is no bounce that anybody knows."""
    temporary, permanent = _failures(content)
    words = words_of(message)
    told = tuple(_said(one, words) for one in sorted(permanent))
    told += tuple(Said("bounced", _text(one), kind="delayed") for one in sorted(temporary))
    if not told and is_from_mailer(message) and CODE.search(words):
        return (_judged(None, words),)  # the address it came back to says which mail it was
    return told


def _failures(content: bytes) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The addresses for now and for good, of a copy whose lines are cut to what SMTP allows."""
    lines = (line[:LONGEST_LINE] for line in content[:LARGEST].split(b"\n"))
    copy = message_from_bytes(b"\n".join(lines))
    if not getaddresses([str(copy.get("From", ""))]):  # one of its detectors counts on a sender
        del copy["From"]
        copy["From"] = "nobody@localhost"
    try:
        temporary, permanent = all_failures(copy)
    except Exception:  # it reads whatever strangers write, and names no errors of its own
        return frozenset(), frozenset()
    return _addresses(temporary), _addresses(permanent)


def _addresses(found: frozenset[bytes]) -> frozenset[bytes]:
    return frozenset(one for one in found if ADDRESS.fullmatch(one))


def _text(address: bytes) -> str:
    return address.decode("ascii", "replace")


def _said(address: bytes, words: str) -> Said:
    """Judged by the words about this address, where it is named among several."""
    named = _text(address)
    at = words.lower().find(named.lower())
    return _judged(named, words[at:] if at > 0 else words)


def _judged(address: str | None, words: str) -> Said:
    kind = judge("", words)
    return Said("bounced", address, kind.hard, kind.name, kind.code, _sentence(words))


def _sentence(words: str) -> str:
    return " ".join(words.split())[:500]


def words_of(message: Message) -> str:
    """What is said before the copy of the mail that came back."""
    text = next(texts_of(message), "")[:LARGEST]
    copy = COPY.search(text)
    return text[: copy.start()] if copy else text


def is_from_mailer(message: Message) -> bool:
    """Mail servers sign so; a person's or a program's own answer does not."""
    local = parseaddr(header_of(message, "From"))[1].partition("@")[0].lower()
    return local.startswith(MAILERS) or "X-Failed-Recipients" in message


def is_automatic(message: Message) -> bool:
    """An answer that nobody wrote: out of office and the like (RFC 3834)."""
    if is_from_mailer(message):
        return False
    submitted = header_of(message, "Auto-Submitted").lower()
    precedence = header_of(message, "Precedence").lower()
    return (
        submitted.startswith(("auto-replied", "auto-notified"))
        or precedence in ("auto_reply", "auto-reply")
        or any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
        or bool(AUTOMATIC.match(header_of(message, "Subject")))
    )


QUOTED = re.compile(
    r"^[> \t]*(Message-ID|X-Flowscore-Message):[ \t]*(\S{1,400})", re.IGNORECASE | re.MULTILINE
)


def quoted_headers(message: Message) -> Iterator[tuple[str, str]]:
    """Headers of ours in the texts of a notice: it often holds the mail as plain text."""
    for text in texts_of(message):
        for name, value in QUOTED.findall(text[:LARGEST]):
            yield name.lower(), value


def addresses_of(message: Message) -> str:
    """The headers that may name the address it came back to."""
    return headers_of(message, ENVELOPE)


ENVELOPE = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
