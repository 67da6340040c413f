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
    named = "\n            UNION ALL ".join(
        f"SELECT {kind} AS kind, {value} AS value, d.own_at AS at FROM due d WHERE {where}"
        for kind, value, where in BESIDE
    )
    if not desk.run(f"""
        INSERT INTO joined
        SELECT k.kind, k.value, k.contact_id, min(calls.at), min(k.since)
        FROM (
            {named}
            UNION ALL
            SELECT 'user', t.value, c.at FROM aliased t CROSS JOIN claims c
            WHERE c.anonymous_id = t.value AND c.by_alias
        ) AS calls CROSS JOIN identities k
        WHERE k.kind = calls.kind AND k.value = calls.value
          AND calls.at < coalesce(k.since, calls.at + 1)
        GROUP BY k.kind, k.value, k.contact_id
    """):
        return
    desk.run("""
        INSERT INTO heeded SELECT DISTINCT contact_id FROM joined
        WHERE was IS NOT NULL ON CONFLICT DO NOTHING
    """)
    desk.run("""
        UPDATE identities SET since = j.at FROM joined j
        WHERE identities.kind = j.kind AND identities.value = j.value
    """)


# Names that a line names beside another name: kind, value, of which lines.
PAIR = "d.who_kind = 'user' AND d.email_folded IS NOT NULL"
BESIDE = (
    ("'user'", "d.who", PAIR),
    ("'email'", "d.email_folded", PAIR),
    ("d.who_kind", "d.who", "d.previous IS NOT NULL"),
    ("d.previous_kind", "d.previous", "d.previous IS NOT NULL"),
)


def heed(desk: Desk) -> None:
    """Find anew what those agreed to who said different things under different names."""
    if desk.filled["said"]:
        desk.run(SPLIT)
    if not desk.filled["heeded"]:
        return
    desk.run(GATHER)
    desk.run(RECKON)
    desk.run("""
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'consent', '', c.contact_id FROM reckoned n CROSS JOIN consents c
        WHERE c.contact_id = n.contact_id AND c.topic = n.topic AND c.granted <> n.granted
    """)
    desk.run("""
        UPDATE consents SET granted = n.granted, at = n.at FROM reckoned n
        WHERE consents.contact_id = n.contact_id AND consents.topic = n.topic
    """)
    desk.clear("heeded", "voices", "reckoned")


# Whose names do not agree; of what visitors said the newest word has been taken already.
SPLIT = """
    INSERT INTO heeded
    SELECT DISTINCT s.contact_id
    FROM said s CROSS JOIN identities n CROSS JOIN words r CROSS JOIN identities m
    CROSS JOIN words g
    WHERE n.contact_id = s.contact_id AND r.kind = n.kind AND r.value = n.value
      AND NOT r.granted AND r.topic IN (s.word, 'all')
      AND m.contact_id = s.contact_id AND g.kind = m.kind AND g.value = m.value
      AND g.granted AND g.topic = s.topic AND (n.kind <> m.kind OR n.value <> m.value)
      AND 'anonymous' NOT IN (n.kind, m.kind)
    ON CONFLICT DO NOTHING
"""
GATHER = """
    INSERT INTO voices
    SELECT h.contact_id, n.kind, n.value, n.since, w.topic, w.granted, w.at
    FROM heeded h CROSS JOIN identities n CROSS JOIN words w
    WHERE n.contact_id = h.contact_id AND w.kind = n.kind AND w.value = n.value
"""
# Refused, where no grant has taken back one of the refusals.
RECKON = """
    INSERT INTO reckoned
    SELECT c.contact_id, c.topic,
           NOT EXISTS (
               SELECT 1 FROM voices r
               WHERE r.contact_id = c.contact_id AND NOT r.granted AND r.topic IN (c.topic, 'all')
                 AND NOT EXISTS (
                   SELECT 1 FROM voices g
                   WHERE g.contact_id = c.contact_id AND g.granted AND g.topic = c.topic
                     AND g.at > r.at
                     AND (g.kind = r.kind AND g.value = r.value
                          OR 'anonymous' IN (g.kind, r.kind)
                          OR g.at >= coalesce(r.since, g.at) AND g.at >= coalesce(g.since, g.at)))),
           coalesce((
               SELECT max(v.at) FROM voices v
               WHERE v.contact_id = c.contact_id
                 AND (v.topic = c.topic OR v.topic = 'all' AND NOT v.granted)), c.at)
    FROM heeded h CROSS JOIN consents c WHERE c.contact_id = h.contact_id AND c.topic <> 'all'
"""
