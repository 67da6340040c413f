"""What the web door brings: write keys, rejects, sources of events, records of consent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger()
SERIAL = BIG.with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
DATABASES = ("sqlite", "postgresql")
NEEDED: dict[str, Any] = {"nullable": False}


def upgrade() -> None:
    """The inbox is a file of its own on SQLite, and of the same tables on PostgreSQL."""
    part = context.config.attributes["part"]
    if part in ("inbox", "all"):
        widen_inbox()
        create_rejects()
    if part in ("store", "all"):
        widen_events()
        op.add_column("contacts", sa.Column("email_at", BIG))
        date_addresses()
        create_write_keys()
        create_claims()
        create_words()
        create_consent_records()
        create_forgotten()
        create_departed()
        create_tallies()
        find_confirmations()


def widen_inbox() -> None:
    """Through which write key a line came; where a consent was given has its own word."""
    op.alter_column("inbox", "source", new_column_name="consent_source")
    op.add_column("inbox", sa.Column("source", TEXT))
    speaks = sa.text("name IN ('subscribed', 'unsubscribed', 'email_complained')")
    only: dict[str, Any] = {f"{db}_where": speaks for db in DATABASES}
    op.create_index("inbox_consents", "inbox", ["user_value"], **only)


def create_rejects() -> None:
    """Table rejects."""
    op.create_table(
        "rejects",
        sa.Column("seq", SERIAL, **NEEDED),
        sa.Column("digest", TEXT, **NEEDED),
        sa.Column("received_at", BIG, **NEEDED),
        sa.Column("source", TEXT, **NEEDED),
        sa.Column("reason", TEXT, **NEEDED),
        sa.Column("content", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )


def widen_events() -> None:
    """Whose write key brought it, and the visitor whom it named when it named nobody else."""
    op.add_column("events", sa.Column("source", TEXT))
    op.add_column("events", sa.Column("visitor", TEXT))
    only: dict[str, Any] = {f"{db}_where": sa.text("visitor IS NOT NULL") for db in DATABASES}
    op.create_index("events_visitor", "events", ["visitor"], **only)


def create_write_keys() -> None:
    """Table write_keys."""
    op.create_table(
        "write_keys",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("source", TEXT, **NEEDED),
        sa.Column("digest", TEXT, **NEEDED),
        sa.Column("hint", TEXT, **NEEDED),
        sa.Column("origins", JSON, **NEEDED),
        sa.Column("created_at", BIG, **NEEDED),
        sa.Column("withdrawn_at", BIG),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )


def create_claims() -> None:
    """Table claims."""
    op.create_table(
        "claims",
        sa.Column("anonymous_id", TEXT, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.Column("message_id", TEXT, **NEEDED),
        sa.Column("by_alias", sa.Boolean(), **NEEDED),
        sa.PrimaryKeyConstraint("anonymous_id", "contact_id"),
    )
    op.create_index("claims_contact", "claims", ["contact_id"])
    op.execute("""
        INSERT INTO claims (anonymous_id, contact_id, at, message_id, by_alias)
        SELECT i.value, i.contact_id, 0, 'known before', false
        FROM identities i JOIN contacts c ON c.id = i.contact_id
        WHERE i.kind = 'anonymous' AND c.known
    """)


def create_words() -> None:
    """Table words; what is known was said under the name a contact goes by."""
    op.add_column("identities", sa.Column("since", BIG))
    op.create_table(
        "words",
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("value", TEXT, **NEEDED),
        sa.Column("topic", TEXT, **NEEDED),
        sa.Column("granted", sa.Boolean(), **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("kind", "value", "topic", "granted"),
    )
    op.execute("""
        INSERT INTO words (kind, value, topic, granted, at)
        SELECT i.kind, i.value, c.topic, c.granted, c.at
        FROM consents c JOIN contacts p ON p.id = c.contact_id
        JOIN identities i ON i.contact_id = c.contact_id
        WHERE i.kind = 'email' AND i.value = p.email_folded
           OR i.kind = 'user' AND i.value = p.user_id AND p.email_folded IS NULL
           OR i.kind = 'anonymous' AND NOT p.known
    """)


def date_addresses() -> None:
    """The address that is known is as new as the store: what comes in late does not change it."""
    op.execute("""
        UPDATE contacts
        SET email_at = coalesce((SELECT max(seen_at) FROM events), created_at)
        WHERE email IS NOT NULL AND user_id IS NOT NULL
    """)


def create_consent_records() -> None:
    """Table consent_records."""
    op.create_table(
        "consent_records",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("contact_id", BIG),
        sa.Column("topic", TEXT, **NEEDED),
        sa.Column("granted", sa.Boolean(), **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.Column("source", TEXT, **NEEDED),
        sa.Column("text", TEXT),
        sa.Column("proof", TEXT),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("consent_records_contact", "consent_records", ["contact_id"])


def create_forgotten() -> None:
    """Table forgotten."""
    op.create_table(
        "forgotten",
        sa.Column("digest", TEXT, **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.Column("lifted_at", BIG),
        sa.PrimaryKeyConstraint("digest"),
    )


def create_departed() -> None:
    """Table departed."""
    op.create_table(
        "departed",
        sa.Column("contact_id", BIG, autoincrement=False, **NEEDED),
        sa.Column("created_at", BIG, **NEEDED),
        sa.Column("had_attributes", sa.Boolean(), **NEEDED),
        sa.Column("subscribed_at", BIG),
        sa.Column("at", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("contact_id"),
    )


def create_tallies() -> None:
    """Table tallies."""
    op.create_table(
        "tallies",
        sa.Column("template", TEXT, **NEEDED),
        sa.Column("name", TEXT, **NEEDED),
        sa.Column("link", TEXT, **NEEDED),
        sa.Column("machine", sa.Boolean(), **NEEDED),
        sa.Column("day", BIG, **NEEDED),
        sa.Column("number", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("template", "name", "link", "machine", "day"),
    )


def find_confirmations() -> None:
    """Mails that ask an address to confirm its sign-up, by age."""
    only: dict[str, Any] = {f"{db}_where": sa.text("kind = 'confirm'") for db in DATABASES}
    op.create_index("messages_confirm", "messages", ["queued_at"], **only)
