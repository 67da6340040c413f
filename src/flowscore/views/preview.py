"""A mail as one contact would get it now, without queueing or sending it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from flowscore.errors import FlowscoreError
from flowscore.language.actions import Action, Notify, SendEmail
from flowscore.language.triggers import NoEvent, OnEvent, Trigger
from flowscore.language.words import walk
from flowscore.mail.contexts import (
    CONFIRMING,
    NO_COMPANY,
    Person,
    Surroundings,
    asking,
    load_companies,
    load_people,
    make_context,
)
from flowscore.mail.links import make_links
from flowscore.mail.scope import Record
from flowscore.mail.templates import Rendered, RenderError, Templates
from flowscore.store.tables import events, messages
from flowscore.views.people import find_contact, name_known

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.language.scenario import Scenario
    from flowscore.mail.settings import MailSettings

AGREED = "(the words of the form)"


def preview(
    connection: Connection,
    project: Project,
    templates: Templates,
    settings: MailSettings,
    asked: tuple[str, str, int],
) -> Rendered:
    """`asked` is (template, address, now); the event is the one that would have caused it."""
    name, email, now = asked
    name_known(name, templates.names, "template")
    number = find_contact(connection, email).id
    sender = project.policy.sender.address if project.policy.sender else ""
    around = Surroundings(project, settings, sender, now)
    contact = load_people(connection, {number}, around, True)[number]
    company = load_companies(connection, {number}).get(number, NO_COMPANY)
    scenario = _sending(project, name)
    event = Record(_event(connection, number, name, scenario), "event")
    context = make_context(
        Person(contact, company),
        event,
        {"name": scenario.name if scenario else "preview", "entered_at": now},
        make_links(settings, sender, 0, f"preview.{name}"),
        around,
    )
    if name == CONFIRMING:
        said = {"topics": list(project.policy.topics), "text": AGREED, "source": "preview"}
        context = asking(context, said, "#")
    try:
        return templates.render(name, context.locale, context)
    except RenderError as error:
        raise FlowscoreError(f"{name} cannot be written for {email}: {error}") from error


def _sending(project: Project, template: str) -> Scenario | None:
    """The first scenario that sends the template."""
    for scenario in project.scenarios.values():
        if template in set(_templates(scenario.actions)):
            return scenario
    return None


def _templates(actions: tuple[Action, ...]) -> Iterator[str]:
    """Of every step, also of those inside others."""
    for word in walk(actions):
        if isinstance(word, SendEmail | Notify):
            yield from word.templates


def _event(
    connection: Connection, contact: int, template: str, scenario: Scenario | None
) -> dict[str, Any]:
    """Of the newest such mail, else the contact's newest event that enters the scenario."""
    for query in (_of_mail(contact, template), _of_trigger(contact, scenario)):
        row = connection.execute(query).first() if query is not None else None
        if row is not None:
            return dict(row.properties or {})
    return {}


def _of_mail(contact: int, template: str) -> Select[Any]:
    return (
        select(events.c.properties)
        .join(messages, messages.c.event_id == events.c.id)
        .where(messages.c.contact_id == contact, messages.c.template == template)
        .order_by(messages.c.id.desc())
        .limit(1)
    )


def _of_trigger(contact: int, scenario: Scenario | None) -> Select[Any] | None:
    names = [name for one in (scenario.trigger if scenario else ()) for name in _enrolling(one)]
    if not names:
        return None
    return (
        select(events.c.properties)
        .where(events.c.contact_id == contact, events.c.name.in_(names))
        .order_by(events.c.own_at.desc(), events.c.id.desc())
        .limit(1)
    )


def _enrolling(trigger: Trigger) -> tuple[str, ...]:
    """The events whose occurrence, or whose deadline, enrolls (ruling 86)."""
    match trigger:
        case OnEvent():
            return trigger.query.names
        case NoEvent():
            return trigger.after.names
    return ()
