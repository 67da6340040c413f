"""Points won of late: what tells a lead that is warming up from one that was warm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from flowscore.clock import DAY
from flowscore.store.tables import contacts, ledger

if TYPE_CHECKING:
    from flowscore.language.scoring import Score

WINDOW = 7 * DAY
NOT_WON = ("reset", "decay")  # what `gains` leaves out too; so asked it costs half as much


def won_lately(score: Score, at: int, who: Select[Any] | None = None) -> Select[Any]:
    """`id` and `won` (10⁻⁸ points): positive lines at face value in (at − 7 days, at].

    By contact, or by company where the score is the company's; only of contacts among `who`.
    One range of the index `ledger_won`.
    """
    query = select(*_of_whom(score), func.sum(ledger.c.points).label("won")).where(
        ledger.c.score == score.name,
        ledger.c.points > literal_column("0"),  # as its partial index says it
        ledger.c.own_at > at - WINDOW,
        ledger.c.own_at <= at,
        *(ledger.c.kind != kind for kind in NOT_WON),
    )
    if score.of == "company":
        query = query.join(contacts, contacts.c.id == ledger.c.contact_id)
    elif who is not None:
        query = query.where((ledger.c.contact_id + 0).in_(who))  # not by the index on contacts
    return query.group_by(*_of_whom(score))


def _of_whom(score: Score) -> tuple[ColumnElement[int]]:
    company = score.of == "company"
    return ((contacts.c.company_id if company else ledger.c.contact_id).label("id"),)
