"""A mail written once more, for the page that shows it in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from flowscore.mail.contexts import Surroundings, load_jobs
from flowscore.mail.links import number_of, opens
from flowscore.mail.templates import RenderError
from flowscore.store.tables import contacts, messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.mail.settings import MailSettings
    from flowscore.mail.templates import Templates
    from flowscore.store.database import Store


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail's HTML; None when it was sent and can no longer be written."""

    html: str | None


def show_again(
    store: Store,
    project: Callable[[], Project],
    templates: Templates,
    settings: MailSettings,
    token: str,
) -> Shown | None:
    """The mail that a `view` token speaks of, as it would look with what is known today.

    Without picture and with its own links: who looks at it here is not counted. None for a token
    that opens nothing.
    """
    number = number_of(token) if settings.secret else None
    if number is None or number >= 2**63:
        return None
    with store.read() as connection:
        found = _sent(connection, number)
        if found is None or not opens(settings.secret, "view", token, found[0]):
            return None
        return Shown(_html(connection, number, found, project(), templates, settings))


Found = tuple[str, int, bool]
"""Of a mail its key, when it went (else was queued), and whether its contact is still there."""


def _sent(connection: Connection, number: int) -> Found | None:
    of = messages.c
    asked = (
        select(of.key, of.sent_at, of.queued_at, contacts.c.id)
        .outerjoin(contacts, contacts.c.id == of.contact_id)
        .where(of.id == number, of.kind == "email")
    )
    row = connection.execute(asked).first()
    return (row.key, row.sent_at or row.queued_at, row.id is not None) if row else None


def _html(
    connection: Connection,
    number: int,
    found: Found,
    project: Project,
    templates: Templates,
    settings: MailSettings,
) -> str | None:
    _, at, has_contact = found
    sender = project.policy.sender.address if project.policy.sender else ""
    if not has_contact:
        return None
    try:
        jobs = load_jobs(
            connection, [number], Surroundings(project, settings, sender, at), templates
        )
        return next(
            (
                templates.render(job.template, job.context.locale, job.context, job.topic).html
                for job in jobs
            ),
            None,
        )
    except RenderError:
        return None
