"""Loads the sample of leads on which points are fitted: their outcome and what was known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from flowscore.learning import facts
from flowscore.learning.columns import MOST_TIMES, Column, Cut, Sheet, Value
from flowscore.learning.population import WINS, leads
from flowscore.store.tables import contacts

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select


def load_sheet(
    connection: Connection,
    cuts: Sequence[Cut],
    whens: Sequence[Select[Any]],
    params: Mapping[str, Any],
) -> Sheet:
    """A row for each lead in the sample, a column for each cut, in their order."""
    query = (
        select(leads.c.contact_id, WINS.label("won"), contacts.c.draw_a, contacts.c.draw_b)
        .join(contacts, contacts.c.id == leads.c.contact_id)
        .where(leads.c.sampled == 1)
        .order_by(leads.c.contact_id)
    )
    found = connection.execute(query).all()
    places = {row.contact_id: place for place, row in enumerate(found)}
    values: dict[str, list[Value]] = {one.subject.key: [None] * len(found) for one in cuts}
    for source, rows in _sources(connection, cuts, whens):
        for row in connection.execute(rows, params):
            column = values.get(f"{source}/{row.name}")
            if column is not None and row.contact_id in places:
                column[places[row.contact_id]] = _value(row)
    return Sheet(
        [f"{row.draw_a}/{row.draw_b}" for row in found],
        [int(row.won) for row in found],
        tuple(Column(one.subject, _typed(one, values[one.subject.key])) for one in cuts),
    )


def _sources(
    connection: Connection, cuts: Sequence[Cut], whens: Sequence[Select[Any]]
) -> list[tuple[str, Select[Any]]]:
    """The statements that find the values, by the source that stands in the columns' keys."""
    dialect = connection.dialect.name
    found = []
    for source, rows in (
        ("attribute", facts.attribute_facts()),
        ("company", facts.company_facts()),
        ("event", facts.event_facts()),
        ("page", facts.page_facts()),
        ("page", facts.section_facts(dialect)),
        ("rule", facts.ledger_facts()),
        *(("rule", one) for one in whens),
    ):
        names = [
            one.subject.key.partition("/")[2]
            for one in cuts
            if one.subject.key.startswith(f"{source}/")
        ]
        if names:
            found.append((source, facts.in_time(rows, names)))
    return found


def _value(row: Any) -> Value:
    """The value of a fact: its number or text, how often, or that it is so."""
    shape = row._asdict()
    if "times" in shape:
        return min(int(shape["times"]), MOST_TIMES)
    if "text" in shape:
        return (shape["number"], shape["text"])  # type: ignore[return-value]
    return 1


def _typed(one: Cut, values: Sequence[Any]) -> list[Value]:
    """Of an attribute the number or the text, as the column wants it."""
    kind = one.subject.kind
    if kind == "number":
        return [None if pair is None else pair[0] for pair in values]
    if kind == "text":
        return [None if pair is None else pair[1] for pair in values]
    return list(values)
