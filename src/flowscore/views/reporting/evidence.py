"""What a report rests on: how many contacts, how much is known of them, and what is too thin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from flowscore.store.tables import attributes, contacts, departed, events
from flowscore.views.reporting.certainty import ENOUGH, too_thin
from flowscore.views.reporting.inquiry import HAS_ADDRESS, Inquiry, Period, leads, visitors
from flowscore.views.reporting.ladder import entrants, moved_on
from flowscore.views.reporting.spans import Spans, measure
from flowscore.views.reporting.words import people, percent, span_text

if TYPE_CHECKING:
    from flowscore.language.lifecycle import Lifecycle

Row = dict[str, Any]
MANY_UNKNOWN = 0.4
"""So large a share of contacts of whom nothing is known is said."""


def evidence(inquiry: Inquiry) -> Row:
    """Counts, and what they do not carry."""
    period, everybody = inquiry.period, Period(None, inquiry.period.until)
    contacts_ = inquiry.count(leads(everybody))
    did = _active(inquiry, everybody)
    found = {
        "contacts": contacts_,
        "new_contacts": inquiry.count(leads(period)),
        "visitors": inquiry.count(visitors(everybody)),
        "with_attributes": _known(inquiry, everybody),
        "with_behaviour": did,
        "active": did if period == everybody else _active(inquiry, period),
    }
    return {**found, "notes": list(_doubts(inquiry, found))}


def _known(inquiry: Inquiry, period: Period) -> int:
    """How many have an attribute, or had one before they were erased."""
    there = select(1).where(attributes.c.contact_id == contacts.c.id).exists()
    had = departed.c.had_attributes
    return inquiry.number(_there(period).where(there)) + inquiry.number(_gone(period).where(had))


def _active(inquiry: Inquiry, period: Period) -> int:
    """How many did something in the period."""
    did = select(1).where(events.c.behaviour, period.holds(events.c.own_at))
    there = did.where(events.c.contact_id == contacts.c.id).exists()
    gone = did.where(events.c.contact_id == departed.c.contact_id).exists()
    return inquiry.number(_there(period).where(there)) + inquiry.number(_gone(period).where(gone))


def _there(period: Period) -> Select[Any]:
    return (
        select(func.count())
        .select_from(contacts)
        .where(HAS_ADDRESS, contacts.c.created_at <= period.until)
    )


def _gone(period: Period) -> Select[Any]:
    return select(func.count()).select_from(departed).where(departed.c.created_at <= period.until)


def _doubts(inquiry: Inquiry, found: Row) -> Iterator[str]:
    contacts_ = found["contacts"]
    if contacts_ < ENOUGH:
        yield too_thin(contacts_, "contact")
    for key, lack, blind in (
        ("with_attributes", "have no attribute at all", "what scores fit sees nothing of them"),
        ("with_behaviour", "have never done anything", "what scores interest sees nothing of them"),
    ):
        without = contacts_ - found[key]
        if contacts_ and without / contacts_ >= MANY_UNKNOWN:
            share = percent(without / contacts_)
            yield f"{without:,} of {people(contacts_)} ({share}) {lack}: {blind}"
    yield from _too_short(inquiry)


def _too_short(inquiry: Inquiry) -> Iterator[str]:
    """The period against the time that it takes to become a customer."""
    lifecycle, period = inquiry.project.lifecycle, inquiry.period
    if lifecycle is None or period.since is None or len(lifecycle.names) < 2:
        return
    cycle = whole_cycle(inquiry, lifecycle, Period(None, period.until))
    length = period.until - period.since
    if cycle.median is not None and length < cycle.median:
        yield (
            f"the period of {span_text(length)} is shorter than the typical way from "
            f"{lifecycle.names[0]} to {lifecycle.names[-1]} (median {span_text(cycle.median)}): "
            "most who came in it have had no time to get there"
        )


def whole_cycle(inquiry: Inquiry, lifecycle: Lifecycle, period: Period) -> Spans:
    """From creation to the last stage, of those who came there in the period."""
    return cycle_from(inquiry, lifecycle.names[0], period)


def cycle_from(inquiry: Inquiry, stage: str, period: Period) -> Spans:
    """From a stage to the last one, of those who came to the last one in the period."""
    lifecycle = inquiry.project.lifecycle
    assert lifecycle is not None
    came = entrants(lifecycle, lifecycle.names[-1], period).subquery()
    start = entrants(lifecycle, stage, Period(None, period.until))
    went = moved_on(start, lifecycle.names[-1:], period.until).subquery()
    spans = select(went.c.span).join(came, came.c.contact_id == went.c.contact_id)
    return measure(inquiry.connection, spans)


def piled_up(instants: Select[Any], inquiry: Inquiry) -> str | None:
    """Where half of all entries stand at one instant, the times between say little.

    `instants` has the column `at`: that of a first tick over imported history, or of an apply.
    """
    every = instants.subquery()
    count = func.count()
    heap = select(every.c.at, count).group_by(every.c.at).order_by(count.desc()).limit(1)
    found = inquiry.connection.execute(heap).first()
    total = inquiry.count(instants)
    if found is None or found[1] < 10 or found[1] * 2 < total:
        return None
    return (
        f"{found[1]:,} of {total:,} entries are of one instant (imported history, or an "
        "apply): the times between stages say little"
    )
