"""What a report is asked: the period, who is counted, and how many rows a list may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    not_,
    or_,
    select,
    union_all,
)

from flowscore.clock import rfc3339
from flowscore.errors import FlowscoreError
from flowscore.language.project import Project
from flowscore.rules.book import Book
from flowscore.store.tables import contacts, departed
from flowscore.views.columns import watermark

Row = dict[str, Any]
HAS_ADDRESS = contacts.c.email.is_not(None)
"""Visitors without an address are scored, and stand in no listing and no report."""
COUNTED = or_(HAS_ADDRESS, contacts.c.id.is_(None))
"""The same where contacts are joined from outside: who is gone had an address, and counts on."""


@dataclass(frozen=True, slots=True)
class Period:
    """After `since` (None: from the beginning) up to and including `until` (ruling 1)."""

    since: int | None
    until: int

    def holds(self, instant: Any) -> ColumnElement[bool]:
        """SQL: the instant lies in it."""
        past = instant <= self.until
        return past if self.since is None else and_(instant > self.since, past)


@dataclass(frozen=True)
class Wishes:
    """How the report was asked for; instants in microseconds."""

    since: int | None = None
    until: int | None = None
    qualified: str | None = None
    meeting: str = "meeting_booked"
    limit: int | None = None


@dataclass(frozen=True)
class Inquiry:
    """One moment of the store, the live project, and what is asked of them."""

    connection: Connection
    project: Project
    wishes: Wishes
    as_of: int
    phrase: Callable[[Any], str]
    """A part of a definition in a few words."""

    @cached_property
    def period(self) -> Period:
        """What is not known yet cannot be reported: it ends at the last tick."""
        until = self.as_of if self.wishes.until is None else min(self.wishes.until, self.as_of)
        return Period(self.wishes.since, until)

    @cached_property
    def book(self) -> Book:
        """For expressions that the two databases spell differently."""
        return Book.of(self.project, self.connection.dialect.name)

    def rows(self, query: Any) -> list[Any]:
        """Every row; for queries that give few."""
        return list(self.connection.execute(query))

    def count(self, query: Select[Any]) -> int:
        """How many rows it gives."""
        found = select(func.count()).select_from(query.subquery())
        return self.connection.execute(found).scalar_one()

    def number(self, query: Select[Any]) -> int:
        """The one number it gives; 0 for none."""
        return self.connection.execute(query).scalar() or 0

    def limited(self, query: Select[Any]) -> Select[Any]:
        """At most so many rows as were asked for."""
        return query.limit(self.wishes.limit)


def inquire(
    connection: Connection, project: Project, wishes: Wishes, phrase: Callable[[Any], str]
) -> Inquiry:
    """Refused before the first tick, and where the period ends before it begins."""
    as_of = watermark(connection)
    if as_of is None:
        raise FlowscoreError("no tick has run yet, so there is nothing to report: flowscore tick")
    inquiry = Inquiry(connection, project, wishes, as_of, phrase)
    since, until = wishes.since, inquiry.period.until
    if since is not None and since >= until:
        raise FlowscoreError(
            f"--since {rfc3339(since)} is not before the end of the period, {rfc3339(until)}; "
            f"what is known ends at the last tick, {rfc3339(as_of)}"
        )
    return inquiry


def leads(period: Period) -> Select[Any]:
    """Who was created in the period and has an address, or was erased: `contact_id`, `at`."""
    gone = departed.c
    every = union_all(
        leads_still_there(period),
        select(gone.contact_id, gone.created_at).where(period.holds(gone.created_at)),
    ).subquery()
    return select(every.c.contact_id, every.c.at)


def leads_still_there(period: Period) -> Select[Any]:
    """Contacts with an address who were created in the period: `contact_id`, `at`."""
    return select(contacts.c.id.label("contact_id"), contacts.c.created_at.label("at")).where(
        HAS_ADDRESS, period.holds(contacts.c.created_at)
    )


def visitors(period: Period) -> Select[Any]:
    """Those without an address, who are left out."""
    return select(contacts.c.id).where(not_(HAS_ADDRESS), period.holds(contacts.c.created_at))
