"""Everything that is held of one person, and what it is used for (ACCEPTANCE F02).

Nothing of anybody else: of a score that is a company's only the person's own lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from flowscore.rules.explain import sentence
from flowscore.rules.scoring_words import rule_text
from flowscore.store.feedback import FEEDBACK
from flowscore.store.tables import attributes, events, identities, inbox, taken
from flowscore.views.columns import in_order, shown_at
from flowscore.views.explain import explain
from flowscore.views.explain_case import Case, open_case
from flowscore.views.person_records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.language.scoring import Score

Row = dict[str, Any]
CONSENT = ("subscribed", "unsubscribed")
FROM_EXPLAIN = ("contact", "as_of", "created_at", "suppressed", "company", "consent")


def person(connection: Connection, project: Project, email: str) -> Row:
    """One document; instants in UTC."""
    case = open_case(connection, project, email)
    told = explain(connection, project, case.contact.email)
    happened = _events(case)
    return {
        **{name: told[name] for name in FROM_EXPLAIN},
        "identities": _identities(case),
        "attributes": _attributes(case),
        "consent_history": [one for one in happened if one["name"] in CONSENT],
        **records_of(case, happened),
        "events": happened,
        "scores": [_score(project, score, told["contact"]) for score in told["scores"]],
        "grades": [_grade(grade) for grade in told["grades"]],
        "journey": _journey(told["journey"]),
        "lists": told["lists"],
        "scenarios": [_walk(project, walk) for walk in told["scenarios"]],
        "mails": told["mails"],
        "refused": told["refused"],
        "feedback": [one for one in happened if one["name"] == FEEDBACK],
        "waiting": _waiting(case),
    }


# --- what came in -----------------------------------------------------------------------------


def _identities(case: Case) -> list[Row]:
    """Every name by which calls refer to the person."""
    rows = case.rows(identities, "kind", "value")
    return [{"kind": row.kind, "value": row.value} for row in rows]


def _attributes(case: Case) -> list[Row]:
    rows = {row.name: row for row in case.rows(attributes, "name", "element") if row.element >= 0}
    return [
        {"name": row.name, "value": in_order(row.value), "since": shown_at(row.set_at)}
        for row in rows.values()
    ]


def _events(case: Case) -> list[Row]:
    return [
        {
            "name": row.name,
            "at": shown_at(row.own_at),
            "received_at": shown_at(row.received_at),
            "message_id": row.message_id,
            "subject": row.subject,
            "topic": row.topic,
            "machine": row.machine,
            "source": row.source,
            "properties": in_order(row.properties or {}),
        }
        for row in case.rows(events, "own_at", "id")
    ]


def _waiting(case: Case) -> list[Row]:
    """What has come in of the person and no tick has taken yet."""
    called: dict[str, list[str]] = {"email": [], "user": [], "anonymous": []}
    for one in _identities(case):
        called[one["kind"]].append(one["value"])
    about = or_(
        inbox.c.email_folded.in_(called["email"]),
        inbox.c.user_value.in_([*called["user"], *called["email"]]),
        inbox.c.anonymous_id.in_(called["anonymous"]),
    )
    known = select(taken.c.seq).where(taken.c.seq == inbox.c.seq).exists()
    return [
        {
            "kind": row.kind,
            "name": row.name,
            "received_at": shown_at(row.received_at),
            "properties": in_order(row.properties or {}),
            "traits": {name: value for name, value, *_ in row.traits or ()},
        }
        for row in case.connection.execute(select(inbox).where(about, ~known).order_by("seq"))
    ]


# --- what is made of it -----------------------------------------------------------------------


def _score(project: Project, told: Row, email: str) -> Row:
    """Where it stands, by which rules, and what each has given this person."""
    score = project.scores.get(told["score"])
    shared = told["of"] == "company"
    lines = [line for line in told["lines"] if not shared or line.get("member") == email]
    return {
        **{name: told[name] for name in ("score", "balance", "of", "objective", "description")},
        "rules": list(_rules(score)) if score else [],
        "lines": [{key: line[key] for key in LINE} for line in lines],
    }


LINE = ("at", "points", "worth", "kind", "rule", "reason")


def _rules(score: Score) -> Iterable[Row]:
    for rule in score.rules:
        yield {"rule": rule.name, "means": rule_text(rule, score), "because": rule.because}


def _grade(told: Row) -> Row:
    return {name: told[name] for name in ("grade", "description", "cell", "legend", "since")}


def _journey(told: Row | None) -> Row | None:
    """The stages so far, without what might come."""
    return told and {name: told[name] for name in ("lifecycle", "stage", "since", "history")}


def _walk(project: Project, told: Row) -> Row:
    scenario = project.scenarios.get(told["scenario"])
    begins = " or ".join(sentence(one) for one in scenario.trigger) if scenario else ""
    description = scenario.description if scenario else "no longer in the project"
    return {**told, "description": description, "begins": begins}
