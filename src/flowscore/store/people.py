"""Who the lines are about: identities, new contacts, and names that turn out to be of one person.

A call may name a contact by userId, by e-mail address and by anonymousId. What it names for the
first time is added to the contact that it names by a known name; two contacts that a call (or an
`alias`) names both are merged. Whose a visitor is, `claims.py` says. Nothing of it depends on the
order in which calls arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store import claims, mailing, voices
from flowscore.store.merging import unite
from flowscore.store.newcomers import PAIRED, SINGLE, find_creating_lines, welcome

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

MOST_NAMES = 50  # known names of one person; what ties more than that together is a mistake


def meet(desk: Desk) -> None:
    """Give every line of `due` its contact: afterwards each `who` is a known identity."""
    desk.run("""
        INSERT INTO named SELECT who_kind, who, min(ord), min(own_at) FROM due
        GROUP BY who_kind, who
    """)
    _pair(desk)
    welcome(desk, SINGLE + " AND n.who_kind <> 'anonymous'")
    _tie_aliases(desk)
    _unite_named(desk)
    voices.join_names(desk)
    claims.settle(desk)
    welcome(desk, SINGLE + " AND n.who_kind = 'anonymous'")
    unite(desk)
    find_creating_lines(desk)
    _move_creation_back(desk)
    mailing.change_addresses(desk)
    _report(desk)


# --- userId and address in one call -----------------------------------------------------------


def _pair(desk: Desk) -> None:
    """Wave by wave: in each the first pair of its userId that is also the first of its address.

    Pairs that are known for one contact's already need nothing.
    """
    desk.run(
        f"""
        INSERT INTO pairs SELECT ord, who, email_folded FROM (
            SELECT p.*, row_number() OVER (PARTITION BY who ORDER BY ord) AS of_user,
                   row_number() OVER (PARTITION BY email_folded ORDER BY ord) AS of_address
            FROM (
                SELECT min(d.ord) AS ord, d.who, d.email_folded FROM due d
                WHERE d.who_kind = 'user' AND d.email_folded IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM identities u CROSS JOIN identities e
                    WHERE u.kind = 'user' AND u.value = d.who AND e.kind = 'email'
                      AND e.value = d.email_folded AND e.contact_id = u.contact_id)
                GROUP BY d.who, d.email_folded
            ) AS p
        ) AS few
        WHERE of_user <= :most AND of_address <= :most
          AND {HAS_NAMES.format("'user'", "who")} < :most
          AND {HAS_NAMES.format("'email'", "email_folded")} < :most
        """,
        most=MOST_NAMES,
    )
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
        welcome(desk, PAIRED)


HAS_NAMES = """(SELECT count(*) FROM identities n CROSS JOIN identities k
    WHERE n.kind = {} AND n.value = {} AND k.contact_id = n.contact_id AND k.kind <> 'anonymous')"""


def _line_up(desk: Desk) -> int:
    """Drop the pairs that are settled and fill `front` with the next wave.

    A pair that names two contacts ties them.
    """
    desk.run("""
        INSERT INTO tied
        SELECT 'user', p.user_id, 'email', p.email_folded, 0
        FROM pairs p CROSS JOIN identities u CROSS JOIN identities e
        WHERE u.kind = 'user' AND u.value = p.user_id
          AND e.kind = 'email' AND e.value = p.email_folded AND e.contact_id <> u.contact_id
    """)
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


# --- names of one person ----------------------------------------------------------------------


def _tie_aliases(desk: Desk) -> None:
    """What an `alias` says is another name of the same person.

    A former address is theirs at once. A former id ties only if somebody is called so by calls:
    it may as well be an anonymousId, and those of two people on one computer merge nobody.
    """
    desk.run("""
        INSERT INTO identities (kind, value, contact_id)
        SELECT 'email', d.previous, who.contact_id FROM due d CROSS JOIN identities who
        WHERE d.previous_kind = 'email' AND who.kind = d.who_kind AND who.value = d.who
        ORDER BY d.ord ON CONFLICT DO NOTHING
    """)
    desk.run("""
        INSERT INTO tied SELECT who_kind, who, previous_kind, previous, own_at FROM due
        WHERE previous IS NOT NULL
    """)
    desk.run("""
        INSERT INTO aliased SELECT n.who FROM named n
        WHERE n.who_kind = 'user' AND EXISTS (
            SELECT 1 FROM claims c WHERE c.anonymous_id = n.who AND c.by_alias)
    """)


def _unite_named(desk: Desk) -> None:
    """Merge known contacts whose names are tied, wave by wave: always into the older one."""
    while _link(desk):
        desk.run("""
            INSERT INTO merges SELECT younger_id, min(older_id) FROM (
                SELECT older_id, min(younger_id) AS younger_id FROM links l
                WHERE NOT EXISTS (SELECT 1 FROM links m WHERE m.younger_id = l.older_id)
                GROUP BY older_id
            ) AS firsts GROUP BY younger_id
        """)
        unite(desk)
        desk.clear("links")


# Who was here before this pass comes first, then by creation; so it matters little who came when.
AGE = """EXISTS (SELECT 1 FROM newcomers n WHERE n.id = {0}.id), {0}.created_at, {0}.draw_a,
    {0}.draw_b, {0}.id"""
NAMES = """(SELECT count(*) FROM identities k
    WHERE k.kind <> 'anonymous' AND k.contact_id IN (x.id, y.id))"""


def _link(desk: Desk) -> int:
    """The pairs of contacts that are one person, the younger first."""
    first = f"({AGE.format('x')}) < ({AGE.format('y')})"
    return desk.run(
        f"""
        INSERT INTO links
        SELECT CASE WHEN {first} THEN y.id ELSE x.id END, CASE WHEN {first} THEN x.id ELSE y.id END
        FROM (
            SELECT a.contact_id AS one, b.contact_id AS other
            FROM tied t CROSS JOIN identities a CROSS JOIN identities b
            WHERE a.kind = t.kind AND a.value = t.value
              AND b.kind = t.other_kind AND b.value = t.other AND a.contact_id <> b.contact_id
            UNION
            SELECT a.contact_id, c.contact_id
            FROM aliased t CROSS JOIN identities a CROSS JOIN claims c
            WHERE a.kind = 'user' AND a.value = t.value
              AND c.anonymous_id = t.value AND c.by_alias AND c.contact_id <> a.contact_id
        ) AS same CROSS JOIN contacts x CROSS JOIN contacts y
        WHERE x.id = same.one AND y.id = same.other AND {NAMES} <= :most
        """,
        most=MOST_NAMES,
    )


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


def _report(desk: Desk) -> None:
    """Write what changed into the tick's change set."""
    for kind, name, source in (
        ("contact", "", "SELECT id FROM newcomers"),
        ("contact", "", "SELECT contact_id FROM earlier"),
        ("attribute", "email", "SELECT contact_id FROM addresses WHERE changed"),
    ):
        desk.run(f"""
            INSERT INTO changes (kind, name, contact_id)
            SELECT '{kind}', '{name}', ids.* FROM ({source}) AS ids
        """)
