"""Merges one contact into another: everything the old one has becomes the new one's (ruling 71)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store import uniting

if TYPE_CHECKING:
    from flowscore.store.desk import Desk


def unite(desk: Desk) -> None:
    """Merge the pairs of `merges`, wave by wave, so that each contact receives one at a time."""
    while desk.run("""
        INSERT INTO wave
        SELECT next.old_id, next.new_id, c.known
        FROM (SELECT min(old_id) AS old_id, new_id FROM merges GROUP BY new_id) AS next
        CROSS JOIN contacts c WHERE c.id = next.old_id
    """):
        uniting.settle(desk)
        for statement in STATEMENTS:
            desk.run(statement)


def _owned_by(which: str) -> str:
    return f"contact_id IN (SELECT {which} FROM wave)"


def _moved(table: str, where: str = "true") -> str:
    return f"""
        UPDATE {table} SET contact_id = (SELECT new_id FROM wave WHERE old_id = contact_id)
        WHERE {_owned_by("old_id")} AND {where}
    """


def _dropped(table: str, where: str = "true") -> str:
    return f"DELETE FROM {table} WHERE {_owned_by('old_id')} AND {where}"


def _has(table: str, mine: str, theirs: str, same: str) -> str:
    """True of a row of `table` for which the other contact of the pair has such a row `o`."""
    return f"""EXISTS (
        SELECT 1 FROM wave w JOIN {table} o ON o.contact_id = w.{theirs}
        WHERE w.{mine} = {table}.contact_id AND {same}
    )"""


def _newest(table: str, same: str, newer: str) -> list[str]:
    """Of each thing the newer word stays, whoever it was said of; on a tie the new contact's."""
    beaten = _has(table, "new_id", "old_id", f"{same} AND {newer}")
    kept = _has(table, "old_id", "new_id", same)
    return [
        f"DELETE FROM {table} WHERE {_owned_by('new_id')} AND {beaten}",
        _dropped(table, kept),
        _moved(table),
    ]


SAME_LINE = "o.score = ledger.score AND o.rule = ledger.rule AND o.key = ledger.key"
SAME_STAY = "o.list = members.list AND members.left_at IS NULL AND o.left_at IS NULL"
SAME_MARK = "o.trigger = marks.trigger AND o.same = marks.same"
LATER_MARK = """(o.own_at, o.received_at, o.message_id)
    > (marks.own_at, marks.received_at, marks.message_id)"""

# Of the two companies the one that was named later is theirs (ruling 96).
NEWER_COMPANY = """
    FROM wave w JOIN contacts o ON o.id = w.old_id JOIN contacts n ON n.id = w.new_id
    WHERE o.company_at > coalesce(n.company_at, o.company_at - 1)
"""

# Whose address bounced, or who complained, is not mailed under another name either (83).
HARMED = """
    FROM wave w JOIN contacts o ON o.id = w.old_id
    WHERE w.new_id = contacts.id AND o.suppressed IS NOT NULL
"""

SOONER = "(excluded.at, excluded.message_id) < (claims.at, claims.message_id)"
EARLIER_CLAIM = f"""ON CONFLICT (anonymous_id, contact_id) DO UPDATE SET
    at = CASE WHEN {SOONER} THEN excluded.at ELSE claims.at END,
    message_id = CASE WHEN {SOONER} THEN excluded.message_id ELSE claims.message_id END,
    by_alias = claims.by_alias OR excluded.by_alias"""

STATEMENTS = [
    f"""
        UPDATE contacts SET suppressed = (SELECT min(o.suppressed) {HARMED})
        WHERE suppressed IS NULL AND id IN (SELECT new_id FROM wave) AND EXISTS (SELECT 1 {HARMED})
    """,
    _moved("identities"),
    _moved("events"),
    # The points of a `when` rule stand for a state: where they stood for both, one is taken back
    # (but not what a reset has made worth nothing: ruling 54).
    """
        INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at, tick_at,
                            definition_id, reason)
        SELECT w.new_id, l.score, l.rule, 'when', 'merge/' || w.old_id, -sum(l.points), :tick,
               :tick, max(l.definition_id), 'stood for both before they were merged'
        FROM wave w CROSS JOIN ledger l
        WHERE l.contact_id = w.old_id AND l.kind = 'when' AND NOT EXISTS (
            SELECT 1 FROM ledger r
            WHERE r.contact_id = w.new_id AND r.score = l.score AND r.kind = 'reset'
              AND (r.own_at, r.id) > (l.own_at, l.id)) AND 0 <> (
            SELECT coalesce(sum(n.points), 0) FROM ledger n
            WHERE n.contact_id = w.new_id AND n.score = l.score AND n.rule = l.rule
              AND n.kind = 'when')
        GROUP BY w.new_id, w.old_id, l.score, l.rule HAVING sum(l.points) <> 0
    """,
    f"""
        UPDATE ledger SET key = key || '/' || contact_id
        WHERE {_owned_by("old_id")} AND {_has("ledger", "old_id", "new_id", SAME_LINE)}
    """,
    _moved("ledger"),
    f"""
        UPDATE members SET joined_at = (
            SELECT min(o.joined_at) FROM wave w
            JOIN members o ON o.contact_id IN (w.old_id, w.new_id)
            WHERE w.new_id = members.contact_id AND {SAME_STAY})
        WHERE {_owned_by("new_id")} AND {_has("members", "new_id", "old_id", SAME_STAY)}
    """,
    _dropped("members", _has("members", "old_id", "new_id", SAME_STAY)),
    _moved("members"),
    """
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'attribute', a.name, w.new_id
        FROM wave w CROSS JOIN attributes a WHERE a.contact_id = w.old_id
    """,
    *_newest("attributes", "o.name = attributes.name", "o.set_at > attributes.set_at"),
    *_newest("consents", "o.topic = consents.topic", "o.at > consents.at"),
    # Who refused everything refused what the other had agreed to before (`consents.py`).
    f"""
        UPDATE consents SET granted = false, at = a.at, source = a.source
        FROM consents a
        WHERE a.contact_id = consents.contact_id AND a.topic = 'all' AND a.at > consents.at
          AND consents.{_owned_by("new_id")}
    """,
    _moved("consent_records"),
    # Of two claims on one visitor the earlier stays.
    f"""
        INSERT INTO claims (anonymous_id, contact_id, at, message_id, by_alias)
        SELECT c.anonymous_id, w.new_id, c.at, c.message_id, c.by_alias
        FROM wave w CROSS JOIN claims c WHERE c.contact_id = w.old_id
        {EARLIER_CLAIM}
    """,
    _dropped("claims"),
    *_newest("marks", SAME_MARK, LATER_MARK),
    # Cell and stage follow from what they now are together: an ordinary change, which fires.
    _dropped("cells"),
    _dropped("stages"),
    # What was last looked at stays the new contact's, so that a crossing is noticed in this tick.
    """
        INSERT INTO balances (contact_id, score, raw, balance, looked)
        SELECT w.new_id, b.score, 0, 0, 0
        FROM wave w CROSS JOIN balances b
        WHERE b.contact_id = w.old_id ON CONFLICT DO NOTHING
    """,
    # What they are worth together is the engine's to say.
    _dropped("balances"),
    _dropped("fading"),
    """
        INSERT INTO activity (contact_id, active_at)
        SELECT w.new_id, o.active_at FROM wave w CROSS JOIN activity o
        WHERE o.contact_id = w.old_id ON CONFLICT DO NOTHING
    """,
    f"""
        UPDATE activity SET active_at = (
            SELECT max(o.active_at) FROM wave w
            JOIN activity o ON o.contact_id IN (w.old_id, w.new_id)
            WHERE w.new_id = activity.contact_id)
        WHERE {_owned_by("new_id")}
    """,
    _dropped("activity"),
    f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'score', score, contact_id FROM balances WHERE {_owned_by("new_id")}
    """,
    f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'company', '', n.id {NEWER_COMPANY}
    """,
    # The old contact is with its company no more; the new one may leave its own for that.
    """
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'left company', CAST(o.company_id AS TEXT), w.new_id
        FROM wave w CROSS JOIN contacts o WHERE o.id = w.old_id AND o.company_id IS NOT NULL
    """,
    f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'left company', CAST(n.company_id AS TEXT), n.id
        {NEWER_COMPANY} AND n.company_id <> o.company_id
    """,
    f"""
        UPDATE contacts SET (company_id, company_at) = (
            SELECT o.company_id, o.company_at {NEWER_COMPANY} AND n.id = contacts.id)
        WHERE id IN (SELECT n.id {NEWER_COMPANY})
    """,
    """
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'contact', '', new_id FROM wave UNION ALL SELECT 'consent', '', new_id FROM wave
        UNION ALL SELECT 'merged', '', new_id FROM wave
    """,
    """
        UPDATE contacts SET created_at = (
            SELECT min(c.created_at) FROM wave w JOIN contacts c ON c.id IN (w.old_id, w.new_id)
            WHERE w.new_id = contacts.id)
        WHERE id IN (SELECT new_id FROM wave)
    """,
    "DELETE FROM contacts WHERE id IN (SELECT old_id FROM wave)",
    "DELETE FROM merges WHERE old_id IN (SELECT old_id FROM wave)",
    "DELETE FROM wave",
]
