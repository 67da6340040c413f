"""Statements compiled once and then run by the driver alone.

A tick runs some hundred small statements that never change; most of what one costs is
SQLAlchemy finding its compiled form again. Here it is kept beside the statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowscore.store.dialects import COUNTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, CursorResult, Executable
    from sqlalchemy.engine import Dialect


@dataclass(frozen=True)
class Prepared:
    """The SQL, its constants as the driver wants them, and the order of its parameters.

    `order` is empty where the driver takes parameters by name.
    """

    sql: str
    constants: dict[str, Any]
    asked: tuple[str, ...]
    order: tuple[str, ...]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Execute with the values of the parameters it asks for."""
        bound = {**self.constants, **{name: values[name] for name in self.asked}}
        parameters: Any = tuple(bound[name] for name in self.order) if self.order else bound
        return connection.exec_driver_sql(self.sql, parameters, execution_options=COUNTED)


def prepare(statement: Executable, dialect: Dialect) -> Prepared | None:
    """The statement compiled for good; None if a list is among what it asks for."""
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    required = [one for one in compiled.binds.values() if one.required]
    if any(one.expanding for one in required):
        return None
    asked = {one.key: 0 for one in required}
    state = compiled.construct_expanded_state(asked)  # lists of constants written out
    constants = {name: value for name, value in state.parameters.items() if name not in asked}
    processors = {**compiled._bind_processors, **state.processors}  # noqa: SLF001
    return Prepared(
        sql=state.statement,
        constants={
            name: processors[name](value) if name in processors else value
            for name, value in constants.items()
        },
        asked=tuple(sorted(asked)),
        order=tuple(state.positiontup or ()),
    )
