"""What stands in a mail that came in: its parts, headers and texts, however they are broken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import parsedate_to_datetime

from flowscore.clock import instant_of

LARGEST = 1024 * 1024  # bytes that are read; what is beyond is an attachment
MOST_BOUNDARIES = 30
LONGEST_HEADER = 10_000
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
    if part.get_content_type() == "message/delivery-status" and below:
        return below
    # Of any other `message/…` the library takes the first group for headers, the rest for a text.
    rest = text_of(below[0] if below else part).replace("\r\n", "\n").strip()
    groups = rest.split("\n\n") if rest else []
    return [*below[:1], *(HeaderParser().parsestr(group) for group in groups)]


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
    return next(_values(message, (name,)), "")


def headers_of(message: Message, names: tuple[str, ...]) -> str:
    """All headers with these names, each on a line."""
    return "\n".join(_values(message, names))


def _values(message: Message, names: tuple[str, ...]) -> Iterator[str]:
    """As they came: the library would hide bytes beyond ASCII, which RFC 6533 allows."""
    wanted = {name.lower() for name in names}
    for name, value in message.raw_items():
        if name.lower() in wanted:
            yield _decoded(str(value)[:LONGEST_HEADER])


def _decoded(value: str) -> str:
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    with suppress(MessageError, ValueError, LookupError):  # an encoded word that is none
        text = str(make_header(decode_header(text)))
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
