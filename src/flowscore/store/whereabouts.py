"""Where contacts stand: balances, cells and the stage, for templates, exports and listings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from flowscore.store.tables import balances, cells, company_balances, contacts, stages


class Holding(NamedTuple):
    """Where the balances stand that contacts read in a score: their own, or their company's.

    `owner` is the table's key beside the score, `whose` the column of contacts that it names.
    """

    table: Table
    owner: ColumnElement[Any]
    whose: ColumnElement[Any]

    @property
    def mine(self) -> ColumnElement[bool]:
        """Joins a contact with what they read."""
        return self.owner == self.whose


def holding(*, of_company: bool) -> Holding:
    """Of a score that is companies', or of any other (ruling 96)."""
    if of_company:
        return Holding(company_balances, company_balances.c.company_id, contacts.c.company_id)
    return Holding(balances, balances.c.contact_id, contacts.c.id)


def balances_of(
    connection: Connection, numbers: Collection[int], of_company: Collection[str]
) -> defaultdict[int, dict[str, int]]:
    """What each of these contacts (by id) reads of every score with a balance, in 10⁻⁴ points.

    Scores `of_company` are read of the contact's company; without one there is none.
    """
    rows = balances.c
    own = and_(rows.contact_id.in_(numbers), rows.score.not_in(of_company))
    asked = [select(rows.contact_id, rows.score, rows.balance).where(own)]
    if of_company:
        theirs = company_balances.c
        shared = select(contacts.c.id, theirs.score, theirs.balance).join(
            contacts, contacts.c.company_id == theirs.company_id
        )
        asked.append(shared.where(contacts.c.id.in_(numbers), theirs.score.in_(of_company)))
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for query in asked:
        for contact, score, balance in connection.execute(query):
            found[contact][score] = balance
    return found


def stages_of(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    """The stage of each of these contacts; who is left out is in the first."""
    now = select(stages.c.contact_id, stages.c.stage).where(
        stages.c.contact_id.in_(numbers), stages.c.left_at.is_(None)
    )
    return {row.contact_id: row.stage for row in connection.execute(now)}


def cells_of(connection: Connection, numbers: Collection[int]) -> defaultdict[int, dict[str, str]]:
    """The cells of each of these contacts, by grade."""
    query = select(cells.c.contact_id, cells.c.grade, cells.c.cell)
    ordered = query.where(cells.c.contact_id.in_(numbers)).order_by(cells.c.grade)
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for contact, grade, cell in connection.execute(ordered):
        found[contact][grade] = cell
    return found
