"""The scratch tables of a tick, in which its verbs hand on sets to each other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Insert,
    Integer,
    Table,
    Text,
    insert,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.schema import CreateIndex, CreateTable

from flowscore.rules.sight import batch, fresh, scratch
from flowscore.store import statistics
from flowscore.store.tables import Bytewise


def _scratch(name: str, *columns: Column[Any]) -> Table:
    keyed = any(column.primary_key for column in columns)
    return Table(name, scratch, *columns, prefixes=["TEMPORARY"], sqlite_with_rowid=not keyed)


# Occurrences of one scenario (or of one rule's counted triggers) in this round.
happened = _scratch(
    "happened",
    Column("contact_id", BigInteger),
    Column("own_at", BigInteger),
    Column("key", Bytewise),
    Column("event_id", BigInteger),
    Column("position", Integer),
    Column("passes", Boolean),
)
Index("happened_key", happened.c.contact_id, happened.c.key)
HAPPENED = [column.name for column in happened.columns]
# Points that rules would give, before caps; `position` is the rule's place in its score.
awards = _scratch(
    "awards",
    Column("score", Text),
    Column("rule", Text),
    Column("position", Integer),
    Column("contact_id", BigInteger),
    Column("own_at", BigInteger),
    Column("key", Bytewise),
    Column("event_id", BigInteger),
)
# Occurrences of state triggers in rules: noticed in phase 3, awarded in the next round.
noticed = _scratch("noticed", *(Column(c.name, c.type) for c in awards.c))
# What balances gain or lose as lines fade.
faded = _scratch(
    "faded",
    Column("contact_id", BigInteger, primary_key=True),
    Column("score", Bytewise, primary_key=True),
    Column("points", BigInteger),
)
# Companies whose sums may have changed, and what they add up to.
touched_companies = _scratch(
    "touched_companies", Column("company_id", BigInteger, primary_key=True)
)
company_sums = _scratch(
    "company_sums",
    Column("company_id", BigInteger, primary_key=True),
    Column("score", Bytewise, primary_key=True),
    Column("raw", BigInteger),
)
# Contacts to ask a condition of, and those whose answer is another than before.
asked = _scratch("asked", Column("contact_id", BigInteger, primary_key=True))
turned = _scratch(
    "turned", Column("contact_id", BigInteger, primary_key=True), Column("holds", Integer)
)
# Contacts who go from one lifecycle stage to another, by the stages' places, and why.
staged = _scratch(
    "staged",
    Column("contact_id", BigInteger, primary_key=True),
    Column("origin", Integer),
    Column("target", Integer),
    Column("cause", Text),
)
# How the contacts in `batch` stood before a recompute: what they read, where they are.
stood_at_balances = _scratch(
    "stood_at_balances",
    Column("contact_id", BigInteger, primary_key=True),
    Column("score", Bytewise, primary_key=True),
    Column("balance", BigInteger),
)
stood_in_cells = _scratch(
    "stood_in_cells",
    Column("contact_id", BigInteger, primary_key=True),
    Column("grade", Bytewise, primary_key=True),
    Column("cell", Bytewise),
)
stood_in_stages = _scratch(
    "stood_in_stages",
    Column("contact_id", BigInteger, primary_key=True),
    Column("stage", Bytewise),
)
stood_in_lists = _scratch(
    "stood_in_lists",
    Column("contact_id", BigInteger, primary_key=True),
    Column("list", Bytewise, primary_key=True),
)
# Enrollments whose walk is under way in phase 4.
walking = _scratch(
    "walking",
    Column("enrollment_id", BigInteger, primary_key=True),
    Column("contact_id", BigInteger),
    Column("definition_id", BigInteger),
    Column("position", Integer),
    Column("due_at", BigInteger),
    Column("turn", Integer),
    Column("event_id", BigInteger),
    Column("own_at", BigInteger),
    Column("held", Boolean),
    Column("came", Boolean),
    Column("entered_at", BigInteger),
    Column("email", Bytewise),
    Column("key", Bytewise),
)
# Enrollments for which what they wait for has happened.
answered = _scratch("answered", Column("enrollment_id", BigInteger, primary_key=True))
# What steps say of consent, in the shape that store/consents.py wants.
speaking = _scratch(
    "speaking",
    Column("contact_id", BigInteger),
    Column("topic", Text),
    Column("granted", Boolean),
    Column("ord", BigInteger),
    Column("source", Text),
    Column("message_id", Text),
)
# Enrollments that steps ask for by hand.
requested = _scratch(
    "requested",
    Column("scenario", Text),
    Column("contact_id", BigInteger),
    Column("own_at", BigInteger),
    Column("key", Bytewise),
    Column("event_id", BigInteger),
)
Index("walking_at", walking.c.definition_id, walking.c.turn, walking.c.position)

# See store/statistics.py: they hold what one tick changed.
SHORT = {
    ("answered", "sqlite_autoindex_answered_1"): "500 1",
    ("asked", "sqlite_autoindex_asked_1"): "2000 1",
    ("awards", None): "2000",
    ("company_sums", "sqlite_autoindex_company_sums_1"): "500 1 1",
    ("touched_companies", "sqlite_autoindex_touched_companies_1"): "500 1",
    ("batch", "batch"): "1000",
    ("faded", "sqlite_autoindex_faded_1"): "2000 1 1",
    ("fresh", "sqlite_autoindex_fresh_1"): "5000 500 1",
    ("happened", "happened_key"): "1000 2 1",
    ("speaking", None): "500",
    ("noticed", None): "500",
    ("requested", None): "500",
    ("staged", "sqlite_autoindex_staged_1"): "500 1",
    ("stood_at_balances", "sqlite_autoindex_stood_at_balances_1"): "2000 2 1",
    ("stood_in_cells", "sqlite_autoindex_stood_in_cells_1"): "2000 2 1",
    ("stood_in_lists", "sqlite_autoindex_stood_in_lists_1"): "2000 2 1",
    ("stood_in_stages", "sqlite_autoindex_stood_in_stages_1"): "1000 1",
    ("turned", "sqlite_autoindex_turned_1"): "500 1",
    ("walking", "sqlite_autoindex_walking_1"): "1000 1",
    ("walking", "walking_at"): "1000 100 50 20",
}
SCRATCH_TABLES = (
    fresh, batch, touched_companies, company_sums, happened, awards, noticed, faded, asked,
    turned, walking, answered, requested, speaking, staged,
    stood_at_balances, stood_in_cells, stood_in_stages, stood_in_lists,
)  # fmt: skip


def prepare_scratch(connection: Connection) -> None:
    """Make this connection's scratch tables where they are missing; ticks leave them empty."""
    if connection.execute(HAS_SCRATCH[connection.dialect.name]).scalar():
        return
    for table in SCRATCH_TABLES:
        connection.execute(CreateTable(table))
        for index in table.indexes:
            connection.execute(CreateIndex(index))
    if connection.dialect.name == "sqlite":
        statistics.expect(connection, "temp", SHORT)


HAS_SCRATCH = {
    "sqlite": text("SELECT 1 FROM sqlite_temp_master WHERE name = 'walking'"),
    "postgresql": text("SELECT 1 WHERE to_regclass('pg_temp.walking') IS NOT NULL"),
}


def into_happened(rows: Any, position: int) -> Insert:
    """Statement: these occurrences, at the trigger's position."""
    return insert(happened).from_select(
        HAPPENED,
        select(
            rows.c.contact_id,
            rows.c.own_at,
            rows.c.key,
            rows.c.event_id,
            literal(position),
            true(),
        ),
    )
