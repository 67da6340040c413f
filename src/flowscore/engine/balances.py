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
    literal,
    select,
    tuple_,
    update,
)

from flowscore.rules.sight import CHANGES_SEEN, batch
from flowscore.rules.worth import is_void, present_worth
from flowscore.store.dialects import insert_or_update
from flowscore.store.tables import POINT, SHOWN, balances, changes, ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flowscore.engine.work import Work
    from flowscore.language.scoring import Range, Score

LINE_COLUMNS = [
    "contact_id", "score", "rule", "kind", "key", "points", "own_at", "tick_at", "event_id",
    "definition_id", "reason",
]  # fmt: skip


def add_up(work: Work, scores: Sequence[Score]) -> None:
    """Add up all lines of the contacts in `batch` anew, in these scores."""
    if not scores:
        return
    mine = select(batch.c.contact_id)
    names = [score.name for score in scores]
    work.once(
        update(balances)
        .where(balances.c.contact_id.in_(mine), balances.c.score.in_(names))
        .values(raw=0, balance=cut(scores, balances.c.score, literal(0)))
    )
    worth = present_worth(scores, ledger, work.book.decayed, work.book.dialect)
    lines = select(ledger.c.contact_id, ledger.c.score, worth.label("worth"))
    counted = lines.where(
        ledger.c.contact_id.in_(mine), ledger.c.score.in_(names), ~is_void(ledger)
    ).subquery()
    total = cast(func.sum(counted.c.worth), BigInteger).label("points")
    rows = select(counted.c.contact_id, counted.c.score, total)
    work.once(grow(scores, rows.group_by(counted.c.contact_id, counted.c.score).subquery()))


def grow_by_lines(scores: Sequence[Score]) -> Insert:
    """Statement: balances gain the face values of the lines after `after_line`."""
    # Plus nothing, else SQLite walks the whole ledger in the order of an index on contacts.
    who = (ledger.c.contact_id + 0).label("contact_id")
    new = select(who, ledger.c.score, ledger.c.points).where(ledger.c.id > bindparam("after_line"))
    lines = new.subquery()
    total = func.sum(lines.c.points).label("points")
    rows = select(lines.c.contact_id, lines.c.score, total)
    return grow(scores, rows.group_by(lines.c.contact_id, lines.c.score).subquery())


def grow(scores: Sequence[Score], gains: Any) -> Insert:
    """Statement: balances gain these (contact_id, score, points), are rounded and cut."""
    rows = select(
        gains.c.contact_id,
        gains.c.score,
        cast(gains.c.points, BigInteger),
        cut(scores, gains.c.score, gains.c.points),
        cast(literal(0), BigInteger),
    )
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


TOLD = select(changes.c.contact_id, changes.c.name).where(
    changes.c.kind == "score", changes.c.id > CHANGES_SEEN
)
LOOK = (
    update(balances)
    .where(
        balances.c.looked != balances.c.balance,
        tuple_(balances.c.contact_id, balances.c.score).in_(TOLD),
    )
    .values(looked=balances.c.balance)
)
