"""A contact's lists, walks, mails and refusals: since when, why, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from flowscore.rules.explain import sentence
from flowscore.store.tables import decisions, enrollments, events, members, messages, steps
from flowscore.views.columns import shown_at
from flowscore.views.walks import fate

if TYPE_CHECKING:
    from flowscore.views.explain_case import Case

Row = dict[str, Any]


# ---------------------------------------------------------------- lists


def lists_of(case: Case, name: str | None = None) -> list[Row]:
    """Every stay in a list (or in this one), the present ones first."""
    rows = case.rows(members, "joined_at", "list", "id")
    stays = [_stay(case, row) for row in rows if name in (None, row.list)]
    return sorted(stays, key=lambda stay: stay["left_at"] is not None)


def _stay(case: Case, row: Any) -> Row:
    live = case.project.lists.get(row.list)
    return {
        "list": row.list,
        "joined_at": shown_at(row.joined_at),
        "left_at": shown_at(row.left_at),
        "cause": row.cause,
        "why": sentence(live.members) if live and live.members else "",
        "where": str(live.mark) if live else None,
    }


# ---------------------------------------------------------------- scenarios


def scenarios_of(case: Case, name: str | None = None) -> list[Row]:
    """Every walk (or those through this one): where it stands, what it has done, how it ended."""
    found = [row for row in case.walks if name in (None, row.scenario)]
    case.learn_events(row.event_id for row in found)
    done = _done(case, [row.id for row in found])
    return [_walk(case, row, done.get(row.id, [])) for row in found]


def _walk(case: Case, row: Any, done: list[Row]) -> Row:
    place = case.places.of_definition(row.definition_id)
    inside = row.ended_at is None
    return {
        "scenario": row.scenario,
        "state": "inside" if inside else row.outcome,
        "entered_at": shown_at(row.entered_at),
        "ended_at": shown_at(row.ended_at),
        "reason": row.reason,
        "next_step": case.places.next_step(row) if inside else None,
        "due_at": shown_at(row.due_at) if inside else None,
        **fate(row, case.places.scenario(row.definition_id), max(case.at, 0)),
        "done": done,
        "where": place.where,
        "version": place.version,
        "event": case.event(row.event_id),
    }


def _done(case: Case, walks: list[int]) -> dict[int, list[Row]]:
    """The steps that each of these walks has done."""
    if not walks:
        return {}
    mine = select(enrollments.c.id).where(enrollments.c.contact_id == case.contact.id)
    query = select(steps).where(steps.c.enrollment_id.in_(mine)).order_by(steps.c.at, steps.c.step)
    found: dict[int, list[Row]] = {}
    for row in case.connection.execute(query):
        step = {"step": row.step, "at": shown_at(row.at), "outcome": row.outcome}
        found.setdefault(row.enrollment_id, []).append(step)
    return found


# ---------------------------------------------------------------- mails


def mails_of(case: Case) -> list[Row]:
    """Every mail and webhook, sent or withheld with its reason, and what came of it."""
    returned, answered = _returned(case), _answered(case)
    return [
        {
            "kind": row.kind,
            "template": row.template,
            "url": row.payload["url"] if row.kind == "webhook" else None,
            "to": row.recipients[0] if row.recipients else None,
            "topic": row.topic,
            "status": row.status,
            "reason": row.reason,
            "waits": row.waits,
            "next_at": shown_at(row.next_at) if row.status == "queued" else None,
            "queued_at": shown_at(row.queued_at),
            "sent_at": shown_at(row.sent_at),
            "answered": answered.get(row.key, {}),
            "returned": returned.get(row.key, []),
            "scenario": row.scenario,
            "step": row.step,
            "key": row.key,
        }
        for row in case.rows(messages, "queued_at", "id")
    ]


RETURNED = ("email_bounced", "email_complained", "email_delayed")
SAID = ("type", "kind", "code", "text")


def _returned(case: Case) -> dict[str, list[Row]]:
    """By the mail's key: bounces, complaints and delays, with the server's words."""
    mine = (events.c.contact_id == case.contact.id, events.c.name.in_(RETURNED))
    query = select(events).where(*mine).order_by(events.c.own_at, events.c.id)
    found: dict[str, list[Row]] = {}
    for row in case.connection.execute(query):
        said = {name: (row.properties or {}).get(name) for name in SAID}
        told = {"what": row.name.removeprefix("email_"), "at": shown_at(row.own_at), **said}
        found.setdefault(row.mail_key, []).append(told)
    return found


ANSWERS = {"email_opened": "opened", "email_clicked": "clicked"}


def _answered(case: Case) -> dict[str, Row]:
    """By the mail's key: how often it was opened and clicked, machines apart."""
    mine = (events.c.contact_id == case.contact.id, events.c.name.in_(ANSWERS))
    which = (events.c.mail_key, events.c.name, events.c.machine)
    query = select(*which, func.count().label("times")).where(*mine).group_by(*which)
    found: dict[str, Row] = {}
    for row in case.connection.execute(query):
        what = ("by_machine_" if row.machine else "") + ANSWERS[row.name]
        found.setdefault(row.mail_key, {})[what] = row.times
    return found


# ---------------------------------------------------------------- refusals


def refusals_of(case: Case, name: str | None = None) -> list[Row]:
    """Every occurrence that did not enroll: the gate, the condition, the value it saw."""
    rows = case.rows(decisions, "at", "scenario", "key")
    found = [row for row in rows if name in (None, row.scenario)]
    case.learn_events(row.event_id for row in found)
    return [_refusal(case, row) for row in found]


def _refusal(case: Case, row: Any) -> Row:
    detail = row.detail if isinstance(row.detail, dict) else {}
    place = case.places.of_definition(row.definition_id)
    return {
        "scenario": row.scenario,
        "at": shown_at(row.at),
        "reason": row.reason,
        "condition": detail.get("sentence"),
        "seen": detail.get("seen"),
        "wanted": detail.get("wanted"),
        "path": detail.get("path"),
        "where": detail.get("mark") or place.where,
        "version": place.version,
        "event": case.event(row.event_id),
    }
