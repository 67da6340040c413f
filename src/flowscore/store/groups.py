"""Takes in which company a contact is with, and what is known of the company.

`group` calls say it, and rows of an import.

The newest own time wins, of a contact's company and of each attribute of a company (rulings 27
and 96). Nothing of it is an event; who is with a company that changed stands in the change set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.store.lines import SPOKEN_AT, WHO
from flowscore.store.traits import COMPANIES, settle, write

if TYPE_CHECKING:
    from flowscore.store.desk import Desk


def join_companies(desk: Desk) -> None:
    """Apply what the lines of this pass say of companies."""
    if not _gather(desk):
        return
    _keep_calls(desk)
    _found(desk)
    _move(desk)
    _describe(desk)


def _gather(desk: Desk) -> int:
    return desk.run(f"""
        INSERT INTO joins
        SELECT who.contact_id, i.subject, {SPOKEN_AT}, d.ord, d.seq
        FROM due d CROSS JOIN {desk.spelling.inbox} i CROSS JOIN identities who
        WHERE d.company AND i.seq = d.seq AND {WHO}
    """)


def _keep_calls(desk: Desk) -> None:
    """A messageId counts once; a call that an older flowscore kept waits no longer."""
    desk.run(f"""
        INSERT INTO calls (message_id, kind, own_at, received_at, seen_at)
        SELECT i.message_id, i.kind, i.own_at, i.received_at, :tick
        FROM joins j CROSS JOIN {desk.spelling.inbox} i WHERE i.seq = j.seq AND i.kind = 'group'
        ON CONFLICT (message_id) DO UPDATE SET waiting = NULL, content = NULL
    """)


def _found(desk: Desk) -> None:
    """Companies heard of for the first time, in the order of their calls."""
    desk.run("""
        INSERT INTO companies (key)
        SELECT j.key FROM joins j
        WHERE NOT EXISTS (SELECT 1 FROM companies k WHERE k.key = j.key)
        GROUP BY j.key ORDER BY min(j.ord)
    """)


def _move(desk: Desk) -> None:
    """Each contact to the company that was named last."""
    desk.run("""
        INSERT INTO moves
        SELECT latest.contact_id, k.id, latest.at FROM (
            SELECT contact_id, key, at,
                   row_number() OVER (PARTITION BY contact_id ORDER BY at DESC, ord DESC) AS newest
            FROM joins
        ) AS latest CROSS JOIN companies k CROSS JOIN contacts c
        WHERE latest.newest = 1 AND k.key = latest.key AND c.id = latest.contact_id
          AND latest.at >= coalesce(c.company_at, latest.at)
    """)
    desk.run("""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'company', '', c.id FROM moves m CROSS JOIN contacts c
        WHERE c.id = m.contact_id AND c.company_id IS DISTINCT FROM m.company_id
    """)
    desk.run("""
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'left company', CAST(c.company_id AS TEXT), c.id
        FROM moves m CROSS JOIN contacts c
        WHERE c.id = m.contact_id AND c.company_id <> m.company_id
    """)
    desk.run("""
        UPDATE contacts SET (company_id, company_at) = (
            SELECT m.company_id, m.at FROM moves m WHERE m.contact_id = contacts.id)
        WHERE id IN (SELECT contact_id FROM moves)
    """)


def _describe(desk: Desk) -> None:
    """The attributes of the companies."""
    desk.clear("brought", "settled")  # they were used for the contacts
    if not _bring(desk):
        return
    settle(desk, COMPANIES)
    write(desk, COMPANIES)
    desk.run("""
        INSERT INTO changes (kind, name, contact_id)
        SELECT DISTINCT 'company', s.name, c.id FROM settled s CROSS JOIN contacts c
        WHERE s.changed AND c.company_id = s.owner_id
    """)


def _bring(desk: Desk) -> int:
    spelling = desk.spelling
    return desk.run(f"""
        INSERT INTO brought
        SELECT id, name, at, ord, false, value, forms, {spelling.whole("forms")}
        FROM (
            SELECT k.id, {spelling.item_text(0)} AS name, j.at, j.ord,
                   {spelling.item_json(1)} AS value, {spelling.item_json(2)} AS forms
            FROM joins j CROSS JOIN {spelling.inbox} i CROSS JOIN companies k
            CROSS JOIN {spelling.each("i.forms")}
            WHERE i.seq = j.seq AND k.key = j.key AND i.forms IS NOT NULL
        ) AS lines
    """)
