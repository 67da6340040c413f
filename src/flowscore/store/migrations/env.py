"""Alembic's door: runs the revisions on the connection that `store/schema.py` hands over."""

from __future__ import annotations

from alembic import context

from flowscore.store.schema import VERSIONS

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSIONS,
    transactional_ddl=False,  # the caller's transaction is the only one
)
context.run_migrations()
