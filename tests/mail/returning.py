"""What tests of returns share: mails that were sent, ticks that take in what is told of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from flowscore.clock import DAY, MINUTE
from flowscore.mail.message import message_name
from flowscore.mail.returns.report import Report, lines_of
from flowscore.store.inbox import receive
from flowscore.store.intake import forget_taken, take_in
from flowscore.store.tables import contacts, events, identities, rejects
from mail.conftest import NOW, House

SECRET = "s3cret"


def add_person(house: House, email: str, **given: Any) -> int:
    """A contact with the name by which calls refer to them."""
    number = house.add_contact(email, **given)
    named = {"kind": "email", "value": email.casefold(), "contact_id": number}
    with house.store.transact() as connection:
        connection.execute(insert(identities).values(named))
    return number


def send_mail(house: House, contact: int, key: str, **given: Any) -> int:
    """A mail that went an hour ago; gives its number."""
    sent = {"status": "sent", "sent_at": NOW - 60 * MINUTE, "settled_at": NOW - 60 * MINUTE}
    return house.queue(contact, key, **{**sent, "sent_event": True, **given})


def name_of(house: House, key: str, recipient: str) -> str:
    """The Message-ID that the mail carries."""
    queued = house.rows()[key]["queued_at"]
    return f"<{message_name(key, queued, recipient)}@acme.example>"


def tell(house: House, *reports: Report, at: int = NOW) -> list[Report]:
    """Receive what the reports say; gives those nobody knows."""
    with house.store.read() as connection:
        rows, unknown = lines_of(connection, reports, at, "mailbox")
    receive(house.store, rows)
    return unknown


def tick(house: House, at: int = NOW + DAY) -> None:
    """Take in everything that is due, as a tick does."""
    with house.store.transact() as connection:
        for historical in (True, False):
            take_in(connection, house.store.dialect, house.project, at, historical)
    forget_taken(house.store)


def suppressed(house: House) -> dict[str, str | None]:
    """Of each contact why they get no mail any more."""
    with house.store.read() as connection:
        found = connection.execute(select(contacts.c.email, contacts.c.suppressed))
        return {row.email: row.suppressed for row in found}


def log_of(house: House) -> list[dict[str, Any]]:
    """The events, oldest first, without those of our own making."""
    with house.store.read() as connection:
        found = connection.execute(select(events).order_by(events.c.id)).mappings().all()
    return [dict(row) for row in found if row["name"] not in ("contact_created", "email_sent")]


def rejects_of(house: House) -> list[dict[str, Any]]:
    """What could not be taken."""
    with house.store.receive() as connection:
        return [dict(row) for row in connection.execute(select(rejects)).mappings()]
