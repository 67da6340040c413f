"""Tells what a mail to the bounce address is: bounce, complaint, automatic answer, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowscore.mail.returns.delivery_status import read_status
from flowscore.mail.returns.feedback_report import read_feedback, sender_of
from flowscore.mail.returns.free_form import (
    addresses_of,
    is_automatic,
    quoted_headers,
    read_free_form,
)
from flowscore.mail.returns.notice import Ignored, Notice, Said, Unread
from flowscore.mail.returns.parts import (
    NO_MESSAGE,
    Part,
    UnreadableError,
    date_of,
    header_of,
    headers_of,
    is_status,
    original_in,
    parts_of,
    read_message,
)
from flowscore.mail.returns.verp import HEADER, tokens_in

if TYPE_CHECKING:
    from email.message import Message

NOT_OURS = "is no bounce and no complaint: somebody wrote to the bounce address"


def read_notice(
    content: bytes, bounce_address: str | None, envelope: Sequence[str] = ()
) -> Notice | Ignored | Unread:
    """What the mail is; never raises. `envelope` are the addresses it was delivered to."""
    try:
        return _read(content, bounce_address or "", envelope)
    except UnreadableError as error:
        return Unread(str(error))
    except Exception as error:  # strangers write what they like, and no mail may stop the others
        return Unread(f"no mail that can be read ({type(error).__name__})")


def _read(content: bytes, ours: str, envelope: Sequence[str]) -> Notice | Ignored | Unread:
    message = read_message(content)
    for part in parts_of(message):
        if is_status(part.kind):
            return _status(message, part, ours, envelope)
        if part.kind == "message/feedback-report":
            return _feedback(message, part, ours, envelope)
    if is_automatic(message):
        return Ignored("automatic answer")
    said = read_free_form(message, content)
    if not said:
        return Unread(NOT_OURS)
    originals = (original_in(part.message) for part in parts_of(message))
    original = next((one for one in originals if one is not NO_MESSAGE), NO_MESSAGE)
    return _notice(message, message, said, ours, envelope, original)


def _status(
    message: Message, part: Part, ours: str, envelope: Sequence[str]
) -> Notice | Ignored | Unread:
    said = read_status(part.message)
    if not said:
        return Ignored("delivered")
    return _notice(message, part.letter, said, ours, envelope, original_in(part.holder))


def _feedback(
    message: Message, part: Part, ours: str, envelope: Sequence[str]
) -> Notice | Ignored | Unread:
    said = read_feedback(part.message)
    if not said:
        return Ignored("report of another kind")
    original = original_in(part.holder)
    return _notice(message, part.letter, said, ours, envelope, original, sender_of(part.message))


def _notice(
    message: Message,
    letter: Message,
    said: tuple[Said, ...],
    ours: str,
    envelope: Sequence[str],
    original: Message = NO_MESSAGE,
    sender: str = "",
) -> Notice:
    """With every trace of the mail that is spoken of; `letter` is a notice that was forwarded."""
    addressed = _addressed([*envelope, addresses_of(message)], ours)
    if not addressed and letter is not message:
        addressed = _addressed([addresses_of(letter)], ours)
    quoted = [] if original is not NO_MESSAGE else list(quoted_headers(message))
    names = [header_of(original, "Message-ID"), *(v for n, v in quoted if n == "message-id")]
    marks = [header_of(original, HEADER), *(v for n, v in quoted if n != "message-id")]
    marks += _addressed([sender, headers_of(original, ("Return-Path", "Sender"))], ours)
    return Notice(
        said,
        addressed=addressed,
        carried=tuple(dict.fromkeys(mark for mark in marks if mark))[:20],
        message_id=next((name for name in names if name), None),
        at=date_of(message),
    )


def _addressed(texts: Sequence[str], ours: str) -> tuple[str, ...]:
    return tuple(tokens_in("\n".join(texts), ours)) if ours else ()
