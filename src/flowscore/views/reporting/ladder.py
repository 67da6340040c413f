"""Who entered a stage of the lifecycle, who went on, and who stands where, as sets.

Who has no stay stands in the first stage since their creation (ruling 28).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, not_, or_, select

from flowscore.store.tables import contacts, stages
from flowscore.views.reporting.inquiry import COUNTED, Period, leads

if TYPE_CHECKING:
    from flowscore.language.lifecycle import Lifecycle


def entrants(lifecycle: Lifecycle, stage: str, period: Period) -> Select[Any]:
    """`contact_id` and `at`, when each first entered it in the period; not who skipped it."""
    if stage == lifecycle.names[0]:
        return leads(period)
    return _stays(period, stages.c.stage == stage, not_(stages.c.skipped))


def skippers(stage: str, period: Period) -> Select[Any]:
    """Who passed it over in the period."""
    return _stays(period, stages.c.stage == stage, stages.c.skipped)


def reached(lifecycle: Lifecycle, stage: str, period: Period) -> Select[Any]:
    """`contact_id` and `at`: who first stood in it, or in one behind it, in the period."""
    if stage == lifecycle.names[0]:
        return leads(period)
    behind = beyond(lifecycle, stage, itself=True)
    return _stays(period, stages.c.stage.in_(behind), not_(stages.c.skipped))


def _stays(period: Period, *where: ColumnElement[bool]) -> Select[Any]:
    return (
        select(stages.c.contact_id, func.min(stages.c.entered_at).label("at"))
        .outerjoin(contacts, contacts.c.id == stages.c.contact_id)
        .where(COUNTED, period.holds(stages.c.entered_at), *where)
        .group_by(stages.c.contact_id)
    )


def beyond(lifecycle: Lifecycle, stage: str, itself: bool = False) -> tuple[str, ...]:
    """The stages behind it."""
    return lifecycle.names[lifecycle.names.index(stage) + (not itself) :]


def moved_on(who: Select[Any], later: tuple[str, ...], until: int) -> Select[Any]:
    """Of those, who then stood in one of these stages: `contact_id`, `at`, and the `span`."""
    start = who.subquery()
    return (
        select(
            start.c.contact_id,
            start.c.at,
            (func.min(stages.c.entered_at) - start.c.at).label("span"),
        )
        .join(stages, stages.c.contact_id == start.c.contact_id)
        .where(
            stages.c.stage.in_(later),
            not_(stages.c.skipped),
            stages.c.entered_at >= start.c.at,
            stages.c.entered_at <= until,
        )
        .group_by(start.c.contact_id, start.c.at)
    )


def standing(until: int) -> ColumnElement[bool]:
    """SQL: the stay is the one that lasts at that instant."""
    lasts = or_(stages.c.left_at.is_(None), stages.c.left_at > until)
    return and_(stages.c.entered_at <= until, lasts, not_(stages.c.skipped))


def place_of(lifecycle: Lifecycle, contact: ColumnElement[int], until: int) -> ColumnElement[int]:
    """SQL: which stage, counted from 0, the contact stands in at that instant."""
    numbers = {name: literal(number) for number, name in enumerate(lifecycle.names)}
    found = (
        select(func.max(case(numbers, value=stages.c.stage, else_=0)))
        .where(stages.c.contact_id == contact, standing(until))
        .correlate_except(stages)
    )
    return func.coalesce(found.scalar_subquery(), 0)
