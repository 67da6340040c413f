"""The last step of contacts in their journey: what they did, a stage, our mail; and feedback."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.sql.selectable import ScalarSelect

from flowscore.store.feedback import FEEDBACK
from flowscore.store.tables import contacts, events, messages, stages
from flowscore.views.columns import shown_at

Row = dict[str, Any]
People = Collection[int]


def last_steps(connection: Connection, people: People) -> dict[int, Row]:
    """Of each contact the newest of behaviour, stage and mail, with its time."""
    found: dict[int, tuple[int, Row]] = {}
    for contact, at, step in _steps(connection, people):
        if contact not in found or at > found[contact][0]:
            found[contact] = at, {**step, "at": shown_at(at)}
    return {contact: step for contact, (_, step) in found.items()}


def last_feedback(connection: Connection, people: People) -> dict[int, Row]:
    """The newest word of sales on each contact of whom there is one."""
    found = {}
    for row in _newest_of(connection, people, events, _said()):
        said = row.properties or {}
        known = {key: said.get(key) for key in ("verdict", "reason", "amount", "by")}
        found[row.contact_id] = {**known, "at": shown_at(row.own_at)}
    return found


def _steps(connection: Connection, people: People) -> Iterator[tuple[int, int, Row]]:
    """What may be the last step; of the same instant the first that is named wins."""
    here = select(stages).where(stages.c.contact_id.in_(people), stages.c.left_at.is_(None))
    for row in connection.execute(here):
        yield row.contact_id, row.entered_at, {"kind": "stage", "what": row.stage, "about": None}
    for row in _newest_of(connection, people, events, _done()):
        yield row.contact_id, row.own_at, {"kind": "event", "what": row.name, "about": _about(row)}
    for row in _newest_of(connection, people, messages, _sent()):
        yield row.contact_id, row.sent_at, {"kind": "mail", "what": row.template, "about": None}


def _newest_of(
    connection: Connection, people: People, table: Any, newest: ScalarSelect[int]
) -> Iterator[Any]:
    """One row for each contact, by an index that has the newest last."""
    numbers: Select[Any] = select(newest).where(contacts.c.id.in_(people))
    yield from connection.execute(select(table).where(table.c.id.in_(numbers)))


def _said() -> ScalarSelect[int]:
    query = select(events.c.id).where(events.c.contact_id == contacts.c.id)
    query = query.where(events.c.name == FEEDBACK)
    return _first(query.order_by(events.c.own_at.desc(), events.c.id.desc()))


def _done() -> ScalarSelect[int]:
    query = select(events.c.id).where(events.c.contact_id == contacts.c.id, events.c.behaviour)
    return _first(query.order_by(events.c.own_at.desc(), events.c.id.desc()))


def _sent() -> ScalarSelect[int]:
    query = select(messages.c.id).where(messages.c.contact_id == contacts.c.id)
    query = query.where(messages.c.status == "sent", messages.c.kind == "email")
    return _first(query.order_by(messages.c.sent_at.desc(), messages.c.id.desc()))


def _first(query: Select[Any]) -> ScalarSelect[int]:
    return query.limit(1).correlate(contacts).scalar_subquery()


ABOUT = ("title", "name", "form", "link")


def _about(row: Any) -> str | None:
    """The page or mail, else what names best what it was done with."""
    properties = row.properties or {}
    named = (properties.get(key) for key in ABOUT)
    return row.subject or next((one for one in named if isinstance(one, str) and one), None)
