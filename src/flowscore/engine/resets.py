"""Resets: what is dated before one is worth nothing from then on (ruling 54).

A reset is a line of minus the sum before it. What comes in later and is dated before it is
written as any line, with a line beside it that takes it back: the lines always add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)

from flowscore.engine.balances import LINE_COLUMNS
from flowscore.engine.work import rows_of
from flowscore.store.dialects import insert_from
from flowscore.store.tables import balances, changes, events, ledger

if TYPE_CHECKING:
    from flowscore.engine.work import Work

RESET, VOID = "reset", "void:"
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


def reckon_anew(work: Work, score: str) -> None:
    """After a recompute: each reset is minus what now stands before it, since the one before."""
    _reckon(work, ledger.c.score == score, recomputed=True)


def reckon_merged(work: Work) -> None:
    """Who was merged brings lines dated before a reset: they are worth nothing either."""
    if not work.told_of({("contact", "")}, 0) or not work.run(ANY).scalar():
        return
    merged = select(changes.c.contact_id).where(changes.c.kind == "contact")
    _reckon(work, ledger.c.contact_id.in_(merged), recomputed=False)
    reset = ledger.alias()
    was_reset = select(1).where(
        reset.c.contact_id == balances.c.contact_id,
        reset.c.score == balances.c.score,
        reset.c.kind == RESET,
    )
    total = select(func.coalesce(func.sum(ledger.c.points), 0)).where(
        ledger.c.contact_id == balances.c.contact_id, ledger.c.score == balances.c.score
    )
    work.once(
        update(balances)
        .where(balances.c.contact_id.in_(merged), was_reset.correlate(balances).exists())
        .values(raw=cast(total.correlate(balances).scalar_subquery(), BigInteger))
    )


def _reckon(work: Work, where: Any, *, recomputed: bool) -> None:
    """Give every reset among these lines its worth anew; nothing has to be taken back then."""
    resets = and_(where, ledger.c.kind == RESET)
    work.once(delete(ledger).where(resets, IS_VOID))
    rows = select(ledger.c.id, ledger.c.contact_id, ledger.c.score, _sum_before(ledger, recomputed))
    found = work.once(rows.where(resets).order_by(ledger.c.own_at, ledger.c.id)).all()
    stood: dict[tuple[int, str], int] = {}
    worth = []
    for number, contact_id, score, before in found:
        of = (contact_id, score)
        worth.append({"number": number, "worth": stood.get(of, 0) - int(before)})
        stood[of] = int(before)
    if worth:
        work.connection.execute(SET_WORTH, worth)


def _sum_before(reset: Any, recomputed: bool) -> Any:
    """All lines dated before the reset; of its own instant those written earlier.

    A recompute has written lines anew: there it is those that were known when it was written.
    """
    line, seen = ledger.alias(), events.alias()
    later = select(1).where(seen.c.id == line.c.event_id, seen.c.seen_at > reset.c.tick_at)
    known_late = later.correlate(line, reset).exists()  # of this very reset, two levels out
    now = bindparam("now", type_=BigInteger)
    anew = and_(line.c.kind == "rule", line.c.tick_at == now, ~known_late)
    earlier = or_(line.c.id < reset.c.id, anew) if recomputed else line.c.id < reset.c.id
    at_once = and_(line.c.own_at == reset.c.own_at, earlier)
    total = select(func.coalesce(func.sum(line.c.points), 0)).where(
        line.c.contact_id == reset.c.contact_id,
        line.c.score == reset.c.score,
        line.c.kind != RESET,
        or_(line.c.own_at < reset.c.own_at, at_once),
    )
    return cast(total.correlate(reset).scalar_subquery(), BigInteger)


SET_WORTH = (
    update(ledger)
    .where(ledger.c.id == bindparam("number"))
    .values(points=bindparam("worth", type_=BigInteger))
)
