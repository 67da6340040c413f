"""How often something happened: the events that a condition counts, their number, their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Double, Numeric, and_, cast, false, func, or_, select, true

from flowscore.language.words import Bounds
from flowscore.rules.answers import agrees
from flowscore.rules.events import log_alias, matching, property_passes

if TYPE_CHECKING:
    from flowscore.language.words import EventQuery, ValueTests
    from flowscore.rules.book import Book
    from flowscore.rules.who import Who

AT_LEAST_ONCE = Bounds(at_least=1)
SUM_PLACES = 4  # decimals to which sums are rounded before any comparison (ruling 94)


def happened_enough(book: Book, query: EventQuery, who: Who) -> ColumnElement[bool]:
    """So many such events, and their properties add up to what is asked."""
    if query.times == AT_LEAST_ONCE and not query.sums:
        log = log_alias()
        return select(1).where(*counted(book, query, who, log)).correlate_except(log).exists()
    sums = (within_bounds(sum_of(book, query, who, one.name), one.bounds) for one in query.sums)
    return and_(within_bounds(count_of(book, query, who), query.times), *sums)


def counted(book: Book, query: EventQuery, who: Who, log: Any) -> list[ColumnElement[bool]]:
    """Which events of `log` count: (T - within, T - older_than], after entry, agreeing."""
    upto = book.now if query.older_than is None else book.now - query.older_than
    parts = [log.c.contact_id == who.contact, matching(book, query, log), log.c.own_at <= upto]
    if query.within is not None:
        parts.append(log.c.own_at > book.now - query.within)
    if query.since_entry:
        parts.append(_since_entry(who, log))
    if query.same:
        parts.append(agrees_with_entry(book, query.same, who, log))
    return parts


def _since_entry(who: Who, log: Any) -> ColumnElement[bool]:
    """After the occurrence's own time; the enrolling event itself is left out (ruling 69)."""
    if who.since is None:
        return false()
    after = log.c.own_at > who.since
    if who.event is None:
        return after
    return and_(after, or_(who.event.is_(None), log.c.id != who.event))


def agrees_with_entry(
    book: Book, names: tuple[str, ...], who: Who, log: Any
) -> ColumnElement[bool]:
    """The event agrees with the enrolling one on these properties; without one, none does (85)."""
    if who.event is None:
        return false()
    first = log_alias()
    alike = (agrees(book, first, log, name) for name in names)
    return select(1).where(first.c.id == who.event, *alike).correlate_except(first).exists()


def count_of(book: Book, query: EventQuery, who: Who) -> ColumnElement[Any]:
    """How many events count."""
    log = log_alias()
    count = select(func.count()).select_from(log).where(*counted(book, query, who, log))
    return count.correlate_except(log).scalar_subquery()


def sum_of(book: Book, query: EventQuery, who: Who, name: str) -> ColumnElement[Any]:
    """What the numbers of a property add up to over all of them; every element of a list counts."""
    log = log_alias()
    rows = book.elements(log.c.forms, name)
    number = rows.form(1, Double)
    exact = cast(number, Numeric) if book.dialect == "postgresql" else number
    total = (
        select(func.coalesce(func.round(func.sum(exact), SUM_PLACES), 0))
        .select_from(log.join(rows.rows, true()))
        .where(*counted(book, query, who, log))
    )
    return total.correlate_except(log, rows.rows).scalar_subquery()


def this_event_passes(
    book: Book, properties: tuple[ValueTests, ...], who: Who
) -> ColumnElement[bool]:
    """The enrolling event passes every test; where there is none, not even the negative ones."""
    if who.event is None:
        return false()
    log = log_alias()
    passes = (property_passes(book, log, one) for one in properties)
    return select(1).where(log.c.id == who.event, *passes).correlate_except(log).exists()


def within_bounds(value: ColumnElement[Any], bounds: Bounds, unit: int = 1) -> ColumnElement[bool]:
    """The value, counted in 1/unit, lies within the bounds."""
    parts: list[ColumnElement[bool]] = []
    if bounds.at_least is not None:
        parts.append(value >= scaled(bounds.at_least, unit))
    if bounds.at_most is not None:
        parts.append(value <= scaled(bounds.at_most, unit))
    if bounds.above is not None:
        parts.append(value > scaled(bounds.above, unit))
    if bounds.below is not None:
        parts.append(value < scaled(bounds.below, unit))
    return and_(true(), *parts)


def scaled(number: float, unit: int) -> float | int:
    """The number in 1/unit: an integer where it is one, so that no comparison is a float's."""
    times = round(number * unit, 6)
    return int(times) if times == int(times) else times
