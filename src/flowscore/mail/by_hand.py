"""What a person decides of a mail that a crash left uncertain: it arrived, or it goes again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update

from flowscore.engine.outbox import ask_again
from flowscore.errors import FlowscoreError
from flowscore.mail.claims import SAID
from flowscore.store.tables import contacts, messages


def settle_as_sent(connection: Connection, key: str, now: int) -> str:
    """It arrived: it counts as sent from when it was handed over; gives the address."""
    mail = _uncertain(connection, key)
    sent_at = mail.handed_at if mail.handed_at is not None else now
    settled = {"sent_at": sent_at, "settled_at": now, "sent_event": SAID}
    _write(connection, mail.id, status="sent", reason=None, **settled)
    return str(mail.email)


def queue_again(connection: Connection, key: str) -> str:
    """It never arrived: it is due again, under the same Message-ID; gives the address."""
    mail = _uncertain(connection, key)
    _write(
        connection,
        mail.id,
        status="queued",
        reason=None,
        settled_at=None,
        handed_at=None,
        claimed_by=None,
        lease_until=None,
    )
    ask_again(connection)  # it fills no cap any more
    return str(mail.email)


def _uncertain(connection: Connection, key: str) -> Row[Any]:
    """The mail of that key, which has to be uncertain."""
    query = (
        select(messages.c.id, messages.c.status, messages.c.handed_at, contacts.c.email)
        .join(contacts, contacts.c.id == messages.c.contact_id)
        .where(messages.c.key == key)
    )
    mail = connection.execute(query).first()
    if mail is None:
        raise FlowscoreError(f"no mail has the key {key!r}; `flowscore outbox` shows the keys")
    if mail.status != "uncertain":
        raise FlowscoreError(
            f"{key} is {mail.status}, not uncertain: there is nothing to decide; "
            "`flowscore outbox --status uncertain` shows those that wait for you"
        )
    return mail


def _write(connection: Connection, number: int, **values: Any) -> None:
    """A second person deciding at the same moment changes nothing any more."""
    one = (messages.c.id == number) & (messages.c.status == "uncertain")
    connection.execute(update(messages).where(one).values(**values))
