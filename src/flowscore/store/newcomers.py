"""Makes contacts of whom the lines of a pass name for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

PAIRED = """
    SELECT f.ord, i.email, f.email_folded, f.user_id, NULL AS anonymous_id, d.own_at AS at
    FROM front f CROSS JOIN due d CROSS JOIN {inbox} i
    WHERE d.ord = f.ord AND i.seq = d.seq
      AND NOT EXISTS (SELECT 1 FROM identities WHERE kind = 'user' AND value = f.user_id)
"""

SINGLE = """
    SELECT n.first_ord AS ord, CASE n.who_kind WHEN 'email' THEN i.email END AS email,
           CASE n.who_kind WHEN 'email' THEN n.who END AS email_folded,
           CASE n.who_kind WHEN 'user' THEN n.who END AS user_id,
           CASE n.who_kind WHEN 'anonymous' THEN n.who END AS anonymous_id, n.first_at AS at
    FROM named n CROSS JOIN due d CROSS JOIN {inbox} i
    WHERE d.ord = n.first_ord AND i.seq = d.seq
      AND NOT EXISTS (SELECT 1 FROM identities WHERE kind = n.who_kind AND value = n.who)
"""


def welcome(desk: Desk, arrivals: str) -> None:
    """Make a contact of each row of the select, in the order of their lines."""
    spelling = desk.spelling
    last = desk.ask(spelling.last_contact)
    arrived = desk.run(
        f"""
        INSERT INTO newcomers (id, ord, email, email_folded, user_id, anonymous_id, at)
        SELECT :last + row_number() OVER (ORDER BY ord),
               ord, email, email_folded, user_id, anonymous_id, at
        FROM ({arrivals.format(inbox=spelling.inbox)}) AS arrivals
        """,
        last=last,
    )
    if not arrived:
        return
    first = "coalesce(email_folded, user_id, anonymous_id)"
    desk.run(
        f"""
        INSERT INTO contacts
            (id, email, email_folded, user_id, known, created_at, draw_a, draw_b)
        SELECT id, email, email_folded, user_id, anonymous_id IS NULL, at,
               {spelling.draw(first, 0)}, {spelling.draw(first, 1)}
        FROM newcomers WHERE id > :last ORDER BY id
        """,
        last=last,
    )
    _name(desk, last)
    if spelling.skip_to_contact:
        desk.ask(spelling.skip_to_contact)


def _name(desk: Desk, last: int) -> None:
    """The identities of the contacts just made."""
    columns = {"email": "email_folded", "user": "user_id", "anonymous": "anonymous_id"}
    for kind, column in columns.items():
        desk.run(
            f"""
            INSERT INTO identities (kind, value, contact_id)
            SELECT '{kind}', {column}, id FROM newcomers WHERE id > :last AND {column} IS NOT NULL
            """,
            last=last,
        )


def find_creating_lines(desk: Desk) -> None:
    """A contact is created by the first line that names it in any of its ways (ruling 27)."""
    desk.run("""
        UPDATE newcomers SET ord = first.ord FROM (
            SELECT i.contact_id, min(n.first_ord) AS ord
            FROM named n CROSS JOIN identities i CROSS JOIN newcomers c
            WHERE i.kind = n.who_kind AND i.value = n.who AND c.id = i.contact_id
              AND (i.kind <> 'anonymous' OR c.anonymous_id IS NOT NULL)
            GROUP BY i.contact_id
        ) AS first WHERE first.contact_id = newcomers.id
    """)
