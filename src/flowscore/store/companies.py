"""The companies of contacts as plain mappings, for templates, exports and explanations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from flowscore.store.tables import companies, company_attributes, contacts


def companies_of(connection: Connection, numbers: Collection[int]) -> dict[int, dict[str, Any]]:
    """Of each of these contacts (by id) that is with a company: its attributes, and its `id`.

    `id` is the `groupId` by which calls name the company, whatever its attributes say.
    """
    of_contact = select(
        contacts.c.id, companies.c.key, company_attributes.c.name, company_attributes.c.value
    ).select_from(
        contacts.join(companies, companies.c.id == contacts.c.company_id).outerjoin(
            company_attributes,
            (company_attributes.c.company_id == companies.c.id)
            & (company_attributes.c.element == 0),
        )
    )
    ordered = of_contact.where(contacts.c.id.in_(numbers)).order_by(
        contacts.c.id, company_attributes.c.name
    )
    found: dict[int, dict[str, Any]] = {}
    for contact, key, name, value in connection.execute(ordered):
        company = found.setdefault(contact, {"id": key})
        if name is not None and name != "id":
            company[name] = value
    return found
