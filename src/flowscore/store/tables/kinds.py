"""The kinds of column that the tables share; instants and durations are integer microseconds."""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

POINT = 10**8  # a ledger line's unit
SHOWN = 10**4  # a balance's unit

Bytewise = Text().with_variant(Text(collation="C"), "postgresql")
Json = JSON().with_variant(JSONB(), "postgresql")


def big(**options: Any) -> Any:
    """A 64-bit integer column."""
    return Field(sa_type=BigInteger, **options)


def serial() -> Any:
    """An ever growing 64-bit key (INTEGER PRIMARY KEY on SQLite)."""
    return Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger().with_variant(Integer(), "sqlite"),
    )
