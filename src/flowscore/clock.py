"""Instants, durations, the tick grid and zones; the only module that asks the clock.

An instant is an integer: microseconds since 1970-01-01T00:00Z. A duration is an integer of
microseconds. A *local* time is the same count read off a wall clock in some zone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

UNITS = {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
DURATION = re.compile(r"(\d{1,6}) (minute|hour|day|week)s?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)


def clock_now() -> int:
    """The present instant. Only the outermost door calls this."""
    return instant_of(datetime.now(UTC))


def instant_of(moment: datetime) -> int:
    """The instant of an aware datetime; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment.isoformat()}")
    return (moment - EPOCH) // MICROSECOND


def datetime_of(instant: int) -> datetime:
    """The instant as an aware UTC datetime."""
    return EPOCH + timedelta(microseconds=instant)


def rfc3339(instant: int) -> str:
    """`2026-11-22T09:00:00Z`, with a fraction only where there is one."""
    return datetime_of(instant).isoformat().replace("+00:00", "Z")


def parse_duration(text: str) -> int | None:
    """`3 days` as microseconds; None for anything but whole minutes, hours, days, weeks."""
    found = DURATION.fullmatch(text.strip())
    return int(found[1]) * UNITS[found[2]] if found else None


def duration_text(duration: int) -> str:
    """`3 days`: the largest unit that divides the duration."""
    for word in ("week", "day", "hour", "minute"):
        if duration % UNITS[word] == 0 and duration:
            count = duration // UNITS[word]
            return f"{count} {word}" + ("" if count == 1 else "s")
    return f"{duration / SECOND:g} seconds"


@lru_cache(maxsize=512)
def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def known_zone(name: str) -> ZoneInfo:
    """The zone of that name; UTC where no one knows it."""
    return find_zone(name) or ZoneInfo("UTC")


def zone_spelled(name: str) -> str | None:
    """The zone of that name, however its letters are cased; None where there is none."""
    return _zones_by_case().get(name.casefold())


@lru_cache(maxsize=1)
def _zones_by_case() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def instant_of_local(local: datetime, zone: ZoneInfo) -> int:
    """The instant of a wall-clock time: after a gap its end, in a fold the first (ruling 32)."""
    aware = local.replace(tzinfo=zone, fold=0)
    back = aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back != local:  # a skipped time: the first instant after the gap
        return _end_of_gap(local, zone)
    return instant_of(aware)


def _end_of_gap(local: datetime, zone: ZoneInfo) -> int:
    """The transition instant of the gap that swallows this wall-clock time."""
    before = local.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    after = local.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    low = instant_of((local - max(before, after)).replace(tzinfo=UTC))
    high = instant_of((local - min(before, after)).replace(tzinfo=UTC))
    while high - low > 1:  # the one instant at which the offset changes
        middle = (low + high) // 2
        if datetime_of(middle).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def local_of(instant: int, zone: ZoneInfo) -> int:
    """The greatest wall-clock time (microseconds) whose instant is at or before this one.

    Comparing a stored wall-clock time with this equals comparing its instant with `instant`:
    `instant_of_local(x) <= instant` exactly when `x <= local_of(instant)`.
    """
    moment = datetime_of(instant).astimezone(zone)
    local = (moment.replace(tzinfo=None) - NAIVE_EPOCH) // MICROSECOND
    if not moment.fold:
        return local
    return _end_of_fold(instant, zone)


def _end_of_fold(instant: int, zone: ZoneInfo) -> int:
    """The last wall-clock microsecond that a fold around this instant repeats."""
    low, high = instant, instant + DAY
    while high - low > 1:
        middle = (low + high) // 2
        if datetime_of(middle).astimezone(zone).fold:
            low = middle
        else:
            high = middle
    edge = datetime_of(high).astimezone(zone).replace(tzinfo=None)
    return (edge - NAIVE_EPOCH) // MICROSECOND - 1


def local_midnight(day: date, zone: ZoneInfo) -> int:
    """The instant at which that calendar day begins in the zone."""
    return instant_of_local(datetime(day.year, day.month, day.day), zone)


def first_tick_at_or_after(instant: int, step: int) -> int:
    """The first whole multiple of the step since 1970 at or after the instant (ruling 2)."""
    return -(-instant // step) * step


def last_tick_at_or_before(instant: int, step: int) -> int:
    """The last whole multiple of the step since 1970 at or before the instant (ruling 2)."""
    return instant // step * step
