"""Booking: new lines of the ledger enter the balances, and those that fade the working set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Insert, bindparam, insert, literal, select

from flowscore.engine import decay
from flowscore.engine.balances import grow_by_lines
from flowscore.engine.decay import Fading
from flowscore.store.tables import changes, ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowscore.engine.work import Work
    from flowscore.language.scoring import Score
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class Booking:
    """The statements that bring new lines to account."""

    grow: Insert
    fading: Fading | None


def build(scores: Sequence[Score], book: Book) -> Booking | None:
    """The statements for these scores; None where there are none."""
    if not scores:
        return None
    return Booking(grow_by_lines(scores), decay.build(scores, book))


def book_lines(work: Work, booking: Booking | None, after_line: int) -> None:
    """Add the lines after this id to their balances and tell of it."""
    if booking is None or work.last(ledger) == after_line:
        return
    work.run(booking.grow, after_line=after_line)
    decay.enter(work, booking.fading, after_line)
    work.run(TELL_OF_LINES, after_line=after_line)


def book_resets(work: Work, booking: Booking | None, after_line: int) -> None:
    """The same for lines that reset a score."""
    book_lines(work, booking, after_line)
    if booking is not None:
        decay.forget(work, booking.fading, after_line)


TELL_OF_LINES = insert(changes).from_select(
    ["kind", "name", "contact_id"],
    select(literal("score"), ledger.c.score, ledger.c.contact_id)
    .where(ledger.c.id > bindparam("after_line", type_=BigInteger))
    .distinct(),
)
