"""Whoever was erased does not come back by themselves: their names are known by digests only.

A digest is SHA-256 over a salt of this store, the kind of the name and the name. A line that
names a forgotten address or userId is taken and not applied, until a line grants consent that was
given after the erasure: from then on they are a new person, and what is older stays away. An
anonymousId stays away with what it did before the erasure; after it, it is a new visitor's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, insert, select

from flowscore.store.functions import salted
from flowscore.store.tables import forgotten, state

if TYPE_CHECKING:
    from flowscore.store.database import Store
    from flowscore.store.desk import Desk
    from flowscore.store.inbox import InboxRow
    from flowscore.store.naming import Name

SALT = "salt of the forgotten"  # the state's key


def remember(connection: Connection, names: Iterable[Name], at: int) -> None:
    """Keep the names away from instant `at` on; safe to repeat."""
    salt = find_salt(connection) or _make_salt(connection)
    rows = [
        {
            "digest": salted(salt, kind, value),
            "at": at,
            "lifted_at": at + 1 if kind == "anonymous" else None,
        }
        for kind, value in names
    ]
    if rows:
        known = forgotten.c.digest.in_([row["digest"] for row in rows])
        connection.execute(forgotten.delete().where(known))
        connection.execute(insert(forgotten), rows)


def forgotten_since(connection: Connection, name: Name) -> int | None:
    """When whoever bore this name was erased; None where nobody was, or they came back."""
    salt = find_salt(connection)
    if salt is None:
        return None
    kept = forgotten.c.digest == salted(salt, *name)
    away = select(forgotten.c.at).where(kept, forgotten.c.lifted_at.is_(None))
    return connection.execute(away).scalar()


def find_salt(connection: Connection) -> str | None:
    """The salt; none where nobody was ever erased."""
    kept = select(state.c.value).where(state.c.key == SALT)
    return connection.execute(kept).scalar()


def _make_salt(connection: Connection) -> str:
    salt = token_hex(32)
    connection.execute(insert(state).values(key=SALT, value=salt))
    return salt


# --- at the door ------------------------------------------------------------------------------


class Report(Protocol):
    """What an import tells of itself, as far as it is asked here."""

    erased: int


def watched(store: Store, rows: Iterable[InboxRow], report: Report) -> Iterator[InboxRow]:
    """The same rows; counts those that name somebody who is kept away. The tick decides."""
    with store.read() as connection:
        salt = find_salt(connection)
        away = select(forgotten.c.digest).where(forgotten.c.lifted_at.is_(None))
        known = frozenset(connection.execute(away).scalars()) if salt else frozenset()
    for row in rows:
        if known:
            names = ((row.user_kind or "", row.user_value), ("email", row.email_folded))
            said = (salted(salt or "", kind, value) for kind, value in names if value)
            report.erased += not known.isdisjoint(said)
        yield row


def notes(rows: int) -> list[str]:
    """The sentence of an import on them, if there are any."""
    if not rows:
        return []
    who = "1 row names somebody who was" if rows == 1 else f"{rows:,} rows name people who were"
    return [f"{who} erased (they come back only with consent given since)"]


# --- when lines are taken in ------------------------------------------------------------------


def turn_away(desk: Desk) -> int:
    """Take the lines out of `due` that name whoever is kept away; gives how many."""
    salt = find_salt(desk.connection)
    if salt is None or not _recognize(desk, salt):
        return 0
    _read_lines(desk)
    _hear_consent(desk)
    away = _drop(desk)
    desk.clear("forgotten_names", "forgotten_lines")
    return away


def _recognize(desk: Desk, salt: str) -> int:
    """Which of the names in `due` are forgotten ones."""
    return desk.run(
        f"""
        INSERT INTO forgotten_names
        SELECT n.kind, n.value, f.digest, f.at, f.lifted_at
        FROM (
            SELECT DISTINCT who_kind AS kind, who AS value FROM due
            UNION ALL SELECT DISTINCT 'email', email_folded FROM due WHERE who_kind <> 'email'
            UNION ALL SELECT DISTINCT 'anonymous', anonymous_id FROM due
                      WHERE who_kind <> 'anonymous'
            UNION ALL SELECT previous_kind, previous FROM due WHERE previous IS NOT NULL
            UNION ALL SELECT 'anonymous', previous FROM due WHERE previous_kind = 'user'
        ) AS n JOIN forgotten f ON f.digest = {desk.spelling.salted("n.kind", "n.value")}
        WHERE n.value IS NOT NULL ON CONFLICT DO NOTHING
        """,
        salt=salt,
    )


# A row of contacts tells of today what it tells, however long ago the contact was created.
HAPPENED = """CASE WHEN d.kind <> 'contact' THEN d.own_at
    WHEN coalesce(i.consent_at, i.received_at) > i.received_at THEN i.consent_at
    ELSE i.received_at END"""


def _read_lines(desk: Desk) -> None:
    """For each line the names in it that are forgotten, and when it happened."""
    for part, kind, value, where in (
        ("who", "d.who_kind", "d.who", "true"),
        ("email", "'email'", "d.email_folded", "d.who_kind <> 'email'"),
        ("anonymous", "'anonymous'", "d.anonymous_id", "d.who_kind <> 'anonymous'"),
        ("who", "d.previous_kind", "d.previous", "true"),
        ("who", "'anonymous'", "d.previous", "d.previous_kind = 'user'"),
    ):
        desk.run(f"""
            INSERT INTO forgotten_lines
            SELECT d.ord, '{part}', n.at, n.lifted_at, {HAPPENED}
            FROM due d CROSS JOIN forgotten_names n CROSS JOIN {desk.spelling.inbox} i
            WHERE n.kind = {kind} AND n.value = {value} AND {where} AND i.seq = d.seq
              AND d.kind <> 'signup'
        """)


# That a file says yes is no new consent: it has to say since when.
GIVEN = "CASE d.kind WHEN 'contact' THEN i.consent_at ELSE d.own_at END"


def _hear_consent(desk: Desk) -> None:
    """Consent that was given after the erasure lets all names of that person in again."""
    spelling = desk.spelling
    granted = f"""
        SELECT l.at, min({GIVEN}) AS since
        FROM forgotten_lines l CROSS JOIN due d CROSS JOIN {spelling.inbox} i
        CROSS JOIN {spelling.each("i.consents")}
        WHERE l.lifted_at IS NULL AND d.ord = l.ord AND d.consents AND i.seq = d.seq
          AND {spelling.item_true(1)} AND {GIVEN} > l.at + 1
          AND coalesce(i.consent_at, l.at + 1) > l.at
        GROUP BY l.at
    """
    lifted = desk.run(f"""
        UPDATE forgotten SET lifted_at = g.since FROM ({granted}) AS g
        WHERE g.at = forgotten.at AND forgotten.lifted_at IS NULL
    """)
    if lifted:
        desk.run("""
            UPDATE forgotten_lines SET lifted_at = (
                SELECT min(f.lifted_at) FROM forgotten f
                WHERE f.at = forgotten_lines.at AND f.lifted_at > f.at + 1)
            WHERE lifted_at IS NULL
        """)


AWAY = "(l.lifted_at IS NULL OR l.happened < l.lifted_at)"


def _drop(desk: Desk) -> int:
    """A known userId stays, and so does whoever is named beside a forgotten visitor."""
    known = "EXISTS (SELECT 1 FROM identities k WHERE k.kind = due.who_kind AND k.value = due.who)"
    named = "ord IN (SELECT l.ord FROM forgotten_lines l WHERE l.part = '{part}' AND {away})"
    who, email, visitor = (
        named.format(part=part, away=AWAY) for part in ("who", "email", "anonymous")
    )
    desk.run(f"UPDATE due SET anonymous_id = NULL WHERE {visitor}")
    gone = desk.run(f"DELETE FROM due WHERE {who} OR {email} AND NOT {known}")
    desk.run(f"UPDATE due SET email_folded = NULL WHERE {email}")
    return gone
