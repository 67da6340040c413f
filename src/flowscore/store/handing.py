"""Hands over what came in under an anonymousId alone, when it turns out to be somebody else's.

Events and their points go, and what follows from them is found anew. What the visitor said of
themselves (attributes, consent, a company) stays with whom it went to first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowscore.store.desk import Desk


def hand_over(desk: Desk) -> None:
    """Move what the anonymousIds of `handed` brought from the old contact to the new one."""
    if not desk.filled["handed"]:
        return
    for statement in STATEMENTS:
        desk.run(statement)
    desk.clear("handed")


BOTH = "(SELECT old_id FROM handed UNION SELECT new_id FROM handed)"
HANDED_LINE = """
    FROM handed h CROSS JOIN events e
    WHERE h.old_id = ledger.contact_id AND e.id = ledger.event_id
      AND e.visitor = h.anonymous_id"""
OF_OLD = "contact_id IN (SELECT old_id FROM handed)"

STATEMENTS = [
    f"""
        UPDATE ledger SET key = key || '/' || contact_id
        WHERE {OF_OLD} AND EXISTS (
            SELECT 1 {HANDED_LINE} AND EXISTS (
                SELECT 1 FROM ledger o
                WHERE o.contact_id = h.new_id AND o.score = ledger.score
                  AND o.rule = ledger.rule AND o.key = ledger.key))
    """,
    """
        INSERT INTO balances (contact_id, score, raw, balance, looked)
        SELECT DISTINCT h.new_id, b.score, 0, 0, 0
        FROM handed h CROSS JOIN balances b WHERE b.contact_id = h.old_id
        ON CONFLICT DO NOTHING
    """,
    f"""
        UPDATE ledger SET contact_id = (SELECT h.new_id {HANDED_LINE})
        WHERE {OF_OLD} AND EXISTS (SELECT 1 {HANDED_LINE})
    """,
    """
        UPDATE events SET contact_id = (
            SELECT h.new_id FROM handed h WHERE h.anonymous_id = events.visitor)
        WHERE visitor IN (SELECT anonymous_id FROM handed)
    """,
    """
        UPDATE contacts SET created_at = first.at FROM (
            SELECT h.new_id, min(e.own_at) AS at
            FROM handed h CROSS JOIN events e WHERE e.visitor = h.anonymous_id GROUP BY h.new_id
        ) AS first WHERE first.new_id = contacts.id AND first.at < contacts.created_at
    """,
    f"""
        UPDATE activity SET active_at = coalesce(
            (SELECT max(e.own_at) FROM events e
             WHERE e.contact_id = activity.contact_id AND e.behaviour),
            (SELECT c.created_at FROM contacts c WHERE c.id = activity.contact_id))
        WHERE contact_id IN {BOTH}
    """,
    *(
        f"INSERT INTO changes (kind, name, contact_id) SELECT '{kind}', '', old_id FROM {BOTH} AS b"
        for kind in ("contact", "consent", "merged")
    ),
    f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'score', score, contact_id FROM balances WHERE contact_id IN {BOTH}
    """,
]
