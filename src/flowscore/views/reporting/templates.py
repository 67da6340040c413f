"""Mail templates: sent, opened and clicked by people and by machines, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from flowscore.clock import DAY
from flowscore.store.tables import contacts, events, messages, tallies
from flowscore.views.reporting.certainty import ENOUGH, Share
from flowscore.views.reporting.inquiry import COUNTED

if TYPE_CHECKING:
    from flowscore.views.reporting.inquiry import Inquiry

Row = dict[str, Any]
BLAMED = 7 * DAY
"""Who unsubscribes within this time of a mail is counted with that mail, the last one."""

MAIL_EVENTS = {
    "email_sent": "sent",
    "email_opened": "opened",
    "email_clicked": "clicked",
    "email_bounced": "bounced",
    "email_complained": "complained",
}
LEFT = "unsubscribed"
BY_MACHINES = ("opened", "clicked")
UNNAMED = "(no template named)"


def templates(inquiry: Inquiry) -> Row:
    """A row for each template that something happened to in the period."""
    counts = _counts(inquiry)
    kept = _withheld(inquiry)
    names = sorted({*counts, *kept})
    rows = [_row(name, counts.get(name, {}), kept.get(name, {})) for name in names]
    thin = [row["template"] for row in rows if 0 < row["contacts"] < ENOUGH]
    notes = [f"too few to judge (under {ENOUGH} contacts): {', '.join(thin)}"] if thin else []
    notes += _beyond(rows)
    pressure = _pressure(inquiry, sum(row["withheld"].get("capped", 0) for row in rows))
    return {
        "templates": rows,
        "anonymous": _anonymous(inquiry),
        "pressure": pressure,
        "notes": notes if rows else ["no mail in this period"],
    }


def _anonymous(inquiry: Inquiry) -> list[Row]:
    """By template: opens and clicks that are nobody's, of each UTC day that begins in the period.

    Nobody knows how many people they are of: they are times.
    """
    of = tallies.c
    within = of.day <= inquiry.period.until
    if inquiry.period.since is not None:
        within = and_(within, of.day >= inquiry.period.since)
    query = (
        select(of.template, of.name, of.machine, func.sum(of.number).label("times"))
        .where(within)
        .group_by(of.template, of.name, of.machine)
    )
    found: dict[str, Row] = {}
    for row in inquiry.rows(query):
        counted = {word: {"people": 0, "machines": 0} for word in BY_MACHINES}
        one = found.setdefault(row.template, {"template": row.template, **counted})
        one[MAIL_EVENTS[row.name]]["machines" if row.machine else "people"] = int(row.times)
    return [found[name] for name in sorted(found)]


def _pressure(inquiry: Inquiry, capped: int) -> Row:
    """How much one person is written to, and what the policy allows (F04)."""
    log = events.c
    each = (
        select(func.count().label("mails"))
        .outerjoin(contacts, contacts.c.id == log.contact_id)
        .where(COUNTED, log.name == "email_sent", inquiry.period.holds(log.own_at))
        .group_by(log.contact_id)
        .subquery()
    )
    sums = select(func.count(), func.sum(each.c.mails), func.max(each.c.mails))
    contacts_, mails, most = inquiry.rows(sums)[0]
    caps = inquiry.project.policy.frequency_caps
    return {
        "contacts": contacts_,
        "mails": int(mails or 0),
        "most_to_one": most or 0,
        "allowed": [inquiry.phrase(cap) for cap in caps],
        "withheld_by_cap": capped,
    }


def _row(name: str, counts: Row, withheld: Row) -> Row:
    contacts_ = counts.get("sent", NONE)["contacts"]
    told: Row = {"template": name, "sent": counts.get("sent", NONE)["times"], "contacts": contacts_}
    for word in BY_MACHINES:
        people, machines = counts.get(word, NONE), counts.get(f"{word} by machines", NONE)
        share = None  # of those who were sent it; none where others answered too
        if people["contacts"] <= contacts_:
            share = Share(people["contacts"], contacts_).as_row()["share"]
        told[word] = {"people": people, "machines": machines, "share": share}
    for word in ("bounced", "complained", LEFT):
        told[word] = counts.get(word, NONE)["contacts"]
    return {**told, "withheld": dict(sorted(withheld.items()))}


NONE: Row = {"contacts": 0, "times": 0}


def _beyond(rows: list[Row]) -> Iterator[str]:
    """Mails sent before the period or by another sender are answered too."""
    for row in rows:
        if max(row[word]["people"]["contacts"] for word in BY_MACHINES) > row["contacts"]:
            yield (
                f"{row['template']}: more contacts answered than were sent it in this period (it "
                "went out earlier, or from elsewhere), so no share is told"
            )


def _counts(inquiry: Inquiry) -> dict[str, Row]:
    """By template, by word: how many contacts, how many times."""
    found: dict[str, Row] = defaultdict(dict)
    for query in (_of_mails(inquiry), _leaving(inquiry)):
        for row in inquiry.rows(query):
            word = MAIL_EVENTS.get(row.name, row.name) + " by machines" * bool(row.machine)
            counted = {"contacts": row.contacts, "times": row.times}
            found[row.template or UNNAMED][word] = counted
    return found


def _of_mails(inquiry: Inquiry) -> Select[Any]:
    """What the log says of mails: those sent here, and those of another sender's import."""
    log = events.c
    by_machine = and_(log.machine, log.name.in_(("email_opened", "email_clicked")))
    template = func.coalesce(log.subject, _named_by_key())
    machine = case((by_machine, 1), else_=0).label("machine")
    return (
        select(template.label("template"), log.name, machine, *_people())
        .outerjoin(contacts, contacts.c.id == log.contact_id)
        .where(COUNTED, log.name.in_(MAIL_EVENTS), inquiry.period.holds(log.own_at))
        .group_by(template, log.name, machine)
    )


def _people() -> tuple[ColumnElement[int], ColumnElement[int]]:
    contacts_ = func.count(func.distinct(events.c.contact_id))
    return contacts_.label("contacts"), func.count().label("times")


def _named_by_key() -> Any:
    """An event that names only the mail is about that mail's template."""
    found = select(messages.c.template).where(messages.c.key == events.c.mail_key)
    return found.correlate(events).scalar_subquery()


def _leaving(inquiry: Inquiry) -> Select[Any]:
    """Unsubscriptions, with the last mail before each."""
    log, mail = events.c, events.alias()
    last = (
        select(mail.c.subject)
        .where(
            mail.c.contact_id == log.contact_id,
            mail.c.name == "email_sent",
            mail.c.own_at <= log.own_at,
            mail.c.own_at > log.own_at - BLAMED,
        )
        .order_by(mail.c.own_at.desc(), mail.c.id.desc())
        .limit(1)
        .correlate(events)
        .scalar_subquery()
    )
    left = (
        select(last.label("template"), log.contact_id)
        .outerjoin(contacts, contacts.c.id == log.contact_id)
        .where(COUNTED, log.name == LEFT, inquiry.period.holds(log.own_at))
        .subquery()
    )
    contacts_ = func.count(func.distinct(left.c.contact_id)).label("contacts")
    return (
        select(
            left.c.template,
            func.min(LEFT).label("name"),
            func.min(0).label("machine"),
            contacts_,
            func.count().label("times"),
        )
        .where(left.c.template.is_not(None))
        .group_by(left.c.template)
    )


def _withheld(inquiry: Inquiry) -> dict[str, dict[str, int]]:
    """By template: how many were not sent, by reason; of a reason's details nothing."""
    of = messages.c
    kind = inquiry.book.before(func.coalesce(of.reason, ""), ":")
    failed = and_(of.status == "failed", kind != "bounced")
    reason = case((failed, "failed at the mail server"), else_=kind).label("why")
    when = func.coalesce(of.settled_at, of.queued_at)
    query = (
        select(of.template, reason, func.count().label("times"))
        .outerjoin(contacts, contacts.c.id == of.contact_id)
        .where(COUNTED, of.kind == "email", or_(of.status == "withheld", failed))
        .where(inquiry.period.holds(when))
        .group_by(of.template, reason)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in inquiry.rows(query):
        found[row.template][row.why or "no reason kept"] = row.times
    return found
