"""The funnel: how many entered each stage, how many went on, and how long that took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, not_, select, union_all

from flowscore.rules.explain import sentence
from flowscore.store.consents import EVERYTHING
from flowscore.store.tables import consents, contacts, departed, stages
from flowscore.views.reporting.certainty import ENOUGH, Share, too_thin
from flowscore.views.reporting.evidence import piled_up, whole_cycle
from flowscore.views.reporting.inquiry import COUNTED, HAS_ADDRESS, Inquiry, Period, leads
from flowscore.views.reporting.ladder import beyond, entrants, moved_on, skippers, standing
from flowscore.views.reporting.spans import measure

if TYPE_CHECKING:
    from flowscore.language.lifecycle import Lifecycle

Row = dict[str, Any]
SUBSCRIBER = "subscriber"
NO_LIFECYCLE = (
    "the live project has no lifecycle, so there are no stages: `lifecycle: NAME` with its stages "
    "says what a lead passes on the way to a customer"
)


def funnel(inquiry: Inquiry) -> Row:
    """Subscribers and every stage in order; who entered in the period, and what became of them."""
    lifecycle = inquiry.project.lifecycle
    if lifecycle is None:
        subscribed = _row(inquiry, SUBSCRIBER, _subscribers(inquiry.period), ())
        return {"stages": [subscribed], "conversion": None, "cycle": None, "notes": [NO_LIFECYCLE]}
    won = _won(inquiry, lifecycle)
    return {
        "first": lifecycle.names[0],
        "stages": list(_rows(inquiry, lifecycle)),
        "conversion": won,
        "cycle": whole_cycle(inquiry, lifecycle, inquiry.period).as_row(),
        "notes": list(_doubts(inquiry, lifecycle, won["won"])),
    }


def _rows(inquiry: Inquiry, lifecycle: Lifecycle) -> Iterator[Row]:
    """Subscribers are a part of the leads, so they too are measured by who left the first stage."""
    names, period = lifecycle.names, inquiry.period
    inside = _standing(inquiry, lifecycle)
    if SUBSCRIBER not in names:
        yield _row(inquiry, SUBSCRIBER, _subscribers(period), names[1:])
    for stage in lifecycle.stages:
        who = entrants(lifecycle, stage.name, period)
        yield {
            **_row(inquiry, stage.name, who, beyond(lifecycle, stage.name)),
            "skipped": inquiry.count(skippers(stage.name, period)),
            "inside": inside.get(stage.name, 0),
            "when": sentence(stage.when) if stage.when is not None else None,
        }


def _row(inquiry: Inquiry, name: str, who: Select[Any], later: tuple[str, ...]) -> Row:
    entered = inquiry.count(who)
    spans = None
    if later:
        went = moved_on(who, later, inquiry.period.until).subquery()
        spans = measure(inquiry.connection, select(went.c.span))
    return {
        "stage": name,
        "entered": entered,
        "skipped": 0,
        "inside": None,
        "went_on": Share(spans.count, entered).as_row() if spans else None,
        "hours_to_next": spans.as_row() if spans else None,
        "when": None,
    }


def _subscribers(period: Period) -> Select[Any]:
    """Who agreed to mail in the period and has not taken it back: `contact_id`, `at`."""
    first, gone = func.min(consents.c.at), departed.c
    there = (
        select(consents.c.contact_id, first.label("at"))
        .join(contacts, contacts.c.id == consents.c.contact_id)
        .where(HAS_ADDRESS, consents.c.granted, consents.c.topic != EVERYTHING)
        .group_by(consents.c.contact_id)
        .having(period.holds(first))
    )
    left = select(gone.contact_id, gone.subscribed_at).where(period.holds(gone.subscribed_at))
    every = union_all(there, left).subquery()
    return select(every.c.contact_id, every.c.at)


def _standing(inquiry: Inquiry, lifecycle: Lifecycle) -> dict[str, int]:
    """How many stand in each stage at the end of the period."""
    until = inquiry.period.until
    query = (
        select(stages.c.stage, func.count())
        .outerjoin(contacts, contacts.c.id == stages.c.contact_id)
        .where(COUNTED, standing(until))
        .group_by(stages.c.stage)
    )
    found = {row[0]: row[1] for row in inquiry.rows(query)}
    first = lifecycle.names[0]
    elsewhere = sum(count for name, count in found.items() if name != first)
    return {**found, first: inquiry.count(leads(Period(None, until))) - elsewhere}


def _won(inquiry: Inquiry, lifecycle: Lifecycle) -> Row:
    """Customers won ÷ leads, both of the same period: other people, so no share of anybody."""
    won = inquiry.count(entrants(lifecycle, lifecycle.names[-1], inquiry.period))
    new = inquiry.count(leads(inquiry.period))
    return {"won": won, "leads": new, "rate": round(won / new, 6) if new else None}


def _doubts(inquiry: Inquiry, lifecycle: Lifecycle, won: int) -> Iterator[str]:
    if won < ENOUGH:
        yield too_thin(won, lifecycle.names[-1])
    entries = (
        select(stages.c.entered_at.label("at"))
        .outerjoin(contacts, contacts.c.id == stages.c.contact_id)
        .where(COUNTED, inquiry.period.holds(stages.c.entered_at), not_(stages.c.skipped))
    )
    if heap := piled_up(entries, inquiry):
        yield heap
