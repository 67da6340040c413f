"""The whole store as JSON lines, one file a table, for other programs and for comparing runs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Table, select

from flowscore.store import tables
from flowscore.store.companies import companies_of
from flowscore.store.consents import EVERYTHING
from flowscore.store.tables import POINT, SHOWN
from flowscore.store.whereabouts import balances_of, cells_of, stages_of
from flowscore.views.columns import (
    Page,
    in_order,
    pages,
    people,
    rounded,
    shown_at,
    shown_balance,
    shown_points,
)

Row = dict[str, Any]
KINDS = {"when": "rule"}
"""How a line's kind is called outside: points that stand while a condition holds are a rule's."""


@dataclass(frozen=True)
class Extract:
    """What is written: contacts known at `at`, and the scores that are live.

    Scores `of_company` are read of the company; `first_stage` is where the lifecycle begins.
    """

    connection: Connection
    scores: tuple[str, ...]
    at: int
    of_company: frozenset[str] = frozenset()
    first_stage: str = ""

    def of_page(self, page: Page, table: Table, *order: str) -> Iterator[Any]:
        """The table's rows of these contacts, contact by contact in the page's order."""
        query = (
            select(table)
            .join(tables.contacts, tables.contacts.c.id == table.c.contact_id)
            .where(table.c.contact_id.in_(page.ids))
            .order_by(tables.contacts.c.email_folded, *(table.c[name] for name in order))
        )
        yield from self.connection.execute(query, execution_options={"yield_per": 1000})


def contacts(extract: Extract, page: Page) -> Iterator[Row]:
    """Who they are; values as they came."""
    values: defaultdict[int, Row] = defaultdict(dict)
    for row in extract.of_page(page, tables.attributes, "name", "element"):
        if row.element >= 0:
            values[row.contact_id][row.name] = row.value
    consents: defaultdict[int, Row] = defaultdict(dict)
    for row in extract.of_page(page, tables.consents, "topic"):
        if row.topic != EVERYTHING:
            consents[row.contact_id][row.topic] = "granted" if row.granted else "refused"
    companies = companies_of(extract.connection, page.ids)
    graded = cells_of(extract.connection, page.ids)
    staged = stages_of(extract.connection, page.ids)
    people = tables.contacts
    query = select(people).where(people.c.id.in_(page.ids)).order_by(people.c.email_folded)
    for row in extract.connection.execute(query):
        yield {
            "email": row.email,
            "attributes": values[row.id],
            "stage": staged.get(row.id, extract.first_stage) or None,
            "grades": graded[row.id],
            "created_at": shown_at(row.created_at),
            "user_id": row.user_id,
            "consent": consents[row.id],
            "suppressed": row.suppressed,
            "company": companies.get(row.id),
        }


def events(extract: Extract, page: Page) -> Iterator[Row]:
    """The log, by own time, receipt and messageId (ruling 10)."""
    order = ("own_at", "received_at", "message_id")
    for row in extract.of_page(page, tables.events, *order):
        yield {
            "contact": page.emails[row.contact_id],
            "name": row.name,
            "at": shown_at(row.own_at),
            "received_at": shown_at(row.received_at),
            "message_id": row.message_id,
            "properties": row.properties or {},
            "topic": row.topic,
            "machine": row.machine,
            "historical": row.historical,
            "source": row.source,
        }


def points(extract: Extract, page: Page) -> Iterator[Row]:
    """The ledger at face value; what faded and what `range` cuts are lines, so the sum is right.

    In a company's score they are the contact's part of it, which no range cuts.
    """
    balances = {(row.contact_id, row.score): row for row in extract.of_page(page, tables.balances)}
    lines = extract.of_page(page, tables.ledger, "score", "own_at", "rule", "key")
    for key, group in groupby(lines, lambda row: (row.contact_id, row.score)):
        written = 0
        for row in group:
            written += row.points
            yield _point(page, row)
        if key in balances:
            for kind, points_ in _differences(extract, balances[key], written):
                yield _worth(page.emails[key[0]], key[1], extract.at, points_, kind)


def _differences(extract: Extract, balance: Any, written: int) -> Iterator[tuple[str, int]]:
    """What lies between the lines and the balance that is read (10⁻⁸ points)."""
    if balance.raw != written:
        yield "decay", balance.raw - written
    if balance.score not in extract.of_company and balance.balance != rounded(balance.raw):
        yield "cut", balance.balance * (POINT // SHOWN) - balance.raw


def _point(page: Page, row: Any) -> Row:
    email, kind = page.emails[row.contact_id], KINDS.get(row.kind, row.kind)
    return _worth(email, row.score, row.own_at, row.points, kind) | {
        "scenario" if row.kind == "scenario" else "rule": row.rule,
        "key": row.key,
        "noticed_at": shown_at(row.tick_at),
        "reason": row.reason,
    }


def _worth(email: str, score: str, at: int, points: int, kind: str) -> Row:
    """The columns of `points.jsonl`, with nothing said of where the points come from."""
    return {
        "contact": email,
        "score": score,
        "at": shown_at(at),
        "points": shown_points(points),
        "kind": kind,
        "rule": None,
        "scenario": None,
        "key": "",
        "noticed_at": shown_at(at),
        "reason": "",
    }


def balances(extract: Extract, page: Page) -> Iterator[Row]:
    """A row for every contact and every live score, 0 included."""
    read = balances_of(extract.connection, page.ids, extract.of_company)
    for contact, email in page.emails.items():
        for score in extract.scores:
            balance = shown_balance(read[contact].get(score, 0))
            yield {"contact": email, "score": score, "balance": balance}


def members(extract: Extract, page: Page) -> Iterator[Row]:
    """Every stay in a list, past ones too."""
    for row in extract.of_page(page, tables.members, "joined_at", "list", "id"):
        yield {
            "contact": page.emails[row.contact_id],
            "list": row.list,
            "joined_at": shown_at(row.joined_at),
            "left_at": shown_at(row.left_at),
            "cause": row.cause,
        }


def enrollments(extract: Extract, page: Page) -> Iterator[Row]:
    """Every walk through a scenario; no outcome while inside."""
    order = ("entered_at", "scenario", "key")
    for row in extract.of_page(page, tables.enrollments, *order):
        yield {
            "contact": page.emails[row.contact_id],
            "scenario": row.scenario,
            "entered_at": shown_at(row.entered_at),
            "ended_at": shown_at(row.ended_at),
            "outcome": "converted" if row.converted_at is not None else row.outcome,
            "converted_at": shown_at(row.converted_at),
            "key": row.key,
            "reason": row.reason,
        }


def messages(extract: Extract, page: Page) -> Iterator[Row]:
    """Every mail, notice and webhook, sent or withheld; a notice once, whoever it goes to."""
    order = ("queued_at", "scenario", "enrollment_id", "step", "key")
    for rows in notices_together(extract.of_page(page, tables.messages, *order)):
        row = next((one for one in rows if one.status != "sent"), rows[0])
        yield {
            "contact": page.emails[row.contact_id],
            "template": row.template,
            "queued_at": shown_at(row.queued_at),
            "status": row.status,
            "sent_at": shown_at(row.sent_at),
            "reason": row.reason,
            "kind": row.kind,
            "topic": row.topic,
            "scenario": row.scenario,
            "step": rows[0].step,
            "key": rows[0].key,
            "recipients": [to for one in rows for to in one.recipients or ()],
        }


def notices_together(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The outbox has a row for each address of a notice (step, step/1, …): here they are one."""
    together: list[Any] = []
    for row in rows:
        if together and not _is_same_notice(together[0], row):
            yield together
            together = []
        together.append(row)
    if together:
        yield together


def _is_same_notice(first: Any, row: Any) -> bool:
    behind = row.step.removeprefix(f"{first.step}/")
    return (
        row.kind == "notify"
        and (row.enrollment_id, row.template) == (first.enrollment_id, first.template)
        and behind != row.step
        and behind.isdigit()
    )


def decisions(extract: Extract, page: Page) -> Iterator[Row]:
    """Every occurrence that did not enroll, and the gate that refused it."""
    for row in extract.of_page(page, tables.decisions, "at", "scenario", "key"):
        yield {
            "contact": page.emails[row.contact_id],
            "scenario": row.scenario,
            "at": shown_at(row.at),
            "reason": row.reason,
            "key": row.key,
            "detail": row.detail,
        }


TABLES: dict[str, Callable[[Extract, Page], Iterator[Row]]] = {
    "contacts": contacts,
    "events": events,
    "points": points,
    "balances": balances,
    "members": members,
    "enrollments": enrollments,
    "messages": messages,
    "decisions": decisions,
}


def write_export(extract: Extract, folder: Path, watch: Callable[[int], None]) -> dict[str, int]:
    """Write every table below the folder and give the rows written; all files or none are new."""
    counts = dict.fromkeys(TABLES, 0)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {name: stack.enter_context(_part(folder, name)) for name in TABLES}
        for page in pages(extract.connection, people(extract.at)):
            for name, rows in TABLES.items():
                counts[name] += _write(files[name], rows(extract, page))
            watch(len(page.emails))
    for name in TABLES:
        _part_path(folder, name).replace(folder / f"{name}.jsonl")
    return counts


def _part_path(folder: Path, name: str) -> Path:
    return folder / f".{name}.jsonl.part"


def _part(folder: Path, name: str) -> IO[str]:
    """A lone surrogate in somebody's text is kept as its JSON escape."""
    path = _part_path(folder, name)
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")


def _write(file: IO[str], rows: Iterator[Row]) -> int:
    count = 0
    for row in rows:
        shown = {name: in_order(value) for name, value in row.items()}
        file.write(json.dumps(shown, ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
    return count
