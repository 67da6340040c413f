"""Where the SQL of SQLite and PostgreSQL differs: one expression, two spellings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Insert, Select, Table, Text, literal, true
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement, TableValuedAlias
from sqlalchemy.sql.visitors import InternalTraversal

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

# --- inserting once --------------------------------------------------------------------------
# PostgreSQL's construct, because its DO NOTHING and DO UPDATE are spelled alike on SQLite.

NewValues = Callable[[Any], dict[str, ColumnElement[Any]]]

COUNTED: dict[str, Any] = {"preserve_rowcount": True}


class _DoNothing(postgresql.dml.OnConflictDoNothing):
    """Without a target it says the same everywhere; so the statement's text can be kept."""

    inherit_cache = True
    _traverse_internals: list[Any] = []  # noqa: RUF012


class _DoUpdate(postgresql.dml.OnConflictDoUpdate):
    """Named key columns, and what becomes of the others."""

    inherit_cache = True
    _traverse_internals: list[Any] = [  # noqa: RUF012
        ("inferred_target_elements", InternalTraversal.dp_string_list),
        ("update_values_to_set", InternalTraversal.dp_dml_ordered_values),
    ]


class _Insert(postgresql.Insert):
    """SQLAlchemy writes an INSERT … ON CONFLICT anew each time it is run, unless told otherwise."""

    inherit_cache = True


def insert_or_update(
    table: Table, keys: list[str], columns: list[str], select: Select[Any], new: NewValues
) -> Insert:
    """INSERT … SELECT … ON CONFLICT (keys) DO UPDATE; `new` makes them of the row left out."""
    return _updating(_Insert(table).from_select(columns, select.where(true())), keys, new)


def insert_or_replace(table: Table, keys: list[str]) -> Insert:
    """INSERT … ON CONFLICT (keys) DO UPDATE, to be executed with a list of whole rows."""
    others = [column.name for column in table.columns if column.name not in keys]
    return _updating(_Insert(table), keys, lambda row: {name: row[name] for name in others})


def _updating(statement: _Insert, keys: list[str], new: NewValues) -> Insert:
    values = new(statement.excluded)
    statement._post_values_clause = _DoUpdate(index_elements=keys, set_=values)  # noqa: SLF001
    return statement


def _once(statement: _Insert) -> Insert:
    statement._post_values_clause = _DoNothing()  # noqa: SLF001
    return statement.execution_options(**COUNTED)


def insert_new(table: Table) -> Insert:
    """INSERT … ON CONFLICT DO NOTHING, to be executed with a list of rows."""
    return _once(_Insert(table))


def insert_from(table: Table, columns: list[str], select: Select[Any]) -> Insert:
    """INSERT … SELECT … ON CONFLICT DO NOTHING; a row whose key is there already is left out.

    SQLite reads ON CONFLICT after a bare FROM as a join, hence the true condition.
    """
    return _once(_Insert(table).from_select(columns, select.where(true())))


# --- JSON ------------------------------------------------------------------------------------


class _EachPair(FunctionElement[Any]):
    name = "each_pair"
    inherit_cache = True


class _EachElement(FunctionElement[Any]):
    name = "each_element"
    inherit_cache = True


class _JsonText(FunctionElement[str]):
    """The column, the path as SQLite writes it, the path as PostgreSQL does."""

    name = "json_text"
    type = Text()
    inherit_cache = True


def each_json(column: ColumnElement[Any]) -> TableValuedAlias:
    """The pairs of a JSON object as rows: columns `key`, `value` (a nested value is JSON)."""
    return _EachPair(column).table_valued("key", "value")


def each_element(column: ColumnElement[Any]) -> TableValuedAlias:
    """The elements of a JSON list as rows: column `value` (a nested value is JSON)."""
    return _EachElement(column).table_valued("value")


def json_text(column: ColumnElement[Any], *path: str | int) -> ColumnElement[str]:
    """The plain value at a path of keys and indexes, as text; null when it is not there.

    On SQLite a number or boolean comes as such: cast it, on both.
    """
    quoted = [part if isinstance(part, int) else _quoted(part) for part in path]
    ours = "$" + "".join(f"[{q}]" if isinstance(q, int) else f".{q}" for q in quoted)
    theirs = "{" + ",".join(str(q) for q in quoted) + "}"
    return _JsonText(column, literal(ours), literal(theirs))


def _quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


@compiles(_EachPair, "sqlite")
@compiles(_EachElement, "sqlite")
def _sqlite_each(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_EachPair, "postgresql")
def _postgresql_pairs(element: _EachPair, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_each({compiler.process(element.clauses, **options)})"


@compiles(_EachElement, "postgresql")
def _postgresql_elements(element: _EachElement, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements({compiler.process(element.clauses, **options)})"


@compiles(_JsonText, "sqlite")
def _sqlite_text(element: _JsonText, compiler: SQLCompiler, **options: Any) -> str:
    column, path, _ = (compiler.process(part, **options) for part in element.clauses)
    return f"json_extract({column}, {path})"


@compiles(_JsonText, "postgresql")
def _postgresql_text(element: _JsonText, compiler: SQLCompiler, **options: Any) -> str:
    column, _, path = (compiler.process(part, **options) for part in element.clauses)
    return f"({column} #>> CAST({path} AS text[]))"
