"""How large the stores of the tick benchmarks are, and when in them what happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flowscore.clock import DAY, HOUR, instant_of

BEGIN = instant_of(datetime(2025, 1, 1, tzinfo=UTC))
DAYS = 416
MIDNIGHT = BEGIN + DAYS * DAY  # the watermark: history ends here
NIGHT = MIDNIGHT + 4 * HOUR  # the last window of hours has passed; the store's watermark
DAWN, DAYLIGHT = 6 * HOUR, 18 * HOUR  # nothing happens at night, so that a tick can be idle
GRID = HOUR // 4


@dataclass(frozen=True)
class Size:
    """How much a store holds and how much comes in."""

    contacts: int
    events: int
    arriving: int

    @property
    def name(self) -> str:
        """Of the store's folder."""
        return f"store-{self.contacts}-{self.events}"

    def instant(self, place: float) -> int:
        """When the event at this place of the log happens; the history's pace goes on after it."""
        day, part = divmod(place * DAYS / self.events, 1)
        return BEGIN + int(day) * DAY + DAWN + int(part * DAYLIGHT)

    @property
    def start(self) -> int:
        """The watermark before the measured tick: some two hours of the new day."""
        return MIDNIGHT + DAWN + 2 * HOUR

    @property
    def mornings(self) -> int:
        """How many times it is nine o'clock (UTC) in the measured tick."""
        nine = MIDNIGHT + 9 * HOUR
        return (self.end - nine) // DAY - (self.start - nine) // DAY

    @property
    def end(self) -> int:
        """The measured tick: such a store gets so many events from `start` to here."""
        today = self.events / DAYS * 2 * HOUR / DAYLIGHT
        until = self.instant(self.events + today + self.arriving)
        return -(-until // GRID) * GRID
