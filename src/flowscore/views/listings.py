"""The listings: contacts, lists and who is in them, scenarios, the outbox; each row a mapping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from flowscore.store.tables import (
    SHOWN,
    contacts,
    decisions,
    definitions,
    enrollments,
    members,
    messages,
)
from flowscore.store.whereabouts import Holding, balances_of, cells_of, holding, stages_of
from flowscore.views.columns import Page, pages, people, shown_at, shown_balance, watermark

if TYPE_CHECKING:
    from flowscore.language.project import Project

Row = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which contacts: of a list, with words in the address, by a score (hottest first)."""

    in_list: str | None = None
    search: str | None = None
    score: str | None = None
    at_least: float | None = None
    limit: int | None = None


# --- contacts ---------------------------------------------------------------------------------


def list_contacts(connection: Connection, project: Project, wanted: Wanted) -> Iterator[Row]:
    """Contacts with their balances, cells, stage and lists; those who exist at the watermark."""
    at = watermark(connection)
    if at is None:
        return
    for page in pages(connection, _chosen(wanted, at, project.company_scores)):
        scores, lists = _balances(connection, page, project), _lists(connection, page)
        graded, staged = cells_of(connection, page.ids), stages_of(connection, page.ids)
        for contact, created_at in _created(connection, page).items():
            yield {
                "contact": page.emails[contact],
                "created_at": shown_at(created_at),
                "scores": {name: scores[contact].get(name, 0) for name in project.scores},
                "grades": graded[contact],
                "stage": staged.get(contact, project.first_stage) or None,
                "lists": lists[contact],
            }


def _chosen(wanted: Wanted, at: int, of_company: frozenset[str]) -> Select[Any]:
    query = people(at)
    if wanted.in_list is not None:
        stays = select(members.c.contact_id).where(*_now_in(wanted.in_list))
        query = query.where(contacts.c.id.in_(stays))
    if wanted.search:
        part = wanted.search.casefold()
        query = query.where(contacts.c.email_folded.contains(part, autoescape=True))
    if wanted.score is not None:
        kept = holding(of_company=wanted.score in of_company)
        query = _hottest(query, wanted.score, wanted.at_least, kept)
    return query.limit(wanted.limit)


def _hottest(query: Select[Any], score: str, at_least: float | None, kept: Holding) -> Select[Any]:
    """By the balance they read, highest first; nobody without a balance row is left out."""
    balance = func.coalesce(kept.table.c.balance, 0)
    on = kept.mine & (kept.table.c.score == score)
    query = query.outerjoin_from(contacts, kept.table, on)
    if at_least is not None:
        query = query.where(balance >= round(at_least * SHOWN))
    return query.order_by(None).order_by(balance.desc(), contacts.c.email_folded)


def _now_in(name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return members.c.list == name, members.c.left_at.is_(None)


def _created(connection: Connection, page: Page) -> dict[int, int]:
    """When each contact of the page was created, in the page's order."""
    query = select(contacts.c.id, contacts.c.created_at).where(contacts.c.id.in_(page.ids))
    found = {row.id: row.created_at for row in connection.execute(query)}
    return {contact: found[contact] for contact in page.ids}


def _balances(
    connection: Connection, page: Page, project: Project
) -> dict[int, dict[str, int | float]]:
    found: dict[int, dict[str, int | float]] = defaultdict(dict)
    for contact, read in balances_of(connection, page.ids, project.company_scores).items():
        found[contact] = {score: shown_balance(balance) for score, balance in read.items()}
    return found


def _lists(connection: Connection, page: Page) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = (
        select(members.c.contact_id, members.c.list)
        .where(members.c.contact_id.in_(page.ids), members.c.left_at.is_(None))
        .order_by(members.c.list)
    )
    for contact, name in connection.execute(query):
        found[contact].append(name)
    return found


# --- lists ------------------------------------------------------------------------------------


def list_lists(connection: Connection, project: Project) -> Iterator[Row]:
    """Every live list, and every list that somebody is still in."""
    counts = dict(_counts(connection, members, members.c.list, members.c.left_at.is_(None)))
    for name in sorted({*project.lists, *counts}):
        live = project.lists.get(name)
        yield {
            "list": name,
            "kind": "gone" if live is None else "static" if live.members is None else "dynamic",
            "members": counts.get(name, 0),
            "description": live.description if live else "",
            "where": str(live.mark) if live else "",
        }


def _counts(
    connection: Connection, table: Table, group: ColumnElement[Any], *where: ColumnElement[bool]
) -> Iterator[tuple[Any, int]]:
    """Rows of contacts with an address, counted by a column."""
    query = (
        select(group, func.count())
        .join(contacts, contacts.c.id == table.c.contact_id)
        .where(contacts.c.email.is_not(None), *where)
        .group_by(group)
    )
    for row in connection.execute(query):
        yield row[0], row[1]


def list_members(connection: Connection, name: str, limit: int | None) -> Iterator[Row]:
    """Who is in the list now, since when, and why."""
    query = (
        select(contacts.c.email, members.c.joined_at, members.c.cause)
        .join(contacts, contacts.c.id == members.c.contact_id)
        .where(contacts.c.email.is_not(None), *_now_in(name))
        .order_by(contacts.c.email_folded)
        .limit(limit)
    )
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        yield {"contact": row.email, "joined_at": shown_at(row.joined_at), "cause": row.cause}


# --- scenarios --------------------------------------------------------------------------------


def list_scenarios(connection: Connection, project: Project) -> Iterator[Row]:
    """Every scenario that is live or has ever enrolled anybody, and how its people fared.

    `held` of those who entered are the holdout: nothing is done to them, and `held_converted` of
    them reached the goal all the same.
    """
    walks = _fates(connection)
    refused = dict(_counts(connection, decisions, decisions.c.scenario))
    versions = _versions(connection)
    for name in sorted({*project.scenarios, *walks}):
        live = project.scenarios.get(name)
        yield {
            "scenario": name,
            "state": "gone" if live is None else "enabled" if live.enabled else "disabled",
            "version": versions.get(name),
            **walks.get(name, NOBODY),
            "refused": refused.get(name, 0),
            "description": live.description if live else "",
            "where": str(live.mark) if live else "",
        }


NOBODY = dict.fromkeys(
    ("entered", "inside", "finished", "exited", "converted", "held", "held_converted"), 0
)


def _fates(connection: Connection) -> dict[str, dict[str, int]]:
    of = enrollments.c
    found: dict[str, dict[str, int]] = {}
    query = (
        select(of.scenario, of.outcome, of.held, func.count())
        .join(contacts, contacts.c.id == of.contact_id)
        .where(contacts.c.email.is_not(None))
        .group_by(of.scenario, of.outcome, of.held)
    )
    for scenario, outcome, held, count in connection.execute(query):
        fates = found.setdefault(scenario, dict(NOBODY))
        fates["entered"] += count
        fates[outcome or "inside"] += count
        fates["held"] += count * held
        fates["held_converted"] += count * (held and outcome == "converted")
    return found


def _versions(connection: Connection) -> dict[str, int]:
    query = select(definitions.c.name, func.max(definitions.c.version)).where(
        definitions.c.kind == "scenario"
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by("name"))}


def list_inside(connection: Connection, scenario: str, limit: int | None) -> Iterator[Row]:
    """Who is inside a scenario, oldest first (ruling 130), on which version, and what is due."""
    query = (
        select(
            contacts.c.email,
            enrollments.c.entered_at,
            definitions.c.version,
            enrollments.c.held,
            enrollments.c.due_at,
        )
        .join(contacts, contacts.c.id == enrollments.c.contact_id)
        .outerjoin(definitions, definitions.c.id == enrollments.c.definition_id)
        .where(enrollments.c.scenario == scenario, enrollments.c.ended_at.is_(None))
        .order_by(enrollments.c.entered_at, contacts.c.email_folded, enrollments.c.key)
        .limit(limit)
    )
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        yield {
            "contact": row.email,
            "entered_at": shown_at(row.entered_at),
            "on_version": row.version,
            "held": row.held,
            "due_at": shown_at(row.due_at),
        }


# --- outbox -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mails:
    """Which mails: by state, template, scenario, address."""

    status: str | None = None
    template: str | None = None
    scenario: str | None = None
    contact: str | None = None
    limit: int | None = None


def list_mails(connection: Connection, wanted: Mails) -> Iterator[Row]:
    """The newest first."""
    for row in connection.execute(_mails(wanted), execution_options={"yield_per": 1000}):
        yield {
            "key": row.key,
            "kind": row.kind,
            "contact": row.email,
            "to": row.recipients[0] if row.recipients else row.email,
            "template": row.template,
            "url": row.payload["url"] if row.kind == "webhook" else None,
            "topic": row.topic,
            "scenario": row.scenario,
            "step": row.step,
            "status": row.status,
            "reason": row.reason,
            "waits": row.waits,
            "queued_at": shown_at(row.queued_at),
            "sent_at": shown_at(row.sent_at),
            "next_at": shown_at(row.next_at) if row.status in ("queued", "sending") else None,
            "attempts": row.attempts,
            "response": row.response,
        }


def _mails(wanted: Mails) -> Select[Any]:
    query = (
        select(messages, contacts.c.email)
        .outerjoin(contacts, contacts.c.id == messages.c.contact_id)  # a sign-up has none yet
        .order_by(messages.c.queued_at.desc(), messages.c.id.desc())
        .limit(wanted.limit)
    )
    for name in ("status", "template", "scenario"):
        value = getattr(wanted, name)
        query = query.where(messages.c[name] == value) if value else query
    if wanted.contact:
        query = query.where(contacts.c.email_folded == wanted.contact.casefold())
    return query
