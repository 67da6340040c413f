"""What mails are rendered from, loaded for a whole batch in a handful of queries."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from flowscore.clock import datetime_of
from flowscore.language.project import Project
from flowscore.mail.links import NO_LINKS, Links, confirm_link, make_links
from flowscore.mail.scope import TRANSACTIONAL, MailContext, Record, reader_zone
from flowscore.mail.settings import MailSettings
from flowscore.mail.tracking import ATTRIBUTE, Tracking, how_tracked
from flowscore.store.companies import companies_of
from flowscore.store.tables import (
    POINT,
    SHOWN,
    attributes,
    contacts,
    events,
    ledger,
    members,
    messages,
)
from flowscore.store.whereabouts import balances_of, cells_of, stages_of

if TYPE_CHECKING:
    from flowscore.mail.templates import Templates

LEDGER_LINES = 20


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed mail with everything it is made of; `address` is whom it goes to."""

    message_id: int
    key: str
    template: str
    topic: str
    address: str
    attempts: int
    queued_at: int
    context: MailContext
    tracking: Tracking = "off"


NO_COMPANY = Record({}, "company")


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a mail is for, and whose company they are with."""

    contact: Record
    company: Record


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all mails of a delivery share."""

    project: Project
    settings: MailSettings
    sender: str
    now: int


def load_jobs(
    connection: Connection, numbers: Sequence[int], around: Surroundings, templates: Templates
) -> list[Job]:
    """The mails with these numbers, in this order; one query for each kind of fact."""
    rows = connection.execute(select(messages).where(messages.c.id.in_(numbers))).mappings()
    by_number = {row["id"]: row for row in rows}
    known = [row for row in by_number.values() if row["kind"] != CONFIRMING]
    persons = _load_persons(connection, known, around, templates)
    happened = _load_events(connection, {row["event_id"] for row in by_number.values()})
    ordered = (by_number[number] for number in numbers if number in by_number)
    return [
        _asking(row, around)
        if row["kind"] == CONFIRMING
        else _job(row, persons[row["contact_id"]], happened, around)
        for row in ordered
    ]


def _load_persons(
    connection: Connection, rows: Collection[Any], around: Surroundings, templates: Templates
) -> dict[int, Person]:
    """Whom these mails are for, with what their templates may read."""
    used, them = {row["template"] for row in rows}, {row["contact_id"] for row in rows}
    with_ledger = any(templates.mentions(name, "ledger") for name in used)
    with_company = any(templates.mentions(name, "company") for name in used)
    people = load_people(connection, them, around, with_ledger)
    companies = load_companies(connection, them) if with_company else {}
    return {who: Person(people[who], companies.get(who, NO_COMPANY)) for who in people}


def _job(
    row: Any, person: Person, happened: dict[int, dict[str, Any]], around: Surroundings
) -> Job:
    event = Record(happened.get(row["event_id"], {}), "event")
    internal = row["kind"] == "notify"
    links = (
        NO_LINKS if internal else make_links(around.settings, around.sender, row["id"], row["key"])
    )
    scenario = {"name": row["scenario"], "entered_at": row["entered_at"]}
    own = person.contact.get(ATTRIBUTE)
    return Job(
        row["id"],
        row["key"],
        row["template"],
        TRANSACTIONAL if internal else row["topic"],
        str((row["recipients"] or [""])[0]) if internal else person.contact.get("email", ""),
        row["attempts"],
        row["queued_at"],
        make_context(person, event, scenario, links, around),
        how_tracked(around.project.policy.tracking, own) if row["kind"] == "email" else "off",
    )


CONFIRMING = "confirm"


def _asking(row: Any, around: Surroundings) -> Job:
    """The mail that asks whether a sign-up was meant: to an address, of which nothing is known.

    What was typed into the form stands in `contact`, what it is about in `event`.
    """
    said, address = without_links(row["payload"]), str(row["recipients"][0])
    typed = {**(said.get("traits") or {}), "email": address, "locale": said.get("locale")}
    context = make_context(
        Person(Record(typed, "contact"), NO_COMPANY),
        Record({}, "event"),
        {"name": "sign-up", "entered_at": row["entered_at"]},
        NO_LINKS,
        around,
    )
    context = asking(context, said, confirm_link(around.settings, row["id"], row["key"]))
    return Job(
        row["id"], row["key"], row["template"], row["topic"], address, row["attempts"],
        row["queued_at"], context,
    )  # fmt: skip


LONGEST_TYPED = 300  # letters
LIKE_A_LINK = re.compile(r"://|www\.|@|[^\W_]\.[^\W\d_]{2}", re.IGNORECASE)


def without_links(said: dict[str, Any]) -> dict[str, Any]:
    """A sign-up without texts that are long or that mail programs would make a link of.

    Anybody can type anything for anybody's address: else we would carry their advertising.
    """

    def may_go(text: Any) -> bool:
        return len(str(text)) <= LONGEST_TYPED and not LIKE_A_LINK.search(str(text))

    traits = {name: text for name, text in (said.get("traits") or {}).items() if may_go(text)}
    text = said.get("text")
    return {**said, "text": text if may_go(text) else None, "traits": traits}


def asking(context: MailContext, said: dict[str, Any], link: str) -> MailContext:
    """The same with what a sign-up is about, and the only link such a mail has."""
    event = {name: said.get(name) for name in ("topics", "text", "source")}
    links = {**NO_LINKS.record(), "confirm": link}
    return replace(context, event=Record(event, "event"), links=Record(links, "links"))


def make_context(
    person: Person, event: Record, scenario: dict[str, Any], links: Links, around: Surroundings
) -> MailContext:
    """Times stand in the contact's zone, else the policy's (ruling 101)."""
    zone = reader_zone(_text(person.contact.get("timezone")), around.project.policy.timezone)
    if "entered_at" in scenario:
        scenario["entered_at"] = datetime_of(scenario["entered_at"]).astimezone(zone)
    return MailContext(
        person.contact,
        event,
        Record(scenario, "scenario"),
        datetime_of(around.now).astimezone(zone),
        links.record(),
        zone,
        company=person.company,
        list_unsubscribe=links.header,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def load_people(
    connection: Connection, numbers: Collection[int], around: Surroundings, with_ledger: bool
) -> dict[int, Record]:
    """Each contact as templates see it: attributes first, what flowscore knows above them."""
    given = _load_attributes(connection, numbers)
    scores = _load_scores(connection, numbers, around.project)
    lists = _load_lists(connection, numbers)
    standing = _load_standing(connection, numbers, around.project)
    lines = _load_ledger(connection, numbers) if with_ledger else {}
    rows = connection.execute(
        select(contacts.c.id, contacts.c.email, contacts.c.created_at).where(
            contacts.c.id.in_(numbers)
        )
    )
    return {
        number: Record(
            given[number]
            | _own(email, created_at, given[number], around)
            | _known(scores[number], lists[number], lines.get(number, []))
            | standing[number],
            "contact",
        )
        for number, email, created_at in rows
    }


def _own(
    email: str | None, created_at: int, given: dict[str, Any], around: Surroundings
) -> dict[str, Any]:
    zone = reader_zone(_text(given.get("timezone")), around.project.policy.timezone)
    return {"email": email, "created_at": datetime_of(created_at).astimezone(zone)}


def _known(
    scores: dict[str, int | float], lists: list[str], lines: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "score": Record(scores, "contact.score"),
        "lists": lists,
        "ledger": [Record(line, "contact.ledger[]") for line in lines],
    }


def _load_attributes(
    connection: Connection, numbers: Collection[int]
) -> defaultdict[int, dict[str, Any]]:
    columns = (attributes.c.contact_id, attributes.c.name, attributes.c.value)
    chosen = select(*columns).where(attributes.c.contact_id.in_(numbers), attributes.c.element == 0)
    found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for contact, name, value in connection.execute(chosen):
        found[contact][name] = value
    return found


def _load_scores(
    connection: Connection, numbers: Collection[int], project: Project
) -> defaultdict[int, dict[str, int | float]]:
    """Every score of the project; without a line the balance is 0 (ruling 67)."""
    found: defaultdict[int, dict[str, int | float]] = defaultdict(
        lambda: dict.fromkeys(project.scores, 0)
    )
    read = balances_of(connection, numbers, project.company_scores)
    for contact, of in read.items():
        found[contact] |= {score: as_number(balance, SHOWN) for score, balance in of.items()}
    return found


def _load_standing(
    connection: Connection, numbers: Collection[int], project: Project
) -> dict[int, dict[str, Any]]:
    """`contact.grade` by the grade's name; `contact.stage` where there is a lifecycle."""
    graded = cells_of(connection, numbers) if project.grades else {}
    staged = stages_of(connection, numbers) if project.lifecycle is not None else {}
    found: dict[int, dict[str, Any]] = {}
    for number in numbers:
        found[number] = {"grade": Record(graded.get(number, {}), "contact.grade")}
        if project.lifecycle is not None:
            found[number]["stage"] = staged.get(number, project.first_stage)
    return found


def as_number(amount: int, unit: int) -> int | float:
    """Stored units as a person writes the number: 12, 8.7."""
    return amount // unit if amount % unit == 0 else amount / unit


def _load_lists(connection: Connection, numbers: Collection[int]) -> defaultdict[int, list[str]]:
    chosen = (
        select(members.c.contact_id, members.c.list)
        .where(members.c.contact_id.in_(numbers), members.c.left_at.is_(None))
        .order_by(members.c.list)
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for contact, name in connection.execute(chosen):
        found[contact].append(name)
    return found


def _load_ledger(
    connection: Connection, numbers: Collection[int]
) -> defaultdict[int, list[dict[str, Any]]]:
    """The latest 20 lines of each, newest first."""
    newest = (ledger.c.own_at.desc(), ledger.c.id.desc())
    place = func.row_number().over(partition_by=ledger.c.contact_id, order_by=newest)
    ranked = select(ledger, place.label("place")).where(ledger.c.contact_id.in_(numbers)).subquery()
    chosen = (
        select(ranked)
        .where(ranked.c.place <= LEDGER_LINES)
        .order_by(ranked.c.contact_id, ranked.c.place)
    )
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(chosen).mappings():
        found[row["contact_id"]].append(_line(row))
    return found


def _line(row: Any) -> dict[str, Any]:
    return {
        "at": datetime_of(row["own_at"]),
        "score": row["score"],
        "rule": row["rule"],
        "points": as_number(row["points"], POINT),
        "reason": row["reason"],
    }


def load_companies(connection: Connection, numbers: Collection[int]) -> dict[int, Record]:
    """The company of each contact that has one: `company.id` and its attributes."""
    found = companies_of(connection, numbers)
    return {contact: Record(company, "company") for contact, company in found.items()}


def _load_events(connection: Connection, numbers: set[int | None]) -> dict[int, dict[str, Any]]:
    wanted = [number for number in numbers if number is not None]
    if not wanted:
        return {}
    chosen = select(events.c.id, events.c.properties).where(events.c.id.in_(wanted))
    return {number: properties or {} for number, properties in connection.execute(chosen)}
