"""What stands in a mail that came in: its parts, headers and texts, however they are broken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import parsedate_to_datetime
from typing import Any

from flowscore.clock import instant_of

LARGEST = 1024 * 1024  # bytes that are read; what is beyond is an attachment
MOST_BOUNDARIES = 60
ORIGINALS = frozenset({"message/rfc822", "message/global", "text/rfc822-headers",
                       "message/rfc822-headers", "message/global-headers"})  # fmt: skip
NO_MESSAGE: Message = Message()


class UnreadableError(Exception):
    """Nobody can take this mail apart: why."""


def read_message(content: bytes) -> Message:
    """The mail, of which the first mebibyte counts; its parts may be nested so deep, not deeper."""
    content = content[:LARGEST]
    if content.lower().count(b"boundary") > MOST_BOUNDARIES:
        raise UnreadableError("too many parts inside of each other")
    try:
        return message_from_bytes(content)
    except (MessageError, ValueError, LookupError, RecursionError) as error:
        raise UnreadableError(f"no mail that can be read ({type(error).__name__})") from error


@dataclass(frozen=True, slots=True)
class Part:
    """A part, what holds it, and the letter (the whole mail, or one inside of it) it stands in."""

    message: Message
    holder: Message
    letter: Message

    @property
    def kind(self) -> str:
        """The content type, in lower case."""
        return self.message.get_content_type()


def parts_of(message: Message) -> Iterator[Part]:
    """Every part, the outermost first."""
    waiting = deque([Part(message, message, message)])
    while waiting:
        part = waiting.popleft()
        yield part
        if part.message.is_multipart() and not is_status(part.kind):
            inside = part.kind == "message/rfc822"
            for child in list_of(part.message):
                letter = child if inside else part.letter
                waiting.append(Part(child, part.message, letter))


def is_status(kind: str) -> bool:
    """Whether a part tells what became of a mail (RFC 3464, RFC 6533)."""
    return kind in ("message/delivery-status", "message/global-delivery-status")


def list_of(message: Message) -> list[Message]:
    """The parts directly below."""
    payload = message.get_payload()
    return [one for one in payload if isinstance(one, Message)] if type(payload) is list else []


def fields_of(part: Message) -> list[Message]:
    """The groups of fields that a report's machine part is made of."""
    below = list_of(part)
    if below and any(one.keys() for one in below):
        return below
    groups = text_of(part).replace("\r\n", "\n").strip().split("\n\n")
    return [HeaderParser().parsestr(group) for group in groups]


def original_in(holder: Message) -> Message:
    """The headers of the mail that is spoken of, as a report brings them; else none."""
    for part in list_of(holder):
        kind = part.get_content_type()
        if kind in ORIGINALS:
            below = list_of(part)
            return below[0] if below else HeaderParser().parsestr(text_of(part).lstrip())
    return NO_MESSAGE


def header_of(message: Message, name: str) -> str:
    """A header as one line of text; empty where there is none."""
    value = message.get(name)
    return "" if value is None else _decoded(value)


def headers_of(message: Message, names: tuple[str, ...]) -> str:
    """All headers with these names, each on a line."""
    return "\n".join(_decoded(value) for name in names for value in message.get_all(name, []))


def _decoded(value: Any) -> str:
    try:
        text = str(make_header(decode_header(value)))
    except (MessageError, ValueError, LookupError):
        text = str(value)
    return " ".join(text.split())


def text_of(part: Message) -> str:
    """A part's text; what its charset does not have becomes `\ufffd`."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def texts_of(message: Message) -> Iterator[str]:
    """Every text in the mail, the outermost first."""
    for part in parts_of(message):
        if part.kind.startswith("text/") and not part.message.is_multipart():
            yield text_of(part.message)


def date_of(message: Message) -> int | None:
    """When the mail says that it was written, in microseconds."""
    try:
        return instant_of(parsedate_to_datetime(str(message.get("Date", ""))).astimezone())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
