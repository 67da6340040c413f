"""Calls that could not be taken, kept as they came, with the reason (INTAKE 10)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select, text

from flowscore.clock import rfc3339
from flowscore.store.database import Store
from flowscore.store.tables import rejects as table


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


# --- what a person makes of them --------------------------------------------------------------


@dataclass(frozen=True)
class Rejects:
    """Those of a store, from an instant on (microseconds)."""

    store: Store
    since: int = 0

    def by_reason(self) -> list[dict[str, Any]]:
        """How many for each source and reason, most first, and when the last one came."""
        number, last = func.count(), func.max(table.c.received_at)
        groups = (
            select(number, table.c.source, table.c.reason, last)
            .where(table.c.received_at >= self.since)
            .group_by(table.c.source, table.c.reason)
            .order_by(number.desc(), table.c.source, table.c.reason)
        )
        with self.store.read() as connection:
            return [
                {"calls": calls, "source": source, "reason": reason, "last_at": rfc3339(at)}
                for calls, source, reason, at in connection.execute(groups)
            ]

    @contextmanager
    def newest(self, limit: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
        """Each, the newest first."""
        chosen = select(table).where(table.c.received_at >= self.since)
        with self.store.read() as connection:
            found = connection.execute(chosen.order_by(table.c.seq.desc()).limit(limit))
            yield (_as_row(row) for row in found)

    def export(self, file: Path) -> tuple[int, int]:
        """Write each call as a line for `import events`; gives how many, and the last one's place.

        `rejected` says why and whose it was: nothing reads it when the line is imported.
        """
        chosen = select(table).where(table.c.received_at >= self.since).order_by(table.c.seq)
        number = last = 0
        with self.store.read() as connection, file.open("wb") as out:
            for row in connection.execute(chosen):
                out.write(orjson.dumps(_as_call(row)) + b"\n")
                number, last = number + 1, row.seq
        return number, last

    def clear(self, until: int | None = None) -> int:
        """Forget them, up to a place; gives how many. What came in since stays."""
        gone = table.delete().where(table.c.received_at >= self.since)
        if until is not None:
            gone = gone.where(table.c.seq <= until)
        with self.store.receive() as connection:
            return connection.execute(gone).rowcount


def _as_row(row: Any) -> dict[str, Any]:
    return {
        "received_at": rfc3339(row.received_at),
        "source": row.source,
        "reason": row.reason,
        "call": _content(row),
    }


def _content(row: Any) -> Any:
    """What was kept; of something oversized the beginning, which is no JSON any more."""
    try:
        return orjson.loads(row.content)
    except orjson.JSONDecodeError:
        return row.content


def _as_call(row: Any) -> dict[str, Any]:
    """The call as it came; one that says no time happened when it came in."""
    found = _content(row)
    call = found if isinstance(found, dict) else {"content": found}
    if not (call.get("timestamp") or call.get("originalTimestamp") or call.get("sentAt")):
        call["timestamp"] = rfc3339(row.received_at)
    return {**call, "rejected": {"reason": row.reason, "source": row.source}}
