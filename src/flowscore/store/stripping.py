"""Takes one person out of the store's tables, row by row what it says of them.

A row that sums are made of stays, stripped of all that tells who it was; the rest goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, select, text, update

from flowscore.store.feedback import FEEDBACK
from flowscore.store.spelling import SPELLINGS
from flowscore.store.tables import Json, attributes, events

if TYPE_CHECKING:
    from flowscore.store.naming import Person

TOUCHES = frozenset({"utm_source", "source", "lead_source", "utm_campaign", "campaign", "referrer"})
"""Attributes that say where a lead came from: the report counts by them."""
CAME_FROM = ("context.campaign.source", "utm_source", "source",
             "context.campaign.name", "utm_campaign", "campaign")  # fmt: skip
SAID_BY_SALES = ("verdict", "amount")
PLACES = ("referrer", "url")

GONE = ("identities", "consents", "claims", "marks", "balances", "fading", "activity", "cells",
        "changes")  # fmt: skip
UNCOUNTED = ("attributes", "events", "ledger", "decisions", "members", "stages", "messages")


def take_out(connection: Connection, person: Person, now: int) -> dict[str, int]:
    """Everything of a contact; gives how many rows of what are gone. Instants in microseconds."""
    bound = {"contact": person.number, "now": now}
    if person.is_counted:
        _run(connection, DEPART, bound)
    _run(connection, UNSAY, bound)
    removed = {table: _run(connection, DELETE.format(table), bound) for table in GONE}
    _run(connection, LEAVE_COMPANY, bound)
    _run(connection, "UPDATE consent_records SET contact_id = NULL WHERE contact_id = :contact",
         bound)  # fmt: skip
    if person.is_counted:
        removed |= _strip(connection, person, bound)
    else:
        _run(connection, f"DELETE FROM steps WHERE enrollment_id IN ({WALKS})", bound)
        removed |= {
            table: _run(connection, DELETE.format(table), bound)
            for table in ("enrollments", *UNCOUNTED)
        }
    removed["contacts"] = _run(connection, "DELETE FROM contacts WHERE id = :contact", bound)
    return removed


def _run(connection: Connection, words: str, bound: dict[str, Any]) -> int:
    return connection.execute(text(words), bound).rowcount


DELETE = "DELETE FROM {} WHERE contact_id = :contact"
WALKS = "SELECT id FROM enrollments WHERE contact_id = :contact"
# What was said of consent under a name, whoever bears it by now.
UNSAY = """
    DELETE FROM words WHERE EXISTS (
        SELECT 1 FROM identities k
        WHERE k.contact_id = :contact AND k.kind = words.kind AND k.value = words.value)
"""
# The next tick adds the company's points up without them.
LEAVE_COMPANY = """
    INSERT INTO changes (kind, name, contact_id)
    SELECT 'left company', CAST(company_id AS TEXT), id FROM contacts
    WHERE id = :contact AND company_id IS NOT NULL
"""

# --- what sums are made of --------------------------------------------------------------------


def _strip(connection: Connection, person: Person, bound: dict[str, Any]) -> dict[str, int]:
    """Of somebody with an address, whom reports count."""
    removed = {"attributes": _drop_attributes(connection, person)}
    for words in STRIPPED:
        _run(connection, words.format(before_colon=BEFORE_COLON[connection.dialect.name]), bound)
    _strip_events(connection, person)
    _run(connection, "DELETE FROM messages WHERE contact_id = :contact AND kind <> 'email'", bound)
    return removed


DEPART = """
    INSERT INTO departed (contact_id, created_at, had_attributes, subscribed_at, at)
    SELECT id, created_at, EXISTS (SELECT 1 FROM attributes WHERE contact_id = :contact),
           (SELECT min(at) FROM consents
            WHERE contact_id = :contact AND granted AND topic <> 'all'), :now
    FROM contacts WHERE id = :contact
"""
BEFORE_COLON = {
    "sqlite": "substr(reason, 1, instr(reason || ':', ':') - 1)",
    "postgresql": "split_part(reason, ':', 1)",
}
STRIPPED = (
    "UPDATE members SET left_at = :now WHERE contact_id = :contact AND left_at IS NULL",
    """
    UPDATE enrollments SET key = 'erased/' || id, event_id = NULL, goal_until = NULL,
           reason = CASE WHEN ended_at IS NULL THEN 'erased' ELSE '' END,
           outcome = coalesce(outcome, 'exited'), ended_at = coalesce(ended_at, :now),
           awaiting_since = NULL, awaiting_after = NULL, awaiting_until = NULL
    WHERE contact_id = :contact
    """,
    """
    UPDATE decisions SET key = 'erased/' || id, event_id = NULL, detail = NULL
    WHERE contact_id = :contact
    """,
    """
    UPDATE ledger SET key = 'erased/' || id, event_id = NULL, reason = ''
    WHERE contact_id = :contact
    """,
    # A mail that went out is told of by the next tick; here it is told at once.
    """
    INSERT INTO events (message_id, contact_id, name, subject, topic, mail_key, machine, behaviour,
                        own_at, received_at, seen_at, historical)
    SELECT key || '/erased', contact_id,
           CASE status WHEN 'sent' THEN 'email_sent' ELSE 'email_bounced' END, template, topic,
           key, false, false, coalesce(sent_at, settled_at), coalesce(sent_at, settled_at), :now,
           false
    FROM messages
    WHERE contact_id = :contact AND kind = 'email' AND NOT sent_event
      AND (status = 'sent' OR status = 'failed' AND (reason = 'bounced'
                                                     OR reason LIKE 'bounced:%'))
    """,
    """
    UPDATE messages SET recipients = NULL, payload = NULL, response = NULL, waits_in = NULL,
           event_id = NULL, sent_event = true, reason = CASE
               WHEN status <> 'failed' OR reason = 'bounced' OR reason LIKE 'bounced:%'
               THEN {before_colon} ELSE 'failed' END
    WHERE contact_id = :contact
    """,
)


def _drop_attributes(connection: Connection, person: Person) -> int:
    """All but where the lead came from, if that names nobody."""
    of = attributes.c
    theirs = of.contact_id == person.number
    rows = connection.execute(select(of.name, of.value).where(theirs, of.name.in_(TOUCHES)))
    kept = [name for name, value in rows if not person.is_named_in(str(value))]
    return connection.execute(delete(attributes).where(theirs, of.name.not_in(kept))).rowcount


def _strip_events(connection: Connection, person: Person) -> None:
    """Each event keeps its name, time, topic, machine, and what the report counts by."""
    log = events.c
    rows = connection.execute(
        select(log.id, log.name, log.subject, log.forms, log.contact_id).where(
            log.contact_id == person.number
        )
    ).all()
    shared = _shared_reasons(connection, person)
    stripped = [
        {
            "number": row.id,
            "new_message_id": f"erased/{row.id}",
            "new_subject": None if person.is_named_in(row.subject or "") else row.subject,
            "new_forms": _kept_forms(row.name, row.forms or {}, person, shared),
        }
        for row in rows
    ]
    if stripped:
        connection.execute(STRIP_EVENT, stripped)
    foreign = "mail_key IS NOT NULL AND mail_key NOT IN (SELECT key FROM messages)"
    words = f"UPDATE events SET mail_key = NULL WHERE contact_id = :contact AND {foreign}"
    _run(connection, words, {"contact": person.number})


STRIP_EVENT = (
    update(events)
    .where(events.c.id == bindparam("number"))
    .values(
        message_id=bindparam("new_message_id"),
        subject=bindparam("new_subject"),
        forms=bindparam("new_forms", type_=Json),
        properties={},
        visitor=None,
    )
)

Forms = dict[str, Any]


def _kept_forms(name: str, forms: Forms, person: Person, shared: frozenset[str]) -> Forms:
    """Campaigns and sources that name nobody, of addresses the host, of a verdict the figures."""
    kept = {key: forms[key] for key in CAME_FROM if key in forms}
    kept = {key: form for key, form in kept.items() if not person.is_named_in(str(form))}
    hosts = {key: _host_in(forms.get(key)) for key in PLACES}
    kept |= {key: [[host]] for key, host in hosts.items() if host and not person.is_named_in(host)}
    if name == FEEDBACK:
        kept |= {key: forms[key] for key in SAID_BY_SALES if key in forms}
        if _text_of(forms.get("reason")) in shared:
            kept["reason"] = forms["reason"]
    return kept


def _text_of(form: Any) -> Any:
    return form[0][0] if form and form[0] else None


def _host_in(form: Any) -> str:
    """The host of an address, as the report reads it; of what is none the part before a slash."""
    found = str(_text_of(form) or "")
    for scheme in ("https://", "http://"):
        found = found.removeprefix(scheme)
    return found.split("/", 1)[0].rpartition("@")[2]


def _shared_reasons(connection: Connection, person: Person) -> frozenset[str]:
    """What sales said of others too; what they said of this person alone is about them."""
    spelling = SPELLINGS[connection.dialect.name]
    found = connection.execute(
        text(f"""
            SELECT DISTINCT {spelling.first_text("e.forms", "reason")} FROM events e
            WHERE e.name = '{FEEDBACK}' AND e.contact_id <> :contact
              AND EXISTS (SELECT 1 FROM events m
                          WHERE m.name = '{FEEDBACK}' AND m.contact_id = :contact)
        """),
        {"contact": person.number},
    )
    return frozenset(one for one in found.scalars() if one)
