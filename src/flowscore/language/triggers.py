"""Triggers: what may start something. Each class is one row of LANGUAGE 3."""

from __future__ import annotations

from typing import Literal

from flowscore.language.words import EventQuery, ValueTests, Word


class Trigger(Word):
    """Anything that yields occurrences: a moment, for one contact, with a key."""


class ScoreCrosses(Trigger):
    """The balance crosses the threshold: up to it (`reaches`) or down to it (`falls_to`)."""

    score: str
    direction: Literal["reaches", "falls_to"]
    threshold: float


class ScoreGains(Trigger):
    """The points won in the rolling window first reach so many (ruling 23)."""

    score: str
    points: float
    within: int


class GradeEnters(Trigger):
    """On entering this set of cells from outside it, or from no cell (ruling 29)."""

    grade: str
    cells: tuple[str, ...]


class StageEnters(Trigger):
    """On entering exactly one of these stages, forward or by retreat (ruling 28)."""

    stages: tuple[str, ...]


class OnEvent(Trigger):
    """At the event that completes the count; `word` is the key the author used."""

    word: str
    query: EventQuery


class NoEvent(Trigger):
    """At anchor + `within`, when none of the awaited events came in between."""

    awaited: EventQuery
    after: EventQuery
    within: int
    same: tuple[str, ...] = ()


class MailNotAnswered(Trigger):
    """`email_not_opened` / `email_not_clicked`: at each mail sent + `within` without `awaited`."""

    awaited: str
    templates: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    within: int


class GoneQuiet(Trigger):
    """`inactive: 60 days`: once per stretch without behaviour."""

    duration: int


class ContactCreated(Trigger):
    """When the contact becomes known."""


class AttributeChanges(Trigger):
    """A real change of one of these attributes' values; tests of the new and the old value."""

    attribute: str
    to: ValueTests | None = None
    origin: ValueTests | None = None


class ConsentChanges(Trigger):
    """A real change of consent to one of these topics; `email` is consent in general.

    `all` (only for `unsubscribed`) is a refusal of everything at once (rulings 81 and 121).
    """

    word: Literal["subscribed", "unsubscribed"]
    topics: tuple[str, ...]


class DateComes(Trigger):
    """Around a date of the contact's, or (`of_event`, in `wait_for`) of the enrolling event's.

    `days`: the calendar day plus so many days, `at` so long after midnight (microseconds). Where
    `days` is None, `offset` (microseconds) counts from the value's own instant (ruling 31).
    `timezone` is an IANA name, `contact`, or None for the policy's.
    """

    name: str
    of_event: bool = False
    days: int | None = 0
    at: int = 9 * 3_600_000_000
    offset: int = 0
    timezone: str | None = None
    yearly: bool = False


class ListJoined(Trigger):
    """On joining one of these lists."""

    lists: tuple[str, ...]


class ListLeft(Trigger):
    """On leaving one of these lists."""

    lists: tuple[str, ...]


class Schedule(Trigger):
    """At cron instants, or once `at` a local time, for every contact that passes the conditions.

    `timezone` is an IANA name; None means the policy's. `at` is `YYYY-MM-DD HH:MM`.
    """

    cron: str | None = None
    at: str | None = None
    timezone: str | None = None


class Manual(Trigger):
    """Only when enrolled by hand or by another scenario."""
