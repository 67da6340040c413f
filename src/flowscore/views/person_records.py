"""What is kept of a person beside the log: words of consent, visitors, returned mails, tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from flowscore.mail.tracking import ATTRIBUTE, how_tracked
from flowscore.store.naming import find_person
from flowscore.store.tables import attributes, claims, consent_records, messages, rejects, words
from flowscore.views.columns import in_order, shown_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowscore.store.naming import Person
    from flowscore.views.explain_case import Case

Row = dict[str, Any]
CAME_BACK = ("email_bounced", "email_complained")


def records_of(case: Case, happened: Iterable[Row]) -> Row:
    """By name; `happened` are the person's events as they are told."""
    person = find_person(case.connection, ("email", case.contact.email_folded))
    return {
        "consent_records": _consent_records(case),
        "said_under_names": _said(case, person),
        "visitors": _visitors(case),
        "tracking": _tracking(case),
        "came_back": [event for event in happened if event["name"] in CAME_BACK],
        "sign_ups": _sign_ups(case, person),
        "rejected": _rejected(case, person),
    }


def _consent_records(case: Case) -> list[Row]:
    """Each word as it was given, with the text that was agreed to, and the proof."""
    return [
        {
            "topic": row.topic,
            "granted": row.granted,
            "at": shown_at(row.at),
            "source": row.source,
            "text": row.text,
            "proof": row.proof,
        }
        for row in case.rows(consent_records, "at", "id")
    ]


def _said(case: Case, person: Person) -> list[Row]:
    """What was said of consent, by the name under which it was said."""
    of = words.c
    query = select(words).where(of.value.in_([value for _, value in person.names]))
    return [
        {
            "kind": row.kind,
            "name": row.value,
            "topic": row.topic,
            "granted": row.granted,
            "at": shown_at(row.at),
        }
        for row in case.connection.execute(query.order_by(of.kind, of.value, of.topic, of.at))
        if (row.kind, row.value) in person.names
    ]


def _visitors(case: Case) -> list[Row]:
    """The visitors of whom the person said: that is me."""
    rows = case.rows(claims, "at", "anonymous_id")
    return [{"visitor": row.anonymous_id, "since": shown_at(row.at)} for row in rows]


def _tracking(case: Case) -> Row:
    """What the policy says, what the person chose, and what holds."""
    of = attributes.c
    chosen = select(of.value).where(of.contact_id == case.contact.id, of.name == ATTRIBUTE)
    own = case.connection.execute(chosen.limit(1)).scalar()
    policy = case.project.policy.tracking
    return {"policy": policy, "chosen": own, "holds": how_tracked(policy, own)}


def _sign_ups(case: Case, person: Person) -> list[Row]:
    """Forms into which somebody typed the address, and that asked it back."""
    asked = select(messages).where(messages.c.kind == "confirm").order_by(messages.c.id)
    return [
        {"at": shown_at(row.entered_at), "status": row.status, "asked_for": in_order(row.payload)}
        for row in case.connection.execute(asked)
        if person.is_named_in(" ".join(map(str, row.recipients or ())))
    ]


def _rejected(case: Case, person: Person) -> list[Row]:
    """Calls that could not be taken and hold the address."""
    content = rejects.c.content
    about = [content.icontains(one, autoescape=True) for one in person.called("email")]
    query = select(rejects).where(or_(*about)).order_by(rejects.c.seq)
    return [
        {
            "received_at": shown_at(row.received_at),
            "source": row.source,
            "reason": row.reason,
            "content": row.content,
        }
        for row in case.connection.execute(query)
        if person.is_named_in(row.content)
    ]
