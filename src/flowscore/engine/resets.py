"""Resets: what is dated before one is worth nothing from then on (ruling 54).

A reset is a line of minus the sum before it. What comes in later and is dated before it is
written as any line, with a line beside it that takes it back: the lines always add up.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    and_,
    bindparam,
    delete,
    literal,
    not_,
    select,
    update,
)

from flowscore.engine.balances import LINE_COLUMNS
from flowscore.engine.work import rows_of
from flowscore.rules.instants import last_decay
from flowscore.rules.sight import batch
from flowscore.rules.worth import VOID, Fade, fades, left_of
from flowscore.store.dialects import insert_from
from flowscore.store.tables import changes, events, ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flowscore.engine.work import Work
    from flowscore.language.scoring import Score

RESET = "reset"
MERGED = ("merged", "")  # the change of who took another's lines over
IS_VOID = ledger.c.key.startswith(VOID)


def void(work: Work, after_line: int) -> None:
    """Take back those lines after `after_line` that are dated before a reset of their score."""
    if work.run(ANY).scalar():
        work.changed += rows_of(work.run(TAKE_BACK, after_line=after_line))


def _take_back() -> Insert:
    line, reset = ledger.alias(), ledger.alias()
    earlier = (
        select(1)
        .where(
            reset.c.contact_id == line.c.contact_id,
            reset.c.score == line.c.score,
            reset.c.kind == RESET,
            not_(reset.c.key.startswith(VOID)),  # what took a line back resets nothing
            reset.c.own_at > line.c.own_at,
            reset.c.id <= bindparam("after_line", type_=BigInteger),
        )
        .exists()
    )
    now = bindparam("now", type_=BigInteger)
    rows = (
        select(
            line.c.contact_id,
            line.c.score,
            line.c.rule,
            literal(RESET),
            literal(VOID) + line.c.key,
            -line.c.points,
            now,
            now,
            line.c.event_id,
            line.c.definition_id,
            literal("dated before a reset"),
        )
        .where(
            line.c.id > bindparam("after_line", type_=BigInteger), line.c.kind == "rule", earlier
        )
        .order_by(line.c.id)
    )
    return insert_from(ledger, LINE_COLUMNS, rows)


ANY = select(select(1).where(ledger.c.kind == RESET).exists())
TAKE_BACK = _take_back()


def reckon_anew(work: Work, score: str, scores: Iterable[Score]) -> None:
    """After a recompute of `batch`: each reset is minus what now stands before it."""
    mine = ledger.c.contact_id.in_(select(batch.c.contact_id))
    _reckon(work, and_(ledger.c.score == score, mine), scores, recomputed=True)


def reckon_merged(work: Work, scores: Iterable[Score]) -> None:
    """Who was merged brings lines dated before a reset: they are worth nothing either."""
    if not work.run(ANY).scalar():
        return
    merged = select(changes.c.contact_id).where(changes.c.kind == MERGED[0])
    _reckon(work, ledger.c.contact_id.in_(merged), scores, recomputed=False)


def _reckon(work: Work, where: Any, scores: Iterable[Score], *, recomputed: bool) -> None:
    """Give every reset among these lines its worth anew; nothing has to be taken back then."""
    reset = ledger.alias()
    work.once(delete(ledger).where(where, ledger.c.kind == RESET, IS_VOID))
    of_reset = select(1).where(
        reset.c.contact_id == ledger.c.contact_id,
        reset.c.score == ledger.c.score,
        reset.c.kind == RESET,
    )
    late = select(events.c.seen_at).where(events.c.id == ledger.c.event_id).scalar_subquery()
    rows = select(ledger, late.label("event_seen_at")).where(where, of_reset.exists())
    order = (ledger.c.contact_id, ledger.c.score, ledger.c.own_at, ledger.c.id)
    fading = list(fades(scores))
    worths = [
        {"number": reset_id, "worth": worth}
        for _, lines in groupby(
            work.once(rows.order_by(*order)), lambda row: (row.contact_id, row.score)
        )
        for reset_id, worth in _worths(work, list(lines), fading, recomputed)
    ]
    if worths:
        work.connection.execute(SET_WORTH, worths)


def _worths(
    work: Work, lines: list[Any], fading: list[Fade], recomputed: bool
) -> Iterator[tuple[int, int]]:
    """Each reset of one contact's score: minus what was left then of the lines since the last."""
    open_lines = [line for line in lines if line.kind != RESET]
    for reset in (line for line in lines if line.kind == RESET):
        before = [one for one in open_lines if _is_before(one, reset, work.now, recomputed)]
        open_lines = [one for one in open_lines if one not in before]
        at = last_decay(work.book.policy, reset.own_at)
        yield reset.id, -sum(left_of(one, fading, at) for one in before)


def _is_before(line: Any, reset: Any, now: int, recomputed: bool) -> bool:
    """Dated before the reset; of its own instant those written earlier.

    A recompute has written lines anew: there it is those that were known when it was written.
    """
    if line.own_at != reset.own_at:
        return bool(line.own_at < reset.own_at)
    rewritten = recomputed and line.kind == "rule" and line.tick_at == now
    known = line.event_seen_at is not None and line.event_seen_at <= reset.tick_at
    return line.id < reset.id or (rewritten and known)


SET_WORTH = (
    update(ledger)
    .where(ledger.c.id == bindparam("number"))
    .values(points=bindparam("worth", type_=BigInteger))
)
