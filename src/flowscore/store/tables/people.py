"""Who people are: contacts, the names they go by, their company, attributes and consent."""

# No `from __future__ import annotations` here: SQLModel reads annotations at run time.

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel

from flowscore.store.tables.kinds import Bytewise, Json, big, serial


class Contact(SQLModel, table=True):
    """A person; `known` once an e-mail or userId names them, anonymous before."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index("contacts_created", "created_at"),
        Index("contacts_company", "company_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    email: str | None = Field(default=None, sa_type=Bytewise)  # as first written
    email_folded: str | None = Field(default=None, sa_type=Bytewise, unique=True)
    user_id: str | None = Field(default=None, sa_type=Bytewise)
    known: bool = True
    created_at: int = big()
    draw_a: int = 0  # two 31-bit draws for stable shares (ruling 131)
    draw_b: int = 0
    suppressed: str | None = Field(default=None, sa_type=Bytewise)  # 'bounced' | 'complained'
    email_at: int | None = big(default=None)  # own time of the call that gave the address
    company_id: int | None = big(default=None)
    company_at: int | None = big(default=None)  # own time of the `group` call that said so


class Company(SQLModel, table=True):
    """A company, named by the `groupId` of `group` calls."""

    __tablename__ = "companies"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = serial()
    key: str = Field(sa_type=Bytewise, unique=True)


class Identity(SQLModel, table=True):
    """A name by which calls refer to a contact: kind 'email' (casefolded), 'user', 'anonymous'.

    `since` is the own time of the first call that named it beside another name of theirs.
    """

    __tablename__ = "identities"
    __table_args__ = (Index("identities_contact", "contact_id"),)

    kind: str = Field(primary_key=True, sa_type=Bytewise)
    value: str = Field(primary_key=True, sa_type=Bytewise)
    contact_id: int = big()
    since: int | None = big(default=None)


class Attribute(SQLModel, table=True):
    """A contact's attribute: the raw value as JSON and one row of comparison forms per element.

    A plain value has `element` 0; a list has a row for each element, all with the whole raw value.
    A value that was emptied has one row, with `element` -1 and no forms. `forms` are those of
    all elements, as an event has them.
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


class CompanyAttribute(SQLModel, table=True):
    """A company's attribute, with the same rows and forms as a contact's."""

    __tablename__ = "company_attributes"
    __table_args__ = (
        Index("company_attributes_instant", "name", "instant"),
        Index("company_attributes_local", "name", "local"),
    )

    company_id: int = Field(primary_key=True, sa_type=BigInteger)
    name: str = Field(primary_key=True, sa_type=Bytewise)
    element: int = Field(default=0, primary_key=True)
    value: object = Field(sa_column=Column("value", Json, nullable=False))
    set_at: int = big()  # own time of the newest value
    forms: object = Field(default=None, sa_column=Column("forms", Json))
    text: str | None = Field(default=None, sa_type=Bytewise)
    number: float | None = None
    instant: int | None = big(default=None)
    local: int | None = big(default=None)


class Consent(SQLModel, table=True):
    """Granted or refused, for `email` (in general) and for each topic; the newest own time wins.

    A row on the topic `all` says since when everything not named since is refused.
    """

    __tablename__ = "consents"

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    topic: str = Field(primary_key=True, sa_type=Bytewise)
    granted: bool
    at: int = big()
    source: str = Field(default="", sa_type=Bytewise)


class Word(SQLModel, table=True):
    """What was said of consent under a name: on each topic the newest grant and refusal."""

    __tablename__ = "words"

    kind: str = Field(primary_key=True, sa_type=Bytewise)  # of the name, as in `identities`
    value: str = Field(primary_key=True, sa_type=Bytewise)
    topic: str = Field(primary_key=True, sa_type=Bytewise)
    granted: bool = Field(primary_key=True)
    at: int = big()


class Claim(SQLModel, table=True):
    """A known contact who said that a visitor is them, and when first.

    `by_alias`: an `alias` said that they were once called so, so it may also be a former userId.
    A shared anonymousId has one claim, that of its own visitor, with no `message_id`.
    """

    __tablename__ = "claims"
    __table_args__ = (Index("claims_contact", "contact_id"),)

    anonymous_id: str = Field(primary_key=True, sa_type=Bytewise)
    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    at: int = big()
    message_id: str = Field(sa_type=Bytewise)
    by_alias: bool = False


class ConsentRecord(SQLModel, table=True):
    """A word of consent as it was given, kept beside what it came to; it holds no address.

    `text` is what the person agreed to, `proof` a keyed digest over address, topic, text and
    time: who knows the address can show that the record is theirs. Without `contact_id` the
    person was erased.
    """

    __tablename__ = "consent_records"
    __table_args__ = (
        Index("consent_records_contact", "contact_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = serial()
    contact_id: int | None = big(default=None)
    topic: str = Field(sa_type=Bytewise)
    granted: bool
    at: int = big()
    source: str = Field(default="", sa_type=Bytewise)
    text: str | None = Field(default=None, sa_type=Bytewise)
    proof: str | None = Field(default=None, sa_type=Bytewise)


class Forgotten(SQLModel, table=True):
    """A name of a person who was erased, as a salted digest: it does not come back by itself.

    `at` is the erasure. What happened before `lifted_at` is not taken in, nor anything while
    that is null: until there is new consent. An anonymousId is nobody's name once that is past.
    """

    __tablename__ = "forgotten"

    digest: str = Field(primary_key=True, sa_type=Bytewise)
    at: int = big()
    lifted_at: int | None = big(default=None)


class Departed(SQLModel, table=True):
    """Of somebody who was erased and had an address, what sums are made of: a number, and when.

    No contact has that number; it leads nowhere.
    """

    __tablename__ = "departed"

    contact_id: int = Field(primary_key=True, sa_type=BigInteger)
    created_at: int = big()
    had_attributes: bool
    subscribed_at: int | None = big(default=None)  # first of the words that granted mail
    at: int = big()  # the erasure
