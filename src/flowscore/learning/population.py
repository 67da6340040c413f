"""The leads that are learned from, each with the instant up to which it may be known.

A customer is judged by what was known before the sale. Somebody who did not buy is judged at
the age that some customer had at the sale (time since the first touch): the same span of life is
looked at on both sides, so that nothing speaks for a lead merely because there was more time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    Select,
    Table,
    case,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.schema import CreateTable, DropTable

from flowscore.learning.cycles import BUCKETS, ages_that_stand_for_all
from flowscore.learning.rates import Rate
from flowscore.store.tables import contacts, events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from flowscore.learning.outcomes import Outcome

MOST_AGES = 100_000  # customers whose ages are looked at
SAMPLE = 100_000  # leads that points are fitted on

leads = Table(
    "learning_leads",
    MetaData(),
    Column("contact_id", BigInteger, primary_key=True),
    Column("came_at", BigInteger),
    Column("won_at", BigInteger),
    Column("until_at", BigInteger),  # what is known from then on does not count
    Column("company_id", BigInteger),
    Column("company_at", BigInteger),
    Column("sampled", Integer),
    prefixes=["TEMPORARY"],
)
WINS = case((leads.c.won_at.is_not(None), 1), else_=0)


@dataclass(frozen=True)
class Period:
    """Leads that came in within [first, last); as everything stood at `as_of`."""

    as_of: int
    first: int | None = None
    last: int | None = None


def last_moment(connection: Connection, mark: int) -> int:
    """The last thing that anybody did: after it the log says nothing of anybody."""
    query = select(func.max(events.c.own_at)).where(events.c.behaviour, events.c.own_at <= mark)
    found = connection.execute(query).scalar()
    return mark if found is None else int(found)


def customers_ages(
    connection: Connection, outcome: Outcome, period: Period, params: dict[str, Any]
) -> list[int]:
    """How old (microseconds) customers were at the sale, sorted; of very many a stable sample."""
    won = outcome.rows.subquery()
    query = (
        select(won.c.won_at - contacts.c.created_at)
        .join(contacts, contacts.c.id == won.c.contact_id)
        .where(contacts.c.known, won.c.won_at <= period.as_of, *_within(period))
        .order_by(contacts.c.draw_a, contacts.c.id)
        .limit(MOST_AGES)
    )
    return sorted(max(0, int(age)) for age in connection.execute(query, params).scalars())


def _within(period: Period) -> list[Any]:
    came = contacts.c.created_at
    parts = [came <= period.as_of]
    parts += [came >= period.first] if period.first is not None else []
    parts += [came < period.last] if period.last is not None else []
    return parts


def gather(
    connection: Connection,
    outcome: Outcome,
    period: Period,
    ages: Sequence[int],
    params: dict[str, Any],
) -> Rate:
    """Fill the table of leads; how many there are, and how many won."""
    forget(connection)
    connection.execute(CreateTable(leads))
    names = ["contact_id", "came_at", "won_at", "until_at", "company_id", "company_at", "sampled"]
    connection.execute(insert(leads).from_select(names, _leads(outcome, period, ages)), params)
    found = connection.execute(
        select(func.count(), func.coalesce(func.sum(WINS), 0)).select_from(leads)
    ).one()
    everybody = Rate(int(found[0]), int(found[1]))
    if everybody.leads > SAMPLE:
        _sample(connection, everybody)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {leads.name}")
    return everybody


def came(connection: Connection, period: Period) -> tuple[int, int]:
    """How many leads came in within the period, and within how long (microseconds)."""
    first, last = func.min(contacts.c.created_at), func.max(contacts.c.created_at)
    query = select(func.count(), func.coalesce(last - first, 0)).where(
        contacts.c.known, *_within(period)
    )
    found = connection.execute(query).one()
    return int(found[0]), int(found[1])


def _leads(outcome: Outcome, period: Period, ages: Sequence[int]) -> Select[Any]:
    won = outcome.rows.subquery()
    came = contacts.c.created_at
    won_at = case((won.c.won_at <= period.as_of, won.c.won_at))
    looked = came + _age(ages, period)
    until = case(
        (won_at.is_not(None), won_at), (looked < period.as_of, looked), else_=period.as_of + 1
    )
    return (
        select(
            contacts.c.id, came, won_at, until, contacts.c.company_id, contacts.c.company_at,
            literal(1),
        )
        .join_from(contacts, won, won.c.contact_id == contacts.c.id, isouter=True)
        .where(contacts.c.known, true(), *_within(period))
    )  # fmt: skip


def _age(ages: Sequence[int], period: Period) -> Any:
    """One of the customers' ages, drawn for each lead by its own number."""
    if not ages:
        return literal(period.as_of, BigInteger)
    marks = ages_that_stand_for_all(ages)
    part = contacts.c.draw_b // 64 % BUCKETS
    parts = [(part == place, literal(age, BigInteger)) for place, age in enumerate(marks[:-1])]
    return case(*parts, else_=literal(marks[-1], BigInteger))


def _sample(connection: Connection, everybody: Rate) -> None:
    """Mark a stable share of the leads, by their own numbers."""
    share = SAMPLE * 10_000 // everybody.leads
    inside = (
        select(contacts.c.draw_a % 10_000 < share)
        .where(contacts.c.id == leads.c.contact_id)
        .scalar_subquery()
    )
    connection.execute(update(leads).values(sampled=case((inside, 1), else_=0)))


def forget(connection: Connection) -> None:
    """Drop the table of leads, if it is there."""
    connection.execute(DropTable(leads, if_exists=True))
