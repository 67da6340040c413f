"""Brings files of contacts and events into the inbox, and what cannot be read into a rejects file.

Everything is streamed in batches, each durable by itself: an import that is broken off can
simply be run again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from flowscore.store import forgetting
from flowscore.store.addresses import complaint, read_address
from flowscore.store.calls import LONGEST_TOPIC, read_call, written_traits
from flowscore.store.columns import CONTACT_WORDS, contact_names, event_names, slugged
from flowscore.store.fields import (
    Reading,
    RefusedError,
    Reject,
    digest,
    id_at,
    read_time,
    shown,
)
from flowscore.store.forms import leaves
from flowscore.store.inbox import InboxRow, receive
from flowscore.store.readers import (
    Line,
    Row,
    counted,
    is_json,
    read_csv,
    read_header,
    read_json_lines,
)

if TYPE_CHECKING:
    from flowscore.store.database import Store

Watch = Callable[[int], None]
UTC = ZoneInfo("UTC")
SHOWN_REJECTS = 5


def unwatched(_: int) -> None:
    """Nobody looks on."""


@dataclass
class ImportReport:
    """What an import did: lines read, taken, seen before, and not taken."""

    file: Path
    read: int = 0
    taken: int = 0
    duplicates: int = 0
    rejected: int = 0
    erased: int = 0  # rows that name people who were erased
    rejects_file: Path | None = None
    first_rejects: list[Reject] = field(default_factory=list)

    def __str__(self) -> str:
        """The report as a person reads it."""
        parts = [f"{self.file.name}: {self.taken:,} of {self.read:,} taken"]
        if self.duplicates:
            parts.append(f"{self.duplicates:,} had come before")
        parts += forgetting.notes(self.erased)
        if self.rejected:
            place = f", see {self.rejects_file}" if self.rejects_file else ""
            parts.append(f"{self.rejected:,} rejected{place}")
        lines = [", ".join(parts)]
        lines += [f"  line {reject.line}: {reject.reason}" for reject in self.first_rejects]
        return "\n".join(lines)


@dataclass(frozen=True)
class Source:
    """A file to import: what its columns mean (`--map`), how it is written, where it is local.

    Times without a zone are wall-clock times of `zone`. Rejects go beside the file by default.
    """

    path: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    zone: ZoneInfo = UTC
    rejects_path: Path | None = None


def import_events(
    store: Store,
    source: Source,
    now: int,
    *,
    historical: bool = False,
    as_live: bool = False,
    progress: Watch = unwatched,
) -> ImportReport:
    """Put the calls of a JSONL file, or the rows of a CSV file, into the inbox.

    They are received now; with `as_live` each line when it says, else when it happened (ruling
    89). Of a `historical` import nothing is noticed (ruling 88); it is dated like a live one, so
    that a grid that lies in the past knows it too, as it knows quietly imported contacts.
    """
    reading = Reading(now, as_live or historical, historical, zone=source.zone)
    report = ImportReport(source.path)
    with Rejects(report, source.rejects_path) as rejects:
        lines = counted(_event_lines(source, rejects), progress)
        _receive(store, _event_rows(lines, reading, rejects), report, look=True)
    return report


def _event_lines(source: Source, rejects: Rejects) -> Iterator[Line]:
    if is_json(source.path):
        return read_json_lines(source.path)
    header = read_header(source.path, source.encoding)
    names = event_names(source.path, header, source.mapping)
    rejects.columns = list(names.values())
    return read_csv(source.path, names, source.encoding)


def _event_rows(lines: Iterable[Line], reading: Reading, rejects: Rejects) -> Iterator[InboxRow]:
    report, as_it_is = rejects.report, rejects.columns is None
    for number, line in lines:
        report.read += 1
        if isinstance(line, Reject):
            rejects.add(number, line.reason, line.content)
            continue
        row = read_call(line if as_it_is else _as_call(line), reading)
        if isinstance(row, Reject):
            rejects.add(number, row.reason, line)
        else:
            yield row


CALL_KEYS = {"user_id": "userId", "anonymous_id": "anonymousId", "message_id": "messageId",
             "received_at": "receivedAt", "event": "event", "timestamp": "timestamp",
             "type": "type", "email": "email"}  # fmt: skip


def _as_call(row: Row) -> Row:
    """A row of CSV as the call it stands for: columns without a meaning are properties."""
    call: Row = {"type": "track"}
    others: Row = {}
    for name, value in row.items():
        if key := CALL_KEYS.get(name):
            call[key] = value
        else:
            others[name] = value
    if call["type"] == "group":
        call["groupId"] = others.pop("group_id", others.pop("groupid", None))
    if call["type"] == "alias":
        call["previousId"] = others.pop("previous_id", others.pop("previousid", None))
    if others:
        call["traits" if call["type"] in ("identify", "group") else "properties"] = others
    return call


# --- contacts ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ContactReading:
    """How contact rows are read: the import's instant, quietly or as live, from where."""

    now: int
    as_live: bool
    zone: ZoneInfo
    source: str


def import_contacts(
    store: Store,
    source: Source,
    now: int,
    *,
    as_live: bool = False,
    progress: Watch = unwatched,
) -> ImportReport:
    """Put contact rows of a CSV or JSONL file into the inbox: quiet ones, unless `as_live`.

    Quiet rows create and update without events (ruling 119); as live they are received at their
    `created_at`, else now.
    """
    report = ImportReport(source.path)
    reading = ContactReading(now, as_live, source.zone, f"import of {source.path.name}")
    with Rejects(report, source.rejects_path) as rejects:
        lines = counted(_contact_lines(source, rejects), progress)
        _receive(store, _contact_rows(lines, reading, rejects), report)
    return report


def _contact_lines(source: Source, rejects: Rejects) -> Iterator[Line]:
    if is_json(source.path):
        for number, row in read_json_lines(source.path):
            yield number, _renamed(row, source.mapping) if type(row) is dict else row
        return
    header = read_header(source.path, source.encoding)
    names = contact_names(source.path, header, source.mapping)
    rejects.columns = list(names.values())
    yield from read_csv(source.path, names, source.encoding)


def _renamed(row: Row, mapping: Mapping[str, str]) -> Row:
    """The keys of a JSON contact as ours; its `traits` stand beside them."""
    inner = row.pop("traits", None)
    row = {**row, **(inner if type(inner) is dict else {})}
    found = {mapping.get(k) or CONTACT_WORDS.get(slugged(k), k): v for k, v in row.items()}
    return {name: value for name, value in found.items() if name != "-"}


def _contact_rows(
    lines: Iterable[Line], reading: ContactReading, rejects: Rejects
) -> Iterator[InboxRow]:
    for number, line in lines:
        rejects.report.read += 1
        row = line if isinstance(line, Reject) else _read_contact(number, line, reading)
        if isinstance(row, Reject):
            rejects.add(number, row.reason, row.content)
        else:
            yield row


def _read_contact(number: int, row: Any, reading: ContactReading) -> InboxRow | Reject:
    try:
        if type(row) is not dict:
            raise RefusedError(f"found {shown(row)}, expected an object with the contact's fields")
        return _contact(number, row, reading)
    except RefusedError as refused:
        return Reject(str(refused), content=row)
    except (RecursionError, orjson.JSONEncodeError):
        return Reject("nested too deeply", content=row)


SAID_APART = frozenset({"email", "user_id", "anonymous_id", "created_at", "company_id", "consent",
                        "consent_source", "consent_at"})  # fmt: skip


def _contact(number: int, row: Row, reading: ContactReading) -> InboxRow:
    written, folded = _address(row)
    user, anonymous = id_at(row, "user_id"), id_at(row, "anonymous_id")
    created = _time(row, "created_at", reading.zone)
    own = reading.now if created is None else min(created, reading.now)
    consents = _consents(row)
    key, own_words, of_company = _apart(row)
    return InboxRow(
        f"{reading.now}:{number:010}:{digest(row)}",  # later rows of a file win
        "contact", "unsubscribed" if ["email", False] in consents else None,  # seen at once
        "user" if user else "email", user or folded,
        written, folded, anonymous, own, own if reading.as_live else reading.now,
        quiet=int(not reading.as_live), subject=key, forms=written_traits(of_company),
        traits=written_traits(own_words),
        consents=orjson.dumps(consents).decode() if consents else None,
        consent_at=_time(row, "consent_at", reading.zone) if consents else None,
        consent_source=(_text(row, "consent_source") or reading.source) if consents else "",
    )  # fmt: skip


def _apart(row: Row) -> tuple[str | None, Row, Row]:
    """The company, what the row says of the contact, and what of the company.

    Without a company `company.industry` is an attribute of the contact, as in an identify call.
    """
    key = id_at(row, "company_id")
    words = {name: value for name, value in row.items() if name not in SAID_APART}
    if key is None:
        return None, words, {}
    words = leaves(words)
    theirs = [name for name in words if name.startswith(COMPANY)]
    of_company = {name.removeprefix(COMPANY): words.pop(name) for name in theirs}
    return key, words, of_company


COMPANY = "company."


def _address(row: Row) -> tuple[str, str] | tuple[None, None]:
    text = _text(row, "email")
    if text is None:
        if id_at(row, "user_id") is None:
            raise RefusedError("email: found nothing, expected an address")
        return None, None
    address = read_address(text)
    if address is None:
        raise RefusedError(f"email: {shown(text)} is no address: {complaint(text)}")
    return address.written, address.folded


def _text(row: Row, key: str) -> str | None:
    value = row.get(key)
    return None if value is None or str(value).strip() == "" else str(value).strip()


def _time(row: Row, key: str, zone: ZoneInfo) -> int | None:
    text = _text(row, key)
    return None if text is None else read_time(text, zone, key)


YES = frozenset("yes y true 1 sí si ja oui".split())
NO = frozenset("no n false 0 nein non".split())
TOPIC = re.compile(rf"(?=.{{1,{LONGEST_TOPIC}}}$)[a-z0-9]+(?:-[a-z0-9]+)*")
NO_TOPICS = frozenset({"all", "any", "email", "transactional"})


def _consents(row: Row) -> list[list[Any]]:
    """`yes` or `no` to mail in general, or the topics agreed to, joined by `;` (ruling 71b)."""
    text = (_text(row, "consent") or "").casefold()
    if not text:
        return []
    if text in YES or text in NO:
        return [["email", text in YES]]
    topics = [topic.strip() for topic in text.split(";") if topic.strip()]
    for topic in topics:
        if not TOPIC.fullmatch(topic) or topic in NO_TOPICS:
            raise RefusedError(
                f"consent: found {shown(topic)}, expected yes, no, or topics joined by `;`"
            )
    return [[topic, True] for topic in topics]


# --- both -------------------------------------------------------------------------------------


def _receive(
    store: Store, rows: Iterable[InboxRow], report: ImportReport, look: bool = False
) -> None:
    """Batch by batch; what was committed before a failure stays and comes as a duplicate again.

    `look`: also in the log. A row of contacts is never there: each import says it anew.
    """
    received = receive(store, forgetting.watched(store, rows, report), look=look)
    report.taken, report.duplicates = received.taken, received.duplicates


class Rejects:
    """The file beside the input in which each line that was not taken stands with its reason.

    Of a CSV file it has the columns, so that it can be mended and imported in its turn.
    """

    def __init__(self, report: ImportReport, path: Path | None) -> None:
        self.report = report
        self.path = path or _beside(report.file)
        self.columns: list[str] | None = None  # of a CSV file, by our names
        self.file: IO[str] | None = None

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if self.file:
            self.file.close()

    def add(self, line: int, reason: str, content: Any) -> None:
        """Count it, remember the first few, write it down."""
        self.report.rejected += 1
        if len(self.report.first_rejects) < SHOWN_REJECTS:
            self.report.first_rejects.append(Reject(reason, line, content))
        if self.file is None:
            self._open()
        if self.file:
            self._write(self.file, line, reason, content)

    def _open(self) -> None:
        """Where no file can be written, the report's first few reasons have to do."""
        try:
            self.file = self.path.open("w", encoding="utf-8", newline="")
        except OSError:
            return
        self.report.rejects_file = self.path
        if self.columns is not None:
            csv.writer(self.file).writerow(["line", "reason", *self.columns])

    def _write(self, file: IO[str], line: int, reason: str, content: Any) -> None:
        if self.columns is None:
            entry = {"line": line, "reason": reason, "content": content}
            file.write(orjson.dumps(entry, default=str).decode() + "\n")
        elif isinstance(content, dict):
            cells = [content.get(name, "") for name in self.columns]
            csv.writer(file).writerow([line, reason, *cells])
        else:  # a row whose cells do not fit the columns
            csv.writer(file).writerow([line, reason, *content])


def _beside(path: Path) -> Path:
    """`people.rejects.csv` beside `people.csv` or `people.csv.gz`."""
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    return path.with_name(f"{stem}.rejects.{'jsonl' if is_json(path) else 'csv'}")
