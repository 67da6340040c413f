"""Dates of contacts: which of their values' instants the clock has passed (ruling 31).

The calendar says where such values lie; their distinct ones are looked up by index, the instant
of each is reckoned, and whoever holds it occurs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    true,
)

from flowscore.clock import DAY, HOUR, instant_of_local, known_zone, local_midnight, local_of
from flowscore.engine import schedule
from flowscore.engine.anniversaries import (
    Form,
    Span,
    day_comes,
    day_start,
    days_coming,
    instant_of_value,
    spans,
    wall_of,
)
from flowscore.engine.scratch import happened, into_happened
from flowscore.rules.book import EARLIEST, NEVER
from flowscore.store.dialects import each_element, json_text
from flowscore.store.tables import Json, attributes, contacts

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.triggers import DateComes

__all__ = ["instant_of_value", "next_instant", "notice"]

ASIDE = 3 * HOUR  # more than clocks are ever put back, so that no instant is overlooked


@dataclass(frozen=True)
class Source:
    """Where values of one form stand: dates without a zone (`local`), or instants."""

    column: ColumnElement[Any]
    who: ColumnElement[Any]
    known_since: ColumnElement[Any]
    named: ColumnElement[bool]
    local: bool

    def form(self, value: int) -> Form:
        """The value as a comparison form."""
        return [None, None, None, value] if self.local else [None, None, value]


@dataclass(frozen=True)
class Moment:
    """A value whose date comes, and when."""

    source: Source
    value: int
    at: int


def sources(name: str) -> list[Source]:
    """Where the values of an attribute stand; `created_at` counts as one."""
    if name == "created_at":
        born = contacts.c.created_at
        return [Source(born, contacts.c.id, born, true(), local=False)]
    rows, named = attributes.c, attributes.c.name == name
    return [
        Source(rows.local, rows.contact_id, rows.set_at, named, local=True),
        Source(rows.instant, rows.contact_id, rows.set_at, named, local=False),
    ]


def notice(work: Work, trigger: DateComes, position: int, who: Any = None) -> None:
    """Put an occurrence for each contact whose date has come in (prev, T].

    `who`: only for these (a SELECT of ids).
    """
    if trigger.of_event:
        return
    since = work.prev if work.prev != NEVER else work.now - work.step
    among = true() if who is None else contacts.c.id.in_(who)
    for zone, there in schedule.zones(work, trigger):
        coming = _coming(work.connection, trigger, zone, since, work.now)
        for source in sources(trigger.name):
            found = [[one.value, one.at] for one in coming if one.source.local == source.local]
            if found:
                rows = _holders(work, trigger, source, found, and_(there, among))
                statement = into_happened(rows.subquery(), position)
                work.fill(happened, statement, kept=False)


def _coming(
    connection: Connection, trigger: DateComes, zone: str, after: int, upto: int
) -> list[Moment]:
    """The distinct values whose date comes in (after, upto]."""
    oldest = _oldest(connection, trigger) if trigger.yearly else 0
    where = spans(trigger, zone, after, upto, oldest) if oldest is not None else []
    if not where:
        return []
    found = []
    for source in sources(trigger.name):
        for value in connection.execute(_values(source, where, zone)).scalars():
            at = instant_of_value(trigger, [source.form(value)], zone, after + 1)
            if at is not None and after < at <= upto:
                found.append(Moment(source, value, at))
    return found


def _oldest(connection: Connection, trigger: DateComes) -> int | None:
    """The year of the oldest value."""
    first = [connection.execute(_next_after(one, NEVER)).scalar() for one in sources(trigger.name)]
    known = [max(one - DAY, EARLIEST) for one in first if one is not None]
    return min((wall_of(one).year for one in known), default=None)


def _values(source: Source, where: list[Span], zone: str) -> Any:
    """The distinct values in these spans; of instants a little more."""
    if not source.local:
        known = known_zone(zone)
        ends = [[instant_of_local(wall_of(end), known) for end in one] for one in where]
        where = [(low - ASIDE, high + ASIDE) for low, high in ends]
    span = each_element(literal([list(one) for one in where], Json))
    low, high = (cast(json_text(span.c.value, place), BigInteger) for place in (0, 1))
    inside = and_(source.named, source.column > low, source.column <= high)
    return select(source.column).distinct().select_from(span).where(inside)


def _holders(
    work: Work, trigger: DateComes, source: Source, found: list[list[int]], who: Any
) -> Any:
    """Who holds one of these values since before its date; each instant once."""
    moment = each_element(literal(found, Json))
    value, at = (cast(json_text(moment.c.value, place), BigInteger) for place in (0, 1))
    return (
        select(
            contacts.c.id.label("contact_id"),
            at.label("own_at"),
            (literal(f"date:{trigger.name}:") + cast(at, Text)).label("key"),
            cast(null(), BigInteger).label("event_id"),
        )
        .distinct()
        .select_from(moment)
        .where(
            source.named,
            source.column == value,
            source.known_since < at,
            contacts.c.id == source.who,
            contacts.c.created_at <= work.book.now,
            who,
        )
    )


# ---------------------------------------------------------------- when it is due next


def next_instant(
    connection: Connection, trigger: DateComes, policy_zone: str, zones: list[str], after: int
) -> int | None:
    """The first instant after `after` at which somebody's date may come; None if none does."""
    if trigger.of_event:
        return None
    look = Look(connection)
    asked = schedule.zones_asked(trigger, policy_zone, zones)
    found = [one for zone in asked for one in _next_in(look, trigger, zone, after)]
    return min(found, default=None)


@dataclass
class Look:
    """Look-ups of one asking; each is done once, however many zones want it."""

    connection: Connection
    known: dict[tuple[bool, int], int | None] = field(default_factory=dict)

    def after(self, source: Source, value: int) -> int | None:
        """The next value after another."""
        key = (source.local, value)
        if key not in self.known:
            self.known[key] = self.connection.execute(_next_after(source, value)).scalar()
        return self.known[key]


def _next_in(look: Look, trigger: DateComes, zone: str, after: int) -> Iterator[int]:
    if not trigger.yearly:
        yield from _next_values(look, trigger, zone, after)
    elif _oldest(look.connection, trigger) is None:
        return
    elif trigger.days is not None:
        yield day_comes(_next_day(trigger, zone, after), trigger.at, zone)
    else:
        coming = _coming(look.connection, trigger, zone, after, after + DAY)
        yield min((one.at for one in coming), default=after + DAY)


def _next_day(trigger: DateComes, zone: str, after: int) -> date:
    """The next day on which it will be `at`."""
    return next(days_coming(trigger, zone, after, after + 3 * DAY))


def _next_values(look: Look, trigger: DateComes, zone: str, after: int) -> Iterator[int]:
    """Of each form the next value, by one look-up."""
    for source in sources(trigger.name):
        upto_now = _already_come(trigger, source, zone, after)
        value = None if upto_now is None else look.after(source, upto_now)
        if value is not None:
            at = instant_of_value(trigger, [source.form(value)], zone, after)
            if at is not None:
                yield at


def _next_after(source: Source, value: int) -> Select[Any]:
    return select(func.min(source.column)).where(source.named, source.column > value)


def _already_come(trigger: DateComes, source: Source, zone: str, after: int) -> int | None:
    """The greatest value whose date has come by then; None beyond what calendars know."""
    known = known_zone(zone)
    try:
        if trigger.days is None:
            base = after - trigger.offset
            return local_of(base, known) if source.local else base
        day = _next_day(trigger, zone, after) - timedelta(days=trigger.days)
        return (day_start(day) if source.local else local_midnight(day, known)) - 1
    except OverflowError:
        return None
