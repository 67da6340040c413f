"""Decay: lines fade at fixed instants; those whose worth still moves are the working set.

A line enters `fading` when it is written and leaves it when it is worth nothing for good, so a
pass costs what still moves. What it lost stands nowhere: it follows from its age, and a pass
books the difference between two decay instants (rulings 50 and 51).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    Double,
    Insert,
    Update,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)

from flowscore.engine.balances import grow
from flowscore.engine.scratch import faded
from flowscore.language.scoring import Decay, Expires, HalfLife, Linear, Steps
from flowscore.language.words import WHOLE_SHARE
from flowscore.rules.sight import batch
from flowscore.rules.worth import VOID, Fade, fades, is_void, kept_by, present_worth, worth
from flowscore.store.dialects import insert_from
from flowscore.store.tables import changes, fading, ledger

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.scoring import Score
    from flowscore.rules.book import Book

ENTRY = ["contact_id", "score", "line_id", "rule", "points", "own_at", "next_at", "settled_at"]
AT_EVERY_INSTANT = 0
NO_END = 4 * 10**18  # microseconds; with an instant and the longest duration still a BIGINT


@dataclass(frozen=True)
class Fading:
    """The statements by which lines enter the working set, fade, and leave it."""

    lose_at_entry: Insert  # into `faded`: what new lines have lost already
    enter: Insert
    lose: Insert  # into `faded`: what the working set loses from one instant to the next
    book: Insert  # balances take in what stands in `faded`
    settle: Delete
    enter_anew: Insert  # of the contacts in `batch`, all their lines
    next_step: Update | None


def build(scores: Sequence[Score], book: Book) -> Fading | None:
    """The statements for these scores; None where nothing fades."""
    ways = list(fades(scores))
    if not ways:
        return None
    fading_ones = or_(*(one.lines(ledger) for one in ways))
    new = and_(ledger.c.id > bindparam("after_line", type_=BigInteger), ~is_void(ledger))
    of_batch = ledger.c.contact_id.in_(select(batch.c.contact_id))
    return Fading(
        lose_at_entry=_lose_at_entry(scores, and_(new, fading_ones), book),
        enter=enter_where(ways, new, book),
        lose=_lose(ways, book),
        book=grow(scores, faded),
        enter_anew=enter_where(ways, and_(of_batch, ~is_void(ledger)), book),
        settle=delete(fading).where(fading.c.settled_at <= book.decayed),
        next_step=_next_step(ways, book),
    )


def _lose_at_entry(scores: Sequence[Score], which: Any, book: Book) -> Insert:
    """Statement: what these lines of the ledger have lost already, by contact and score."""
    line = ledger.c
    lost = present_worth(scores, ledger, book.decayed, book.dialect) - line.points
    # Plus nothing: the new lines are few, and not to be found by contact.
    who = (line.contact_id + 0).label("contact_id")
    rows = select(who, line.score, lost.label("lost")).where(which).subquery()
    total = cast(func.sum(rows.c.lost), BigInteger)
    summed = select(rows.c.contact_id, rows.c.score, total)
    return insert(faded).from_select(
        ["contact_id", "score", "points"],
        summed.group_by(rows.c.contact_id, rows.c.score).having(func.sum(rows.c.lost) != 0),
    )


def enter_where(ways: list[Fade], where: Any, book: Book) -> Insert:
    """Statement: lines of the ledger that still move come into the working set."""
    of = [one.lines(ledger) for one in ways]
    settled = case(*zip(of, (_settled_at(one.decay) for one in ways), strict=True))
    moves = case(*zip(of, (_moves_at(one.decay, book.decayed) for one in ways), strict=True))
    rows = select(
        ledger.c.contact_id,
        ledger.c.score,
        ledger.c.id,
        case((ledger.c.kind == "rule", ledger.c.rule), else_=""),
        ledger.c.points,
        ledger.c.own_at,
        cast(moves, BigInteger),
        cast(settled, BigInteger),
    ).where(where, or_(*of), settled > book.decayed)
    return insert_from(fading, ENTRY, rows)


def _settled_at(decay: Decay) -> ColumnElement[Any]:
    """From when on a line is worth nothing: to 8 decimals, where it only comes near to it."""
    line = ledger.c
    match decay:
        case Expires(after=span) | Linear(over=span):
            return line.own_at + span
        case HalfLife(half=half):
            return line.own_at + _fades_within(half / math.log(2), half)
        case Steps(lose=lose, every=every) if lose < WHOLE_SHARE:
            return line.own_at + _fades_within(every / -math.log(kept_by(decay)), every)
        case Steps(every=every):
            return line.own_at + every
    raise TypeError(f"{type(decay).__name__} does not fade single lines")


def _fades_within(span: float, aside: int) -> ColumnElement[Any]:
    """How long until e^(-age/span) of the points is less than half of the last decimal."""
    found = func.ln(cast(func.abs(ledger.c.points) * 2 + 2, Double)) * span
    return case((found < float(NO_END), cast(found, BigInteger)), else_=NO_END) + aside


def _moves_at(decay: Decay, at: Any) -> ColumnElement[Any]:
    """When the worth changes next after decay instant `at`."""
    match decay:
        case Expires(after=after):
            return ledger.c.own_at + after
        case Steps(every=every):
            return ledger.c.own_at + _steps_by(ledger.c.own_at, every, at) * every
    return cast(literal(AT_EVERY_INSTANT), BigInteger)


def _steps_by(own_at: Any, every: int, at: Any) -> Any:
    """The number of the next step after `at`, from 1 on."""
    return case((at > own_at, (at - own_at) // every + 1), else_=1)


def _lose(ways: list[Fade], book: Book) -> Insert:
    """Statement: what each contact's score loses between the two decay instants."""
    line = fading.c

    def at(instant: Any) -> ColumnElement[int]:
        return case(
            *(
                (_is_of(one), worth(one.decay, line.points, line.own_at, instant, book.dialect))
                for one in ways
            ),
            else_=line.points,
        )

    lost = func.sum(at(book.decayed) - at(book.decayed_before))
    rows = select(line.contact_id, line.score, cast(lost, BigInteger))
    return insert(faded).from_select(
        ["contact_id", "score", "points"],
        rows.where(line.next_at <= book.decayed)
        .group_by(line.contact_id, line.score)
        .having(lost != 0),
    )


def _is_of(one: Fade) -> ColumnElement[bool]:
    """Whether a row of the working set fades this way."""
    rules = (*one.rules, "") if one.gifts else one.rules
    return and_(fading.c.score == one.score, fading.c.rule.in_(rules))


def _next_step(ways: list[Fade], book: Book) -> Update | None:
    """Statement: when the lines move next that lose in steps."""
    own_at = fading.c.own_at
    found = [
        (_is_of(one), own_at + _steps_by(own_at, one.decay.every, book.decayed) * one.decay.every)
        for one in ways
        if isinstance(one.decay, Steps)
    ]
    if not found:
        return None
    moved = fading.c.next_at.between(AT_EVERY_INSTANT + 1, book.decayed)
    which = or_(*(of for of, _ in found))
    return update(fading).where(moved, which).values(next_at=case(*found))


# ---------------------------------------------------------------- verbs


def fade(work: Work, fading_: Fading | None) -> None:
    """Before the rounds: what the decay instants since the last tick took (rulings 18, 50)."""
    if fading_ is None or not work.has_decayed:
        return
    work.clear(faded)
    if lost := work.fill(faded, fading_.lose):
        work.counts.faded += lost
        work.run(fading_.book)
        work.run(TELL_OF_FADED)
    work.run(fading_.settle)
    if fading_.next_step is not None:
        work.run(fading_.next_step)


def enter(work: Work, fading_: Fading | None, after_line: int) -> None:
    """The lines after this id come into the working set, with what they have lost already."""
    if fading_ is None:
        return
    work.clear(faded)
    if work.fill(faded, fading_.lose_at_entry, after_line=after_line):
        work.run(fading_.book)
    work.run(fading_.enter, after_line=after_line)


def forget(work: Work, fading_: Fading | None, after_line: int) -> None:
    """What the resets after this line made worth nothing moves no more (ruling 54)."""
    if fading_ is not None:
        work.run(FORGET_RESET, after_line=after_line)


def forget_gone(work: Work, scores: Sequence[Score]) -> None:
    """Lines of scores that are no more, or of which nothing fades any longer, do not move."""
    names = {one.score for one in fades(scores)}
    work.once(delete(fading).where(fading.c.score.not_in(sorted(names))))


def enter_anew(work: Work, fading_: Fading | None) -> None:
    """The working set of the contacts in `batch`, from all their lines."""
    work.once(delete(fading).where(fading.c.contact_id.in_(select(batch.c.contact_id))))
    if fading_ is not None:
        work.run(fading_.enter_anew)


TELL_OF_FADED = insert(changes).from_select(
    ["kind", "name", "contact_id"],
    select(literal("score"), faded.c.score, faded.c.contact_id).where(true()),
)


RESETS = select(ledger.c.contact_id, ledger.c.score).where(
    ledger.c.id > bindparam("after_line", type_=BigInteger),
    ledger.c.kind == "reset",
    ~ledger.c.key.startswith(VOID),
)
FORGET_RESET = delete(fading).where(tuple_(fading.c.contact_id, fading.c.score).in_(RESETS))
