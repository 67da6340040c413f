"""Conditions: what may be asked of a contact. Each class is one row of LANGUAGE 2."""

from __future__ import annotations

from flowscore.language.words import Bounds, EventQuery, ValueTests, Word


class Condition(Word):
    """Anything that is true or false of a contact at an instant."""


class All(Condition):
    """True when every one is; of none, true."""

    of: tuple[Condition, ...]


class AnyOf(Condition):
    """True when at least one is."""

    of: tuple[Condition, ...]


class Not(Condition):
    """True when the other is false."""

    of: Condition


class ScoreIs(Condition):
    """The balance of a score lies within bounds; a band's name has become its number."""

    score: str
    bounds: Bounds


class GradeIs(Condition):
    """The contact's cell in this grade is one of these; who has no cell is in none."""

    grade: str
    cells: tuple[str, ...]


class StageIs(Condition):
    """The contact's lifecycle stage is one of these.

    `at_least` is how the author said it; `stages` then holds that stage and all behind it.
    """

    stages: tuple[str, ...]
    at_least: str | None = None


class AttributeIs(Condition):
    """Every named attribute passes its tests."""

    attributes: tuple[ValueTests, ...]


class CompanyIs(Condition):
    """The contact's company passes every test; who has no company has no value."""

    attributes: tuple[ValueTests, ...]


class InList(Condition):
    """Member of one of these lists now."""

    lists: tuple[str, ...]


class Happened(Condition):
    """So many matching events; `word` is the key the author used (`event`, `page_visited` …)."""

    word: str
    query: EventQuery


class ThisEvent(Condition):
    """The event that enrolled the contact passes every test; false where there is none (86)."""

    properties: tuple[ValueTests, ...]


class MailIgnored(Condition):
    """The latest such mail sent at least `within` ago got no `awaited` event within that time.

    `awaited` is `email_opened` (key `email_not_opened`) or `email_clicked`.
    """

    awaited: str
    templates: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    within: int


class Inactive(Condition):
    """No behaviour for so long (microseconds)."""

    duration: int


class MayMail(Condition):
    """`consent: TOPIC`: may be mailed now; no topic for consent in general (`email`)."""

    topics: tuple[str, ...] = ()


class Drawn(Condition):
    """`random: 10%`: a stable share of all contacts, in millionths.

    `place` is the definition's kind and name and the path in it: `scenario/x/conditions/0`.
    """

    share: int
    place: str
