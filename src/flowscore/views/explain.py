"""One contact, explained: every point, cell, stage, list, step and mail, its cause, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select

from flowscore.store.companies import companies_of
from flowscore.store.consents import EVERYTHING
from flowscore.store.tables import attributes, consents, identities, inbox, taken
from flowscore.views.columns import in_order, shown_at
from flowscore.views.explain_case import open_case
from flowscore.views.explain_cells import grades_of
from flowscore.views.explain_points import scores_of
from flowscore.views.explain_stages import journey_of
from flowscore.views.explain_walks import lists_of, mails_of, refusals_of, scenarios_of
from flowscore.views.explain_why import why_list, why_scenario

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.views.explain_case import Case

Row = dict[str, Any]
MANY = 1000
"""Inbox lines are counted so far; `waiting` says no more than that there are as many."""


def explain(connection: Connection, project: Project, email: str) -> Row:
    """Everything the store can say of the contact, as one JSON document."""
    case = open_case(connection, project, email)
    scores = scores_of(case)
    return {
        **_head(case),
        "created_at": shown_at(case.contact.created_at),
        "names": _names(case),
        "suppressed": case.contact.suppressed,
        "attributes": _attributes(case),
        "company": _company(case),
        "consent": _consents(case),
        "grades": grades_of(case, scores),
        "journey": journey_of(case),
        "scores": scores,
        "lists": lists_of(case),
        "scenarios": scenarios_of(case),
        "mails": mails_of(case),
        "refused": refusals_of(case),
    }


def explain_scenario(connection: Connection, project: Project, email: str, name: str) -> Row:
    """Why the contact is, or is not, in this scenario."""
    case = open_case(connection, project, email)
    return {**_head(case), **why_scenario(case, name)}


def explain_list(connection: Connection, project: Project, email: str, name: str) -> Row:
    """Why the contact is, or is not, in this list."""
    case = open_case(connection, project, email)
    return {**_head(case), **why_list(case, name)}


def _head(case: Case) -> Row:
    return {
        "contact": case.contact.email,
        "as_of": shown_at(case.mark),
        "waiting": _waiting(case),
    }


def _waiting(case: Case) -> int:
    """How many lines have come in that no tick has taken, of anybody."""
    some = select(literal(1)).select_from(inbox)
    known = select(literal(1)).where(taken.c.seq == inbox.c.seq).exists()
    lines = some.where(~known).limit(MANY).subquery()
    return case.connection.scalar(select(func.count()).select_from(lines)) or 0


def _names(case: Case) -> list[Row]:
    """What else the contact is called, and was before a merge: userIds and addresses."""
    return [
        {"kind": row.kind, "value": row.value}
        for row in case.rows(identities, "kind", "value")
        if row.kind != "anonymous" and row.value != case.contact.email_folded
    ]


def _attributes(case: Case) -> Row:
    """Raw values by name."""
    rows = case.rows(attributes, "name", "element")
    return {row.name: in_order(row.value) for row in rows if row.element >= 0}


def _company(case: Case) -> Row | None:
    if case.contact.company_id is None:
        return None
    return companies_of(case.connection, [case.contact.id]).get(case.contact.id)


def _consents(case: Case) -> list[Row]:
    """What was granted or refused, since when, and where that was said."""
    return [
        {
            "topic": row.topic,
            "granted": row.granted,
            "at": shown_at(row.at),
            "source": row.source,
        }
        for row in case.rows(consents, "topic")
        if row.topic != EVERYTHING
    ]
