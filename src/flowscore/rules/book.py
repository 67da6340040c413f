"""What a compiled statement needs to know: the dialect, the policy's zone, the tick's instants.

Statements are built once per applied project; the tick hands in its instants as parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Double,
    Executable,
    Text,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.selectable import FromClause

from flowscore.clock import known_zone, local_of
from flowscore.language.policy import Policy
from flowscore.rules.instants import last_decay
from flowscore.rules.prepared import Prepared, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sqlalchemy.engine import Dialect

    from flowscore.language.project import Project

NEVER = -(10**17)  # before every instant: the watermark of a store that has not ticked
EARLIEST = -6 * 10**16  # in the year 68: clocks cannot be read much further back


@dataclass
class Book:
    """Shared by all statements of one applied project on one kind of database."""

    dialect: str
    policy: Policy = field(default_factory=Policy)
    first_stage: str = ""  # of the lifecycle: whoever has no stay in another is there
    company_scores: frozenset[str] = frozenset()  # those that a contact reads of the company
    graded: bool = False  # whether there are grades at all
    edges: dict[str, Any] = field(default_factory=dict)  # every source of instants, once
    built: dict[Any, Executable] = field(default_factory=dict)  # statements, by what they are for
    _prepared: dict[int, tuple[Executable, Prepared | None]] = field(default_factory=dict)
    _locals: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project, dialect: str) -> Book:
        """For statements of this project on this kind of database."""
        return cls(
            dialect,
            project.policy,
            project.first_stage,
            project.company_scores,
            bool(project.grades),
        )

    @property
    def now(self) -> BindParameter[int]:
        """The tick's instant T."""
        return bindparam("now", type_=BigInteger)

    @property
    def prev(self) -> BindParameter[int]:
        """The watermark before this tick."""
        return bindparam("prev", type_=BigInteger)

    @property
    def decayed(self) -> BindParameter[int]:
        """The last decay instant at or before T."""
        return bindparam("decayed", type_=BigInteger)

    @property
    def decayed_before(self) -> BindParameter[int]:
        """The last decay instant at or before the watermark before this tick."""
        return bindparam("decayed_before", type_=BigInteger)

    def local(self, base: str, offset: int) -> BindParameter[int]:
        """Wall-clock time in the policy's zone at `base` ('now' or 'prev') plus an offset (µs)."""
        name = f"{base}_local_{'m' if offset < 0 else ''}{abs(offset)}"
        self._locals[name] = (base, offset)
        return bindparam(name, type_=BigInteger)

    def local_constant(self, instant: int) -> int:
        """Wall-clock time in the policy's zone at a fixed instant."""
        return local_of(max(instant, EARLIEST), known_zone(self.policy.timezone))

    def instants(self, now: int, prev: int) -> dict[str, int]:
        """The parameters of every statement in this book for one tick."""
        base = {"now": now, "prev": prev}
        decays = {name: last_decay(self.policy, max(at, EARLIEST)) for name, at in base.items()}
        values = {
            name: self.local_constant(base[of] + offset)
            for name, (of, offset) in self._locals.items()
        }
        fading = {"decayed": decays["now"], "decayed_before": decays["prev"]}
        return {**base, **fading, **values}

    def prepared(self, statement: Executable, dialect: Dialect) -> Prepared | None:
        """The statement as the driver runs it, compiled the first time."""
        kept = self._prepared.get(id(statement))
        if kept is None:
            kept = self._prepared[id(statement)] = (statement, prepare(statement, dialect))
        return kept[1]

    def build(self, purpose: Hashable, make: Callable[[], Executable]) -> Executable:
        """The statement for this purpose, made the first time."""
        if purpose not in self.built:
            self.built[purpose] = make()
        return self.built[purpose]

    def passed_edges(self) -> Executable:
        """One statement: of every edge, in order, whether the clock passed it for anybody."""
        edges = self.edges.values()
        return self.build("passed", lambda: select(*(edge.passed.exists() for edge in edges)))

    def next_edges(self) -> Executable:
        """One statement: of every edge, in order, the next instant in its column."""
        edges = self.edges.values()
        return self.build("next", lambda: select(*(edge.next.scalar_subquery() for edge in edges)))

    def elements(self, forms: ColumnElement[Any], path: str) -> Elements:
        """The comparison forms of one property of an event, a row for each element."""
        if self.dialect == "postgresql":
            rows = func.jsonb_array_elements(forms[path]).table_valued("value")
        else:
            quoted = path.replace("\\", "\\\\").replace('"', '\\"')
            rows = func.json_each(forms, f'$."{quoted}"').table_valued("value")
        return Elements(self.dialect, rows.alias())

    def first_text(self, forms: ColumnElement[Any], path: str) -> ColumnElement[str]:
        """The text form of a property's first element, or null."""
        return self._first(forms, path, 0)

    def first_number(self, forms: ColumnElement[Any], path: str) -> ColumnElement[float]:
        """The number that a property's first element reads as, or null."""
        found = self._first(forms, path, 1)
        return cast(found, Double) if self.dialect == "postgresql" else found

    def _first(self, forms: ColumnElement[Any], path: str, form: int) -> ColumnElement[Any]:
        if self.dialect == "postgresql":
            return cast(forms, JSONB)[path][0][form].astext
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        return func.json_extract(forms, f'$."{quoted}"[0][{form}]')

    def before(self, text: ColumnElement[str], mark: str) -> ColumnElement[str]:
        """What stands before the first such mark; the whole text where there is none."""
        if self.dialect == "postgresql":
            return func.split_part(text, mark, 1)
        return func.substr(text, 1, func.instr(text + mark, mark) - 1)

    def json_list(self, *items: Any, grouped: bool = False) -> ColumnElement[Any]:
        """A JSON list of these; `grouped`: of the one item in every row of the group."""
        if self.dialect == "postgresql":
            return (func.jsonb_agg if grouped else func.jsonb_build_array)(*items)
        return (func.json_group_array if grouped else func.json_array)(*items)

    def json_object(self, **items: Any) -> ColumnElement[Any]:
        """A JSON object built in the database from constants and columns."""
        name = func.jsonb_build_object if self.dialect == "postgresql" else func.json_object
        pairs = [part for key, value in items.items() for part in (cast(key, Text), value)]
        return name(*pairs)


@dataclass(frozen=True)
class Elements:
    """Rows of `[text, number, instant, local]` as they stand in `events.forms`."""

    dialect: str
    rows: FromClause

    def form(self, index: int, kind: Any) -> ColumnElement[Any]:
        """One of the four forms, typed."""
        value = self.rows.c.value
        if self.dialect == "postgresql":
            text = cast(value, JSONB)[index].astext
            return text if kind is Text else cast(text, kind)
        return func.json_extract(value, f"$[{index}]")
