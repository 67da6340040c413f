"""Words of consent of one address, and whether each record is proven to be theirs.

A record names nobody. Those of a contact are found by the contact; those of somebody who was
erased only by trying the address on every proof, for which the secret is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from flowscore.mail.proofs import Word, proves
from flowscore.store.naming import called, find_person
from flowscore.store.tables import consent_records
from flowscore.views.columns import shown_at

if TYPE_CHECKING:
    from sqlalchemy import Connection

Row = dict[str, Any]


def consent_of(connection: Connection, email: str, secret: str) -> list[Row]:
    """The records in the order of time; `proven` is null where none was made."""
    return sorted(_records(connection, email, secret), key=lambda row: str(row["at"]))


def _records(connection: Connection, email: str, secret: str) -> Iterator[Row]:
    name = called("email", email)
    person = find_person(connection, name)
    addresses = {name[1], *person.called("email")}
    of = consent_records.c
    nobodys = of.contact_id.is_(None) & of.proof.is_not(None)
    theirs = or_(nobodys, of.contact_id == person.number) if person.number else nobodys
    for row in connection.execute(select(consent_records).where(theirs).order_by(of.at, of.id)):
        word = Word(row.topic, row.granted, row.at, row.text)
        proven = proves(secret, addresses, word, row.proof) is not None
        if proven or row.contact_id is not None:
            yield {
                "topic": row.topic,
                "granted": row.granted,
                "at": shown_at(row.at),
                "source": row.source,
                "text": row.text,
                "proven": proven if row.proof else None,
                "erased": row.contact_id is None,
            }
