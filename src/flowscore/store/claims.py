"""Whose a visitor is: of the known contacts who said so the first, by the time they said it.

`identify`, `group` and `alias` calls and imported rows that name somebody beside an anonymousId
claim the visitor. A claim that becomes known late may be earlier than the one we went by: then
what came in under that anonymousId alone goes over to whom it belongs. An anonymousId that many
claim is no visitor's but a kiosk's or a bug's: it names nobody any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store.handing import hand_over
from flowscore.store.lines import WHO
from flowscore.store.merging import EARLIER_CLAIM, unite
from flowscore.store.newcomers import welcome

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

MOST_CLAIMS = 5  # contacts who may claim one anonymousId; beyond that it is shared
SHARED = "message_id = ''"  # the claim of a shared anonymousId's own visitor, its only one


def settle(desk: Desk) -> None:
    """Take the claims of this pass; afterwards each anonymousId claimed in it has its owner."""
    if not _gather(desk):
        return
    _keep(desk)
    if _find_shared(desk):
        _set_apart(desk)
    _find_owners(desk)
    _give(desk)
    unite(desk)
    hand_over(desk)


CLAIMING = "('identify', 'contact', 'group', 'alias')"


def _gather(desk: Desk) -> int:
    """Each claim, of one contact on one anonymousId the first; also what an `alias` was called.

    What says nothing new, or is about a shared anonymousId, costs no more than a look.
    """
    return desk.run(f"""
        INSERT INTO claiming (anonymous_id, contact_id, at, message_id, by_alias, ord)
        SELECT anonymous_id, contact_id, own_at, message_id, alias > 0, ord FROM (
            SELECT said.*,
                   max(by_alias) OVER (PARTITION BY anonymous_id, contact_id) AS alias,
                   row_number() OVER (PARTITION BY anonymous_id, contact_id
                                      ORDER BY own_at, message_id) AS place
            FROM (
                SELECT d.anonymous_id, who.contact_id, d.own_at, d.message_id, 0 AS by_alias, d.ord
                FROM due d CROSS JOIN identities who
                WHERE d.kind IN {CLAIMING} AND d.who_kind <> 'anonymous'
                  AND d.anonymous_id IS NOT NULL AND {WHO}
                  AND NOT {IDLE.format("anonymous_id", "true")}
                UNION ALL
                SELECT d.previous, who.contact_id, d.own_at, d.message_id, 1, d.ord
                FROM due d CROSS JOIN identities who
                WHERE d.previous_kind = 'user' AND {WHO}
                  AND NOT {IDLE.format("previous", "c.by_alias")}
            ) AS said
        ) AS claims WHERE place = 1
    """)


IDLE = f"""EXISTS (
    SELECT 1 FROM claims c WHERE c.anonymous_id = d.{{}} AND (
        c.{SHARED} OR c.contact_id = who.contact_id
        AND (c.at, c.message_id) <= (d.own_at, d.message_id) AND {{}}))"""


def _keep(desk: Desk) -> None:
    """Keep the claims, of one anonymousId no more than tell that it is shared."""
    desk.run(
        f"""
        INSERT INTO claims (anonymous_id, contact_id, at, message_id, by_alias)
        SELECT anonymous_id, contact_id, at, message_id, by_alias FROM (
            SELECT c.*, row_number() OVER (
                PARTITION BY anonymous_id ORDER BY at, message_id) AS place
            FROM claiming c
        ) AS few WHERE place <= :enough
        {EARLIER_CLAIM}
        """,
        enough=MOST_CLAIMS + 1,
    )


def _find_shared(desk: Desk) -> int:
    return desk.run(
        """
        INSERT INTO shared
        SELECT c.anonymous_id FROM claims c
        WHERE c.anonymous_id IN (SELECT anonymous_id FROM claiming)
        GROUP BY c.anonymous_id HAVING count(*) > :most
        """,
        most=MOST_CLAIMS,
    )


OF_SHARED = "anonymous_id IN (SELECT anonymous_id FROM shared)"
KNOWN_OWNER = "EXISTS (SELECT 1 FROM contacts k WHERE k.id = identities.contact_id AND k.known)"


def _set_apart(desk: Desk) -> None:
    """What comes under a shared anonymousId alone stays with a visitor of its own."""
    desk.run("""
        INSERT INTO handed (anonymous_id, old_id)
        SELECT s.anonymous_id, a.contact_id
        FROM shared s CROSS JOIN identities a CROSS JOIN contacts c
        WHERE a.kind = 'anonymous' AND a.value = s.anonymous_id AND c.id = a.contact_id AND c.known
    """)
    desk.run(f"""
        DELETE FROM identities WHERE kind = 'anonymous' AND {KNOWN_OWNER}
          AND value IN (SELECT anonymous_id FROM shared)
    """)
    welcome(desk, VISITORS)
    desk.run("""
        UPDATE handed SET new_id = (
            SELECT a.contact_id FROM identities a
            WHERE a.kind = 'anonymous' AND a.value = handed.anonymous_id)
    """)
    desk.run(f"DELETE FROM claims WHERE {OF_SHARED}")
    desk.run("""
        INSERT INTO claims (anonymous_id, contact_id, at, message_id, by_alias)
        SELECT s.anonymous_id, a.contact_id, 0, '', false
        FROM shared s CROSS JOIN identities a
        WHERE a.kind = 'anonymous' AND a.value = s.anonymous_id
    """)
    desk.run(f"DELETE FROM claiming WHERE {OF_SHARED}")


VISITORS = """
    SELECT min(c.ord) AS ord, NULL AS email, NULL AS email_folded, NULL AS user_id,
           c.anonymous_id, min(c.at) AS at
    FROM claiming c CROSS JOIN shared s
    WHERE s.anonymous_id = c.anonymous_id AND NOT EXISTS (
        SELECT 1 FROM identities a WHERE a.kind = 'anonymous' AND a.value = c.anonymous_id)
    GROUP BY c.anonymous_id
"""


def _find_owners(desk: Desk) -> None:
    desk.run("""
        INSERT INTO owners
        SELECT anonymous_id, contact_id FROM (
            SELECT c.anonymous_id, c.contact_id, row_number() OVER (
                PARTITION BY c.anonymous_id ORDER BY c.at, c.message_id) AS place
            FROM claims c WHERE c.anonymous_id IN (SELECT anonymous_id FROM claiming)
        ) AS first WHERE place = 1
    """)


def _give(desk: Desk) -> None:
    """A visitor is merged into the owner; what another contact held goes over."""
    for table, columns, known in (
        ("merges", "a.contact_id, o.contact_id", "NOT c.known"),
        ("handed", "a.value, a.contact_id, o.contact_id", "c.known"),
    ):
        desk.run(f"""
            INSERT INTO {table}
            SELECT {columns}
            FROM owners o CROSS JOIN identities a CROSS JOIN contacts c
            WHERE a.kind = 'anonymous' AND a.value = o.anonymous_id
              AND a.contact_id <> o.contact_id AND c.id = a.contact_id AND {known}
            ON CONFLICT DO NOTHING
        """)
    desk.run("""
        INSERT INTO identities (kind, value, contact_id)
        SELECT 'anonymous', anonymous_id, contact_id FROM owners WHERE true
        ON CONFLICT (kind, value) DO UPDATE SET contact_id = excluded.contact_id
    """)
