"""What the store knows of the project and of itself."""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from flowscore.store.tables.kinds import Bytewise, Json, big, serial


class Definition(SQLModel, table=True):
    """A version of a definition; the live one of a name has no `retired_at`.

    `live_from` is the watermark at which it was applied (null: before the first tick).
    """

    __tablename__ = "definitions"
    __table_args__ = (UniqueConstraint("kind", "name", "version"), {"sqlite_autoincrement": True})

    id: int | None = serial()
    kind: str = Field(sa_type=Bytewise)
    name: str = Field(sa_type=Bytewise)
    version: int
    source: str = Field(sa_type=Bytewise)  # the YAML as written
    digest: str = Field(sa_type=Bytewise)  # of its meaning: comments and layout do not count
    file: str = Field(sa_type=Bytewise)
    line: int
    applied_at: int = big()  # the clock
    live_from: int | None = big(default=None)
    retired_at: int | None = big(default=None)


class Verdict(SQLModel, table=True):
    """Texts that a `matches` pattern was tried on, once each (ruling 125)."""

    __tablename__ = "verdicts"
    __table_args__ = (
        Index("verdicts_text", "text", postgresql_using="hash"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    pattern: str = Field(sa_type=Bytewise)
    text: str = Field(sa_type=Bytewise)
    matches: bool


class State(SQLModel, table=True):
    """What the store knows of itself: the watermark, the grid step, paused, the project's mark."""

    __tablename__ = "state"

    key: str = Field(primary_key=True, sa_type=Bytewise)
    value: object = Field(default=None, sa_column=Column("value", Json))
