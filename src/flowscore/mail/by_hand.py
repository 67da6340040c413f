"""What a person decides: an uncertain mail arrived or goes again, a failed webhook goes again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update

from flowscore.engine.outbox import ask_again
from flowscore.errors import FlowscoreError
from flowscore.mail.claims import SAID
from flowscore.mail.states import FREE
from flowscore.store.tables import contacts, messages


def settle_as_sent(connection: Connection, key: str, now: int) -> str:
    """It arrived: it counts as sent from when it was handed over; gives the address."""
    mail = _uncertain(connection, key)
    sent_at = mail.handed_at if mail.handed_at is not None else now
    settled = {"sent_at": sent_at, "settled_at": now, "sent_event": SAID}
    _write(connection, mail.id, mail.status, status="sent", reason=None, **settled)
    return _address(mail)


def queue_again(connection: Connection, key: str) -> str:
    """It never arrived: it is due again, under the same Message-ID; gives the address.

    A webhook that failed, too: its receiver may be well again, and knows it by the same id.
    """
    mail = _find(connection, key)
    if not (mail.kind == "webhook" and mail.status == "failed"):
        mail = _uncertain(connection, key)
    again: dict[str, Any] = {"status": "queued", "reason": None, "settled_at": None}
    if mail.kind == "webhook":
        again["attempts"] = 0
    _write(connection, mail.id, mail.status, **FREE, **again)
    ask_again(connection)  # it fills no cap any more
    return _address(mail)


def _find(connection: Connection, key: str) -> Row[Any]:
    query = (
        select(
            messages.c.id,
            messages.c.kind,
            messages.c.status,
            messages.c.handed_at,
            messages.c.recipients,
            contacts.c.email,
        )
        .outerjoin(contacts, contacts.c.id == messages.c.contact_id)
        .where(messages.c.key == key)
    )
    mail = connection.execute(query).first()
    if mail is None:
        raise FlowscoreError(f"no mail has the key {key!r}; `flowscore outbox` shows the keys")
    return mail


def _uncertain(connection: Connection, key: str) -> Row[Any]:
    """The mail of that key, which has to be uncertain."""
    mail = _find(connection, key)
    if mail.status != "uncertain":
        raise FlowscoreError(
            f"{key} is {mail.status}, not uncertain: there is nothing to decide; "
            "`flowscore outbox --status uncertain` shows those that wait for you"
        )
    return mail


def _address(mail: Row[Any]) -> str:
    """The contact's; a sign-up has its own, until it is confirmed."""
    own = mail.recipients[0] if mail.kind == "confirm" else mail.email
    return str(own or "a contact without an address")


def _write(connection: Connection, number: int, was: str, **values: Any) -> None:
    """A second person deciding at the same moment changes nothing any more."""
    one = (messages.c.id == number) & (messages.c.status == was)
    connection.execute(update(messages).where(one).values(**values))
