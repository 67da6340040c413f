"""Who the lines are about: identities, new contacts, anonymous visitors who are named.

A call may name a contact by userId, by e-mail address and by anonymousId. What it names for the
first time is added to the contact that it names by a known name; of two known contacts nothing
is merged yet. An anonymous visitor whom an identify names is merged into the named contact, so
that the order in which calls arrive does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store.merging import unite

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

WHO = "who.kind = d.who_kind AND who.value = d.who"  # the contact a line is about


def meet(desk: Desk) -> None:
    """Give every line of `due` its contact: afterwards each `who` is a known identity."""
    desk.run("""
        INSERT INTO named SELECT who_kind, who, min(ord), min(own_at) FROM due
        GROUP BY who_kind, who
    """)
    _pair(desk)
    _welcome_named(desk)
    _bind_anonymous(desk)
    _welcome_anonymous(desk)
    _find_creating_lines(desk)
    unite(desk)
    _move_creation_back(desk)
    _change_addresses(desk)
    _report(desk)


# --- userId and address in one call -----------------------------------------------------------


def _pair(desk: Desk) -> None:
    """Wave by wave: in each the first pair of its userId that is also the first of its address."""
    desk.run("""
        INSERT INTO pairs SELECT min(ord), who, email_folded FROM due
        WHERE who_kind = 'user' AND email_folded IS NOT NULL GROUP BY who, email_folded
    """)
    while _line_up(desk):
        desk.run("""
            INSERT INTO identities (kind, value, contact_id)
            SELECT 'email', f.email_folded, u.contact_id
            FROM front f JOIN identities u ON u.kind = 'user' AND u.value = f.user_id
            WHERE true ON CONFLICT DO NOTHING
        """)
        desk.run("""
            INSERT INTO identities (kind, value, contact_id)
            SELECT 'user', f.user_id, e.contact_id
            FROM front f JOIN identities e ON e.kind = 'email' AND e.value = f.email_folded
            WHERE true ON CONFLICT DO NOTHING
        """)
        _note_user_ids(desk)
        _welcome(desk, PAIRED)


def _line_up(desk: Desk) -> int:
    """Drop the pairs that are settled and fill `front` with the next wave."""
    desk.run("""
        DELETE FROM pairs WHERE
            EXISTS (SELECT 1 FROM identities WHERE kind = 'user' AND value = pairs.user_id)
            AND EXISTS (SELECT 1 FROM identities
                        WHERE kind = 'email' AND value = pairs.email_folded)
    """)
    desk.run("DELETE FROM front")
    return desk.run("""
        INSERT INTO front SELECT ord, user_id, email_folded FROM pairs p
        WHERE NOT EXISTS (SELECT 1 FROM pairs q WHERE q.user_id = p.user_id AND q.ord < p.ord)
          AND NOT EXISTS (SELECT 1 FROM pairs q
                          WHERE q.email_folded = p.email_folded AND q.ord < p.ord)
    """)


def _note_user_ids(desk: Desk) -> None:
    desk.run("""
        UPDATE contacts SET user_id = (
            SELECT min(f.user_id) FROM front f
            JOIN identities u ON u.kind = 'user' AND u.value = f.user_id
            WHERE u.contact_id = contacts.id)
        WHERE user_id IS NULL AND id IN (
            SELECT u.contact_id FROM front f
            JOIN identities u ON u.kind = 'user' AND u.value = f.user_id)
    """)


PAIRED = """
    SELECT f.ord, i.email, f.email_folded, f.user_id, NULL AS anonymous_id, d.own_at AS at
    FROM front f CROSS JOIN due d CROSS JOIN {inbox} i
    WHERE d.ord = f.ord AND i.seq = d.seq
      AND NOT EXISTS (SELECT 1 FROM identities WHERE kind = 'user' AND value = f.user_id)
"""

# --- new contacts -----------------------------------------------------------------------------

SINGLE = """
    SELECT n.first_ord AS ord, CASE n.who_kind WHEN 'email' THEN i.email END AS email,
           CASE n.who_kind WHEN 'email' THEN n.who END AS email_folded,
           CASE n.who_kind WHEN 'user' THEN n.who END AS user_id,
           CASE n.who_kind WHEN 'anonymous' THEN n.who END AS anonymous_id, n.first_at AS at
    FROM named n CROSS JOIN due d CROSS JOIN {inbox} i
    WHERE d.ord = n.first_ord AND i.seq = d.seq
      AND NOT EXISTS (SELECT 1 FROM identities WHERE kind = n.who_kind AND value = n.who)
"""


def _welcome_named(desk: Desk) -> None:
    _welcome(desk, SINGLE + " AND n.who_kind <> 'anonymous'")


def _welcome_anonymous(desk: Desk) -> None:
    _welcome(desk, SINGLE + " AND n.who_kind = 'anonymous'")


def _welcome(desk: Desk, arrivals: str) -> None:
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


def _find_creating_lines(desk: Desk) -> None:
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


# --- anonymous visitors -----------------------------------------------------------------------


def _bind_anonymous(desk: Desk) -> None:
    """The first identify that names a visitor says who it is; what it left behind is merged."""
    desk.run("""
        INSERT INTO bonds SELECT anonymous_id, min(ord) FROM due
        WHERE kind IN ('identify', 'contact') AND who_kind <> 'anonymous'
          AND anonymous_id IS NOT NULL
        GROUP BY anonymous_id
    """)
    desk.run(f"""
        INSERT INTO merges
        SELECT a.contact_id, who.contact_id
        FROM bonds b CROSS JOIN due d CROSS JOIN identities who CROSS JOIN identities a
        CROSS JOIN contacts c
        WHERE d.ord = b.ord AND {WHO} AND a.kind = 'anonymous' AND a.value = b.anonymous_id
          AND c.id = a.contact_id AND NOT c.known
        ON CONFLICT DO NOTHING
    """)
    desk.run(f"""
        INSERT INTO identities (kind, value, contact_id)
        SELECT 'anonymous', b.anonymous_id, who.contact_id
        FROM bonds b CROSS JOIN due d CROSS JOIN identities who
        WHERE d.ord = b.ord AND {WHO}
        ON CONFLICT DO NOTHING
    """)


# --- what the lines change about their contacts -----------------------------------------------


def _move_creation_back(desk: Desk) -> None:
    """No contact is younger than its first line (ruling 70)."""
    desk.run("""
        INSERT INTO earlier
        SELECT c.id, m.at FROM (
            SELECT who.contact_id, min(n.first_at) AS at FROM named n CROSS JOIN identities who
            WHERE who.kind = n.who_kind AND who.value = n.who GROUP BY who.contact_id
        ) AS m CROSS JOIN contacts c WHERE c.id = m.contact_id AND m.at < c.created_at
    """)
    desk.run("""
        UPDATE contacts SET created_at = (SELECT at FROM earlier WHERE contact_id = contacts.id)
        WHERE id IN (SELECT contact_id FROM earlier)
    """)


def _change_addresses(desk: Desk) -> None:
    """A userId that comes with another address of its own is mailed there from now on.

    History changes no address that is there, since it may be older than what we know.
    """
    desk.run(f"""
        INSERT INTO addresses
        SELECT contact_id, email, email_folded FROM (
            SELECT who.contact_id, i.email, d.email_folded,
                   row_number() OVER (PARTITION BY who.contact_id ORDER BY d.ord DESC) AS newest
            FROM due d CROSS JOIN identities who CROSS JOIN identities e CROSS JOIN contacts c
            CROSS JOIN {desk.spelling.inbox} i
            WHERE d.who_kind = 'user' AND d.email_folded IS NOT NULL AND {WHO}
              AND e.kind = 'email' AND e.value = d.email_folded AND e.contact_id = who.contact_id
              AND c.id = who.contact_id AND i.seq = d.seq
              AND (c.email_folded IS NULL
                   OR c.email_folded <> d.email_folded AND NOT i.historical)
        ) AS latest WHERE newest = 1
    """)
    for column in ("email", "email_folded"):
        desk.run(f"""
            UPDATE contacts
            SET {column} = (SELECT {column} FROM addresses WHERE contact_id = contacts.id)
            WHERE id IN (SELECT contact_id FROM addresses)
        """)


def _report(desk: Desk) -> None:
    """Write what changed into the tick's change set."""
    for kind, name, source in (
        ("contact", "", "SELECT id FROM newcomers"),
        ("contact", "", "SELECT contact_id FROM earlier"),
        ("attribute", "email", "SELECT contact_id FROM addresses"),
    ):
        desk.run(f"""
            INSERT INTO changes (kind, name, contact_id)
            SELECT '{kind}', '{name}', ids.* FROM ({source}) AS ids
        """)
