"""Consent where somebody has several names: of words said before we knew, the stricter holds.

Under one name the newest word wins. A refusal under another name is taken back only by a grant
that was said once the two names were known to be one person's, by the time the call that told so
was made. So the outcome is the same in whatever order words and names arrive. A visitor is free
of this: what they said is the named contact's, and newer or older like any word (ruling 71).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

NEWER = """ON CONFLICT (kind, value, topic, granted) DO UPDATE SET at = excluded.at
    WHERE excluded.at > words.at"""


def note(desk: Desk) -> None:
    """Keep the words of `said` by the names of their lines; before anything is made of them."""
    desk.run(f"""
        INSERT INTO words (kind, value, topic, granted, at)
        SELECT d.who_kind, d.who, s.topic, s.granted, max(s.at)
        FROM said s CROSS JOIN due d WHERE d.ord = s.ord
        GROUP BY d.who_kind, d.who, s.topic, s.granted {NEWER}
    """)


def note_own(desk: Desk) -> None:
    """The same for what a program says, by the name that a contact goes by."""
    desk.run(f"""
        INSERT INTO words (kind, value, topic, granted, at)
        SELECT CASE WHEN c.email_folded IS NULL THEN 'user' ELSE 'email' END,
               coalesce(c.email_folded, c.user_id), s.topic, s.granted, max(s.at)
        FROM said s CROSS JOIN contacts c
        WHERE c.id = s.contact_id AND coalesce(c.email_folded, c.user_id) IS NOT NULL
        GROUP BY 1, 2, s.topic, s.granted {NEWER}
    """)


def join_names(desk: Desk) -> None:
    """Since when names are known to be one person's; whom that changes is heard anew."""
    if not desk.run("""
        INSERT INTO joined
        SELECT kind, value, min(at) FROM (
            SELECT 'user' AS kind, who AS value, own_at AS at FROM due
            WHERE who_kind = 'user' AND email_folded IS NOT NULL
            UNION ALL SELECT 'email', email_folded, own_at FROM due
            WHERE who_kind = 'user' AND email_folded IS NOT NULL
            UNION ALL SELECT who_kind, who, own_at FROM due WHERE previous IS NOT NULL
            UNION ALL SELECT previous_kind, previous, own_at FROM due WHERE previous IS NOT NULL
            UNION ALL
            SELECT 'user', t.value, c.at FROM aliased t CROSS JOIN claims c
            WHERE c.anonymous_id = t.value AND c.by_alias
        ) AS calls GROUP BY kind, value
    """):
        return
    changed = """FROM joined j
        WHERE identities.kind = j.kind AND identities.value = j.value
          AND j.at < coalesce(identities.since, j.at + 1)"""
    desk.run(f"""
        INSERT INTO heeded SELECT DISTINCT identities.contact_id
        {changed.replace("FROM joined j", "FROM joined j CROSS JOIN identities")}
          AND identities.since IS NOT NULL ON CONFLICT DO NOTHING
    """)
    desk.run(f"UPDATE identities SET since = j.at {changed}")


def heed(desk: Desk) -> None:
    """Find anew what those agreed to who said different things under different names."""
    if desk.filled["said"]:
        desk.run(SPLIT)
    if not desk.filled["heeded"]:
        return
    desk.run(f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'consent', '', contact_id FROM consents
        WHERE {HEEDED} AND granted <> NOT {REFUSED}
    """)
    desk.run(f"UPDATE consents SET granted = NOT {REFUSED}, at = {LAST} WHERE {HEEDED}")
    desk.clear("heeded")


# Whose names do not agree.
SPLIT = """
    INSERT INTO heeded
    SELECT DISTINCT s.contact_id
    FROM said s CROSS JOIN identities n CROSS JOIN words r CROSS JOIN identities m
    CROSS JOIN words g
    WHERE n.contact_id = s.contact_id AND r.kind = n.kind AND r.value = n.value
      AND NOT r.granted AND r.topic IN (s.word, 'all')
      AND m.contact_id = s.contact_id AND g.kind = m.kind AND g.value = m.value
      AND g.granted AND (n.kind <> m.kind OR n.value <> m.value)
    ON CONFLICT DO NOTHING
"""
HEEDED = "contact_id IN (SELECT contact_id FROM heeded) AND topic <> 'all'"
# A refusal under a name (n) that no grant under any name (m) has taken back.
REFUSED = """EXISTS (
    SELECT 1 FROM identities n CROSS JOIN words r
    WHERE n.contact_id = consents.contact_id AND r.kind = n.kind AND r.value = n.value
      AND NOT r.granted AND r.topic IN (consents.topic, 'all') AND NOT EXISTS (
        SELECT 1 FROM identities m CROSS JOIN words g
        WHERE m.contact_id = n.contact_id AND g.kind = m.kind AND g.value = m.value
          AND g.granted AND g.topic = consents.topic AND g.at > r.at
          AND (m.kind = n.kind AND m.value = n.value
               OR 'anonymous' IN (m.kind, n.kind)
               OR g.at >= coalesce(n.since, g.at) AND g.at >= coalesce(m.since, g.at))))"""
LAST = """coalesce((
    SELECT max(r.at) FROM identities n CROSS JOIN words r
    WHERE n.contact_id = consents.contact_id AND r.kind = n.kind AND r.value = n.value
      AND (r.topic = consents.topic OR r.topic = 'all' AND NOT r.granted)), at)"""
