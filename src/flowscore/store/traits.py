"""What identify calls and imported rows say of a contact: attributes and consent.

Of each attribute and topic the newest own time wins (rulings 27 and 81). Each real change of a
known value is an event; what a contact is created with, and what a quiet import says, is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store.people import WHO

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

# A row of an import speaks of a new contact as of its creation, of a known one as of the import.
SPOKEN_AT = """CASE WHEN d.kind = 'contact' AND NOT EXISTS (
    SELECT 1 FROM newcomers n WHERE n.id = who.contact_id) THEN i.received_at ELSE d.own_at END"""
# Whether a change is told as an event.
TOLD = """(NOT i.quiet AND NOT EXISTS (
    SELECT 1 FROM newcomers n WHERE n.id = who.contact_id AND n.ord = d.ord))"""


def set_attributes(desk: Desk) -> None:
    """Apply what the lines of this pass say of attributes."""
    if not _bring(desk):
        return
    _settle(desk)
    _tell_changes(desk)
    _write(desk)


def _bring(desk: Desk) -> int:
    """Each attribute of each line, as one row."""
    spelling = desk.spelling
    return desk.run(f"""
        INSERT INTO brought
        SELECT contact_id, name, at, ord, told, value, forms, {spelling.whole("forms")}
        FROM (
            SELECT who.contact_id, {spelling.item_text(0)} AS name, {SPOKEN_AT} AS at, d.ord,
                   {TOLD} AS told,
                   {spelling.item_json(1)} AS value, {spelling.item_json(2)} AS forms
            FROM due d CROSS JOIN {spelling.inbox} i CROSS JOIN identities who
            CROSS JOIN {spelling.each("i.traits")}
            WHERE d.kind IN ('identify', 'contact') AND i.seq = d.seq AND {WHO}
              AND i.traits IS NOT NULL
        ) AS lines
    """)


def _settle(desk: Desk) -> None:
    """Put what is known before what was brought, and see after each what was before it.

    `place` is 1 for the row to keep: the last that changed something, else the last; `latest`
    is the newest own time. A value that says the same in another writing changes nothing.
    """
    spelling = desk.spelling
    own = f"{spelling.json_list}({spelling.json_list}(a.text, a.number, a.instant, a.local))"
    desk.run(f"""
        INSERT INTO settled
        SELECT lines.*,
               row_number() OVER (PARTITION BY contact_id, name
                                  ORDER BY changed DESC, at DESC, ord DESC),
               max(at) OVER (PARTITION BY contact_id, name)
        FROM (
            SELECT contact_id, name, at, ord, told, value, forms, whole,
                   lag(value) OVER sequence, lag(forms) OVER sequence,
                   ord > 0 AND whole IS DISTINCT FROM lag(whole) OVER sequence AS changed
            FROM (
                SELECT b.* FROM brought b LEFT JOIN attributes a
                  ON a.contact_id = b.contact_id AND a.name = b.name AND a.element <= 0
                WHERE a.set_at IS NULL OR b.at >= a.set_at
                UNION ALL
                SELECT a.contact_id, a.name, a.set_at, 0, false, a.value,
                       coalesce({spelling.nested("a.forms")}, {own}),
                       CASE WHEN a.forms IS NULL THEN a.text ELSE {spelling.whole("a.forms")} END
                FROM (SELECT DISTINCT contact_id, name FROM brought) AS b CROSS JOIN attributes a
                WHERE a.contact_id = b.contact_id AND a.name = b.name AND a.element <= 0
            ) AS said
            WINDOW sequence AS (PARTITION BY contact_id, name ORDER BY at, ord)
        ) AS lines
    """)


def _tell_changes(desk: Desk) -> None:
    """`attribute_changed`, once for each change, and the tick's change set."""
    spelling = desk.spelling
    nested = spelling.nested
    desk.run(f"""
        INSERT INTO events (message_id, contact_id, name, subject, machine, behaviour, own_at,
                            received_at, seen_at, historical, properties, forms)
        SELECT i.message_id || ':' || s.name, s.contact_id, 'attribute_changed', s.name, false,
               false, s.at, i.received_at, :tick, i.historical,
               {spelling.json_object}('attribute', s.name, 'from', {nested("s.was_value")},
                                      'to', {nested("s.value")}),
               {spelling.json_object}(
                   'attribute',
                   {spelling.json_list}({spelling.json_list}({spelling.fold("s.name")})),
                   'from', coalesce({nested("s.was_forms")}, {spelling.json_list}()),
                   'to', coalesce({nested("s.forms")}, {spelling.json_list}()))
        FROM settled s CROSS JOIN due d CROSS JOIN {spelling.inbox} i
        WHERE s.told AND s.changed AND d.ord = s.ord AND i.seq = d.seq
        ORDER BY s.ord, s.name ON CONFLICT DO NOTHING
    """)
    desk.run("""
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'attribute', name, contact_id FROM settled WHERE changed
    """)


def _write(desk: Desk) -> None:
    """Write the values to keep; where nothing changed only the own time moves on.

    That there is no value is kept too (element -1), so that no older one comes late.
    """
    spelling = desk.spelling
    desk.run("""
        DELETE FROM attributes WHERE (contact_id, name) IN (
            SELECT contact_id, name FROM settled WHERE place = 1 AND changed)
    """)
    desk.run("""
        UPDATE attributes SET set_at = (
            SELECT s.latest FROM settled s WHERE s.place = 1
              AND s.contact_id = attributes.contact_id AND s.name = attributes.name)
        WHERE (contact_id, name) IN (
            SELECT contact_id, name FROM settled WHERE place = 1 AND NOT changed)
    """)
    desk.run(f"""
        INSERT INTO attributes
            (contact_id, name, element, value, set_at, forms, text, number, instant, local)
        SELECT s.contact_id, s.name,
               row_number() OVER (PARTITION BY s.contact_id, s.name ORDER BY item.key) - 1,
               s.value, s.latest, s.forms, {spelling.item_text(0)},
               CAST({spelling.item_text(1)} AS double precision),
               CAST({spelling.item_text(2)} AS bigint), CAST({spelling.item_text(3)} AS bigint)
        FROM settled s CROSS JOIN {spelling.each("s.forms")}
        WHERE s.place = 1 AND s.changed AND s.whole IS NOT NULL
    """)
    desk.run("""
        INSERT INTO attributes (contact_id, name, element, value, set_at, forms)
        SELECT contact_id, name, -1, value, latest, forms FROM settled
        WHERE place = 1 AND whole IS NULL
        ON CONFLICT (contact_id, name, element) DO UPDATE SET set_at = excluded.set_at
    """)


# --- consent ----------------------------------------------------------------------------------


def set_consents(desk: Desk) -> None:
    """Apply what the lines of this pass say of consent; `email` is consent in general."""
    if not _hear(desk):
        return
    _refuse_everything(desk)
    _weigh(desk)
    _tell_consents(desk)
    _keep_consents(desk)


def _hear(desk: Desk) -> int:
    spelling = desk.spelling
    return desk.run(f"""
        INSERT INTO said
        SELECT who.contact_id, {spelling.item_text(0)}, {spelling.item_true(1)},
               coalesce(i.consent_at, {SPOKEN_AT}), d.ord, {TOLD} AND d.kind = 'contact', i.source
        FROM due d CROSS JOIN {spelling.inbox} i CROSS JOIN identities who
        CROSS JOIN {spelling.each("i.consents")}
        WHERE d.consents AND i.seq = d.seq AND {WHO}
    """)


def _refuse_everything(desk: Desk) -> None:
    """Who unsubscribes from `all` refuses mail in general and every topic (ruling 81)."""
    if not desk.ask("SELECT count(*) FROM said WHERE topic = 'all'"):
        return
    for topic in ("email", *desk.topics):
        desk.run(
            """
            INSERT INTO said SELECT contact_id, CAST(:topic AS text), granted, at, ord, told, source
            FROM said WHERE topic = 'all' AND (NOT granted OR :topic = 'email')
            """,
            topic=topic,
        )
    for known in ("said", "consents"):
        desk.run(f"""
            INSERT INTO said
            SELECT DISTINCT s.contact_id, c.topic, false, s.at, s.ord, s.told, s.source
            FROM said s CROSS JOIN {known} c
            WHERE s.topic = 'all' AND NOT s.granted AND c.contact_id = s.contact_id
              AND c.topic <> 'all'
        """)
    desk.run("DELETE FROM said WHERE topic = 'all'")


def _weigh(desk: Desk) -> None:
    desk.run("""
        INSERT INTO heard
        SELECT contact_id, topic, granted, at, ord, told, source,
               lag(granted) OVER sequence,
               row_number() OVER (PARTITION BY contact_id, topic ORDER BY at DESC, ord DESC)
        FROM (
            SELECT DISTINCT s.* FROM said s LEFT JOIN consents c
              ON c.contact_id = s.contact_id AND c.topic = s.topic
            WHERE c.at IS NULL OR s.at >= c.at
            UNION ALL
            SELECT c.contact_id, c.topic, c.granted, c.at, 0, false, c.source
            FROM (SELECT DISTINCT contact_id, topic FROM said) AS s CROSS JOIN consents c
            WHERE c.contact_id = s.contact_id AND c.topic = s.topic
        ) AS rows
        WINDOW sequence AS (PARTITION BY contact_id, topic ORDER BY at, ord)
    """)


def _tell_consents(desk: Desk) -> None:
    """An imported row that changes a consent is an event; a call that does is one already."""
    spelling = desk.spelling
    desk.run(f"""
        INSERT INTO events (message_id, contact_id, name, subject, topic, machine, behaviour,
                            own_at, received_at, seen_at, historical, properties, forms)
        SELECT i.message_id || ':consent:' || h.topic, h.contact_id,
               CASE WHEN h.granted THEN 'subscribed' ELSE 'unsubscribed' END, h.topic, h.topic,
               false, false, h.at, i.received_at, :tick, i.historical,
               {spelling.json_object}('topic', h.topic),
               {spelling.json_object}('topic',
                   {spelling.json_list}({spelling.json_list}({spelling.fold("h.topic")})))
        FROM heard h CROSS JOIN due d CROSS JOIN {spelling.inbox} i
        WHERE h.told AND h.granted IS DISTINCT FROM h.was AND d.ord = h.ord AND i.seq = d.seq
        ORDER BY h.ord, h.topic ON CONFLICT DO NOTHING
    """)


def _keep_consents(desk: Desk) -> None:
    desk.run("""
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'consent', '', contact_id FROM heard
        WHERE ord > 0 AND granted IS DISTINCT FROM was
    """)
    desk.run("""
        INSERT INTO consents (contact_id, topic, granted, at, source)
        SELECT contact_id, topic, granted, at, source FROM heard WHERE newest = 1 AND ord > 0
        ON CONFLICT (contact_id, topic) DO UPDATE
        SET granted = excluded.granted, at = excluded.at, source = excluded.source
    """)
