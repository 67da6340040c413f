"""One tick under way: its connection, its instants, and the scratch tables its verbs share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Executable,
    Index,
    Integer,
    Table,
    Text,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable

from flowscore.rules.book import Book
from flowscore.rules.triggers import fresh, scratch
from flowscore.store.tables import changes, events


def _scratch(name: str, *columns: Column[Any]) -> Table:
    return Table(name, scratch, *columns, prefixes=["TEMPORARY"])


# Occurrences of one scenario (or of one rule's counted triggers) in this round.
happened = _scratch(
    "happened",
    Column("contact_id", BigInteger),
    Column("own_at", BigInteger),
    Column("key", Text),
    Column("event_id", BigInteger),
    Column("position", Integer),
    Column("passes", Boolean),
)
Index("happened_key", happened.c.contact_id, happened.c.key)
# Points that rules would give, before caps; `position` is the rule's place in its score.
awards = _scratch(
    "awards",
    Column("score", Text),
    Column("rule", Text),
    Column("position", Integer),
    Column("contact_id", BigInteger),
    Column("own_at", BigInteger),
    Column("key", Text),
    Column("event_id", BigInteger),
)
# Occurrences of state triggers in rules: noticed in phase 3, awarded in the next round.
noticed = _scratch("noticed", *(Column(c.name, c.type) for c in awards.c))
# Contacts to ask a condition of, and those whose answer is another than before.
asked = _scratch("asked", Column("contact_id", BigInteger, primary_key=True))
turned = _scratch(
    "turned", Column("contact_id", BigInteger, primary_key=True), Column("holds", Integer)
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
)
Index("walking_at", walking.c.definition_id, walking.c.turn, walking.c.position)

SCRATCH_TABLES = (fresh, happened, awards, noticed, asked, turned, walking)


def prepare_scratch(connection: Connection) -> None:
    """Make the scratch tables of this connection, or empty them."""
    for table in SCRATCH_TABLES:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    for table in SCRATCH_TABLES:
        clear(connection, table)


def clear(connection: Connection, table: Table) -> None:
    """Empty a scratch table."""
    verb = "TRUNCATE" if connection.dialect.name == "postgresql" else "DELETE FROM"
    connection.execute(text(f"{verb} {table.name}"))


@dataclass
class Counts:
    """What a tick did, in rows."""

    events: int = 0
    lines: int = 0
    joined: int = 0
    left: int = 0
    enrolled: int = 0
    refused: int = 0
    steps: int = 0
    queued: int = 0
    ended: int = 0
    looped: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Take the other's counts in."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Work:
    """A tick under way; verbs take it as their first argument."""

    connection: Connection
    book: Book
    patterns: Any
    now: int
    prev: int
    step: int
    round: int = 0
    turn: int = 0  # the n-th enrollment of each contact walks (phase 4)
    counts: Counts = field(default_factory=Counts)
    changed: int = 0  # rows written in this round that keep the rounds going (ruling 14)
    first_id: int = 0
    last_contact: int = 0
    names: set[str] = field(default_factory=set)  # of the events in `fresh`
    silent: bool = False  # history is taken in, or a recompute runs: nothing is noticed
    crossings_from: int = 0  # changes after this id came since the last phase 3
    _told: tuple[tuple[int, int], set[tuple[str, str]]] = ((0, 0), set())
    _instants: dict[str, int] = field(default_factory=dict)
    _fresh_range: tuple[int, int] = (0, 0)

    def run(self, statement: Executable | None, **more: Any) -> Any:
        """Execute with the tick's instants bound, and whatever else the statement asks for."""
        assert statement is not None
        return self.connection.execute(statement, {**self.instants, "round": self.round, **more})

    @property
    def instants(self) -> dict[str, int]:
        """Every parameter that stays the same for the whole tick."""
        if not self._instants:
            self._instants = {
                **self.book.instants(self.now, self.prev),
                "first_id": self.first_id,
                "last_contact": self.last_contact,
                "changes_seen": 0,
            }
        return self._instants

    def stand_at(self, first_id: int, last_contact: int) -> None:
        """Where the log and the contacts ended before this tick."""
        self.first_id, self.last_contact = first_id, last_contact
        self._instants = {}

    def last(self, table: Table) -> int:
        """The greatest id in a table so far."""
        return self.connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()

    def look_from(self, seen: int) -> int:
        """Put the events after id `seen` into `fresh`; return the id looked up to."""
        upto = self.last(events)
        if (seen, upto) == self._fresh_range:
            return upto
        clear(self.connection, fresh)
        self.names = set()
        if upto > seen:
            rows = select(events.c.name, events.c.id).where(events.c.id > seen)
            self.connection.execute(insert(fresh).from_select(["name", "event_id"], rows))
            self.names = set(self.connection.execute(select(fresh.c.name).distinct()).scalars())
        self._fresh_range = (seen, upto)
        return upto

    def count_steps(self, done: int) -> None:
        """So many enrollments did a step."""
        self.counts.steps += done
        self.changed += done

    def told_of(self, watched: set[tuple[str, str]], seen: int) -> bool:
        """Whether one of these (kind, name) is among the changes after id `seen`."""
        here = (seen, self.last(changes))
        if self._told[0] != here:
            rows = select(changes.c.kind, changes.c.name).where(changes.c.id > seen).distinct()
            self._told = (here, {(kind, name) for kind, name in self.connection.execute(rows)})
        return not watched.isdisjoint(self._told[1])

    def tell(self, kind: str, name: str, contact_ids: Any) -> None:
        """Record contacts (a SELECT of ids) in the tick's change set."""
        ids = contact_ids.subquery()
        rows = select(literal(kind), literal(name), ids.c[0])
        self.connection.execute(
            insert(changes).from_select(["kind", "name", "contact_id"], rows), self.instants
        )


def rows_of(result: Any) -> int:
    """How many rows a writing statement touched (never negative)."""
    return max(0, result.rowcount)
