"""What identify calls and imported rows say of a contact, and `group` calls of a company.

Of each attribute the newest own time wins (ruling 27). Each real change of a contact's known
value is an event; what a contact is created with, and what a quiet import says, is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscore.store.lines import SPOKEN_AT, TOLD, WHO

if TYPE_CHECKING:
    from flowscore.store.desk import Desk


@dataclass(frozen=True)
class Owners:
    """Whose attributes: the table that holds them, and its column that names the owner."""

    table: str
    column: str


CONTACTS = Owners("attributes", "contact_id")
COMPANIES = Owners("company_attributes", "company_id")


def set_attributes(desk: Desk) -> None:
    """Apply what the lines of this pass say of contacts."""
    if not _bring(desk):
        return
    settle(desk, CONTACTS)
    _tell_changes(desk)
    write(desk, CONTACTS)


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


def settle(desk: Desk, owners: Owners) -> None:
    """Put what is known before what was brought, and see after each what was before it.

    `place` is 1 for the row to keep: the last that changed something, else the last; `latest`
    is the newest own time. A value that says the same in another writing changes nothing.
    """
    spelling, key = desk.spelling, owners.column
    own = f"{spelling.json_list}({spelling.json_list}(a.text, a.number, a.instant, a.local))"
    desk.run(f"""
        INSERT INTO settled
        SELECT lines.*,
               row_number() OVER (PARTITION BY owner_id, name
                                  ORDER BY changed DESC, at DESC, ord DESC),
               max(at) OVER (PARTITION BY owner_id, name)
        FROM (
            SELECT owner_id, name, at, ord, told, value, forms, whole,
                   lag(value) OVER sequence, lag(forms) OVER sequence,
                   ord > 0 AND whole IS DISTINCT FROM lag(whole) OVER sequence AS changed
            FROM (
                SELECT b.* FROM brought b LEFT JOIN {owners.table} a
                  ON a.{key} = b.owner_id AND a.name = b.name AND a.element <= 0
                WHERE a.set_at IS NULL OR b.at >= a.set_at
                UNION ALL
                SELECT a.{key}, a.name, a.set_at, 0, false, a.value,
                       coalesce({spelling.nested("a.forms")}, {own}),
                       CASE WHEN a.forms IS NULL THEN a.text ELSE {spelling.whole("a.forms")} END
                FROM (SELECT DISTINCT owner_id, name FROM brought) AS b CROSS JOIN {owners.table} a
                WHERE a.{key} = b.owner_id AND a.name = b.name AND a.element <= 0
            ) AS said
            WINDOW sequence AS (PARTITION BY owner_id, name ORDER BY at, ord)
        ) AS lines
    """)


def _tell_changes(desk: Desk) -> None:
    """`attribute_changed`, once for each change, and the tick's change set."""
    spelling = desk.spelling
    nested = spelling.nested
    desk.run(f"""
        INSERT INTO events (message_id, contact_id, name, subject, machine, behaviour, own_at,
                            received_at, seen_at, historical, properties, forms)
        SELECT i.message_id || ':' || s.name, s.owner_id, 'attribute_changed', s.name, false,
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
        SELECT DISTINCT 'attribute', name, owner_id FROM settled WHERE changed
    """)


def write(desk: Desk, owners: Owners) -> None:
    """Write the values to keep; where nothing changed only the own time moves on.

    That there is no value is kept too (element -1), so that no older one comes late.
    """
    spelling, table, key = desk.spelling, owners.table, owners.column
    desk.run(f"""
        DELETE FROM {table} WHERE ({key}, name) IN (
            SELECT owner_id, name FROM settled WHERE place = 1 AND changed)
    """)
    desk.run(f"""
        UPDATE {table} SET set_at = (
            SELECT s.latest FROM settled s WHERE s.place = 1
              AND s.owner_id = {table}.{key} AND s.name = {table}.name)
        WHERE ({key}, name) IN (
            SELECT owner_id, name FROM settled WHERE place = 1 AND NOT changed)
    """)
    desk.run(f"""
        INSERT INTO {table}
            ({key}, name, element, value, set_at, forms, text, number, instant, local)
        SELECT s.owner_id, s.name,
               row_number() OVER (PARTITION BY s.owner_id, s.name ORDER BY item.key) - 1,
               s.value, s.latest, s.forms, {spelling.item_text(0)},
               CAST({spelling.item_text(1)} AS double precision),
               CAST({spelling.item_text(2)} AS bigint), CAST({spelling.item_text(3)} AS bigint)
        FROM settled s CROSS JOIN {spelling.each("s.forms")}
        WHERE s.place = 1 AND s.changed AND s.whole IS NOT NULL
    """)
    desk.run(f"""
        INSERT INTO {table} ({key}, name, element, value, set_at, forms)
        SELECT owner_id, name, -1, value, latest, forms FROM settled
        WHERE place = 1 AND whole IS NULL
        ON CONFLICT ({key}, name, element) DO UPDATE SET set_at = excluded.set_at
    """)
