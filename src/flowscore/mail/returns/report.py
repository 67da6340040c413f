"""What somebody tells of a mail of ours, whoever told it, and the inbox lines it becomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, select

from flowscore.clock import rfc3339
from flowscore.mail.message import CONTROL, file_name, message_name
from flowscore.store.addresses import read_address
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow
from flowscore.store.tables import contacts, identities, messages

LONGEST_TEXT = 500
DELAYED = "delayed"  # the kind of a mail that may arrive yet: nothing that waits for a bounce acts
NAMES = {"bounced": "email_bounced", "complained": "email_complained"}


@dataclass(frozen=True, slots=True)
class Report:
    """One mail that came back, was complained of, or was unsubscribed by.

    `number` is the message's, where a signed token of ours proves it (`verp.prove`);
    `message_id` the Message-ID header of the mail, `recipient` the address that is spoken of.
    `at` is in microseconds. `kind` is a row of `store.bounces.TABLE`, `code` that of RFC 3463.
    `id` is the same whenever the same thing is told again. `signed` says that whoever tells it
    has proven who they are: without that a Message-ID counts only together with the address it
    went to, and an address alone never does.
    """

    what: Literal["bounced", "complained", "unsubscribed"]
    at: int
    id: str
    number: int | None = None
    message_id: str | None = None
    recipient: str | None = None
    hard: bool = False
    kind: str = ""
    code: str = ""
    text: str = ""
    signed: bool = True


def lines_of(
    connection: Connection, reports: Iterable[Report], received_at: int, source: str
) -> tuple[list[InboxRow], list[Report]]:
    """The inbox lines, and the reports of which nobody is known; of those erased since, nothing.

    What several tell of the same message is one line of the log: a hard bounce and a complaint
    once for each message, a soft bounce once for each message and kind.
    """
    reports = list(reports)
    known = _Known(connection, reports)
    matches = [(one, match) for one in reports if (match := known.find(one))]
    matched = {id(one) for one, _ in matches}
    unknown = [one for one in reports if id(one) not in matched and not known.is_erased(one)]
    rows: list[InboxRow] = []
    for report, match in _one_of_each_mail(matches):
        row = _line(report, match, received_at, source)
        if row is None:
            unknown.append(report)
        else:
            rows.append(row)
    return rows, unknown


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a report is about, and of which mail it is where that is known."""

    contact: Row[Any]
    message: Row[Any] | None
    moved: bool  # the mail went to an address that the contact has changed since


class _Known:
    """What the store knows of these reports; a handful of queries for however many."""

    def __init__(self, connection: Connection, reports: Sequence[Report]) -> None:
        self.by_number = _by(connection, MESSAGES_BY_NUMBER, (one.number for one in reports))
        self.by_key = _by(connection, MESSAGES_BY_KEY, (_stem(one.message_id) for one in reports))
        folded = {one.recipient: _fold(one.recipient) for one in reports}
        self.folded = folded
        owners = _by(connection, OWNERS, folded.values())
        self.owner = {address: row.contact_id for address, row in owners.items()}
        both = (*self.by_number.values(), *self.by_key.values())
        wanted = {row.contact_id for row in both} | set(self.owner.values())
        self.contacts = _by(connection, CONTACTS, wanted)

    def find(self, report: Report) -> Match | None:
        """Whom the report is about; nobody where it was mail to a colleague."""
        message = self._message_of(report)
        if message is None:
            about = self._owner_of(report) if report.signed else None
            return Match(about, None, self._is_former(about, report)) if about else None
        about = self.contacts.get(message.contact_id)
        if about is None or message.kind != "email":
            return None
        return Match(about, message, self._has_moved(about, message, report))

    def is_erased(self, report: Report) -> bool:
        """It was mail of ours to a contact who is no longer there."""
        message = self._message_of(report)
        return message is not None and message.contact_id not in self.contacts

    def _message_of(self, report: Report) -> Row[Any] | None:
        """By its number, else by its Message-ID; unsigned, only with the address it went to."""
        if message := self.by_number.get(report.number):
            return message
        message = self.by_key.get(_stem(report.message_id))
        if message is None or report.signed:
            return message
        return message if self._is_name_of(message, report) else None

    def _is_name_of(self, message: Row[Any], report: Report) -> bool:
        """The Message-ID is made of the address that the mail went to (`message_name`)."""
        about = self.contacts.get(message.contact_id)
        same = about and about.email_folded == self.folded[report.recipient]
        address = about.email if about and same else report.recipient
        return _is_made_of(report, message, address or "")

    def _owner_of(self, report: Report) -> Row[Any] | None:
        return self.contacts.get(self.owner.get(self.folded[report.recipient]))

    def _is_former(self, about: Row[Any], report: Report) -> bool:
        """The address that is spoken of is known as theirs, and is no longer mailed to."""
        mine = self._owner_of(report) is about
        return mine and self.folded[report.recipient] != about.email_folded

    def _has_moved(self, about: Row[Any], message: Row[Any], report: Report) -> bool:
        """The mail went to another address than theirs of today: its Message-ID tells."""
        if self.folded[report.recipient] == about.email_folded:
            return False
        if _stem(report.message_id) == message.key:
            return not _is_made_of(report, message, about.email or "")
        return self._is_former(about, report)


def _is_made_of(report: Report, message: Row[Any], address: str) -> bool:
    name, _, _ = (report.message_id or "").strip("<> ").rpartition("@")
    return name == message_name(message.key, message.queued_at, address)


def _stem(message_id: str | None) -> str | None:
    """The message's key in its Message-ID, see `message.message_name`."""
    name, _, _ = (message_id or "").strip("<> ").rpartition("@")
    stem, _, _ = name.rpartition(".")
    return stem if stem and file_name(stem) == stem else None


def _fold(address: str | None) -> str | None:
    read = read_address(address) if address else None
    return read.folded if read else None


# --- what is asked of the store -------------------------------------------------------------------

_message = (
    messages.c.id, messages.c.key, messages.c.kind, messages.c.contact_id, messages.c.template,
    messages.c.topic, messages.c.scenario, messages.c.queued_at, messages.c.sent_at,
)  # fmt: skip
_asked: Any = bindparam("asked", expanding=True)
MESSAGES_BY_NUMBER, MESSAGES_BY_KEY = (
    select(name.label("asked"), *_message).where(name.in_(_asked))
    for name in (messages.c.id, messages.c.key)
)
OWNERS = select(identities.c.value.label("asked"), identities.c.contact_id).where(
    identities.c.kind == "email", identities.c.value.in_(_asked)
)
CONTACTS = select(
    contacts.c.id.label("asked"), contacts.c.email, contacts.c.email_folded, contacts.c.user_id
).where(contacts.c.id.in_(_asked))
CHUNK = 500


def _by(connection: Connection, query: Any, asked: Iterable[Any]) -> dict[Any, Row[Any]]:
    """The rows by what was asked for."""
    wanted = sorted({one for one in asked if one is not None})
    chunks = (wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK))
    return {row.asked: row for some in chunks for row in connection.execute(query, {"asked": some})}


# --- lines ----------------------------------------------------------------------------------------


def _one_of_each_mail(found: list[tuple[Report, Match]]) -> Iterator[tuple[Report, Match]]:
    """Where one notice tells of several addresses, what counts is the contact's own, else the
    mildest: who forwards mail to five is not gone because one of the five is.
    """
    notices: dict[tuple[str, str, int], list[tuple[Report, Match]]] = defaultdict(list)
    for report, match in found:
        notices[report.what, report.id, match.contact.asked].append((report, match))
    for told in notices.values():
        own = [one for one in told if _fold(one[0].recipient) == one[1].contact.email_folded]
        yield min(own or told, key=lambda one: one[0].hard)


def _line(report: Report, match: Match, received_at: int, source: str) -> InboxRow | None:
    """None where the contact goes by no name that a call could use."""
    if report.what == "bounced" and match.moved and report.kind != DELAYED:
        report = replace(report, hard=False, kind="old_address")
    at = max(report.at, (match.message.sent_at or 0) if match.message else 0)
    call = {
        "type": "track",
        "event": _event_of(report),
        "messageId": _counted_once_by(report, match),
        "timestamp": rfc3339(min(at, received_at)),
        "properties": _properties(report, match),
        **_who(match.contact),
    }
    row = read_call(call, Reading(received_at))
    return row._replace(source=source) if isinstance(row, InboxRow) else None


def _event_of(report: Report) -> str:
    return "email_delayed" if report.kind == DELAYED else NAMES.get(report.what, report.what)


def _who(contact: Row[Any]) -> dict[str, Any]:
    return {"email": contact.email} if contact.email else {"userId": contact.user_id}


def _counted_once_by(report: Report, match: Match) -> str:
    """As the log calls what our own server refused: `<message key>:bounced`."""
    if match.message is None:
        return f"{report.what}:{report.id}"[:LONGEST_TEXT]
    name = f"{match.message.key}:{report.what}"
    if report.what == "unsubscribed":
        return f"{name}:{report.id}"[:LONGEST_TEXT]  # they may have subscribed in between
    return f"{name}:{report.kind}" if report.what == "bounced" and not report.hard else name


def _properties(report: Report, match: Match) -> dict[str, str]:
    said = {"code": report.code, "text": _plain(report.text), "kind": report.kind}
    if report.what == "unsubscribed":
        said["topic"] = "all"  # nobody outside knows our topics: whoever says it means them all
    if report.what == "bounced":
        said["type"] = "hard" if report.hard else "soft"
    if match.message:
        message = match.message
        said |= {"template": message.template, "scenario": message.scenario}
        said |= {"message_id": message.key, "topic": said.get("topic", message.topic)}
    return {name: value for name, value in said.items() if value}


def _plain(text: str) -> str:
    """Short, and without what a database or a terminal would stumble over."""
    shown = CONTROL.sub(" ", text[:LONGEST_TEXT])
    return shown.encode("utf-8", "replace").decode().strip()
