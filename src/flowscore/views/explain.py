"""One contact, explained: every point, list, step and mail, what caused it, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, Table, select

from flowscore.language.project import Project
from flowscore.rules.explain import sentence
from flowscore.store.companies import companies_of
from flowscore.store.consents import EVERYTHING
from flowscore.store.tables import (
    POINT,
    SHOWN,
    attributes,
    balances,
    consents,
    decisions,
    enrollments,
    events,
    ledger,
    members,
    messages,
    steps,
)
from flowscore.views.columns import (
    in_order,
    rounded,
    shown_at,
    shown_balance,
    shown_points,
    watermark,
)
from flowscore.views.people import find_contact
from flowscore.views.places import Places
from flowscore.views.walks import fate

if TYPE_CHECKING:
    from flowscore.engine.program import Applied
    from flowscore.language.scoring import Score

Row = dict[str, Any]


def explain(connection: Connection, applied: Applied, email: str) -> Row:
    """Everything the store can say of the contact, as one JSON document."""
    contact = find_contact(connection, email)
    told = Told(connection, applied.project, Places(connection, applied), contact.id)
    return {
        "contact": contact.email,
        "as_of": shown_at(watermark(connection)),
        "created_at": shown_at(contact.created_at),
        "suppressed": contact.suppressed,
        "attributes": told.attributes(),
        "company": companies_of(connection, [contact.id]).get(contact.id),
        "consent": told.consents(),
        "scores": told.scores(),
        "lists": told.lists(),
        "scenarios": told.scenarios(),
        "mails": told.mails(),
        "refused": told.refused(),
    }


@dataclass
class Told:
    """What is being told of whom; events are read once, however many lines they caused."""

    connection: Connection
    project: Project
    places: Places
    contact: int
    known_events: dict[int, Row] = field(default_factory=dict)

    def rows(self, table: Table, *order: str) -> list[Any]:
        """The contact's rows of a table."""
        query: Select[Any] = select(table).where(table.c.contact_id == self.contact)
        return list(self.connection.execute(query.order_by(*(table.c[name] for name in order))))

    def event(self, number: int | None) -> Row | None:
        """The event behind a line, with its properties."""
        if number is None:
            return None
        if number not in self.known_events:
            query = select(events).where(events.c.id == number)
            row = self.connection.execute(query).first()
            self.known_events[number] = _event(row) if row else {}
        return self.known_events[number] or None

    # --- who ----------------------------------------------------------------------------------

    def attributes(self) -> Row:
        """Raw values by name."""
        rows = self.rows(attributes, "name", "element")
        return {row.name: in_order(row.value) for row in rows if row.element >= 0}

    def consents(self) -> list[Row]:
        """What was granted or refused, since when, and where that was said."""
        return [
            {
                "topic": row.topic,
                "granted": row.granted,
                "at": shown_at(row.at),
                "source": row.source,
            }
            for row in self.rows(consents, "topic")
            if row.topic != EVERYTHING
        ]

    # --- points -------------------------------------------------------------------------------

    def scores(self) -> list[Row]:
        """Every live score, and every other of which the contact has lines."""
        lines: dict[str, list[Any]] = {}
        for row in self.rows(ledger, "own_at", "tick_at", "id"):
            lines.setdefault(row.score, []).append(row)
        kept = {row.score: row.balance for row in self.rows(balances)}
        names = [*self.project.scores, *(name for name in lines if name not in self.project.scores)]
        return [self._score(name, lines.get(name, []), kept.get(name, 0)) for name in names]

    def _score(self, name: str, lines: list[Any], balance: int) -> Row:
        score = self.project.scores.get(name)
        raw = sum(line.points for line in lines)
        told = [self._line(line) for line in lines]
        if balance != rounded(raw):
            told.append(_cut(score, balance * (POINT // SHOWN) - raw))
        return {
            "score": name,
            "balance": shown_balance(balance),
            "objective": score.objective if score else "",
            "description": score.description if score else "no longer in the project",
            "band": _band(score, balance),
            "next_band": _next_band(score, balance),
            "lines": told,
        }

    def _line(self, row: Any) -> Row:
        place = self.places.of_line(row.score, row.rule, row.kind, row.definition_id)
        return {
            "at": shown_at(row.own_at),
            "noticed_at": shown_at(row.tick_at),
            "points": shown_points(row.points),
            "kind": "scenario" if row.kind == "scenario" else "rule",
            "rule": row.rule,
            "reason": row.reason,
            "where": place.where,
            "version": place.version,
            "event": self.event(row.event_id),
        }

    # --- lists --------------------------------------------------------------------------------

    def lists(self) -> list[Row]:
        """Every stay in a list, the present ones first."""
        stays = [self._stay(row) for row in self.rows(members, "joined_at", "list", "id")]
        return sorted(stays, key=lambda stay: stay["left_at"] is not None)

    def _stay(self, row: Any) -> Row:
        live = self.project.lists.get(row.list)
        dynamic = live is not None and live.members is not None
        return {
            "list": row.list,
            "joined_at": shown_at(row.joined_at),
            "left_at": shown_at(row.left_at),
            "cause": row.cause,
            "why": sentence(live.members) if live and live.members and dynamic else "",
            "where": str(live.mark) if live else None,
        }

    # --- scenarios ----------------------------------------------------------------------------

    def scenarios(self) -> list[Row]:
        """Every walk: where it stands, what it has done, how it ended."""
        at = watermark(self.connection) or 0
        found = self.rows(enrollments, "entered_at", "scenario", "key")
        return [self._walk(row, at) for row in found]

    def _walk(self, row: Any, at: int) -> Row:
        place = self.places.of_definition(row.definition_id)
        inside = row.ended_at is None
        return {
            "scenario": row.scenario,
            "state": "inside" if inside else row.outcome,
            "entered_at": shown_at(row.entered_at),
            "ended_at": shown_at(row.ended_at),
            "reason": row.reason,
            "next_step": self.places.next_step(row) if inside else None,
            "due_at": shown_at(row.due_at) if inside else None,
            **fate(row, self.places.scenario(row.definition_id), at),
            "done": self._done(row.id),
            "where": place.where,
            "version": place.version,
            "event": self.event(row.event_id),
        }

    def _done(self, enrollment: int) -> list[Row]:
        query = select(steps).where(steps.c.enrollment_id == enrollment)
        found = self.connection.execute(query.order_by(steps.c.at, steps.c.step))
        return [{"step": r.step, "at": shown_at(r.at), "outcome": r.outcome} for r in found]

    def mails(self) -> list[Row]:
        """Every mail and webhook, sent or withheld with its reason."""
        return [
            {
                "kind": row.kind,
                "template": row.template,
                "url": row.payload["url"] if row.kind == "webhook" else None,
                "to": row.recipients[0] if row.recipients else None,
                "topic": row.topic,
                "status": row.status,
                "reason": row.reason,
                "waits": row.waits,
                "next_at": shown_at(row.next_at) if row.status == "queued" else None,
                "queued_at": shown_at(row.queued_at),
                "sent_at": shown_at(row.sent_at),
                "scenario": row.scenario,
                "step": row.step,
                "key": row.key,
            }
            for row in self.rows(messages, "queued_at", "id")
        ]

    def refused(self) -> list[Row]:
        """Every occurrence that did not enroll: the gate, the condition, the value it saw."""
        return [self._refusal(row) for row in self.rows(decisions, "at", "scenario", "key")]

    def _refusal(self, row: Any) -> Row:
        detail = row.detail if isinstance(row.detail, dict) else {}
        place = self.places.of_definition(row.definition_id)
        return {
            "scenario": row.scenario,
            "at": shown_at(row.at),
            "reason": row.reason,
            "condition": detail.get("sentence"),
            "seen": detail.get("seen"),
            "wanted": detail.get("wanted"),
            "path": detail.get("path"),
            "where": detail.get("mark") or place.where,
            "version": place.version,
            "event": self.event(row.event_id),
        }


def _event(row: Any) -> Row:
    return {
        "name": row.name,
        "at": shown_at(row.own_at),
        "received_at": shown_at(row.received_at),
        "message_id": row.message_id,
        "properties": in_order(row.properties or {}),
    }


def _cut(score: Score | None, worth: int) -> Row:
    """The line that makes the sum right where `range` cuts what is read (ruling 53)."""
    mark = score.range.mark if score and score.range else None
    return {
        "at": None,
        "noticed_at": None,
        "points": shown_points(worth),
        "kind": "cut",
        "rule": "range",
        "reason": "cut to the score's range",
        "where": str(mark) if mark else None,
        "version": None,
        "event": None,
    }


def _band(score: Score | None, balance: int) -> str | None:
    """The highest band that the balance has reached (ruling 59)."""
    bands = score.bands if score else ()
    return next((name for name, number in bands if balance >= round(number * SHOWN)), None)


def _next_band(score: Score | None, balance: int) -> Row | None:
    """The next band above, and how many points are missing."""
    above = [(n, name) for name, n in (score.bands if score else ()) if balance < round(n * SHOWN)]
    if not above:
        return None
    number, name = min(above)
    return {"band": name, "missing": shown_balance(round(number * SHOWN) - balance)}
