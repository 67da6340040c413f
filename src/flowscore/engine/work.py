"""One tick under way: its connection, its instants, and what it has done so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    Insert,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
)

from flowscore.engine.scratch import SCRATCH_TABLES
from flowscore.rules.book import Book
from flowscore.rules.sight import fresh
from flowscore.rules.watch import Asked
from flowscore.store.dialects import COUNTED, insert_new
from flowscore.store.tables import changes, contacts, events, ledger

MOST_ROUNDS = 20  # of a tick; whoever keeps firing then is stopped (ruling 20)
EMPTY = {table.name: delete(table) for table in SCRATCH_TABLES}
LAST = {
    table.name: select(func.coalesce(func.max(table.c.id), 0))
    for table in (changes, contacts, events, ledger)
}


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
    faded: int = 0  # balances whose points lost some of their worth
    celled: int = 0  # contacts who came into another cell
    staged: int = 0  # and into another stage, by what they did or were
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
    takes_in: frozenset[str] = frozenset()  # scenarios that enroll who stands there already
    crossings_from: int = 0  # changes after this id came since the last phase 3
    lines_from: int = 0  # ledger lines after this id came since the last phase 3
    noticed_upto: int = 0  # events up to this id have been looked at in phase 3
    _told: dict[int, set[tuple[str, str]]] = field(default_factory=dict)  # by id seen
    _instants: dict[str, int] = field(default_factory=dict)
    _fresh_range: tuple[int, int] = (0, 0)
    _learnt: int = 0  # events up to this id have had their texts tried on the patterns
    _filled: set[str] = field(default_factory=set)  # scratch tables that may hold rows
    _used: set[str] = field(default_factory=set)  # and those that held some in this tick
    _last: dict[str, int] = field(default_factory=dict)  # greatest ids, by table
    _passed: dict[Asked, bool] = field(default_factory=dict)

    def fill(
        self, table: Table, statement: Executable | None, *, kept: bool = True, **more: Any
    ) -> int:
        """Run a statement that puts rows into a scratch table; how many.

        `kept`: it was built once for the applied project, not for this moment.
        """
        assert statement is not None
        found = rows_of(self.run(statement, **more) if kept else self.once(statement, **more))
        if found:
            self._filled.add(table.name)
        return found

    def fill_with(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Put rows made in Python into a scratch table."""
        self.add(table, rows)
        self._filled.add(table.name)

    def filled(self, table: Table) -> bool:
        """Whether anything was put into a scratch table since it was cleared."""
        return table.name in self._filled

    def clear(self, table: Table) -> None:
        """Empty a scratch table."""
        if table.name in self._filled:
            self.run(EMPTY[table.name])
            self._filled.discard(table.name)
            self._used.add(table.name)

    def weigh(self, *tables: Table) -> None:
        """Let PostgreSQL count tables that grew just now: it goes by what it knew before."""
        if self.connection.dialect.name == "postgresql":
            names = ", ".join(table.name for table in tables)
            self.connection.exec_driver_sql(f"ANALYZE {names}")

    def tidy(self) -> None:
        """Leave every scratch table empty for the next tick on this connection."""
        for table in SCRATCH_TABLES:
            self.clear(table)
        if self.connection.dialect.name == "postgresql" and self._used:
            # Nobody vacuums temporary tables: of every row that was ever in them they keep a trace.
            self.connection.exec_driver_sql(f"TRUNCATE {', '.join(sorted(self._used))}")

    def run(self, statement: Executable | None, **more: Any) -> Any:
        """Execute with the tick's instants bound, and whatever else the statement asks for."""
        assert statement is not None
        prepared = self.book.prepared(statement, self.connection.dialect)
        if prepared is None:
            return self.once(statement, **more)
        self._note_writing(statement)
        return prepared.run(self.connection, {**self.instants, "round": self.round, **more})

    def once(self, statement: Executable, **more: Any) -> Any:
        """The same for a statement that was made for this moment and is not kept."""
        values = {**self.instants, "round": self.round, **more}
        self._note_writing(statement)
        return self.connection.execute(statement, values, execution_options=COUNTED)

    def add(self, table: Table, rows: list[dict[str, Any]], *, new_only: bool = False) -> None:
        """Insert rows made in Python; `new_only` leaves out those whose key is there."""
        statement = insert_new(table) if new_only else insert(table)
        self._note_writing(statement)
        self.connection.execute(statement, rows)

    def stir(self) -> None:
        """Others have written: what was last and what was told has to be asked anew."""
        self._last.clear()
        self._told.clear()

    def _note_writing(self, statement: Executable) -> None:
        if isinstance(statement, Insert):
            name = statement.table.name
            self._last.pop(name, None)
            if name == changes.name:
                self._told.clear()

    @property
    def instants(self) -> dict[str, int]:
        """Every parameter that stays the same for the whole tick."""
        if not self._instants:
            self._instants = {
                **self.book.instants(self.now, self.prev),
                "first_id": self.first_id,
                "last_contact": self.last_contact,
                "changes_seen": 0,
                "grid": self.step,
            }
        return self._instants

    @property
    def has_decayed(self) -> bool:
        """Whether a decay instant lies between the last tick and this one."""
        return self.instants["decayed"] > self.instants["decayed_before"]

    def stand_at(self, first_id: int, last_contact: int) -> None:
        """Where the log and the contacts ended before this tick."""
        self.first_id, self.last_contact = first_id, last_contact
        self._instants = {}

    def last(self, table: Table) -> int:
        """The greatest id in a table so far."""
        if table.name not in self._last:
            self._last[table.name] = self.run(LAST[table.name]).scalar_one()
        return self._last[table.name]

    def look_from(self, seen: int) -> int:
        """Put the events after id `seen` into `fresh`; return the id looked up to."""
        upto = self.last(events)
        if (seen, upto) == self._fresh_range:
            return upto
        self.clear(fresh)
        self.names = set()
        if upto > seen:
            self.fill(fresh, FRESHEN, seen=seen)
            self.names = set(self.run(FRESH_NAMES).scalars())
            if upto > self._learnt:
                self.patterns.learn_events(self)
                self._learnt = upto
        self._fresh_range = (seen, upto)
        return upto

    def passed(self, edge: Asked) -> bool:
        """Whether the clock passed such an edge for anybody; all are asked once in a tick."""
        if not self._passed:
            edges = list(self.book.edges.values())
            found = self.run(self.book.passed_edges()).one()
            self._passed = dict(zip(edges, map(bool, found), strict=True))
        return self._passed[edge]

    def count_steps(self, done: int) -> None:
        """So many enrollments did a step."""
        self.counts.steps += done
        self.changed += done

    def told_of(self, watched: set[tuple[str, str]], seen: int) -> bool:
        """Whether one of these (kind, name) is among the changes after id `seen`."""
        if seen not in self._told:
            told = self.run(TOLD, seen=seen)
            self._told[seen] = {(kind, name) for kind, name in told}
        return not watched.isdisjoint(self._told[seen])

    def told_of_kind(self, kind: str, seen: int) -> bool:
        """Whether a change of this kind stands after id `seen`, whatever its name."""
        self.told_of(set(), seen)
        return any(told == kind for told, _ in self._told[seen])

    def tell(self, kind: str, name: str, contact_ids: Any) -> None:
        """Record contacts (a SELECT of ids) in the tick's change set."""
        ids = contact_ids.subquery()
        rows = select(literal(kind), literal(name), ids.c[0])
        self.once(insert(changes).from_select(["kind", "name", "contact_id"], rows))


FRESHEN = insert(fresh).from_select(
    ["name", "event_id"],
    select(events.c.name, events.c.id).where(events.c.id > bindparam("seen", type_=BigInteger)),
)
FRESH_NAMES = select(fresh.c.name).distinct()
TOLD = (
    select(changes.c.kind, changes.c.name)
    .where(changes.c.id > bindparam("seen", type_=BigInteger))
    .distinct()
)


def rows_of(result: Any) -> int:
    """How many rows a writing statement touched (never negative)."""
    return max(0, result.rowcount)
