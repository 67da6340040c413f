"""Writes the event log: what came in, who became known, and the mails that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from flowscore.store import bounces
from flowscore.store.forms import flatten
from flowscore.store.lines import WHO

if TYPE_CHECKING:
    from flowscore.store.desk import Desk
    from flowscore.store.spelling import Sqlite


def greet(desk: Desk) -> None:
    """`contact_created` for each contact that became known in this pass, at its creation."""
    desk.run(f"""
        INSERT INTO events (message_id, contact_id, name, machine, behaviour, own_at, received_at,
                            seen_at, historical, properties, forms)
        SELECT 'contact_created:' || coalesce('email:' || n.email_folded, 'user:' || n.user_id),
               n.id, 'contact_created', false, false, c.created_at, i.received_at, :tick,
               i.historical,
               {desk.spelling.json_object}(), {desk.spelling.json_object}()
        FROM newcomers n CROSS JOIN contacts c CROSS JOIN due d CROSS JOIN {desk.spelling.inbox} i
        WHERE n.anonymous_id IS NULL AND c.id = n.id AND d.ord = n.ord AND i.seq = d.seq
          AND NOT i.quiet
        ORDER BY n.ord ON CONFLICT DO NOTHING
    """)


def write_events(desk: Desk) -> int:
    """The track, page and screen calls of this pass, in their order; gives how many are new.

    Those that speak of consent are events only if they change it (`consents.py`).
    """
    _note_topics(desk)
    return desk.run(f"""
        INSERT INTO events (message_id, contact_id, name, subject, topic, mail_key, machine,
                            behaviour, own_at, received_at, seen_at, historical, properties, forms,
                            source, visitor)
        SELECT i.message_id, who.contact_id, i.name, i.subject,
               CASE WHEN i.topic IS NULL AND i.subject IS NOT NULL AND i.name LIKE 'email%'
                    THEN (SELECT topic FROM template_topics t WHERE t.template = i.subject)
                    ELSE i.topic END,
               i.mail_key, i.machine OR d.judged IS NOT NULL, i.behaviour AND d.judged IS NULL,
               i.own_at, i.received_at, :tick, i.historical,
               {_judged("properties", desk.spelling)}, {_judged("forms", desk.spelling)}, i.source,
               CASE WHEN d.who_kind = 'anonymous' THEN d.who END
        FROM due d CROSS JOIN {desk.spelling.inbox} i CROSS JOIN identities who
        WHERE d.kind = 'track' AND NOT d.consents AND i.seq = d.seq AND {WHO}
        ORDER BY d.ord ON CONFLICT DO NOTHING
    """)


def _judged(column: str, spelling: Sqlite) -> str:
    """With what a judgement over a hit says besides (`machines.py`)."""
    said = spelling.over(f"i.{column}", "d.judged" if column == "properties" else "d.judged_forms")
    return f"CASE WHEN d.judged IS NULL THEN i.{column} ELSE {said} END"


def _note_topics(desk: Desk) -> None:
    """An open or click without a topic has that of its template (ruling 118)."""
    rows = [{"name": name, "topic": topic} for name, topic in desk.template_topics.items()]
    if rows:
        desk.connection.execute(text("INSERT INTO template_topics VALUES (:name, :topic)"), rows)


SOFT = "coalesce(lower({kind}), 'hard') NOT IN ('hard', 'permanent')"


def suppress(desk: Desk) -> None:
    """Who complained, or whose address does not exist, gets no mail; a soft bounce is no matter."""
    spelling = desk.spelling
    soft = SOFT.format(kind=spelling.pick("i.properties", "type"))
    for name, reason in (("email_complained", "complained"), ("email_bounced", "bounced")):
        harmed = f"""
            SELECT who.contact_id
            FROM due d CROSS JOIN {spelling.inbox} i CROSS JOIN identities who
            WHERE d.harm AND i.seq = d.seq AND {WHO} AND i.name = '{name}'
              AND (i.name = 'email_complained' OR NOT {soft})
        """
        _mark_suppressed(desk, harmed, reason)
    _suppress_by_soft(desk)


def _suppress_by_soft(desk: Desk) -> None:
    """Whose mails came back softly so often that the table of `bounces.py` calls it enough."""
    desk.run(f"""
        INSERT INTO returned SELECT DISTINCT who.contact_id
        FROM due d CROSS JOIN {desk.spelling.inbox} i CROSS JOIN identities who
        WHERE d.harm AND i.seq = d.seq AND {WHO} AND i.name = 'email_bounced'
    """)
    bounces.find_unreached(desk)
    _mark_suppressed(desk, "SELECT contact_id FROM unreached", "bounced")


def _mark_suppressed(desk: Desk, harmed: str, why: str, **values: Any) -> None:
    those = f"suppressed IS NULL AND id IN ({harmed})"
    desk.run(
        f"""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'contact', '', id FROM contacts WHERE {those}
        """,
        **values,
    )
    desk.run(f"UPDATE contacts SET suppressed = :why WHERE {those}", why=why, **values)


def keep_unapplied(desk: Desk) -> None:
    """Set aside what an older flowscore received and did not read: an `alias` without its names,
    a `group` call without its company. `waiting.py` reads them again.
    """
    unapplied = """(due.kind = 'alias' AND due.previous_kind IS NULL
        OR due.kind = 'group' AND NOT due.company)"""
    desk.run(f"""
        INSERT INTO calls (message_id, kind, own_at, received_at, seen_at, waiting, content)
        SELECT i.message_id, i.kind, i.own_at, i.received_at, :tick, i.kind, i.properties
        FROM due CROSS JOIN {desk.spelling.inbox} i
        WHERE {unapplied} AND i.seq = due.seq ON CONFLICT DO NOTHING
    """)
    desk.run(f"DELETE FROM due WHERE {unapplied}")


def keep_calls(desk: Desk) -> None:
    """Note each identify and alias, so that it counts once; one that was kept waits no longer."""
    desk.run(f"""
        INSERT INTO calls (message_id, kind, own_at, received_at, seen_at)
        SELECT i.message_id, i.kind, i.own_at, i.received_at, :tick
        FROM due d CROSS JOIN {desk.spelling.inbox} i
        WHERE d.kind IN ('identify', 'alias') AND i.seq = d.seq
        ON CONFLICT (message_id) DO UPDATE SET waiting = NULL, content = NULL
    """)


# --- our own mail -----------------------------------------------------------------------------

BOUNCED = "bounced"  # a mail that failed because its address does not exist
WHY = "CASE WHEN reason = 'bounced' OR reason LIKE 'bounced:%' THEN 'bounced' ELSE '' END"
UNSAID = "NOT sent_event AND status IN ('sent', 'failed') AND kind = 'email'"
THESE = f"""{UNSAID} AND settled_at <= :tick AND status = :status AND scenario = :scenario
    AND template = :template AND topic = :topic AND {WHY} = :reason"""


def write_mail(desk: Desk) -> int:
    """`email_sent` for each mail sent up to the tick, `email_bounced` for each refused address.

    One statement for each template and scenario, of which there are few.
    """
    kinds = desk.connection.execute(
        text(f"""
            SELECT DISTINCT status, {WHY} AS reason, scenario, template, topic FROM messages
            WHERE {UNSAID} AND settled_at <= :tick
        """),
        {"tick": desk.tick_at},
    )
    written = sum(_write_mail_of(desk, kind._asdict()) for kind in kinds.all())
    desk.run(f"UPDATE messages SET sent_event = true WHERE {UNSAID} AND settled_at <= :tick")
    return written


def _write_mail_of(desk: Desk, kind: dict[str, Any]) -> int:
    """The events of all mails of one template, scenario and outcome."""
    sent = kind["status"] == "sent"
    if not sent and kind["reason"] != BOUNCED:
        return 0
    properties = {key: kind[key] for key in ("template", "topic", "scenario")}
    if not sent:
        properties["type"] = "hard"
        _mark_suppressed(desk, f"SELECT contact_id FROM messages WHERE {THESE}", BOUNCED, **kind)
    return desk.run(
        f"""
        INSERT INTO events (message_id, contact_id, name, subject, topic, mail_key, machine,
                            behaviour, own_at, received_at, seen_at, historical, properties, forms)
        SELECT key || :suffix, contact_id, :name, template, topic, key, false, false,
               CASE WHEN status = 'sent' THEN sent_at ELSE settled_at END,
               CASE WHEN status = 'sent' THEN sent_at ELSE settled_at END, :tick, false,
               {desk.spelling.given("properties")}, {desk.spelling.given("forms")}
        FROM messages WHERE {THESE} ORDER BY id ON CONFLICT DO NOTHING
        """,
        **kind,
        suffix=":sent" if sent else ":bounced",
        name="email_sent" if sent else "email_bounced",
        properties=orjson.dumps(properties).decode(),
        forms=orjson.dumps(flatten(properties)).decode(),
    )
