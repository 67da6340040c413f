"""What is live and what is to become live, side by side at one moment of the store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from flowscore.engine import recompute, staleness
from flowscore.engine.program import Applied
from flowscore.engine.registry import count_rows, definitions_of, takes_in_anew, watermark
from flowscore.language.project import Project
from flowscore.planning.foresight import Foresight
from flowscore.rules.book import Book
from flowscore.store.glance import NAMES, WAITING, together
from flowscore.store.tables import definitions

if TYPE_CHECKING:
    from flowscore.engine.recompute import Order
    from flowscore.language.scenario import Scenario


@dataclass
class Standing:
    """One moment of the store, and the folder that is to become live.

    `foresight` is what changed scores, grades or stages would move; `unforeseen` says why that
    is not known though it was to be.
    """

    connection: Connection
    dialect: str
    applied: Applied
    new: Project
    foresight: Foresight | None = None
    unforeseen: str = ""

    @property
    def old(self) -> Project:
        """What is live."""
        return self.applied.project

    @cached_property
    def rows(self) -> list[Any]:
        """Every version of every definition, the oldest first."""
        return list(self.connection.execute(select(definitions).order_by(definitions.c.id)))

    @cached_property
    def live(self) -> dict[tuple[str, str], Any]:
        """The rows of what is live, by kind and name."""
        return {(row.kind, row.name): row for row in self.rows if row.retired_at is None}

    @cached_property
    def newest(self) -> dict[tuple[str, str], int]:
        """The number of the newest version, live or not."""
        return {(row.kind, row.name): row.version for row in self.rows}

    @cached_property
    def mark(self) -> int | None:
        """The watermark."""
        return watermark(self.connection)

    @cached_property
    def seen_events(self) -> frozenset[str]:
        """The names of all events that ever came in."""
        ask = self.connection.exec_driver_sql
        return together(list(ask(NAMES).scalars()), list(ask(WAITING).scalars()))

    @cached_property
    def book(self) -> Book:
        """Compiles conditions as the next tick will ask them."""
        return Book.of(self.new, self.dialect)

    @cached_property
    def recomputed(self) -> set[str]:
        """The scores whose points are counted anew."""
        return {one.name for one in staleness.changed_scores(self.old, self.new)}

    @cached_property
    def refilled(self) -> set[str]:
        """The dynamic lists that ask everybody again."""
        return {one.name for one in staleness.changed_lists(self.old, self.new)}

    @cached_property
    def order(self) -> Order:
        """What is to be judged anew."""
        return recompute.stale(self.old, self.new)

    @cached_property
    def taken_in_anew(self) -> list[str]:
        """The scenarios that newly enroll who stands there already (ruling 45)."""
        return [one.name for one in self.new.scenarios.values() if self._takes_in_anew(one)]

    def _takes_in_anew(self, scenario: Scenario) -> bool:
        if not (scenario.enroll_existing and scenario.enabled):
            return False
        earlier = [r for r in self.rows if (r.kind, r.name) == ("scenario", scenario.name)]
        return takes_in_anew(earlier, self.mark)

    def old_definition(self, kind: str, name: str) -> Any:
        """A live definition as it was applied."""
        found = {(kind, name): one for kind, name, one in definitions_of(self.old)}
        return self.old.policy if kind == "policy" else found[kind, name]

    def count(self, rows: Select[Any]) -> int:
        """How many rows a statement finds as of the watermark."""
        return count_rows(self.connection, rows, self.book)
