"""What scores that fade keep: lines that still move, cells, stages, balances of companies."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger()
SERIAL = BIG.with_variant(sa.Integer(), "sqlite")
DATABASES = ("sqlite", "postgresql")
NEEDED: dict[str, Any] = {"nullable": False}


def upgrade() -> None:
    """All of it stands in the store's own tables; the inbox stays as it is."""
    if context.config.attributes["part"] in ("store", "all"):
        create_fading()
        create_company_balances()
        create_activity()
        create_cells()
        create_stages()
        index_what_was_won()


def create_fading() -> None:
    """Table fading."""
    op.create_table(
        "fading",
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("score", TEXT, **NEEDED),
        sa.Column("line_id", BIG, **NEEDED),
        sa.Column("rule", TEXT, **NEEDED),
        sa.Column("points", BIG, **NEEDED),
        sa.Column("own_at", BIG, **NEEDED),
        sa.Column("next_at", BIG, **NEEDED),
        sa.Column("settled_at", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("contact_id", "score", "line_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("fading_next", "fading", ["next_at"])


def create_company_balances() -> None:
    """Table company_balances."""
    op.create_table(
        "company_balances",
        sa.Column("company_id", BIG, **NEEDED),
        sa.Column("score", TEXT, **NEEDED),
        sa.Column("raw", BIG, **NEEDED),
        sa.Column("balance", BIG, **NEEDED),
        sa.Column("looked", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("company_id", "score"),
    )


def create_activity() -> None:
    """Table activity."""
    op.create_table(
        "activity",
        sa.Column("contact_id", BIG, autoincrement=False, **NEEDED),
        sa.Column("active_at", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    op.create_index("activity_last", "activity", ["active_at"])


def create_cells() -> None:
    """Table cells."""
    op.create_table(
        "cells",
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("grade", TEXT, **NEEDED),
        sa.Column("cell", TEXT, **NEEDED),
        sa.Column("looked", TEXT),
        sa.Column("since", BIG, **NEEDED),
        sa.PrimaryKeyConstraint("contact_id", "grade"),
        sqlite_with_rowid=False,
    )
    op.create_index("cells_cell", "cells", ["grade", "cell"])


def create_stages() -> None:
    """Table stages."""
    op.create_table(
        "stages",
        sa.Column("id", SERIAL, **NEEDED),
        sa.Column("contact_id", BIG, **NEEDED),
        sa.Column("stage", TEXT, **NEEDED),
        sa.Column("entered_at", BIG, **NEEDED),
        sa.Column("left_at", BIG),
        sa.Column("cause", TEXT, **NEEDED),
        sa.Column("skipped", sa.Boolean(), **NEEDED),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    only: dict[str, Any] = {f"{db}_where": sa.text("left_at IS NULL") for db in DATABASES}
    op.create_index("stages_now", "stages", ["contact_id"], unique=True, **only)
    op.create_index("stages_contact", "stages", ["contact_id"])
    op.create_index("stages_stage", "stages", ["stage", "left_at", "contact_id"])


def index_what_was_won() -> None:
    """Lines that won points, by their own time: what leads are ordered by."""
    only: dict[str, Any] = {f"{db}_where": sa.text("points > 0") for db in DATABASES}
    columns = ["score", "own_at", "contact_id", "points", "kind"]
    op.create_index("ledger_won", "ledger", columns, **only)
