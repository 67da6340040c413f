"""Reads delivery status notifications (RFC 3464, and RFC 6533 for addresses beyond ASCII)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flowscore.mail.returns.kinds import judge
from flowscore.mail.returns.notice import Said
from flowscore.mail.returns.parts import fields_of, header_of

if TYPE_CHECKING:
    from email.message import Message

XTEXT = re.compile(r"\+([0-9A-F]{2})")  # RFC 3461 4
MOST = 50  # recipients in one notice
DONE = frozenset({"delivered", "relayed", "expanded"})


def read_status(part: Message) -> tuple[Said, ...]:
    """What happened to each recipient; nothing where all was delivered."""
    return tuple(_each(fields_of(part)[: MOST + 1]))


def _each(groups: Iterable[Message]) -> Iterator[Said]:
    for group in groups:
        if "Final-Recipient" not in group and "Status" not in group:
            continue  # the fields of the mail as a whole
        action = header_of(group, "Action").lower().partition(" ")[0]
        status = header_of(group, "Status")
        if action in DONE or status.startswith("2"):
            continue
        yield _said(group, action, status)


def _said(group: Message, action: str, status: str) -> Said:
    text = header_of(group, "Diagnostic-Code").partition(";")[2].strip()
    judged = judge(status, text)
    if action == "delayed" or (not action and status.startswith("4")):
        return Said("bounced", _recipient(group), False, "delayed", judged.code, text)
    return Said("bounced", _recipient(group), judged.hard, judged.name, judged.code, text)


def _recipient(group: Message) -> str | None:
    """Whom we wrote to where that is told, else who it was in the end."""
    for name in ("Original-Recipient", "Final-Recipient"):
        address = header_of(group, name).rpartition(";")[2].strip().strip("<>")
        if "@" not in address:
            address = XTEXT.sub(lambda found: chr(int(found[1], 16)), address)
        if "@" in address:
            return address
    return None
