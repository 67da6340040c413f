"""Marketing and sales qualified leads: who became one, how they ended, and what they brought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select

from flowscore.store.tables import contacts, events, stages
from flowscore.views.columns import shown_at
from flowscore.views.reporting.certainty import ENOUGH, Share, too_thin
from flowscore.views.reporting.evidence import cycle_from
from flowscore.views.reporting.inquiry import HAS_ADDRESS, Inquiry, Period, leads
from flowscore.views.reporting.ladder import entrants, place_of
from flowscore.views.reporting.qualified import NOBODY_SAYS, Qualified, find_qualified
from flowscore.views.reporting.verdicts import last_said, said
from flowscore.views.reporting.words import in_hours

if TYPE_CHECKING:
    from flowscore.language.lifecycle import Lifecycle

Row = dict[str, Any]
ENDS = ("customer", "not_qualified", "lost", "retreated", "open")


def qualification(inquiry: Inquiry) -> Row:
    """Which leads became qualified and which did not, how it ended, and what it brought."""
    qualified = find_qualified(inquiry)
    if qualified.who is None:
        return {"qualified_means": None, "notes": [NOBODY_SAYS]}
    new = leads(inquiry.period).subquery()
    people_ = qualified.people.subquery()
    of_them = select(new.c.contact_id).join(people_, people_.c.contact_id == new.c.contact_id)
    share = Share(inquiry.count(of_them), inquiry.count(select(new)))
    stages_ = list(_outcomes(inquiry))
    return {
        "qualified_means": qualified.words,
        "of_new_leads": share.as_row(),
        "stages": stages_,
        "became": _became(inquiry, qualified),
        "not_yet": _not_yet(inquiry, qualified),
        "meetings": _meetings(inquiry, qualified),
        "cycle": _cycles(inquiry, qualified),
        "revenue": _revenue(inquiry),
        "never_convert": _stale(inquiry, qualified),
        "notes": list(_doubts(share, stages_)),
    }


# --- how they ended ---------------------------------------------------------------------------


def _outcomes(inquiry: Inquiry) -> Iterator[Row]:
    """Of every stage between the first and the last."""
    lifecycle = inquiry.project.lifecycle
    for stage in lifecycle.names[1:-1] if lifecycle else ():
        assert lifecycle is not None
        found = ended(inquiry, lifecycle, stage, inquiry.period)
        each = {row.outcome: row.people for row in inquiry.rows(_by_outcome(found))}
        entered = sum(each.values())
        counts = {name: each.get(name, 0) for name in ENDS}
        share = Share(counts["customer"], entered).as_row()
        yield {"stage": stage, "entered": entered, **counts, "became_customer": share}


def ended(inquiry: Inquiry, lifecycle: Lifecycle, stage: str, period: Period) -> Select[Any]:
    """Who entered the stage in that period (`contact_id`, `at`), and their `outcome` by its end."""
    who = entrants(lifecycle, stage, period).subquery()
    word = last_said(inquiry, Period(None, inquiry.period.until)).subquery()
    told = and_(word.c.contact_id == who.c.contact_id, word.c.at >= who.c.at)
    outcome = _outcome(inquiry, lifecycle, stage, who, word)
    return select(who.c.contact_id, who.c.at, outcome.label("outcome")).outerjoin(word, told)


def _outcome(
    inquiry: Inquiry, lifecycle: Lifecycle, stage: str, who: Any, word: Any
) -> ColumnElement[str]:
    """The furthest word first: bought, then what sales said last, then where they stand."""
    until = inquiry.period.until
    bought = (
        select(1)
        .where(
            stages.c.contact_id == who.c.contact_id,
            stages.c.stage == lifecycle.names[-1],
            stages.c.entered_at >= who.c.at,
            stages.c.entered_at <= until,
        )
        .correlate(who)
        .exists()
    )
    back = place_of(lifecycle, who.c.contact_id, until) < lifecycle.names.index(stage)
    return case(
        (or_(bought, word.c.verdict == "won"), literal("customer")),
        (word.c.verdict == "not_qualified", literal("not_qualified")),
        (word.c.verdict == "lost", literal("lost")),
        (back, literal("retreated")),
        else_=literal("open"),
    )


def _by_outcome(found: Select[Any]) -> Select[Any]:
    every = found.subquery()
    return select(every.c.outcome, func.count().label("people")).group_by(every.c.outcome)


# --- which leads ------------------------------------------------------------------------------


def _became(inquiry: Inquiry, qualified: Qualified) -> list[Row]:
    """Who became qualified in the period, the newest first."""
    who = qualified.people.subquery()
    query = (
        select(contacts.c.email, who.c.at)
        .join(who, who.c.contact_id == contacts.c.id)
        .where(inquiry.period.holds(who.c.at))
        .order_by(who.c.at.desc(), contacts.c.email_folded)
    )
    found = inquiry.rows(inquiry.limited(query))
    return [{"contact": row.email, "at": shown_at(row.at)} for row in found]


def _not_yet(inquiry: Inquiry, qualified: Qualified) -> Row:
    """Leads of the period who have not, the furthest first."""
    new, who = leads(inquiry.period).subquery(), qualified.people.subquery()
    lifecycle, until = inquiry.project.lifecycle, inquiry.period.until
    place: Any = literal(0)
    if lifecycle is not None:
        place = place_of(lifecycle, new.c.contact_id, until)
    waiting = (
        select(contacts.c.email, contacts.c.email_folded, new.c.at, place.label("place"))
        .select_from(new)
        .outerjoin(contacts, contacts.c.id == new.c.contact_id)
        .outerjoin(who, who.c.contact_id == new.c.contact_id)
        .where(who.c.contact_id.is_(None))
    )
    every = waiting.where(HAS_ADDRESS).subquery()
    order = (every.c.place.desc(), every.c.at, every.c.email_folded)
    names = lifecycle.names if lifecycle else ("",)
    first = inquiry.rows(inquiry.limited(select(every).order_by(*order)))
    shown = [
        {"contact": row.email, "stage": names[row.place], "created_at": shown_at(row.at)}
        for row in first
    ]
    return {"contacts": inquiry.count(waiting), "furthest": shown}


# --- what it brought --------------------------------------------------------------------------


def _meetings(inquiry: Inquiry, qualified: Qualified) -> Row:
    """How many of those who became qualified in the period met with sales."""
    who, name = qualified.people.subquery(), inquiry.wishes.meeting
    became = select(who.c.contact_id).where(inquiry.period.holds(who.c.at))
    known = select(events.c.id).where(events.c.name == name).limit(1)
    if inquiry.connection.execute(known).first() is None:
        return {"event": name, "known": False, "rate": None}
    met = (
        select(1)
        .where(
            events.c.contact_id == who.c.contact_id,
            events.c.name == name,
            events.c.own_at <= inquiry.period.until,
        )
        .correlate(who)
        .exists()
    )
    rate = Share(inquiry.count(became.where(met)), inquiry.count(became))
    return {"event": name, "known": True, "rate": rate.as_row()}


def _cycles(inquiry: Inquiry, qualified: Qualified) -> Row | None:
    """Hours to the last stage, of those who came there in the period."""
    lifecycle = inquiry.project.lifecycle
    if lifecycle is None or qualified.stage is None:
        return None
    starts = dict.fromkeys((lifecycle.names[0], qualified.stage))
    last = lifecycle.names[-1]
    return {
        f"{start} to {last}": cycle_from(inquiry, start, inquiry.period).as_row()
        for start in starts
        if start != last
    }


def _revenue(inquiry: Inquiry) -> Row:
    """What sales said was won in the period, in whatever currency they said it."""
    every = said(inquiry, inquiry.period).subquery()
    won = select(
        func.count().label("deals"),
        func.count(func.distinct(every.c.contact_id)).label("customers"),
        func.count(every.c.amount).label("with_amount"),
        func.sum(every.c.amount).label("amount"),
    ).where(every.c.verdict == "won")
    row = inquiry.rows(won)[0]._asdict()
    amount = row["amount"]
    return {**row, "amount": None if amount is None else round(float(amount), 4)}


def _stale(inquiry: Inquiry, qualified: Qualified) -> Row | None:
    """Who has been qualified for longer than nine of ten customers took, and is still open."""
    lifecycle, stage = inquiry.project.lifecycle, qualified.stage
    if lifecycle is None or stage is None or stage in (lifecycle.names[0], lifecycle.names[-1]):
        return None
    ever = Period(None, inquiry.period.until)
    took = cycle_from(inquiry, stage, ever)
    every = ended(inquiry, lifecycle, stage, ever).subquery()
    still = select(every.c.contact_id).where(every.c.outcome == "open")
    row: Row = {"stage": stage, "open": inquiry.count(still), "customers": took.count}
    if took.long is None or took.count < ENOUGH:
        return {**row, "stale": None, "longer_than_hours": None}
    old = still.where(every.c.at < ever.until - round(took.long))
    return {**row, "stale": inquiry.count(old), "longer_than_hours": in_hours(took.long)}


def _doubts(share: Share, stages_: list[Row]) -> Iterator[str]:
    if share.is_thin:
        yield f"the share of new leads is {too_thin(share.of, 'lead')}"
    for row in stages_:
        if 0 < row["entered"] < ENOUGH:
            yield f"how {row['stage']} ended is {too_thin(row['entered'], row['stage'])}"
