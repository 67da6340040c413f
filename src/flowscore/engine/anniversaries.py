"""When a date of somebody's comes: arithmetic on calendars and zones, without a store (31, 32)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flowscore.clock import (
    DAY,
    MICROSECOND,
    NAIVE_EPOCH,
    datetime_of,
    instant_of_local,
    known_zone,
    local_of,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from flowscore.language.triggers import DateComes

Form = list[Any]  # of a value: text, number, instant, wall-clock time; trailing nulls cut
Span = tuple[int, int]  # wall-clock times from after the first up to the second


def instant_of_value(
    trigger: DateComes, forms: Iterable[Form], zone: str, after: int
) -> int | None:
    """When the date comes for a value: at or after `after` if it ever does, else when it did.

    `forms` are the comparison forms of the value's elements. None where there is no date.
    """
    found = [_instant(trigger, form, known_zone(zone), after) for form in forms]
    instants = [one for one in found if one is not None]
    return min((one for one in instants if one >= after), default=max(instants, default=None))


def _instant(trigger: DateComes, form: Form, zone: ZoneInfo, after: int) -> int | None:
    instant, local = (form + [None] * 4)[2:4]
    if instant is None and local is None:
        return None
    try:
        wall = wall_of(local) if instant is None else _wall_in(zone, instant)
        if trigger.yearly:
            return _next_anniversary(trigger, wall, zone, after)
        if trigger.days is None and instant is not None:
            return int(instant) + trigger.offset
        return _comes(trigger, wall, zone)
    except OverflowError:  # beyond the years that calendars know
        return None


def _comes(trigger: DateComes, wall: datetime, zone: ZoneInfo) -> int:
    if trigger.days is None:
        return instant_of_local(wall, zone) + trigger.offset
    return day_comes(wall.date() + timedelta(days=trigger.days), trigger.at, zone.key)


def _next_anniversary(trigger: DateComes, wall: datetime, zone: ZoneInfo, after: int) -> int:
    """The first at or after an instant; none before the value's own year."""
    about = _wall_in(zone, after - shift(trigger)).year
    years = sorted({max(wall.year, about + more) for more in (-1, 0, 1, 2)})
    found = [_comes(trigger, in_year(wall, year), zone) for year in years if year <= date.max.year]
    return min((one for one in found if one >= after), default=found[-1])


def in_year(wall: datetime, year: int) -> datetime:
    """The same day and time in another year; 29 February becomes the 28th where there is none."""
    try:
        return wall.replace(year=year)
    except ValueError:
        return wall.replace(year=year, day=28)


def shift(trigger: DateComes) -> int:
    """How long after the value the date comes, about."""
    return trigger.offset if trigger.days is None else trigger.days * DAY


@lru_cache(maxsize=4096)
def day_comes(day: date, at: int, zone: str) -> int:
    """The instant at which it is `at` on that day."""
    return instant_of_local(wall_of(day_start(day) + at), known_zone(zone))


def days_coming(trigger: DateComes, zone: str, after: int, upto: int) -> Iterator[date]:
    """The days whose `at` lies in (after, upto]."""
    known = known_zone(zone)
    day = _wall_in(known, after).date() - timedelta(days=1)
    last = _wall_in(known, upto).date()
    while day <= last:
        if after < day_comes(day, trigger.at, zone) <= upto:
            yield day
        day += timedelta(days=1)


def spans(trigger: DateComes, zone: str, after: int, upto: int, oldest: int) -> list[Span]:
    """Where the wall-clock times lie of values whose date may come in (after, upto].

    `oldest` is the year of the oldest value: every year since has an anniversary.
    """
    try:
        if trigger.days is None:
            low = local_of(after - trigger.offset, known_zone(zone))
            found = [(low, local_of(upto - trigger.offset, known_zone(zone)))]
        else:
            back = timedelta(days=trigger.days)
            days = [day - back for day in days_coming(trigger, zone, after, upto)]
            found = [(day_start(day) - 1, day_start(day) + DAY - 1) for day in days]
    except OverflowError:
        return []
    if not trigger.yearly:
        return found
    pieces = (piece for span in found for piece in _by_day(span))
    return [one for piece in pieces for one in _in_years(piece, oldest)]


def _by_day(span: Span) -> Iterator[Span]:
    """The parts of a span that lie within one day each."""
    low, high = span
    while low < high:
        end = min(high, ((low + 1) // DAY + 1) * DAY - 1)
        yield low, end
        low = end


def _in_years(piece: Span, oldest: int) -> Iterator[Span]:
    """The same part of the day in every year up to its own, with the 29 February it stands for."""
    first = wall_of(piece[0] + 1)
    length = piece[1] - piece[0]
    for year in range(oldest, first.year + 1):
        for wall in _standing_for(first, year):
            low = (wall - NAIVE_EPOCH) // MICROSECOND - 1
            yield low, low + length


def _standing_for(wall: datetime, year: int) -> Iterator[datetime]:
    """The times in another year whose anniversary this is."""
    if (wall.month, wall.day) != (2, 29) or is_leap(year):
        yield wall.replace(year=year)
    if (wall.month, wall.day) == (2, 28) and is_leap(year) and not is_leap(wall.year):
        yield wall.replace(year=year, day=29)


def is_leap(year: int) -> bool:
    """Whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def day_start(day: date) -> int:
    """Midnight of that day on the wall clock."""
    return (day.toordinal() - NAIVE_EPOCH.toordinal()) * DAY


def wall_of(local: int) -> datetime:
    """Wall-clock microseconds as a time without a zone."""
    return NAIVE_EPOCH + timedelta(microseconds=local)


def _wall_in(zone: ZoneInfo, instant: int) -> datetime:
    return datetime_of(instant).astimezone(zone).replace(tzinfo=None)
