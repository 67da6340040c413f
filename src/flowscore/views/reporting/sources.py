"""Which pages, sources and campaigns bring leads that qualify, and which only those that do not.

Everybody is looked at for the same time from creation on: as long as three of four of those who
qualified took. Were touches counted up to qualification, whoever qualified would have had less
time to be touched than whoever did not, and every source would look bad.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, func, select

from flowscore.clock import DAY
from flowscore.views.reporting.certainty import ENOUGH, Share, too_thin
from flowscore.views.reporting.inquiry import Inquiry, Period, leads
from flowscore.views.reporting.qualified import NOBODY_SAYS, find_qualified
from flowscore.views.reporting.spans import measure
from flowscore.views.reporting.touches import KINDS, touches
from flowscore.views.reporting.words import in_hours, people, span_text

if TYPE_CHECKING:
    from flowscore.views.reporting.qualified import Qualified

Row = dict[str, Any]
FALSE_ALARM = 40
"""One in so many values that are no worse than others looks worse by chance: 95 % on two sides."""
SHOWN_ROWS = 1000
"""Values of one kind that are read, at most: those with most leads."""


def sources(inquiry: Inquiry) -> Row:
    """By kind, each value with its leads of the period, and how many of them qualified."""
    qualified = find_qualified(inquiry)
    window = _window(inquiry, qualified)
    ripe = Period(inquiry.period.since, inquiry.period.until - (window or 0))
    overall = _overall(inquiry, ripe, qualified)
    told: Row = {
        "qualified_means": qualified.words or None,
        "hours_looked_at": in_hours(window),
        "all_leads": overall.as_row(),
        "too_young": inquiry.count(leads(inquiry.period)) - overall.of,
        **{kind: {"named": Share(0, 0).as_row(), "values": []} for kind in KINDS},
    }
    for row in inquiry.rows(_counted(inquiry, ripe, window, qualified)):
        named = Share(int(row.all_good), int(row.all_first))
        told[row.kind]["named"] = named.as_row()
        told[row.kind]["values"].append(_row(row, named))
    return {**told, "notes": list(_doubts(told, overall, qualified))}


def _window(inquiry: Inquiry, qualified: Qualified) -> int | None:
    """How long three of four took to qualify, at least a day; None where nobody has."""
    all_, model = leads(Period(None, inquiry.period.until)).subquery(), qualified.people.subquery()
    took = select((model.c.at - all_.c.at).label("span"))
    spans = took.join(all_, all_.c.contact_id == model.c.contact_id)
    found = measure(inquiry.connection, spans).third_quartile
    return None if found is None else max(round(found), DAY)


def _overall(inquiry: Inquiry, ripe: Period, qualified: Qualified) -> Share:
    new, model = leads(ripe).subquery(), qualified.people.subquery()
    both = select(new.c.contact_id).join(model, model.c.contact_id == new.c.contact_id)
    return Share(inquiry.count(both), inquiry.count(select(new)))


# --- by value ---------------------------------------------------------------------------------


def _counted(
    inquiry: Inquiry, ripe: Period, window: int | None, qualified: Qualified
) -> Select[Any]:
    """By kind and value: leads with any touch of it and with their first touch; how many qualified.

    Those with most leads, the first ones first; beside each the sums of its kind.
    """
    each = _told_apart(inquiry, leads(ripe).subquery(), window, qualified.people.subquery())
    any_, first = func.count(), func.sum(each.c.first)
    first_good = func.sum(each.c.first * each.c.good)
    order = (any_.desc(), each.c.value)
    ranked = (
        select(each.c.kind, each.c.value, any_.label("any"), first.label("first"))
        .add_columns(func.sum(each.c.good).label("any_good"), first_good.label("first_good"))
        .add_columns(
            func.sum(first).over(partition_by=each.c.kind).label("all_first"),
            func.sum(first_good).over(partition_by=each.c.kind).label("all_good"),
            func.row_number().over(partition_by=each.c.kind, order_by=order).label("place"),
        )
        .group_by(each.c.kind, each.c.value)
        .subquery()
    )
    limit = min(inquiry.wishes.limit or SHOWN_ROWS, SHOWN_ROWS)
    return select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.kind, ranked.c.place)


def _told_apart(inquiry: Inquiry, new: Any, window: int | None, model: Any) -> Any:
    """Each touch in a lead's first time: whether the first of its kind, whether they qualified."""
    touch = touches(inquiry.book, inquiry.period.until).subquery()
    first = func.row_number().over(
        partition_by=(touch.c.kind, touch.c.contact_id), order_by=(touch.c.at, touch.c.value)
    )
    query = (
        select(
            touch.c.kind,
            touch.c.value,
            case((model.c.contact_id.is_not(None), 1), else_=0).label("good"),
            case((first == 1, 1), else_=0).label("first"),
        )
        .select_from(touch)
        .join(new, new.c.contact_id == touch.c.contact_id)
        .outerjoin(model, model.c.contact_id == touch.c.contact_id)
    )
    early = query if window is None else query.where(touch.c.at <= new.c.at + window)
    return early.subquery()


def _row(row: Any, named: Share) -> Row:
    any_, first = Share(int(row.any_good), row.any), Share(int(row.first_good), int(row.first))
    return {
        "value": row.value,
        "any_touch": any_.as_row(),
        "first_touch": first.as_row(),
        "hint": _hint(any_, named),
    }


def _hint(share: Share, named: Share) -> str:
    """`drop` or `keep` only where the interval lies wholly on one side of the kind's own share."""
    if share.is_thin:
        return "thin"
    low, high = share.interval
    if named.value is None or low <= named.value <= high:
        return ""
    return "drop" if high < named.value else "keep"


# --- what it does not carry -------------------------------------------------------------------


def _doubts(told: Row, overall: Share, qualified: Qualified) -> Iterator[str]:
    if qualified.who is None:
        yield NOBODY_SAYS
    if told["hours_looked_at"] is not None:
        yield from _looked_at(told)
    if overall.is_thin:
        yield too_thin(overall.of, "lead")
    elif any(row["hint"] == "thin" for kind in KINDS for row in told[kind]["values"]):
        yield (
            f"no hint where fewer than {ENOUGH} leads came: a share of so few says little "
            "(the interval says how little)"
        )
    judged = sum(row["hint"] != "thin" for kind in KINDS for row in told[kind]["values"])
    if judged >= FALSE_ALARM:
        few = judged // FALSE_ALARM
        yield f"of {judged:,} values held against the rest about {few:,} look worse by chance alone"
    if missing := [kind for kind in KINDS if not told[kind]["values"]]:
        yield f"no lead looked at names any {' or '.join(missing)}"


def _looked_at(told: Row) -> Iterator[str]:
    """How long everybody is looked at, and who is too young for that."""
    span = span_text(told["hours_looked_at"] * DAY / 24)
    yield f"counted is what a lead touched in its first {span}: 3 of 4 who qualified took no longer"
    if young := told["too_young"]:
        yield f"{people(young, 'younger lead')} left out: too new to tell whether they qualify"
