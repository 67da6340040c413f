"""Calls that could not be taken, kept as they came, with the reason (INTAKE 10)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text


class Rejected(NamedTuple):
    """A call that was not taken: which source sent it, why it was not, and what it said."""

    source: str
    reason: str
    content: str  # as JSON, or as it came
    received_at: int  # microseconds


KEEP = text("""
    INSERT INTO rejects (digest, received_at, source, reason, content)
    VALUES (:digest, :received_at, :source, :reason, :content) ON CONFLICT DO NOTHING
""")


def keep_rejects(connection: Connection, rejects: Sequence[Rejected]) -> None:
    """Write them in the inbox's transaction; what is sent again is there once."""
    if rejects:
        rows = [{**one._asdict(), "digest": _digest(one)} for one in rejects]
        connection.execute(KEEP, rows)


def _digest(one: Rejected) -> str:
    said = f"{one.source}\0{one.content}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(said).hexdigest()
