"""Who is no lead any more: customers, and those of whom sales has said how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select

from flowscore.engine.stages import BY_CONDITION
from flowscore.rules.book import NEVER, Book
from flowscore.store.feedback import FEEDBACK
from flowscore.store.tables import contacts, events, stages
from flowscore.views.reporting.qualified import usual_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscore.language.lifecycle import Lifecycle

LOST = ("not_qualified", "lost")
WON = "won"


@dataclass(frozen=True)
class Settled:
    """`stage` is where people are customers; None where the lifecycle does not go so far."""

    stage: str | None
    book: Book

    @property
    def customers(self) -> ColumnElement[bool]:
        """Over `contacts`: who stands in that stage, from an index that has them in order."""
        if self.stage is None:
            return false()
        return contacts.c.id.in_(select(stages.c.contact_id).where(self._in_stage))

    @property
    def every_customer(self) -> Select[tuple[int]]:
        """How many have an address, from indexes alone: there may be very many."""
        here = self._in_stage
        nameless = select(contacts.c.id).where(contacts.c.email_folded.is_(None))
        without = select(func.count()).where(here, stages.c.contact_id.in_(nameless))
        return select(
            select(func.count()).where(here).scalar_subquery() - without.scalar_subquery()
        )

    @property
    def closed(self) -> ColumnElement[bool]:
        """Over `contacts`: whom sales has closed, from the index of what it said."""
        return and_(contacts.c.id.in_(_spoken_of()), self._closed)

    def leads(self, who: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
        """Everybody else. `who` is where their number is found first, to look no further."""
        if self.stage is not None:
            mine = and_(self._in_stage, stages.c.contact_id == who)
            yield ~select(stages.c.contact_id).where(mine).exists()
        yield or_(who.not_in(_spoken_of()), not_(self._closed))

    @property
    def _in_stage(self) -> ColumnElement[bool]:
        return and_(stages.c.stage == self.stage, stages.c.left_at.is_(None))

    @property
    def _closed(self) -> ColumnElement[bool]:
        """By sales' last word; a no holds until they have earned another stage."""
        word = func.coalesce(_newest(self.book.first_text(events.c.forms, "verdict")), "")
        earned = _stay(stages.c.entered_at, stages.c.cause == BY_CONDITION)
        since = func.coalesce(earned, NEVER) > func.coalesce(_newest(events.c.own_at), NEVER)
        return or_(word == WON, and_(word.in_(LOST), not_(since)))


def _spoken_of() -> Select[tuple[int]]:
    """By a range of the index `events_name`, not by everybody's of `events_contact`."""
    said = (events.c.name == FEEDBACK, events.c.own_at > NEVER)
    return select(events.c.contact_id).where(*said, events.c.contact_id.is_not(None))


def _newest(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of what sales said of a contact last."""
    said = and_(events.c.contact_id == contacts.c.id, events.c.name == FEEDBACK)
    newest = select(column).where(said).order_by(events.c.own_at.desc(), events.c.id.desc())
    return newest.limit(1).correlate(contacts).scalar_subquery()


def _stay(column: ColumnElement[Any], *also: ColumnElement[bool]) -> ColumnElement[Any]:
    """Of a contact's present stay in a stage."""
    now = and_(stages.c.contact_id == contacts.c.id, stages.c.left_at.is_(None), *also)
    return select(column).where(now).correlate(contacts).scalar_subquery()


def customer_stage(lifecycle: Lifecycle | None) -> str | None:
    """The last stage, where the one at which sales works comes before it."""
    if lifecycle is None or usual_stage(lifecycle) == lifecycle.names[-1]:
        return None
    return lifecycle.names[-1]


def left_out_words(counts: dict[str, Any] | None) -> str:
    """`62 left out (60 in stage customer, 2 closed by sales)`; nothing where nobody is."""
    if counts is None or not (counts["in_stage"] or counts["closed"]):
        return ""
    customers = f"{counts['in_stage']:,} in stage {counts['stage']}" if counts["in_stage"] else ""
    closed = f"{counts['closed']:,} closed by sales" if counts["closed"] else ""
    why = ", ".join(part for part in (customers, closed) if part)
    return f"{counts['in_stage'] + counts['closed']:,} left out ({why})"
