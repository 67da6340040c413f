"""The tables as SQLModel classes; instants and durations are integer microseconds (UTC).

Points are integers: a line's worth in 10⁻⁸ points, a balance as shown in 10⁻⁴ points.
Comparison forms (`text`, `number`, `instant`, `local`) are made once by `store/forms.py`.
"""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

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


class Contact(SQLModel, table=True):
    """A person; `known` once an e-mail or userId names them, anonymous before."""

    __tablename__ = "contacts"
    __table_args__ = (Index("contacts_created", "created_at"), {"sqlite_autoincrement": True})

    id: int | None = serial()
    email: str | None = Field(default=None, sa_type=Bytewise)  # as first written
    email_folded: str | None = Field(default=None, sa_type=Bytewise, unique=True)
    user_id: str | None = Field(default=None, sa_type=Bytewise)
    known: bool = True
    created_at: int = big()
    draw_a: int = 0  # two 31-bit draws for stable shares (ruling 131)
    draw_b: int = 0
    suppressed: str | None = Field(default=None, sa_type=Bytewise)  # 'bounced' | 'complained'


class Identity(SQLModel, table=True):
    """A name by which calls refer to a contact: kind 'email' (casefolded), 'user', 'anonymous'."""

    __tablename__ = "identities"
    __table_args__ = (Index("identities_contact", "contact_id"),)

    kind: str = Field(primary_key=True, sa_type=Bytewise)
    value: str = Field(primary_key=True, sa_type=Bytewise)
    contact_id: int = big()


class Attribute(SQLModel, table=True):
    """A contact's attribute: the raw value as JSON and one row of comparison forms per element.

    A plain value has `element` 0; a list has a row for each element, all with the whole raw value.
    An absent or empty value has no row. `forms` are those of all elements, as an event has them.
    """

    __tablename__ = "attributes"
    __table_args__ = (
        Index("attributes_text", "name", "text"),
        Index("attributes_instant", "name", "instant"),
        Index("attributes_local", "name", "local"),
    )

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    name: str = Field(primary_key=True, sa_type=Bytewise)
    element: int = Field(default=0, primary_key=True)
    value: object = Field(sa_column=Column("value", Json, nullable=False))
    set_at: int = big()  # own time of the newest value
    forms: object = Field(default=None, sa_column=Column("forms", Json))  # null: this row's own
    text: str | None = Field(default=None, sa_type=Bytewise)
    number: float | None = None
    instant: int | None = big(default=None)
    local: int | None = big(default=None)  # a bare date or zone-less time, as wall-clock time


class Consent(SQLModel, table=True):
    """Granted or refused, for `email` (in general) and for each topic; the newest own time wins."""

    __tablename__ = "consents"

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    topic: str = Field(primary_key=True, sa_type=Bytewise)
    granted: bool
    at: int = big()
    source: str = Field(default="", sa_type=Bytewise)


class Event(SQLModel, table=True):
    """The log: each thing that happened, once. `id` grows in the order of noticing.

    `subject` is the path, template, list, attribute or scenario the event is about; `forms`
    holds, for every property by dotted path, a list of comparison forms `[text, number,
    instant, local]` with trailing nulls cut, one for each element.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("events_contact", "contact_id", "name", "own_at"),
        Index("events_name", "name", "own_at"),
        Index(
            "events_behaviour",
            "own_at",
            "contact_id",
            sqlite_where=text("behaviour = 1"),  # as SQLAlchemy asks for it, word for word
            postgresql_where=text("behaviour"),
        ),
        Index(
            "events_contact_behaviour",
            "contact_id",
            "own_at",
            sqlite_where=text("behaviour = 1"),  # as SQLAlchemy asks for it, word for word
            postgresql_where=text("behaviour"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    message_id: str = Field(sa_type=Bytewise, unique=True)
    contact_id: int = big()
    name: str = Field(sa_type=Bytewise)
    subject: str | None = Field(default=None, sa_type=Bytewise)
    topic: str | None = Field(default=None, sa_type=Bytewise)
    mail_key: str | None = Field(default=None, sa_type=Bytewise)
    machine: bool = False
    behaviour: bool = False
    own_at: int = big()
    received_at: int = big()
    seen_at: int = big()  # the tick that took it in
    historical: bool = False
    properties: object = Field(default=None, sa_column=Column("properties", Json))
    forms: object = Field(default=None, sa_column=Column("forms", Json))


class InboxLine(SQLModel, table=True):
    """What came in and no tick has taken yet; on SQLite in a file of its own (`inbox.db`).

    `kind`: track (also page, screen), identify, contact (a row of `import contacts`), group,
    alias. `traits` are the attributes that an identify or contact row brings, a list of
    `[name, value, forms]`; `consents` a list of `[topic, granted]`. A line is never changed:
    what replaces it gets a `seq` of its own.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        Index("inbox_received", "received_at"),
        Index(
            "inbox_quiet",
            "received_at",
            sqlite_where=text("quiet"),
            postgresql_where=text("quiet"),
        ),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = serial()
    message_id: str = Field(sa_type=Bytewise, unique=True)
    kind: str = Field(sa_type=Bytewise)
    name: str | None = Field(default=None, sa_type=Bytewise)
    user_kind: str | None = Field(default=None, sa_type=Bytewise)  # 'email' | 'user' | None
    user_value: str | None = Field(default=None, sa_type=Bytewise)
    email: str | None = Field(default=None, sa_type=Bytewise)  # as written, when the call names one
    email_folded: str | None = Field(default=None, sa_type=Bytewise)
    anonymous_id: str | None = Field(default=None, sa_type=Bytewise)
    own_at: int = big()
    received_at: int = big()
    historical: bool = False
    quiet: bool = False  # a CSV contact: creates and updates without events
    subject: str | None = Field(default=None, sa_type=Bytewise)
    topic: str | None = Field(default=None, sa_type=Bytewise)
    mail_key: str | None = Field(default=None, sa_type=Bytewise)
    machine: bool = False
    behaviour: bool = False
    properties: object = Field(default=None, sa_column=Column("properties", Json))
    forms: object = Field(default=None, sa_column=Column("forms", Json))
    traits: object = Field(default=None, sa_column=Column("traits", Json))
    consents: object = Field(default=None, sa_column=Column("consents", Json))
    consent_at: int | None = big(default=None)  # when it was given, if the line says so
    source: str = Field(default="", sa_type=Bytewise)  # where it was given


class Taken(SQLModel, table=True):
    """Inbox lines that a tick has taken in and nobody has deleted from the inbox yet."""

    __tablename__ = "taken"

    seq: int = Field(primary_key=True, sa_type=BigInteger)


class Call(SQLModel, table=True):
    """Calls that are no event: an identify, once per messageId, and what waits to be applied.

    `waiting` is null once a call was applied, else why not: `group`, `alias`, or `merge` (it
    names two known contacts). `content` is the call as it came, kept while it waits.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index(
            "calls_waiting",
            "waiting",
            sqlite_where=text("waiting IS NOT NULL"),
            postgresql_where=text("waiting IS NOT NULL"),
        ),
    )

    message_id: str = Field(primary_key=True, sa_type=Bytewise)
    kind: str = Field(sa_type=Bytewise)
    own_at: int = big()
    received_at: int = big()
    seen_at: int = big()
    waiting: str | None = Field(default=None, sa_type=Bytewise)
    content: object = Field(default=None, sa_column=Column("content", Json))


class Change(SQLModel, table=True):
    """This tick's change set: what a verb wrote, of which contact. Emptied when the tick ends.

    `kind` is score, list, attribute, consent or contact (created, merged, suppressed);
    events are found by their id instead.
    """

    __tablename__ = "changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = serial()
    kind: str = Field(sa_type=Bytewise)
    name: str = Field(sa_type=Bytewise)
    contact_id: int = big()


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


class Line(SQLModel, table=True):
    """A line of the points ledger; never changed, only recomputed with its score."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("contact_id", "score", "rule", "key"),
        Index("ledger_score", "score", "rule"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int = big()
    score: str = Field(sa_type=Bytewise)
    rule: str = Field(sa_type=Bytewise)  # the rule's name, or the scenario's
    kind: str = Field(sa_type=Bytewise)  # rule | when | scenario
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
    """A stay in a list; the present one has no `left_at`."""

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
    cause: str = Field(
        default="", sa_type=Bytewise
    )  # scenario/NAME#step, or the list's own members


class Mark(SQLModel, table=True):
    """How far a counted trigger has used up a contact's events (ruling 127).

    `trigger` is a digest of the place and the words, so an unchanged trigger keeps its marks.
    """

    __tablename__ = "marks"
    __table_args__ = (Index("marks_contact", "contact_id"),)

    trigger: str = Field(primary_key=True, sa_type=Bytewise)
    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    same: str = Field(default="", primary_key=True, sa_type=Bytewise)
    own_at: int = big()
    received_at: int = big()
    message_id: str = Field(sa_type=Bytewise)


class Enrollment(SQLModel, table=True):
    """A contact's walk through a version of a scenario.

    `outcome` is null while inside, then finished or exited. `position` is the index of the
    next step in the version's program, `due_at` when it is due.
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
    """The outbox: a mail, queued in the tick's transaction, claimed and settled by a sender.

    `status`: queued, sending, sent, withheld, failed, uncertain (ruling 132). `key` names the
    message for good: its Message-ID and its .eml file are made from it.
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
            "messages_unsaid",
            "settled_at",
            sqlite_where=text("NOT sent_event AND status IN ('sent', 'failed')"),
            postgresql_where=text("NOT sent_event AND status IN ('sent', 'failed')"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    key: str = Field(sa_type=Bytewise, unique=True)
    kind: str = Field(default="email", sa_type=Bytewise)
    contact_id: int = big()
    enrollment_id: int | None = big(default=None)
    scenario: str = Field(sa_type=Bytewise)
    step: str = Field(sa_type=Bytewise)  # the step's path, and /n for the n-th template of a list
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
    next_at: int = big()  # not before this instant (retries)
    attempts: int = 0
    claimed_by: str | None = Field(default=None, sa_type=Bytewise)
    lease_until: int | None = big(default=None)
    handed_at: int | None = big(default=None)  # the talk with the server has begun
    sent_at: int | None = big(default=None)
    settled_at: int | None = big(default=None)
    response: str | None = Field(default=None, sa_type=Bytewise)
    sent_event: bool = False  # its email_sent (or email_bounced) has been taken into the log


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


# The same as plain tables, for Core expressions.
TABLES = SQLModel.metadata.tables
contacts = TABLES["contacts"]
identities = TABLES["identities"]
attributes = TABLES["attributes"]
consents = TABLES["consents"]
events = TABLES["events"]
inbox = TABLES["inbox"]
changes = TABLES["changes"]
definitions = TABLES["definitions"]
ledger = TABLES["ledger"]
balances = TABLES["balances"]
members = TABLES["members"]
marks = TABLES["marks"]
enrollments = TABLES["enrollments"]
steps = TABLES["steps"]
decisions = TABLES["decisions"]
messages = TABLES["messages"]
verdicts = TABLES["verdicts"]
state = TABLES["state"]
taken = TABLES["taken"]


OURS = frozenset(TABLES)
PLACED = {"store": OURS - {"inbox"}, "inbox": frozenset({"inbox"}), "all": OURS}
