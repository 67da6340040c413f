"""Sudden signals: the ledger line with which the points won in a window reach so many (23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from flowscore.engine.scratch import happened, into_happened
from flowscore.rules.traits import colleagues
from flowscore.store.tables import POINT, ledger

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.triggers import ScoreGains
    from flowscore.rules.book import Book

LINES_SEEN = bindparam("lines_seen", type_=BigInteger)  # lines up to this id are known
WON = ("rule", "when", "scenario")  # kinds of lines that give points; a reset gives none


def notice(work: Work, trigger: ScoreGains, position: int) -> None:
    """Put the lines since the last phase 3 that reached the gain into `happened`."""
    if not work.told_of({("score", trigger.score)}, work.crossings_from):
        return
    purpose, book = ("gains", trigger, position), work.book
    statement = book.build(purpose, lambda: _occur(trigger, position, book))
    work.fill(happened, statement, lines_seen=work.lines_from)


def _occur(trigger: ScoreGains, position: int, book: Book) -> Insert:
    return into_happened(gained(trigger, book).subquery(), position)


def gained(trigger: ScoreGains, book: Book) -> Select[Any]:
    """The new lines with which the sum over (e - within, e] first is enough.

    Face values, positive ones alone: decay and what was taken back do not count.
    """
    line = ledger.alias()
    before = _won_before(line, trigger, together=trigger.score in book.company_scores)
    wanted = round(trigger.points * POINT)
    key = literal(f"gains:{trigger.score}:{trigger.points:g}:") + line.c.rule + ":" + line.c.key
    return select(
        line.c.contact_id,
        line.c.own_at,
        cast(key, Text).label("key"),
        cast(null(), BigInteger).label("event_id"),
    ).where(
        line.c.id > LINES_SEEN,
        _counts(line, trigger),
        before.between(wanted - line.c.points, wanted - 1),  # SQLite adds up once for both ends
    )


def _won_before(line: Any, trigger: ScoreGains, *, together: bool) -> ColumnElement[Any]:
    """What was won in the window that ends with the line, without it.

    `together`: by everybody who is with the same company (ruling 96).
    """
    other = ledger.alias()
    whose = other.c.contact_id == line.c.contact_id
    if together:
        whose = or_(whose, other.c.contact_id.in_(colleagues(line.c.contact_id)))
    earlier = or_(
        other.c.own_at < line.c.own_at,
        and_(other.c.own_at == line.c.own_at, other.c.id < line.c.id),
    )
    total = select(func.coalesce(func.sum(other.c.points), 0)).where(
        whose,
        _counts(other, trigger),
        other.c.own_at > line.c.own_at - trigger.within,
        earlier,
    )
    return cast(total.correlate(line).scalar_subquery(), BigInteger)


def _counts(line: Any, trigger: ScoreGains) -> ColumnElement[bool]:
    return and_(line.c.score == trigger.score, line.c.kind.in_(WON), line.c.points > 0)
