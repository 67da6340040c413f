"""What the engine keeps true: points, balances, members, and marks of counted triggers."""

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
