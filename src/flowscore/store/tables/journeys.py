"""Walks through scenarios: enrollments, steps, refusals, and the messages they queued."""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from flowscore.store.tables.kinds import Bytewise, Json, big, serial


class Enrollment(SQLModel, table=True):
    """A contact's walk through a version of a scenario.

    `outcome` is null while inside, then finished, exited or converted. `position` is the index
    of the next step in the version's program, `due_at` when it is due. `held` is the holdout:
    it walks and nothing is done to it. `entered_after` is the last event known at entry; what a
    goal counts came later. `goal_until` is how long a goal is watched, also after the last step.

    While it waits at a `wait_for`: since when (`awaiting_since`), the last event known then
    (`awaiting_after`), until when an occurrence counts (`awaiting_until`), and whether one came.
    """

    __tablename__ = "enrollments"
    __table_args__ = (
        UniqueConstraint("scenario", "contact_id", "key"),
        Index("enrollments_contact", "contact_id", "scenario"),
        Index(
            "enrollments_due",
            "due_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "enrollments_inside",
            "definition_id",
            "contact_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "enrollments_watched",
            "goal_until",
            sqlite_where=text("outcome = 'finished'"),
            postgresql_where=text("outcome = 'finished'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int = big()
    scenario: str = Field(sa_type=Bytewise)
    definition_id: int = big()
    key: str = Field(sa_type=Bytewise)
    own_at: int = big()  # the occurrence's own time
    event_id: int | None = big(default=None)
    entered_at: int = big()
    ended_at: int | None = big(default=None)
    outcome: str | None = Field(default=None, sa_type=Bytewise)
    reason: str = Field(default="", sa_type=Bytewise)
    converted_at: int | None = big(default=None)
    position: int = 0
    due_at: int = big()
    held: bool = False
    entered_after: int = big(default=0)
    goal_until: int | None = big(default=None)
    awaiting_since: int | None = big(default=None)
    awaiting_after: int | None = big(default=None)
    awaiting_until: int | None = big(default=None)
    came: bool = False


class StepDone(SQLModel, table=True):
    """A step that an enrollment has done, once, and what came of it."""

    __tablename__ = "steps"

    enrollment_id: int = Field(primary_key=True, sa_type=BigInteger)
    step: str = Field(primary_key=True, sa_type=Bytewise)
    at: int = big()
    outcome: str = Field(default="", sa_type=Bytewise)


class Decision(SQLModel, table=True):
    """An occurrence that did not enroll: the gate that refused it and the value it saw."""

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("scenario", "contact_id", "key"),
        Index("decisions_contact", "contact_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int = big()
    scenario: str = Field(sa_type=Bytewise)
    definition_id: int = big()
    key: str = Field(sa_type=Bytewise)
    at: int = big()
    own_at: int = big()
    event_id: int | None = big(default=None)
    reason: str = Field(sa_type=Bytewise)  # reenroll | conditions | loop
    detail: object = Field(default=None, sa_column=Column("detail", Json))


class Message(SQLModel, table=True):
    """The outbox: a message, queued in the tick's transaction, claimed and settled by a sender.

    `kind`: email (to the contact), notify (internal mail, to `recipients`), confirm (asks the
    address in `recipients` whether it meant to sign up; `payload` says to what, and there is no
    contact yet) or webhook (a POST of `payload`: `{url, headers, body}`, `${NAME}` not yet filled
    in).

    `status`: queued, sending, sent, withheld, failed, uncertain (ruling 132). `key` names the
    message for good: its Message-ID, its .eml file and its webhook-id are made from it.

    A queued mail that may go, only not yet, says what it `waits` for: its send window (`window`;
    `waits_in` is the contact's zone by which that was reckoned) or a frequency cap (`capped`).
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("enrollment_id", "step"),
        Index(
            "messages_waiting",
            "status",
            "next_at",
            sqlite_where=text("status IN ('queued', 'sending')"),
            postgresql_where=text("status IN ('queued', 'sending')"),
        ),
        Index(
            "messages_uncertain",
            "next_at",
            sqlite_where=text("status = 'uncertain'"),
            postgresql_where=text("status = 'uncertain'"),
        ),
        Index("messages_contact", "contact_id", "template"),
        Index("messages_sent", "sent_at"),
        Index(
            "messages_failed",
            "settled_at",
            sqlite_where=text("status = 'failed'"),
            postgresql_where=text("status = 'failed'"),
        ),
        Index(
            "messages_unsaid",
            "settled_at",
            sqlite_where=text("NOT sent_event AND status IN ('sent', 'failed')"),
            postgresql_where=text("NOT sent_event AND status IN ('sent', 'failed')"),
        ),
        Index(
            "messages_confirm",
            "queued_at",
            sqlite_where=text("kind = 'confirm'"),
            postgresql_where=text("kind = 'confirm'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    key: str = Field(sa_type=Bytewise, unique=True)
    kind: str = Field(default="email", sa_type=Bytewise)
    contact_id: int = big()
    enrollment_id: int | None = big(default=None)
    scenario: str = Field(sa_type=Bytewise)
    step: str = Field(sa_type=Bytewise)  # the step's path, from its second message on with /n
    priority: int = 0  # the scenario's, then its place in the order of ruling 16
    place: int = 0
    template: str = Field(sa_type=Bytewise)
    topic: str = Field(sa_type=Bytewise)
    event_id: int | None = big(default=None)
    entered_at: int = big()
    queued_at: int = big()
    due_at: int = big()  # the step's due instant, for `unless_late_by`
    unless_late_by: int | None = big(default=None)
    status: str = Field(default="queued", sa_type=Bytewise)
    reason: str | None = Field(default=None, sa_type=Bytewise)
    next_at: int = big()  # not before this instant (retries, waits)
    waits: str | None = Field(default=None, sa_type=Bytewise)
    waits_in: str | None = Field(default=None, sa_type=Bytewise)
    attempts: int = 0
    claimed_by: str | None = Field(default=None, sa_type=Bytewise)
    lease_until: int | None = big(default=None)
    handed_at: int | None = big(default=None)  # the talk with the server has begun
    sent_at: int | None = big(default=None)
    settled_at: int | None = big(default=None)
    response: str | None = Field(default=None, sa_type=Bytewise)
    recipients: object = Field(default=None, sa_column=Column("recipients", Json))
    payload: object = Field(default=None, sa_column=Column("payload", Json))
    sent_event: bool = False  # its email_sent (or email_bounced) has been taken into the log
