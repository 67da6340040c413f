"""Which of a contact's addresses is mailed: the one that was said last, by its own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store.lines import SPOKEN_AT, WHO

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

# A call says an address where it names it beside another name; `email_at` is when that was said
# last. Who is known by one address alone has said nothing of it, and has but that one.
SAYS = """(d.who_kind = 'user' AND d.email_folded IS NOT NULL
    OR d.who_kind = 'email' AND d.previous_kind = 'email')"""


def change_addresses(desk: Desk) -> None:
    """A contact is mailed at the address that was said last, in whatever order calls arrive.

    Of two said at one instant it is the one that comes later in the alphabet.
    """
    if not _gather(desk):
        return
    for column, new in (("email", "email"), ("email_folded", "email_folded")):
        desk.run(f"""
            UPDATE contacts
            SET {column} = (SELECT {new} FROM addresses WHERE contact_id = contacts.id)
            WHERE id IN (SELECT contact_id FROM addresses WHERE changed)
        """)
    desk.run("""
        UPDATE contacts SET email_at = (SELECT at FROM addresses WHERE contact_id = contacts.id)
        WHERE id IN (SELECT contact_id FROM addresses)
    """)


def _gather(desk: Desk) -> int:
    """Of each contact the last word of this pass, if it is later than what is known."""
    return desk.run(f"""
        INSERT INTO addresses
        SELECT said.contact_id, said.email, said.email_folded, said.at,
               c.email_folded IS DISTINCT FROM said.email_folded
        FROM (
            SELECT lines.*, row_number() OVER (
                PARTITION BY contact_id ORDER BY at DESC, email_folded DESC, ord) AS newest
            FROM (
                SELECT who.contact_id, i.email, d.email_folded, {SPOKEN_AT} AS at, d.ord
                FROM due d CROSS JOIN identities who CROSS JOIN identities e
                CROSS JOIN {desk.spelling.inbox} i
                WHERE {SAYS} AND {WHO} AND e.kind = 'email' AND e.value = d.email_folded
                  AND e.contact_id = who.contact_id AND i.seq = d.seq
            ) AS lines
        ) AS said CROSS JOIN contacts c
        WHERE said.newest = 1 AND c.id = said.contact_id
          AND (c.email_at IS NULL OR c.email_folded IS NULL OR said.at > c.email_at
               OR said.at = c.email_at AND said.email_folded > c.email_folded)
    """)
