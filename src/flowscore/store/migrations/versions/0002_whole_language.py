"""What the whole language keeps: companies, goals and waits of a walk, other kinds of message."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG = sa.BigInteger()
SERIAL = BIG.with_variant(sa.Integer(), "sqlite")
DATABASES = ("sqlite", "postgresql")
NEEDED: dict[str, Any] = {"nullable": False}


def upgrade() -> None:
    """All of it stands in the store's own tables; the inbox stays as it is."""
    if context.config.attributes["part"] in ("store", "all"):
        create_companies()
        create_company_attributes()
        grow_contacts()
        grow_enrollments()
        grow_messages()
        grow_ledger()


def create_companies() -> None:
    """Table companies."""
    op.create_table(
        "companies",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("key", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )


def create_company_attributes() -> None:
    """Table company_attributes."""
    op.create_table(
        "company_attributes",
        sa.Column("company_id", BIG, **NEEDED),
        sa.Column("name", TEXT, **NEEDED),
        sa.Column("element", sa.Integer(), **NEEDED),
        sa.Column("value", JSON, **NEEDED),
        sa.Column("set_at", BIG, **NEEDED),
        sa.Column("forms", JSON),
        sa.Column("text", TEXT),
        sa.Column("number", sa.Float()),
        sa.Column("instant", BIG),
        sa.Column("local", BIG),
        sa.PrimaryKeyConstraint("company_id", "name", "element"),
    )
    op.create_index("company_attributes_instant", "company_attributes", ["name", "instant"])
    op.create_index("company_attributes_local", "company_attributes", ["name", "local"])


def grow_contacts() -> None:
    """The company a contact is with."""
    op.add_column("contacts", sa.Column("company_id", BIG))
    op.add_column("contacts", sa.Column("company_at", BIG))
    op.create_index("contacts_company", "contacts", ["company_id"])


def grow_enrollments() -> None:
    """Holdout, goals, and what a walk waits for."""
    held = sa.Column("held", sa.Boolean(), server_default=sa.false(), **NEEDED)
    came = sa.Column("came", sa.Boolean(), server_default=sa.false(), **NEEDED)
    entered_after = sa.Column("entered_after", BIG, server_default="0", **NEEDED)
    for column in (held, came, entered_after):
        op.add_column("enrollments", column)
    for name in ("goal_until", "awaiting_since", "awaiting_after", "awaiting_until"):
        op.add_column("enrollments", sa.Column(name, BIG))
    for name, columns, where in (
        ("enrollments_inside", ["definition_id", "contact_id"], "ended_at IS NULL"),
        ("enrollments_watched", ["goal_until"], "outcome = 'finished'"),
    ):
        only: dict[str, Any] = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
        op.create_index(name, "enrollments", columns, **only)


def grow_messages() -> None:
    """Whom a notice goes to, what a webhook carries, what a mail waits for."""
    op.add_column("messages", sa.Column("recipients", JSON))
    op.add_column("messages", sa.Column("payload", JSON))
    op.add_column("messages", sa.Column("waits", TEXT))
    op.add_column("messages", sa.Column("waits_in", TEXT))
    failed: dict[str, Any] = {
        "sqlite_where": sa.text("status = 'failed'"),
        "postgresql_where": sa.text("status = 'failed'"),
    }
    op.create_index("messages_failed", "messages", ["settled_at"], **failed)


def grow_ledger() -> None:
    """Lines that void what is dated before them."""
    only: dict[str, Any] = {f"{db}_where": sa.text("kind = 'reset'") for db in DATABASES}
    op.create_index("ledger_resets", "ledger", ["contact_id", "score", "own_at"], **only)
