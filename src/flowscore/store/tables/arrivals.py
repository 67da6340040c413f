"""What came in: the inbox, what a tick took of it, the log of events, the change set."""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from sqlalchemy import BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from flowscore.store.tables.kinds import Bytewise, Json, big, serial

SPEAKS = "name IN ('subscribed', 'unsubscribed', 'email_complained')"  # of consent, or of its end


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
        Index(
            "events_visitor",
            "visitor",
            sqlite_where=text("visitor IS NOT NULL"),
            postgresql_where=text("visitor IS NOT NULL"),
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
    source: str | None = Field(default=None, sa_type=Bytewise)  # the write key that brought it
    visitor: str | None = Field(default=None, sa_type=Bytewise)  # its anonymousId, if it named none


class InboxLine(SQLModel, table=True):
    """What came in and no tick has taken yet; on SQLite in a file of its own (`inbox.db`).

    `kind`: track (also page, screen), identify, contact (a row of `import contacts`), group,
    alias, signup (an address that is to be asked whether it means it: `signups.py`). `traits` are
    the attributes that an identify or contact row brings, a list of `[name, value, forms]`;
    `consents` a list of `[topic, granted]`; a contact row that refuses bears the name
    `unsubscribed`, as an event does. A group call or contact row names a company in
    `subject`; in `forms` stands what it says of it, in the way of `traits`. An alias has the former
    name in `subject`, its kind in `topic`: `email`, `user`, or `anonymous` where it has none.
    A line is never changed: what replaces it gets a `seq` of its own.
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
        Index(
            "inbox_consents",  # what a delivery has to know before a tick takes it
            "user_value",
            sqlite_where=text(SPEAKS),
            postgresql_where=text(SPEAKS),
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
    consent_source: str = Field(default="", sa_type=Bytewise)  # where it was given
    source: str | None = Field(default=None, sa_type=Bytewise)  # the write key that brought it


class Reject(SQLModel, table=True):
    """A call that could not be taken, as it came; on SQLite beside the inbox, in its file.

    `digest` is of source and content: what is sent again is rejected once.
    """

    __tablename__ = "rejects"
    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: int | None = serial()
    digest: str = Field(sa_type=Bytewise, unique=True)
    received_at: int = big()
    source: str = Field(sa_type=Bytewise)
    reason: str = Field(sa_type=Bytewise)
    content: str = Field(sa_type=Bytewise)


class WriteKey(SQLModel, table=True):
    """What lets a source send events: its key's SHA-256, and the web pages it may be used from.

    `hint` is the key's first letters, by which a person knows it again. `origins` are those of
    CORS (`https://shop.example.com`); an empty list allows any.
    """

    __tablename__ = "write_keys"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = serial()
    source: str = Field(sa_type=Bytewise)
    digest: str = Field(sa_type=Bytewise, unique=True)
    hint: str = Field(sa_type=Bytewise)
    origins: object = Field(sa_column=Column("origins", Json, nullable=False))
    created_at: int = big()
    withdrawn_at: int | None = big(default=None)


class Tally(SQLModel, table=True):
    """Opens and clicks that are counted and belong to nobody: of contacts tracked anonymously.

    `name` is `email_opened` or `email_clicked`, `link` empty for the former, `day` a UTC midnight.
    """

    __tablename__ = "tallies"

    template: str = Field(primary_key=True, sa_type=Bytewise)
    name: str = Field(primary_key=True, sa_type=Bytewise)
    link: str = Field(primary_key=True, sa_type=Bytewise)
    machine: bool = Field(primary_key=True)
    day: int = Field(primary_key=True, sa_type=BigInteger)
    number: int = big()


class Taken(SQLModel, table=True):
    """Inbox lines that a tick has taken in and nobody has deleted from the inbox yet."""

    __tablename__ = "taken"

    seq: int = Field(primary_key=True, sa_type=BigInteger)


class Call(SQLModel, table=True):
    """Calls that need not be an event, so that each messageId counts once: identify, alias, group,
    and (by the event's name) those that speak of consent; and what an older flowscore kept.

    `waiting` is null once a call was applied, else why not: `alias`, `group`, or `merge` (it names
    two known contacts). `content` is the call, kept while it waits (`waiting.py`).
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

    `kind` is score, list, attribute, consent, company (an attribute of the contact's company;
    no name: another company) or contact (created, merged, suppressed); events are found by
    their id instead.
    """

    __tablename__ = "changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = serial()
    kind: str = Field(sa_type=Bytewise)
    name: str = Field(sa_type=Bytewise)
    contact_id: int = big()
