"""Balances: the ledger's lines added up, rounded, cut to the range, and last looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from flowscore.store.dialects import insert_or_update
from flowscore.store.tables import POINT, SHOWN, balances, changes, ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flowscore.engine.work import Work
    from flowscore.language.scoring import Range, Score

LINE_COLUMNS = [
    "contact_id", "score", "rule", "kind", "key", "points", "own_at", "tick_at", "event_id",
    "definition_id", "reason",
]  # fmt: skip


def rebalance(work: Work, statement: Insert | None, after_line: int) -> None:
    """Add the lines after this id to their balances and tell of it."""
    if statement is None or work.last(ledger) == after_line:
        return
    work.run(statement, after_line=after_line)
    work.run(TELL_OF_LINES, after_line=after_line)


TELL_OF_LINES = insert(changes).from_select(
    ["kind", "name", "contact_id"],
    select(literal("score"), ledger.c.score, ledger.c.contact_id)
    .where(ledger.c.id > bindparam("after_line", type_=BigInteger))
    .distinct(),
)


def recut(work: Work, scores: Iterable[Score]) -> None:
    """Read anew the balances of contacts who were merged: intake added up their lines only."""
    if not work.told_of({("contact", "")}, 0):
        return
    merged = select(changes.c.contact_id).where(changes.c.kind == "contact")
    reads = cut(scores, balances.c.score, balances.c.raw)
    work.once(
        update(balances)
        .where(balances.c.contact_id.in_(merged), balances.c.balance != reads)
        .values(balance=reads)
    )


def rebalance_fully(work: Work, scores: Iterable[Score]) -> None:
    """Add up all lines of these scores anew (their balances have been deleted)."""
    for score in scores:
        total = cast(func.sum(ledger.c.points), BigInteger)
        worth = cut([score], ledger.c.score, total)
        rows = (
            select(ledger.c.contact_id, ledger.c.score, total, worth, worth)
            .where(ledger.c.score == score.name)
            .group_by(ledger.c.contact_id, ledger.c.score)
        )
        columns = ["contact_id", "score", "raw", "balance", "looked"]
        work.once(insert(balances).from_select(columns, rows))
        moved = select(balances.c.contact_id).where(balances.c.score == score.name)
        work.tell("score", score.name, moved)


def rebalance_statement(scores: list[Score]) -> Insert:
    """Statement: balances gain the sum of the lines after `after_line`, rounded and cut."""
    # Plus nothing, else SQLite walks the whole ledger in the order of an index on contacts.
    who = (ledger.c.contact_id + 0).label("contact_id")
    new = select(who, ledger.c.score, ledger.c.points).where(ledger.c.id > bindparam("after_line"))
    lines = new.subquery()
    total = func.sum(lines.c.points)
    rows = select(
        lines.c.contact_id,
        lines.c.score,
        cast(total, BigInteger),
        cut(scores, lines.c.score, total),
        cast(literal(0), BigInteger),
    ).group_by(lines.c.contact_id, lines.c.score)
    columns = ["contact_id", "score", "raw", "balance", "looked"]

    def grown(row: Any) -> dict[str, Any]:
        raw = balances.c.raw + row.raw
        return {"raw": raw, "balance": cut(scores, balances.c.score, raw)}

    return insert_or_update(balances, ["contact_id", "score"], columns, rows, grown)


def cut(scores: Iterable[Score], name: Any, raw: Any) -> Any:
    """The balance that a sum reads as: rounded half away from zero, then cut to the range."""
    total = cast(raw, BigInteger)
    unit, half = POINT // SHOWN, POINT // SHOWN // 2
    rounded = case((total >= 0, (total + half) // unit), else_=-((half - total) // unit))
    limits = [
        (and_(name == score.name, beyond), limit)
        for score in scores
        if score.range is not None
        for beyond, limit in _limits(rounded, score.range)
    ]
    return cast(case(*limits, else_=rounded) if limits else rounded, BigInteger)


def _limits(rounded: Any, bounds: Range) -> Iterator[tuple[Any, int]]:
    if bounds.min is not None:
        yield rounded < round(bounds.min * SHOWN), round(bounds.min * SHOWN)
    if bounds.max is not None:
        yield rounded > round(bounds.max * SHOWN), round(bounds.max * SHOWN)


def remember_looked(work: Work, changes_seen: int) -> None:
    """The balances of this phase 3 are what the next crossing is held against (ruling 15)."""
    work.run(LOOK, changes_seen=changes_seen)


LOOK = (
    update(balances)
    .where(
        balances.c.looked != balances.c.balance,
        balances.c.contact_id.in_(
            select(changes.c.contact_id).where(
                changes.c.kind == "score",
                changes.c.id > bindparam("changes_seen", type_=BigInteger),
            )
        ),
    )
    .values(looked=balances.c.balance)
)
