"""Finding one contact by what a person types, and saying what was meant when there is none."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, or_, select

from flowscore.errors import FlowscoreError
from flowscore.store.tables import contacts, identities, inbox

if TYPE_CHECKING:
    from collections.abc import Iterable

CANDIDATES = 2000
"""Addresses that are compared with a mistyped one, at most."""


def find_contact(connection: Connection, email: str) -> Row[Any]:
    """The contact with that address, however it is written; else an error that suggests one."""
    folded = email.strip().casefold()
    found = connection.execute(select(contacts).where(contacts.c.email_folded == folded)).first()
    if found is None:
        named = _by_identity(folded)
        found = connection.execute(named).first()
    if found is None:
        raise FlowscoreError(unknown_contact(connection, email, folded))
    return found


def _by_identity(value: str) -> Select[Any]:
    """A contact may have had another address before a merge."""
    on = contacts.c.id == identities.c.contact_id
    named = (identities.c.kind == "email") & (identities.c.value == value)
    return select(contacts).join(identities, on).where(named)


def unknown_contact(connection: Connection, email: str, folded: str) -> str:
    """The sentence for an address that no contact has."""
    waits = select(inbox.c.seq).where(inbox.c.email_folded == folded).limit(1)
    if connection.execute(waits).first():
        return f"{email} came in, but no tick has taken it in yet: run `flowscore tick`"
    near = get_close_matches(folded, _alike(connection, folded), n=1, cutoff=0.75)
    hint = (
        f"did you mean {near[0]!r}?" if near else "`flowscore contacts --search PART` looks it up"
    )
    return f"no contact has the address {email!r}; {hint}"


def nobody_called(connection: Connection, kind: str, name: str) -> str:
    """The same for an address or a userId, as somebody typed it."""
    if kind == "email":
        return unknown_contact(connection, name, name.strip().casefold())
    return f"no contact has the userId {name!r}; `flowscore export DIR` writes down who has which"


def _alike(connection: Connection, folded: str) -> Iterable[str]:
    """Addresses that begin alike, or share the part before or after the @."""
    name, _, domain = folded.partition("@")
    address = contacts.c.email_folded
    alike = [address.startswith(folded[:3], autoescape=True)]
    alike += [address.startswith(f"{name}@", autoescape=True)] if name else []
    alike += [address.endswith(f"@{domain}", autoescape=True)] if domain else []
    query = select(address).where(address.is_not(None), or_(*alike)).limit(CANDIDATES)
    return [str(value) for value in connection.execute(query).scalars()]


def name_known(name: str, known: Iterable[str], what: str) -> str:
    """The name itself when it is known, else an error that lists what there is.

    What has an order of its own, such as stages, comes as a tuple and keeps it.
    """
    names = list(known) if isinstance(known, tuple) else sorted(known)
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"
    raise FlowscoreError(f"no {what} is called {name!r}; {hint}")
