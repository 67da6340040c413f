"""Consent: what was said, whether it changes anything, and the events of what does.

For each topic, and for `email` (mail in general), a contact has granted, refused or said
nothing; the newest own time wins, and what is so already is no event (rulings 81 and 121).
Who refuses `all` refuses mail in general and every topic, also one first heard of later: that
is kept as a word on the topic `all`, which only this room reads. What was said stands word for
word in `consent_records`, with the text that was agreed to and the proof that a page made of it.

An event `subscribed` or `unsubscribed` has its topic as `subject`, `topic` and property. That
of `all` is one event, whose forms also hold, under `refused`, each topic not refused before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Text,
    column,
    false,
    insert,
    literal,
    null,
    select,
    table,
    true,
)

from flowscore.store import voices
from flowscore.store.desk import Desk
from flowscore.store.lines import SPOKEN_AT, TOLD, WHO
from flowscore.store.spelling import SPELLINGS, Sqlite
from flowscore.store.tables import Json

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

GENERAL = "email"  # the topic of consent to mail in general
EVERYTHING = "all"

# --- who says it ------------------------------------------------------------------------------


def hear(desk: Desk) -> None:
    """Apply what the calls and imported rows of this pass say."""
    if _listen(desk):
        voices.note(desk)
        _keep_calls(desk)
        _settle(desk)


def _listen(desk: Desk) -> int:
    """Each topic of each line. A call is told even of a contact it creates: that is a sign-up."""
    spelling = desk.spelling
    topic, granted = spelling.item_text(0), spelling.item_true(1)
    topic = f"CASE WHEN {topic} = 'all' AND {granted} THEN '{GENERAL}' ELSE {topic} END"
    key = f"""CASE WHEN d.kind = 'contact' THEN i.message_id || ':consent:' || {topic}
                   WHEN item.key = {spelling.first} THEN i.message_id
                   ELSE i.message_id || ':' || {topic} END"""
    return desk.run(f"""
        INSERT INTO said
        SELECT who.contact_id, {topic}, {topic}, {granted},
               coalesce(i.consent_at, {SPOKEN_AT}), d.ord, i.consent_source,
               d.kind = 'track' OR {TOLD}, {key}, i.received_at, i.historical, i.properties,
               i.forms, i.source
        FROM due d CROSS JOIN {spelling.inbox} i CROSS JOIN identities who
        CROSS JOIN {spelling.each("i.consents")}
        WHERE d.consents AND i.seq = d.seq AND {WHO}
    """)


def _keep_calls(desk: Desk) -> None:
    """A call that changes nothing is no event; its messageId counts once all the same."""
    desk.run(f"""
        INSERT INTO calls (message_id, kind, own_at, received_at, seen_at)
        SELECT i.message_id, i.name, i.own_at, i.received_at, :tick
        FROM due d CROSS JOIN {desk.spelling.inbox} i
        WHERE d.consents AND d.kind = 'track' AND i.seq = d.seq ON CONFLICT DO NOTHING
    """)


SAID = table(
    "said",
    column("contact_id", BigInteger),
    column("topic", Text),
    column("word", Text),
    column("granted", Boolean),
    column("at", BigInteger),
    column("ord", BigInteger),
    column("source", Text),
    column("told", Boolean),
    column("message_id", Text),
    column("received_at", BigInteger),
    column("historical", Boolean),
    column("properties", Json),
    column("forms", Json),
    column("brought_by", Text),
)


def change(
    connection: Connection, dialect: str, topics: tuple[str, ...], now: int, spoken: Select[Any]
) -> None:
    """Apply what a program says at `now` (microseconds), and write the events of real changes.

    `spoken` gives `contact_id, topic, granted, ord, source, message_id`: `ord` (from 1) is the
    order in which one contact's words are said, `message_id` the event's. `topics` are the
    policy's.
    """
    desk = Desk(connection, SPELLINGS[dialect], now, topics=topics)
    desk.lay()
    row, empty, at = spoken.subquery().c, literal({}, Json), literal(now, BigInteger)
    said = select(
        *(row.contact_id, row.topic, row.topic, row.granted, at, row.ord, row.source),
        *(true(), row.message_id, at, false(), empty, empty, null()),
    )
    connection.execute(insert(SAID).from_select([one.name for one in SAID.columns], said))
    desk.filled[SAID.name] += 1
    voices.note_own(desk)
    _settle(desk)
    desk.clear()


# --- what comes of it -------------------------------------------------------------------------


def _settle(desk: Desk) -> None:
    """Apply what stands in `said`, where each row's topic is also its word."""
    _refuse_everything(desk)
    _weigh(desk)
    _tell(desk)
    _record(desk)
    _keep(desk)


def _refuse_everything(desk: Desk) -> None:
    """The word `all` means `email`, the policy's topics and those spoken of up to then."""
    if not desk.ask("SELECT 1 FROM said WHERE topic = 'all' LIMIT 1"):
        return
    for topic in (GENERAL, *desk.topics):
        _refuse(desk, _GIVEN, "true", topic=topic)
    _refuse(desk, "SELECT topic, contact_id FROM consents", "true")
    _refuse(desk, "SELECT * FROM said WHERE topic = word", "(c.at, c.ord) < (s.at, s.ord)")


_GIVEN = "SELECT CAST(:topic AS text) AS topic, contact_id FROM said"


def _refuse(desk: Desk, known: str, where: str, **values: Any) -> None:
    """For each word `all` a row for each such topic, once."""
    desk.run(
        f"""
        INSERT INTO said (contact_id, topic, word, granted, at, ord, source)
        SELECT DISTINCT s.contact_id, c.topic, 'all', false, s.at, s.ord, s.source
        FROM said s JOIN ({known}) AS c ON c.contact_id = s.contact_id
        WHERE s.topic = 'all' AND c.topic <> 'all' AND {where} AND NOT EXISTS (
            SELECT 1 FROM said o WHERE o.contact_id = s.contact_id AND o.ord = s.ord
              AND o.topic = c.topic)
        """,
        **values,
    )


def _weigh(desk: Desk) -> None:
    """Put what is known before what was said, and see after each word what was before it.

    Whoever has refused everything has so refused a topic on which there is no other word.
    """
    desk.run("""
        INSERT INTO heard
        SELECT contact_id, topic, word, granted, at, ord, source,
               lag(granted) OVER sequence,
               row_number() OVER (PARTITION BY contact_id, topic ORDER BY at DESC, ord DESC)
        FROM (
            SELECT s.contact_id, s.topic, s.word, s.granted, s.at, s.ord, s.source
            FROM said s
            LEFT JOIN consents c ON c.contact_id = s.contact_id AND c.topic = s.topic
            LEFT JOIN consents a ON a.contact_id = s.contact_id AND a.topic = 'all'
            WHERE s.at >= coalesce(c.at, a.at, s.at)
            UNION ALL
            SELECT s.contact_id, s.topic, 'all', coalesce(c.granted, a.granted),
                   coalesce(c.at, a.at), 0, coalesce(c.source, a.source)
            FROM (SELECT DISTINCT contact_id, topic FROM said) AS s
            LEFT JOIN consents c ON c.contact_id = s.contact_id AND c.topic = s.topic
            LEFT JOIN consents a ON a.contact_id = s.contact_id AND a.topic = 'all'
            WHERE coalesce(c.at, a.at) IS NOT NULL
        ) AS words
        WINDOW sequence AS (PARTITION BY contact_id, topic ORDER BY at, ord)
    """)


CHANGED = "ord > 0 AND granted IS DISTINCT FROM was AND topic <> 'all'"


def _tell(desk: Desk) -> None:
    """One event for each word that changes something, with all that it changes."""
    spelling = desk.spelling
    listed = f"'topic', {spelling.json_list}({spelling.json_list}(s.word))"
    whole = f"{spelling.json_object}({listed}, 'refused', {spelling.nested('h.topics')})"
    single = f"{spelling.json_object}({listed})"
    forms = f"CASE s.word WHEN 'all' THEN {whole} ELSE {single} END"
    properties = f"{spelling.json_object}('topic', s.word)"
    desk.run(f"""
        INSERT INTO events (message_id, contact_id, name, subject, topic, machine, behaviour,
                            own_at, received_at, seen_at, historical, properties, forms,
                            source)
        SELECT s.message_id, s.contact_id,
               CASE WHEN s.granted THEN 'subscribed' ELSE 'unsubscribed' END, s.word, s.word,
               false, false, s.at, s.received_at, :tick, s.historical,
               {_over("s.properties", properties, spelling)}, {_over("s.forms", forms, spelling)},
               s.brought_by
        FROM (
            SELECT contact_id, ord, word,
                   row_number() OVER (PARTITION BY contact_id, ord, word ORDER BY topic) AS place,
                   {spelling.json_group}({spelling.json_list}(topic)) OVER (
                       PARTITION BY contact_id, ord, word ORDER BY topic
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS topics
            FROM heard WHERE {CHANGED}
        ) AS h CROSS JOIN said s
        WHERE h.place = 1 AND s.contact_id = h.contact_id AND s.ord = h.ord
          AND s.topic = h.word AND s.told
        ORDER BY s.ord, s.contact_id, s.word ON CONFLICT DO NOTHING
    """)


def _over(column: str, upper: str, spelling: Sqlite) -> str:
    """What came with the word, and the word itself over it."""
    return spelling.over(f"coalesce({column}, {spelling.json_object}())", upper)


def _record(desk: Desk) -> None:
    """Each word that changes something, or that brings the text it was given to, as it was said."""
    pick = desk.spelling.pick
    words = f"coalesce({pick('s.properties', 'text')}, {pick('s.properties', 'consent_text')})"
    desk.run(f"""
        INSERT INTO consent_records (contact_id, topic, granted, at, source, text, proof)
        SELECT s.contact_id, s.topic, s.granted, s.at, s.source,
               {words}, {pick("s.properties", "proof")}
        FROM said s
        WHERE s.topic = s.word AND ({words} IS NOT NULL OR (s.contact_id, s.ord, s.word) IN (
            SELECT contact_id, ord, word FROM heard WHERE {CHANGED}))
        ORDER BY s.ord, s.contact_id, s.word
    """)


def _keep(desk: Desk) -> None:
    desk.run(f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'consent', '', contact_id FROM heard WHERE {CHANGED}
    """)
    desk.run("""
        INSERT INTO consents (contact_id, topic, granted, at, source)
        SELECT contact_id, topic, granted, at, source FROM heard
        WHERE newest = 1 AND (ord > 0 OR word = 'all')
        ON CONFLICT (contact_id, topic) DO UPDATE
        SET granted = excluded.granted, at = excluded.at, source = excluded.source
    """)
