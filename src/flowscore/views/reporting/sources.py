"""Which pages, sources and campaigns bring leads that qualify, and which only those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, func, or_, select

from flowscore.views.reporting.certainty import ENOUGH, Share, too_thin
from flowscore.views.reporting.inquiry import Inquiry, leads
from flowscore.views.reporting.qualified import NOBODY_SAYS, find_qualified
from flowscore.views.reporting.touches import KINDS, touches

if TYPE_CHECKING:
    from flowscore.views.reporting.qualified import Qualified

Row = dict[str, Any]
SHOWN_ROWS = 1000
"""Values of one kind that are read, at most: those with most leads."""


def sources(inquiry: Inquiry) -> Row:
    """By kind, each value with its leads of the period, and how many of them qualified."""
    qualified = find_qualified(inquiry)
    overall = _overall(inquiry, qualified)
    told: Row = {"qualified_means": qualified.words or None, "all_leads": overall.as_row()}
    told |= {kind: [] for kind in KINDS}
    for row in inquiry.rows(_counted(inquiry, qualified)):
        told[row.kind].append(_row(row, overall))
    return {**told, "notes": list(_doubts(told, overall, qualified))}


def _overall(inquiry: Inquiry, qualified: Qualified) -> Share:
    new, model = leads(inquiry.period).subquery(), qualified.people.subquery()
    both = select(new.c.contact_id).join(model, model.c.contact_id == new.c.contact_id)
    return Share(inquiry.count(both), inquiry.count(select(new)))


def _counted(inquiry: Inquiry, qualified: Qualified) -> Select[Any]:
    """By kind and value: leads with any touch of it and with their first touch; how many qualified.

    Those with most leads, the first ones first.
    """
    touch = touches(inquiry.book, inquiry.period.until).subquery()
    each = _told_apart(touch, leads(inquiry.period).subquery(), qualified.people.subquery())
    any_ = func.count().label("any")
    ranked = (
        select(
            each.c.kind,
            each.c.value,
            any_,
            func.sum(each.c.good).label("any_good"),
            func.sum(each.c.first).label("first"),
            func.sum(each.c.first * each.c.good).label("first_good"),
            func.row_number()
            .over(partition_by=each.c.kind, order_by=(any_.desc(), each.c.value))
            .label("place"),
        )
        .group_by(each.c.kind, each.c.value)
        .subquery()
    )
    limit = min(inquiry.wishes.limit or SHOWN_ROWS, SHOWN_ROWS)
    return select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.kind, ranked.c.place)


def _told_apart(touch: Any, new: Any, model: Any) -> Any:
    """Each touch of a lead: whether it was the first of its kind, and whether they qualified.

    What came after somebody qualified did not bring them.
    """
    first = func.row_number().over(
        partition_by=(touch.c.kind, touch.c.contact_id), order_by=(touch.c.at, touch.c.value)
    )
    return (
        select(
            touch.c.kind,
            touch.c.value,
            case((model.c.contact_id.is_not(None), 1), else_=0).label("good"),
            case((first == 1, 1), else_=0).label("first"),
        )
        .select_from(touch)
        .join(new, new.c.contact_id == touch.c.contact_id)
        .outerjoin(model, model.c.contact_id == touch.c.contact_id)
        .where(or_(model.c.at.is_(None), touch.c.at <= model.c.at))
    ).subquery()


def _row(row: Any, overall: Share) -> Row:
    any_, first = Share(int(row.any_good), row.any), Share(int(row.first_good), int(row.first))
    return {
        "value": row.value,
        "any_touch": any_.as_row(),
        "first_touch": first.as_row(),
        "hint": _hint(any_, overall),
    }


def _hint(share: Share, overall: Share) -> str:
    """`drop` or `keep` only where the interval lies wholly on one side of all leads' share."""
    if share.is_thin:
        return "thin"
    low, high = share.interval
    if overall.value is None or low <= overall.value <= high:
        return ""
    return "drop" if high < overall.value else "keep"


def _doubts(told: Row, overall: Share, qualified: Qualified) -> Iterator[str]:
    if qualified.who is None:
        yield NOBODY_SAYS
    if overall.is_thin:
        yield too_thin(overall.of, "lead")
    elif any(row["hint"] == "thin" for kind in KINDS for row in told[kind]):
        yield (
            f"no hint where fewer than {ENOUGH} leads came: a share of so few says little "
            "(the interval says how little)"
        )
    if missing := [kind for kind in KINDS if not told[kind]]:
        yield f"no lead of this period names any {' or '.join(missing)}"
