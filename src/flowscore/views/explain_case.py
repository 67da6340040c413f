"""Whom an explanation is of, at which instant; what several of its parts read, each thing once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, Table, select

from flowscore.language.project import Project
from flowscore.rules.book import EARLIEST, Book
from flowscore.store.tables import enrollments, events
from flowscore.views.columns import in_order, shown_at, watermark
from flowscore.views.people import find_contact
from flowscore.views.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
MANY = 500  # values that one statement is given


@dataclass
class Case:
    """One contact at the watermark; events are read once, however many lines they caused."""

    connection: Connection
    project: Project
    contact: Any  # its row
    mark: int | None  # the last tick, if there was one
    known_events: dict[int, Row] = field(default_factory=dict)

    @property
    def at(self) -> int:
        """The instant as of which everything is told."""
        return EARLIEST if self.mark is None else self.mark

    @cached_property
    def places(self) -> Places:
        """Where in the files what stands."""
        return Places(self.connection, self.project)

    @cached_property
    def book(self) -> Book:
        """For statements of this project on this database."""
        return Book.of(self.project, self.connection.dialect.name)

    @property
    def instants(self) -> dict[str, int]:
        """The parameters of the book's statements; those that were built, so ask after building."""
        return self.book.instants(self.at, self.at)

    def rows(self, table: Table, *order: str) -> list[Any]:
        """The contact's rows of a table."""
        query: Select[Any] = select(table).where(table.c.contact_id == self.contact.id)
        return list(self.connection.execute(query.order_by(*(table.c[name] for name in order))))

    @cached_property
    def walks(self) -> list[Any]:
        """The contact's enrollments, oldest first."""
        return self.rows(enrollments, "entered_at", "scenario", "key")

    def event_of_line(self, line: Any) -> int | None:
        """The event behind a ledger line; of what a scenario gave, the one that enrolled."""
        if line.kind != "scenario" or line.event_id is not None:
            return line.event_id
        walk = line.key.partition("/")[0]
        return next((row.event_id for row in self.walks if str(row.id) == walk), None)

    def learn_events(self, numbers: Iterable[int | None]) -> None:
        """Read these events, all in one go."""
        wanted = sorted({one for one in numbers if one is not None} - self.known_events.keys())
        for start in range(0, len(wanted), MANY):
            query = select(events).where(events.c.id.in_(wanted[start : start + MANY]))
            for row in self.connection.execute(query):
                self.known_events[row.id] = _event(row)

    def event(self, number: int | None) -> Row | None:
        """An event that was read, with its properties."""
        return self.known_events.get(number) if number is not None else None


def open_case(connection: Connection, project: Project, email: str) -> Case:
    """The case of the contact with that address; an error that suggests one where none has it."""
    return Case(connection, project, find_contact(connection, email), watermark(connection))


def _event(row: Any) -> Row:
    return {
        "name": row.name,
        "subject": row.subject,
        "topic": row.topic,
        "at": shown_at(row.own_at),
        "received_at": shown_at(row.received_at),
        "message_id": row.message_id,
        "properties": in_order(row.properties or {}),
    }
