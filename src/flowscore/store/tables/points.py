"""What the engine keeps true: points, balances, cells, stages, members, and marks."""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from flowscore.store.tables.kinds import Bytewise, big, serial


class Line(SQLModel, table=True):
    """A line of the points ledger; never changed, only recomputed with its score."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("contact_id", "score", "rule", "key"),
        Index("ledger_score", "score", "rule"),
        Index(  # what was won of late; all that is asked of it stands in it
            "ledger_won",
            "score",
            "own_at",
            "contact_id",
            "points",
            "kind",
            sqlite_where=text("points > 0"),
            postgresql_where=text("points > 0"),
        ),
        Index(
            "ledger_resets",
            "contact_id",
            "score",
            "own_at",
            sqlite_where=text("kind = 'reset'"),
            postgresql_where=text("kind = 'reset'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int = big()
    score: str = Field(sa_type=Bytewise)
    rule: str = Field(sa_type=Bytewise)  # the rule's name, or the scenario's
    kind: str = Field(sa_type=Bytewise)  # rule | when | scenario | reset
    key: str = Field(sa_type=Bytewise)  # the occurrence, or enrollment/step
    points: int = big()  # 10⁻⁸ points, face value
    own_at: int = big()
    tick_at: int = big()
    event_id: int | None = big(default=None)
    definition_id: int | None = big(default=None)
    reason: str = Field(default="", sa_type=Bytewise)


class Balance(SQLModel, table=True):
    """The sum of a contact's lines in a score; `looked` is the balance at the last phase 3."""

    __tablename__ = "balances"
    __table_args__ = (Index("balances_score", "score", "balance"),)

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    score: str = Field(primary_key=True, sa_type=Bytewise)
    raw: int = big(default=0)  # 10⁻⁸ points
    balance: int = big(default=0)  # 10⁻⁴ points, rounded and cut to the range
    looked: int = big(default=0)


class Fading(SQLModel, table=True):
    """A line of the ledger whose worth still moves; a settled line stands here no more.

    What a line lost is the difference between its face value and what its decay gives for its
    age at the last decay instant; it is not written down, so a pass over these rows rewrites
    none of those that move at every instant (`next_at` 0). Others move next at `next_at`. From
    `settled_at` on the line is worth nothing for good.
    """

    __tablename__ = "fading"
    __table_args__ = (
        Index("fading_next", "next_at"),
        {"sqlite_with_rowid": False},
    )

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    score: str = Field(primary_key=True, sa_type=Bytewise)
    line_id: int = Field(primary_key=True, sa_type=BigInteger)
    rule: str = Field(sa_type=Bytewise)  # empty: what scenarios gave
    points: int = big()  # 10⁻⁸ points, face value
    own_at: int = big()
    next_at: int = big()
    settled_at: int = big()


class CompanyBalance(SQLModel, table=True):
    """The sum over a company's present members in a score that is `of: company` (ruling 96)."""

    __tablename__ = "company_balances"

    company_id: int = Field(primary_key=True, sa_type=BigInteger)
    score: str = Field(primary_key=True, sa_type=Bytewise)
    raw: int = big(default=0)  # 10⁻⁸ points
    balance: int = big(default=0)  # 10⁻⁴ points, rounded and cut to the range
    looked: int = big(default=0)


class Activity(SQLModel, table=True):
    """When a contact last did something, kept where a score has `idle` decay (ruling 56)."""

    __tablename__ = "activity"
    __table_args__ = (Index("activity_last", "active_at"),)

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    active_at: int = big()  # own time of the last behaviour, else the creation


class Cell(SQLModel, table=True):
    """A contact's cell in a grade; `looked` is the cell at the last phase 3 (null: none yet)."""

    __tablename__ = "cells"
    __table_args__ = (Index("cells_cell", "grade", "cell"), {"sqlite_with_rowid": False})

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    grade: str = Field(primary_key=True, sa_type=Bytewise)
    cell: str = Field(sa_type=Bytewise)
    looked: str | None = Field(default=None, sa_type=Bytewise)
    since: int = big()  # the tick that put them there


class StageStay(SQLModel, table=True):
    """A stay in a lifecycle stage; the present one has no `left_at`.

    Who has no stay is in the first stage since their creation. `cause` is `lifecycle` (the
    stage's condition held), `retreat`, or the step that set it (`scenario/NAME#step`). A stage
    that was passed over is a stay that was left at once, `skipped`.
    """

    __tablename__ = "stages"
    __table_args__ = (
        Index(
            "stages_now",
            "contact_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("stages_contact", "contact_id"),
        Index("stages_stage", "stage", "left_at", "contact_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int = big()
    stage: str = Field(sa_type=Bytewise)
    entered_at: int = big()
    left_at: int | None = big(default=None)
    cause: str = Field(default="", sa_type=Bytewise)
    skipped: bool = False


class Member(SQLModel, table=True):
    """A stay in a list; the present one has no `left_at`.

    `cause` is the step that moved them (`scenario/NAME#step`), or the list's own members.
    """

    __tablename__ = "members"
    __table_args__ = (
        Index(
            "members_now",
            "contact_id",
            "list",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("members_list", "list", "left_at", "contact_id"),
        Index("members_contact", "contact_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int = big()
    list: str = Field(sa_type=Bytewise)
    joined_at: int = big()
    left_at: int | None = big(default=None)
    cause: str = Field(default="", sa_type=Bytewise)


class Mark(SQLModel, table=True):
    """How far a counted trigger has used up a contact's events (ruling 127).

    `trigger` is its place and a digest of its words, so an unchanged trigger keeps its marks;
    `same` the combination of values that is counted apart. Under `…/anchor` stand the anchors of
    a deadline after a count: `same` and `message_id` are the anchor's, `received_at` the tick.
    """

    __tablename__ = "marks"
    __table_args__ = (Index("marks_contact", "contact_id"),)

    trigger: str = Field(primary_key=True, sa_type=Bytewise)
    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    same: str = Field(default="", primary_key=True, sa_type=Bytewise)
    own_at: int = big()
    received_at: int = big()
    message_id: str = Field(sa_type=Bytewise)
