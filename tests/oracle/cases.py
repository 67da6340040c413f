"""A case: one project with its contacts, calls and grid, on disk or judged by the oracle."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from .funnel import stage_of
from .interpreter import Interpreter, interpret
from .ledger import NOTHING
from .records import Contact
from .values import duration, rfc3339, rounded, shown
from .world import World

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Case:
    """Everything that one comparison needs; instants are RFC 3339, `every` is `1 hour`."""

    files: dict[str, str]
    contacts: list[dict[str, str]]
    events: list[Row]
    since: str
    until: str
    every: str
    templates: dict[str, str] = field(default_factory=dict)
    quiet: bool = True
    later: tuple[dict[str, str], str] | None = None
    """The scenario files of a second version, and the tick after which it is applied."""


def write(case: Case, folder: Path) -> None:
    """Lay the case out as a project folder, with `contacts.csv` and `events.jsonl` beside it."""
    for name, text in case.files.items():
        put(folder / "scenarios" / name, text)
    for name, text in case.templates.items():
        put(folder / "templates" / "email" / f"{name}.html", text)
    columns = list(dict.fromkeys(column for row in case.contacts for column in row))
    with (folder / "contacts.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or ["email", "created_at"], restval="")
        writer.writeheader()
        writer.writerows(case.contacts)
    lines = [json.dumps(event, ensure_ascii=False) for event in case.events]
    put(folder / "events.jsonl", "".join(line + "\n" for line in lines))


def put(path: Path, text: str) -> None:
    """Write a text file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commands(case: Case, export: str) -> list[list[str]]:
    """The command lines that make the real engine do the same."""
    live = [] if case.quiet else ["--as-live"]
    minutes = int(duration(case.every).total_seconds()) // 60
    every = f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"
    grid = ["--from", case.since, "--until", case.until, "--every", every]
    return [
        ["apply"],
        ["import", "contacts", "contacts.csv", *live],
        ["import", "events", "events.jsonl", "--as-live"],
        ["tick", *grid, "--deliver"],
        ["export", export],
    ]


def run(case: Case) -> Interpreter:
    """The interpreter after its last tick."""
    grid = (at(case.since), at(case.until), duration(case.every))
    later = (case.later[0], at(case.later[1])) if case.later else None
    return interpret(
        case.files, case.templates, case.contacts, case.events, grid, case.quiet, later
    )


def at(text: str) -> datetime:
    """An RFC 3339 instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


def expected(case: Case) -> Tables:
    """The tables of `flowscore export` (ruling 108), each in canonical order."""
    interpreter = run(case)
    return tables(interpreter.world)


def tables(world: World) -> Tables:
    """The state as tables; anonymous visitors are left out (ruling 71)."""
    people = [contact for contact in world.contacts if contact.email is not None]
    found: Tables = {
        "points": [row for contact in people for row in points(world, contact)],
        "balances": [
            {
                "contact": contact.email,
                "score": score,
                "balance": shown(world.balance(contact, score)),
            }
            for contact in people
            for score in world.project.scores
        ],
        "members": [
            {
                "contact": contact.email,
                "list": stay.name,
                "joined_at": rfc3339(stay.joined_at),
                "left_at": rfc3339(stay.left_at),
            }
            for contact in people
            for stay in contact.memberships
        ],
        "enrollments": enrollments(world),
        "messages": messages(world),
        "decisions": [
            {
                "contact": contact.email,
                "scenario": scenario,
                "at": rfc3339(moment),
                "reason": reason,
            }
            for contact, scenario, moment, reason in world.decisions
        ],
        "contacts": [
            {
                "email": contact.email,
                "attributes": {k: v for k, v in contact.attributes.items() if v is not None},
                "stage": stage_of(world, contact),
                "grades": dict(contact.cells),
            }
            for contact in people
        ],
        "events": [
            {
                "contact": contact.email,
                "name": "stage_changed",
                "at": rfc3339(moment),
                "properties": {"from": old, "to": new},
            }
            for contact in people
            for moment, old, new in contact.stage_changes
        ],
    }
    return {name: canonical(rows) for name, rows in found.items()}


def points(world: World, contact: Contact) -> list[Row]:
    """The contact's ledger, with one line for what faded, and one where the range cuts."""
    rows = [
        point(contact, line.score, line.at, line.points, line.kind, line.rule)
        for line in contact.lines
        if line.kind != "decay"
    ]
    for name, score in world.project.scores.items():
        raw = world.raw_balance(contact, name)
        faces = [line for line in contact.lines if line.score == name and line.kind != "decay"]
        faded = raw - sum((line.points for line in faces), NOTHING)
        rows.append(point(contact, name, world.now, faded, "decay", None))
        cut = NOTHING if score.company else world.balance(contact, name) - rounded(raw)
        rows.append(point(contact, name, world.now, cut, "cut", None))
    return [row for row in rows if row["points"] or row["kind"] not in ("decay", "cut")]


def point(
    contact: Contact, score: str, at: datetime, points: Decimal, kind: str, rule: str | None
) -> Row:
    """One row of the export's points."""
    row: Row = {"contact": contact.email, "score": score, "at": rfc3339(at)}
    return row | {"points": shown(points), "kind": kind, "rule": rule}


def enrollments(world: World) -> list[Row]:
    """Every walk, ended or not."""
    return [
        {
            "contact": one.contact.email,
            "scenario": one.scenario,
            "entered_at": rfc3339(one.entered_at),
            "ended_at": rfc3339(one.ended_at),
            "outcome": one.outcome,
            "converted_at": rfc3339(one.converted_at),
            "key": one.key,
        }
        for one in world.enrollments
    ]


def messages(world: World) -> list[Row]:
    """Every mail, with why it was withheld."""
    return [
        {
            "contact": one.enrollment.contact.email,
            "template": one.template,
            "queued_at": rfc3339(one.queued_at),
            "status": one.status,
            "sent_at": rfc3339(one.sent_at),
            "reason": one.reason,
            "kind": one.kind,
        }
        for one in world.messages
    ]


COLUMNS = {
    "points": "contact score at points kind rule",
    "balances": "contact score balance",
    "members": "contact list joined_at left_at",
    "enrollments": "contact scenario entered_at ended_at outcome converted_at",
    "messages": "contact template queued_at status sent_at reason kind",
    "decisions": "contact scenario at reason",
    "contacts": "email attributes stage grades",
    "events": "contact name at properties",
}
"""The columns that both readings can agree on: keys of occurrences are each engine's own."""


def comparable(found: Tables) -> Tables:
    """What both readings have to agree on, in canonical order."""
    result: Tables = {}
    for name, columns in COLUMNS.items():
        rows = [{column: row.get(column) for column in columns.split()} for row in found[name]]
        if name == "points":
            rows = comparable_points(rows)
        if name == "messages":
            rows = [comparable_message(row) for row in rows]
        if name == "events":
            rows = [comparable_event(row) for row in rows if row["name"] == "stage_changed"]
        result[name] = canonical(rows)
    return result


def comparable_points(rows: list[Row]) -> list[Row]:
    """The lines, what faded and was cut as sums, and what all of it adds up to.

    Of a score that was reset only that it was: what its lines and the void ones show is open.
    """
    was_reset = {(row["contact"], row["score"]) for row in rows if row["kind"] == "reset"}
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    kept = []
    for row in rows:
        place = (row["contact"], row["score"])
        sums[*place, "sum"] += Decimal(str(row["points"]))
        if place in was_reset:
            continue
        if row["kind"] in ("decay", "cut"):
            sums[*place, row["kind"]] += Decimal(str(row["points"]))
        else:
            row["rule"] = row["rule"] if row["kind"] == "rule" else None
            kept.append(row)
    for (who, score, kind), points in sums.items():
        value = points if kind == "decay" else rounded(points)
        if value:
            kept.append({"contact": who, "score": score, "kind": kind, "points": shown(value)})
    return kept + [{"contact": w, "score": s, "kind": "reset"} for w, s in sorted(was_reset)]


def comparable_event(row: Row) -> Row:
    """Of a change of stage from where to where."""
    return row | {"properties": {key: row["properties"].get(key) for key in ("from", "to")}}


def comparable_message(row: Row) -> Row:
    """Of a call of a webhook only that it was queued: its delivery is tested elsewhere."""
    if row["kind"] != "webhook":
        return row
    return row | {"template": None, "status": None, "sent_at": None, "reason": None}


def read_export(folder: Path) -> Tables:
    """The tables that an export wrote, one JSONL each."""
    return {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        for name in COLUMNS
    }


def disagreements(case: Case, folder: Path) -> list[str]:
    """Rows that only the oracle (-) or only the export in the folder (+) has; none when equal."""
    ours, theirs = comparable(expected(case)), comparable(read_export(folder))
    lines: list[str] = []
    for name in COLUMNS:
        before, after = (
            Counter(json.dumps(row, sort_keys=True) for row in found[name])
            for found in (ours, theirs)
        )
        lines += [f"- {name} {row}" for row in (before - after).elements()]
        lines += [f"+ {name} {row}" for row in (after - before).elements()]
    return lines


def canonical(rows: list[Row]) -> list[Row]:
    """Rows in the order of their JSON text."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=str))
