"""One person by all the names that calls have for them, and where a text speaks of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, select

from flowscore.store.addresses import read_address
from flowscore.store.tables import contacts, identities

Name = tuple[str, str]
"""Kind (email, user, anonymous) and value, as in `identities`."""


@dataclass(frozen=True)
class Person:
    """A contact's number (None: nobody is called so) and their names.

    `is_counted`: they have an address, so reports count them.
    """

    number: int | None
    names: tuple[Name, ...]
    is_counted: bool = False

    def called(self, kind: str) -> list[str]:
        """Their names of this kind."""
        return [value for one, value in self.names if one == kind]

    def is_named_in(self, text: str) -> bool:
        """Whether one of the names stands in it: an address anywhere, an id as a word of its own.

        `joana@example.com` is not `ana@example.com`, and 42 is not in 142.
        """
        return self._names.search(text.casefold()) is not None

    @cached_property
    def _names(self) -> re.Pattern[str]:
        found = "|".join(re.escape(value.casefold()) for _, value in self.names)
        return re.compile(rf"(?<![\w.+@-])(?:{found})(?![\w@-]|\.\w)")


def called(kind: str, typed: str) -> Name:
    """The name that a person typed, as it is known here."""
    address = read_address(typed) if kind == "email" else None
    return (kind, address.folded if address else typed.strip())


def find_person(connection: Connection, name: Name) -> Person:
    """Whoever bears this name, with every other name of theirs."""
    bearer = select(identities.c.contact_id).where(
        identities.c.kind == name[0], identities.c.value == name[1]
    )
    number = connection.execute(bearer).scalar()
    if number is None:
        return Person(None, (name,))
    rows = connection.execute(
        select(identities.c.kind, identities.c.value).where(identities.c.contact_id == number)
    )
    address = select(contacts.c.email).where(contacts.c.id == number)
    has_address = connection.execute(address).scalar() is not None
    return Person(number, tuple(tuple(row) for row in rows), has_address)
