"""What may not go for good at the moment of sending, in the order it is asked (ruling 84)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from flowscore.mail.just_now import complained_just_now, refused_just_now
from flowscore.mail.states import CLAIMED, FREE, MARKETING, NO_LONGER_WAITING, QUEUED, TO_CONTACT
from flowscore.rules.book import Book
from flowscore.rules.conditions import holds
from flowscore.rules.who import Who
from flowscore.store.tables import consents, contacts, messages

if TYPE_CHECKING:
    from flowscore.language.policy import Policy
    from flowscore.language.project import Project

Gate = Callable[[Book], ColumnElement[bool]]


def _no_address(book: Book) -> ColumnElement[bool]:
    return ~_contact(contacts.c.email != "")


def _suppressed(book: Book) -> ColumnElement[bool]:
    """Bounced, complained, or whom the policy never mails; transactional mail too (ruling 83)."""
    kept_out = book.policy.suppress
    harmed = or_(
        _contact(contacts.c.suppressed.is_not(None)),
        _bounced_just_now(),
        complained_just_now(book.dialect),
    )
    if kept_out is None:
        return harmed
    return or_(harmed, holds(kept_out, book, Who(messages.c.contact_id)))


def _bounced_just_now() -> ColumnElement[bool]:
    """A bounce that no tick has taken in yet."""
    other = messages.alias()
    return exists().where(
        other.c.contact_id == messages.c.contact_id,
        other.c.kind == "email",
        other.c.status == "failed",
        other.c.reason.like("bounced:%"),
        other.c.sent_event.is_(False),
    )


def _no_consent(book: Book) -> ColumnElement[bool]:
    """The topic's own word, else the general one; no word as the policy says (ruling 82)."""
    spoken = func.coalesce(_word(messages.c.topic), _word("email"))
    implied = book.policy.consent == "implied"
    missing = spoken.is_(False) if implied else spoken.is_not(True)
    return and_(MARKETING, or_(missing, refused_just_now(book.dialect)))


def _late(book: Book) -> ColumnElement[bool]:
    """Strictly later than `unless_late_by` (ruling 75); no such key is never late."""
    return bindparam("now") - messages.c.due_at > messages.c.unless_late_by


# In this order. The send window and the frequency caps, which let a mail wait, come after these.
GATES: dict[str, Gate] = {
    "no_address": _no_address,
    "suppressed": _suppressed,
    "no_consent": _no_consent,
    "late": _late,
}


def _contact(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(contacts.c.id == messages.c.contact_id, condition)


def _word(topic: Any) -> Any:
    """What the contact said of the topic: true, false, or nothing."""
    return (
        select(consents.c.granted)
        .where(consents.c.contact_id == messages.c.contact_id, consents.c.topic == topic)
        .correlate(messages)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class Gates:
    """The gates of one policy as statements, each over a set of mails to contacts."""

    book: Book
    claimed: Executable  # withhold among an owner's claims; gives numbers and reasons
    leaving: Executable  # the same among these `numbers`, which are about to be handed over
    waiting: Executable  # the same among those that wait for a window or a cap
    some_waiting: Executable  # whether there are any of the latter

    def run(self, connection: Connection, statement: Executable, **values: Any) -> Any:
        """One of the statements, at the instant `now`."""
        prepared = self.book.prepared(statement, connection.dialect)
        assert prepared is not None
        now = values["now"]
        return prepared.run(connection, {**self.book.instants(now, now), **values})


# By the primary key, since it is asked for each few mails: an index would read the whole batch.
LEAVING = {
    "sqlite": text("messages.id IN (SELECT value FROM json_each(:numbers))"),
    "postgresql": text("messages.id = ANY(:numbers)"),
}
WAITS = and_(QUEUED, messages.c.waits.is_not(None), messages.c.next_at > bindparam("now"))


def gates_of(project: Project, dialect: str) -> Gates:
    """The gates of the project's policy; its `suppress` may ask anything of a contact."""
    return _gates(project.policy, dialect, project.first_stage, project.company_scores)


@lru_cache(maxsize=4)
def _gates(policy: Policy, dialect: str, first_stage: str, company_scores: frozenset[str]) -> Gates:
    """Built once for each policy."""
    book = Book(dialect, policy, first_stage, company_scores)
    shut = {reason: gate(book) for reason, gate in GATES.items()}
    some = select(exists().where(WAITS, TO_CONTACT, or_(*shut.values())))
    return Gates(
        book,
        claimed=_withholding(CLAIMED, shut),
        leaving=_withholding(
            and_(LEAVING[dialect], messages.c.claimed_by == bindparam("owner")), shut
        ),
        waiting=_withholding(WAITS, shut),
        some_waiting=some,
    )


def _withholding(these: ColumnElement[bool], shut: dict[str, ColumnElement[bool]]) -> Executable:
    """One statement: every such mail that a gate holds back, with the first gate's name."""
    reason = case(*((condition, name) for name, condition in shut.items()))
    return (
        update(messages)
        .where(these, TO_CONTACT, or_(*shut.values()))
        .values(FREE | NO_LONGER_WAITING)
        .values(status="withheld", reason=reason, settled_at=bindparam("now"))
        .returning(messages.c.id, messages.c.reason)
    )


def withhold(connection: Connection, owner: str, project: Project, now: int) -> dict[int, str]:
    """Settle for good what may not go, among the owner's claims; gives the reasons."""
    gates = gates_of(project, connection.dialect.name)
    rows = gates.run(connection, gates.claimed, now=now, owner=owner).all()
    return dict(rows)


def withhold_leaving(
    connection: Connection, numbers: list[int], owner: str, project: Project, now: int
) -> dict[int, str]:
    """The same a moment before these mails are handed over: a batch takes its time."""
    if not numbers:
        return {}
    gates = gates_of(project, connection.dialect.name)
    these = orjson.dumps(numbers).decode() if connection.dialect.name == "sqlite" else numbers
    return dict(gates.run(connection, gates.leaving, now=now, owner=owner, numbers=these).all())


def withhold_waiting(connection: Connection, project: Project, now: int) -> dict[int, str]:
    """The same among mails that wait: they are asked at every delivery, not only at their end."""
    gates = gates_of(project, connection.dialect.name)
    rows = gates.run(connection, gates.waiting, now=now).all()
    return dict(rows)


def some_wait_in_vain(connection: Connection, project: Project, now: int) -> bool:
    """Whether `withhold_waiting` would find any; reads only."""
    gates = gates_of(project, connection.dialect.name)
    return bool(gates.run(connection, gates.some_waiting, now=now).scalar())
