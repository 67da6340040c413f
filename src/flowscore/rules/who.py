"""Of whom a condition is asked: a contact, and inside a scenario the occurrence that enrolled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement


@dataclass(frozen=True)
class Who:
    """Columns of the statement that asks.

    `event` is the id of the enrolling event (null where the occurrence has none), `since` the
    occurrence's own time. Lists and rules have neither: what needs them is refused there (86).
    """

    contact: ColumnElement[Any]
    event: ColumnElement[Any] | None = None
    since: ColumnElement[Any] | None = None
