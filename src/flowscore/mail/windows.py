"""The send window as instants, in whatever zone (rulings 32, 77)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from flowscore.clock import WEEK, datetime_of, instant_of_local

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from flowscore.language.policy import SendWindow

DAYS_AHEAD = (
    15  # the only day of a week may lose its window to a skipped hour; then the next has it
)


@lru_cache(maxsize=2048)
def opening(window: SendWindow, zone: ZoneInfo, now: int) -> int:
    """The first instant from `now` on at which the window is open: `now` itself if it is."""
    today = datetime_of(now).astimezone(zone).date()
    for ahead in range(-1, DAYS_AHEAD):  # yesterday's window may last over midnight
        opens, closes = span(window, today + timedelta(days=ahead), zone)
        if max(opens, now) < closes:
            return max(opens, now)
    return now + WEEK


def span(window: SendWindow, day: date, zone: ZoneInfo) -> tuple[int, int]:
    """From when until when the window of that day is open; an empty span if it never is."""
    if window.days and day.weekday() not in window.days:
        return 0, 0
    ends = day if window.opens < window.closes else day + timedelta(days=1)
    return _instant(day, window.opens, zone), _instant(ends, window.closes, zone)


def _instant(day: date, time_of_day: int, zone: ZoneInfo) -> int:
    """A skipped time is the end of the gap, a doubled one the first of the two."""
    midnight = datetime.combine(day, time())
    return instant_of_local(midnight + timedelta(microseconds=time_of_day), zone)
