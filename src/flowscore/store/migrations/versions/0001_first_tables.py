"""The first tables."""

from __future__ import annotations

from alembic import context, op
from sqlmodel import SQLModel

from flowscore.store.tables import PLACED

revision = "0001"
down_revision = None


def upgrade() -> None:
    """All of them; on SQLite the inbox goes into its own file."""
    part = context.config.attributes["part"]
    tables = [SQLModel.metadata.tables[name] for name in sorted(PLACED[part])]
    SQLModel.metadata.create_all(op.get_bind(), tables)
