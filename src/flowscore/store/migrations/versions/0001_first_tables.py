"""The first tables; long, since a released revision is never taken apart."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG = sa.BigInteger()
SERIAL = BIG.with_variant(sa.Integer(), "sqlite")
NEEDED: dict[str, Any] = {"nullable": False}


def only(where: str, sqlite: str = "") -> dict[str, Any]:
    """A partial index, on both databases."""
    return {"sqlite_where": sa.text(sqlite or where), "postgresql_where": sa.text(where)}


BEHAVIOUR = only("behaviour", sqlite="behaviour = 1")


def upgrade() -> None:
    """All of them; on SQLite the inbox goes into its own file."""
    part = context.config.attributes["part"]
    if part in ("store", "all"):
        for create in STORE:
            create()
    if part in ("inbox", "all"):
        create_inbox()


def create_attributes() -> None:
    """Table attributes."""
    op.create_table(
        "attributes",
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("name", TEXT, **NEEDED),
        sa.Column("element", sa.Integer(), **NEEDED),
        sa.Column("value", JSON, **NEEDED),
        sa.Column("set_at", BIG, **NEEDED),
        sa.Column("forms", JSON),
        sa.Column("text", TEXT),
        sa.Column("number", sa.Float()),
        sa.Column("instant", BIG),
        sa.Column("local", BIG),
        sa.PrimaryKeyConstraint("contact_id", "name", "element"),
    )
    op.create_index("attributes_instant", "attributes", ["name", "instant"])
    op.create_index("attributes_local", "attributes", ["name", "local"])
    op.create_index("attributes_text", "attributes", ["name", "text"])


def create_balances() -> None:
    """Table balances."""
    op.create_table(
        "balances",
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("score", TEXT, **NEEDED),
        sa.Column("raw", BIG, **NEEDED),
        sa.Column("balance", BIG, **NEEDED),
        sa.Column("looked", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("contact_id", "score"),
    )
    op.create_index("balances_score", "balances", ["score", "balance"])


def create_calls() -> None:
    """Table calls."""
    op.create_table(
        "calls",
        sa.Column("message_id", TEXT, **NEEDED),
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("received_at", BIG, **NEEDED),
        sa.Column("seen_at", BIG, **NEEDED),
        sa.Column("waiting", TEXT),
        sa.Column("content", JSON),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("calls_waiting", "calls", ["waiting"], **only("waiting IS NOT NULL"))


def create_changes() -> None:
    """Table changes."""
    op.create_table(
        "changes",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("name", TEXT, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def create_consents() -> None:
    """Table consents."""
    op.create_table(
        "consents",
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("topic", TEXT, **NEEDED),
        sa.Column("granted", sa.Boolean(), **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.Column("source", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("contact_id", "topic"),
    )


def create_contacts() -> None:
    """Table contacts."""
    op.create_table(
        "contacts",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("email", TEXT),
        sa.Column("email_folded", TEXT),
        sa.Column("user_id", TEXT),
        sa.Column("known", sa.Boolean(), **NEEDED),
        sa.Column("created_at", BIG, **NEEDED),
        sa.Column("draw_a", sa.Integer(), **NEEDED),
        sa.Column("draw_b", sa.Integer(), **NEEDED),
        sa.Column("suppressed", TEXT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email_folded"),
        sqlite_autoincrement=True,
    )
    op.create_index("contacts_created", "contacts", ["created_at"])


def create_decisions() -> None:
    """Table decisions."""
    op.create_table(
        "decisions",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("scenario", TEXT, **NEEDED),
        sa.Column("definition_id", BIG, **NEEDED),
        sa.Column("key", TEXT, **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("event_id", BIG),
        sa.Column("reason", TEXT, **NEEDED),
        sa.Column("detail", JSON),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scenario", "contact_id", "key"),
        sqlite_autoincrement=True,
    )
    op.create_index("decisions_contact", "decisions", ["contact_id"])


def create_definitions() -> None:
    """Table definitions."""
    op.create_table(
        "definitions",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("name", TEXT, **NEEDED),
        sa.Column("version", sa.Integer(), **NEEDED),
        sa.Column("source", TEXT, **NEEDED),
        sa.Column("digest", TEXT, **NEEDED),
        sa.Column("file", TEXT, **NEEDED),
        sa.Column("line", sa.Integer(), **NEEDED),
        sa.Column("applied_at", BIG, **NEEDED),
        sa.Column("live_from", BIG),
        sa.Column("retired_at", BIG),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "name", "version"),
        sqlite_autoincrement=True,
    )


def create_enrollments() -> None:
    """Table enrollments."""
    op.create_table(
        "enrollments",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("scenario", TEXT, **NEEDED),
        sa.Column("definition_id", BIG, **NEEDED),
        sa.Column("key", TEXT, **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("event_id", BIG),
        sa.Column("entered_at", BIG, **NEEDED),
        sa.Column("ended_at", BIG),
        sa.Column("outcome", TEXT),
        sa.Column("reason", TEXT, **NEEDED),
        sa.Column("converted_at", BIG),
        sa.Column("position", sa.Integer(), **NEEDED),
        sa.Column("due_at", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scenario", "contact_id", "key"),
        sqlite_autoincrement=True,
    )
    op.create_index("enrollments_contact", "enrollments", ["contact_id", "scenario"])
    op.create_index("enrollments_due", "enrollments", ["due_at"], **only("ended_at IS NULL"))


def create_events() -> None:
    """Table events."""
    op.create_table(
        "events",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("message_id", TEXT, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("name", TEXT, **NEEDED),
        sa.Column("subject", TEXT),
        sa.Column("topic", TEXT),
        sa.Column("mail_key", TEXT),
        sa.Column("machine", sa.Boolean(), **NEEDED),
        sa.Column("behaviour", sa.Boolean(), **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("received_at", BIG, **NEEDED),
        sa.Column("seen_at", BIG, **NEEDED),
        sa.Column("historical", sa.Boolean(), **NEEDED),
        sa.Column("properties", JSON),
        sa.Column("forms", JSON),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_behaviour", "events", ["own_at", "contact_id"], **BEHAVIOUR)
    op.create_index("events_contact", "events", ["contact_id", "name", "own_at"])
    op.create_index("events_contact_behaviour", "events", ["contact_id", "own_at"], **BEHAVIOUR)
    op.create_index("events_name", "events", ["name", "own_at"])


def create_identities() -> None:
    """Table identities."""
    op.create_table(
        "identities",
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("value", TEXT, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("kind", "value"),
    )
    op.create_index("identities_contact", "identities", ["contact_id"])


def create_inbox() -> None:
    """Table inbox."""
    op.create_table(
        "inbox",
        sa.Column("seq", SERIAL, **NEEDED),
        sa.Column("message_id", TEXT, **NEEDED),
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("name", TEXT),
        sa.Column("user_kind", TEXT),
        sa.Column("user_value", TEXT),
        sa.Column("email", TEXT),
        sa.Column("email_folded", TEXT),
        sa.Column("anonymous_id", TEXT),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("received_at", BIG, **NEEDED),
        sa.Column("historical", sa.Boolean(), **NEEDED),
        sa.Column("quiet", sa.Boolean(), **NEEDED),
        sa.Column("subject", TEXT),
        sa.Column("topic", TEXT),
        sa.Column("mail_key", TEXT),
        sa.Column("machine", sa.Boolean(), **NEEDED),
        sa.Column("behaviour", sa.Boolean(), **NEEDED),
        sa.Column("properties", JSON),
        sa.Column("forms", JSON),
        sa.Column("traits", JSON),
        sa.Column("consents", JSON),
        sa.Column("consent_at", BIG),
        sa.Column("source", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_quiet", "inbox", ["received_at"], **only("quiet"))
    op.create_index("inbox_received", "inbox", ["received_at"])


def create_ledger() -> None:
    """Table ledger."""
    op.create_table(
        "ledger",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("score", TEXT, **NEEDED),
        sa.Column("rule", TEXT, **NEEDED),
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("key", TEXT, **NEEDED),
        sa.Column("points", BIG, **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("tick_at", BIG, **NEEDED),
        sa.Column("event_id", BIG),
        sa.Column("definition_id", BIG),
        sa.Column("reason", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("contact_id", "score", "rule", "key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_score", "ledger", ["score", "rule"])


def create_marks() -> None:
    """Table marks."""
    op.create_table(
        "marks",
        sa.Column("trigger", TEXT, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("same", TEXT, **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("received_at", BIG, **NEEDED),
        sa.Column("message_id", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("trigger", "contact_id", "same"),
    )
    op.create_index("marks_contact", "marks", ["contact_id"])


def create_members() -> None:
    """Table members."""
    op.create_table(
        "members",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("list", TEXT, **NEEDED),
        sa.Column("joined_at", BIG, **NEEDED),
        sa.Column("left_at", BIG),
        sa.Column("cause", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("members_contact", "members", ["contact_id"])
    op.create_index("members_list", "members", ["list", "left_at", "contact_id"])
    op.create_index(
        "members_now", "members", ["contact_id", "list"], unique=True, **only("left_at IS NULL")
    )


def create_messages() -> None:
    """Table messages."""
    op.create_table(
        "messages",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("key", TEXT, **NEEDED),
        sa.Column("kind", TEXT, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("enrollment_id", BIG),
        sa.Column("scenario", TEXT, **NEEDED),
        sa.Column("step", TEXT, **NEEDED),
        sa.Column("priority", sa.Integer(), **NEEDED),
        sa.Column("place", sa.Integer(), **NEEDED),
        sa.Column("template", TEXT, **NEEDED),
        sa.Column("topic", TEXT, **NEEDED),
        sa.Column("event_id", BIG),
        sa.Column("entered_at", BIG, **NEEDED),
        sa.Column("queued_at", BIG, **NEEDED),
        sa.Column("due_at", BIG, **NEEDED),
        sa.Column("unless_late_by", BIG),
        sa.Column("status", TEXT, **NEEDED),
        sa.Column("reason", TEXT),
        sa.Column("next_at", BIG, **NEEDED),
        sa.Column("attempts", sa.Integer(), **NEEDED),
        sa.Column("claimed_by", TEXT),
        sa.Column("lease_until", BIG),
        sa.Column("handed_at", BIG),
        sa.Column("sent_at", BIG),
        sa.Column("settled_at", BIG),
        sa.Column("response", TEXT),
        sa.Column("sent_event", sa.Boolean(), **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("enrollment_id", "step"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_contact", "messages", ["contact_id", "template"])
    op.create_index("messages_sent", "messages", ["sent_at"])
    op.create_index("messages_uncertain", "messages", ["next_at"], **only("status = 'uncertain'"))
    op.create_index(
        "messages_unsaid",
        "messages",
        ["settled_at"],
        **only("NOT sent_event AND status IN ('sent', 'failed')"),
    )
    op.create_index(
        "messages_waiting",
        "messages",
        ["status", "next_at"],
        **only("status IN ('queued', 'sending')"),
    )


def create_state() -> None:
    """Table state."""
    op.create_table(
        "state",
        sa.Column("key", TEXT, **NEEDED),
        sa.Column("value", JSON),
        sa.PrimaryKeyConstraint("key"),
    )


def create_steps() -> None:
    """Table steps."""
    op.create_table(
        "steps",
        sa.Column("enrollment_id", BIG, **NEEDED),
        sa.Column("step", TEXT, **NEEDED),
        sa.Column("at", BIG, **NEEDED),
        sa.Column("outcome", TEXT, **NEEDED),
        sa.PrimaryKeyConstraint("enrollment_id", "step"),
    )


def create_taken() -> None:
    """Table taken."""
    op.create_table("taken", sa.Column("seq", BIG, **NEEDED), sa.PrimaryKeyConstraint("seq"))


def create_verdicts() -> None:
    """Table verdicts."""
    op.create_table(
        "verdicts",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("pattern", TEXT, **NEEDED),
        sa.Column("text", TEXT, **NEEDED),
        sa.Column("matches", sa.Boolean(), **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("verdicts_text", "verdicts", ["text"], postgresql_using="hash")


STORE = (
    create_attributes,
    create_balances,
    create_calls,
    create_changes,
    create_consents,
    create_contacts,
    create_decisions,
    create_definitions,
    create_enrollments,
    create_events,
    create_identities,
    create_ledger,
    create_marks,
    create_members,
    create_messages,
    create_state,
    create_steps,
    create_taken,
    create_verdicts,
)
