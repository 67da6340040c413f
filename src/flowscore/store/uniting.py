"""What two contacts who were both known settle before the younger one becomes the older.

A person is created once, walks once through a scenario that allows no more, gets no mail twice,
is mailed at the address that was said last, and keeps every name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from flowscore.store.desk import Desk


def settle(desk: Desk) -> None:
    """Before the pairs of `wave` are merged: what only contacts with a name have."""
    if not desk.run("""
        INSERT INTO twins SELECT old_id, new_id, true FROM wave WHERE named
        UNION ALL SELECT new_id, old_id, false FROM wave WHERE named
    """):
        return
    _note_repeated(desk)
    for statement in STATEMENTS:
        desk.run(statement)
    desk.clear("twins", "births", "dowry")


def _note_repeated(desk: Desk) -> None:
    rows = [{"name": name} for name in desk.repeated]
    if rows and not desk.filled["repeated"]:
        desk.connection.execute(text("INSERT INTO repeated VALUES (:name)"), rows)
        desk.filled["repeated"] += len(rows)


YOUNGER = "contact_id IN (SELECT contact_id FROM twins WHERE younger)"
EITHER = "contact_id IN (SELECT contact_id FROM twins)"


def _twin_has(table: str, same: str) -> str:
    """True of a row of `table` whose contact's twin has such a row `o`."""
    return f"""EXISTS (
        SELECT 1 FROM twins w CROSS JOIN {table} o
        WHERE w.contact_id = {table}.contact_id AND o.contact_id = w.other_id AND {same})"""


def _is_of_first(table: str) -> str:
    """What the creation of the younger began, that of the older has begun."""
    first = f"SELECT first_id FROM births WHERE births.event_id = {table}.event_id"
    return f"""
        UPDATE {table} SET event_id = ({first})
        WHERE {YOUNGER} AND event_id IN (SELECT event_id FROM births)
    """


CREATION = [
    """
        INSERT INTO births
        SELECT o.id, min(n.id) FROM twins w CROSS JOIN events o CROSS JOIN events n
        WHERE w.younger AND o.contact_id = w.contact_id AND o.name = 'contact_created'
          AND n.contact_id = w.other_id AND n.name = 'contact_created' GROUP BY o.id
    """,
    *map(_is_of_first, ("enrollments", "decisions", "messages")),
    f"DELETE FROM ledger WHERE {YOUNGER} AND event_id IN (SELECT event_id FROM births)",
    "DELETE FROM events WHERE id IN (SELECT event_id FROM births)",
]

# An occurrence that came to both (a date, a schedule) gave points to both: once is enough.
SAME_LINE = "o.score = ledger.score AND o.rule = ledger.rule AND o.key = ledger.key"
POINTS = [
    f"DELETE FROM ledger WHERE {YOUNGER} AND kind = 'rule' AND {_twin_has('ledger', SAME_LINE)}"
]

# A `when` that stood for both is to stand once. If a reset of either has made the lines of one
# worth nothing, those go; else merging takes one back (`merging.py`).
STANDS = """0 <> (SELECT coalesce(sum(s.points), 0) FROM ledger s
    WHERE s.contact_id = w.{0} AND s.score = ledger.score AND s.rule = ledger.rule
      AND s.kind = 'when')"""
WAS_RESET = """EXISTS (
    SELECT 1 FROM ledger r
    WHERE r.contact_id IN (w.contact_id, w.other_id) AND r.score = ledger.score
      AND r.kind = 'reset' AND r.key NOT LIKE 'void:%' AND r.own_at >= (
        SELECT max(s.own_at) FROM ledger s
        WHERE s.contact_id = ledger.contact_id AND s.score = ledger.score
          AND s.rule = ledger.rule AND s.kind = 'when'))"""


def _stands_in_vain(which: str) -> str:
    """A line of a `when` that stands for both, if a reset came after it."""
    return f"""
        DELETE FROM ledger WHERE kind = 'when' AND EXISTS (
            SELECT 1 FROM twins w
            WHERE w.contact_id = ledger.contact_id AND {which}
              AND {STANDS.format("contact_id")} AND {STANDS.format("other_id")} AND {WAS_RESET})
          AND {EITHER}
    """


POINTS += [_stands_in_vain("w.younger"), _stands_in_vain("NOT w.younger")]

# Of two walks the one that is further on goes on, else the older one. Where a scenario may be
# entered every time, two walks are two unless they stand at one step.
BEHIND = """o.scenario = enrollments.scenario AND o.ended_at IS NULL
    AND (-o.position, o.entered_at, o.id)
        < (-enrollments.position, enrollments.entered_at, enrollments.id)
    AND (o.position = enrollments.position
         OR enrollments.scenario NOT IN (SELECT scenario FROM repeated))"""
SAME_KEY = "o.scenario = {0}.scenario AND o.key = {0}.key"

WALKS = [
    f"""
        UPDATE enrollments SET ended_at = :tick, outcome = 'exited', reason = 'merged'
        WHERE ended_at IS NULL AND {EITHER} AND {_twin_has("enrollments", BEHIND)}
    """,
    f"""
        UPDATE enrollments SET key = key || '/' || contact_id
        WHERE {YOUNGER} AND {_twin_has("enrollments", SAME_KEY.format("enrollments"))}
    """,
    f"""
        DELETE FROM decisions
        WHERE {YOUNGER} AND {_twin_has("decisions", SAME_KEY.format("decisions"))}
    """,
    *(
        f"UPDATE {table} SET contact_id = (SELECT other_id FROM twins WHERE "
        f"twins.contact_id = {table}.contact_id) WHERE {YOUNGER}"
        for table in ("enrollments", "decisions")
    ),
]

# Of two equal mails in the outbox one goes; one whose walk has ended so does not.
ON_ITS_WAY = """o.kind = 'email' AND o.scenario = messages.scenario AND o.step = messages.step
    AND o.template = messages.template AND (
        o.status IN ('sending', 'uncertain') OR o.status = 'queued' AND o.id < messages.id)"""

MAILS = [
    f"""
        UPDATE messages SET status = 'withheld', reason = 'merged', settled_at = :tick,
                            waits = NULL, waits_in = NULL
        WHERE status = 'queued' AND kind = 'email' AND {EITHER} AND (
            {_twin_has("messages", ON_ITS_WAY)} OR enrollment_id IN (
                SELECT e.id FROM twins w CROSS JOIN enrollments e
                WHERE e.contact_id = w.contact_id AND e.reason = 'merged' AND e.ended_at = :tick))
    """,
    f"""
        UPDATE messages SET contact_id = (
            SELECT other_id FROM twins WHERE twins.contact_id = messages.contact_id)
        WHERE {YOUNGER}
    """,
]

# The stage of the older stands; whether that of the younger is further on, the engine knows.
STAGES = [
    f"DELETE FROM stages WHERE {YOUNGER} AND left_at IS NOT NULL",
    f"""
        UPDATE stages SET left_at = :tick
        WHERE {YOUNGER} AND {_twin_has("stages", "o.left_at IS NULL")}
    """,
    f"""
        UPDATE stages SET contact_id = (
            SELECT other_id FROM twins WHERE twins.contact_id = stages.contact_id)
        WHERE {YOUNGER}
    """,
]

SAID_LATER = """o.email_folded IS NOT NULL AND (n.email_folded IS NULL
    OR coalesce(o.email_at, 0) > coalesce(n.email_at, 0)
    OR coalesce(o.email_at, 0) = coalesce(n.email_at, 0) AND o.email_folded > n.email_folded)"""
NAMES = [
    f"""
        INSERT INTO dowry
        SELECT n.id, coalesce(n.user_id, o.user_id), {SAID_LATER},
               CASE WHEN {SAID_LATER} THEN o.email ELSE n.email END,
               CASE WHEN {SAID_LATER} THEN o.email_folded ELSE n.email_folded END,
               CASE WHEN {SAID_LATER} THEN o.email_at ELSE n.email_at END
        FROM twins w CROSS JOIN contacts o CROSS JOIN contacts n
        WHERE w.younger AND o.id = w.contact_id AND n.id = w.other_id
    """,
    """
        UPDATE contacts SET email = NULL, email_folded = NULL
        WHERE id IN (SELECT contact_id FROM twins WHERE younger)
    """,
    """
        UPDATE contacts SET (user_id, email, email_folded, email_at) = (
            SELECT user_id, email, email_folded, email_at FROM dowry WHERE contact_id = contacts.id)
        WHERE id IN (SELECT contact_id FROM dowry)
    """,
    """
        INSERT INTO changes (kind, name, contact_id)
        SELECT 'attribute', 'email', contact_id FROM dowry WHERE changed
    """,
]

HEARD = [
    """
    INSERT INTO heeded SELECT other_id FROM twins WHERE younger ON CONFLICT DO NOTHING
"""
]

STATEMENTS = [*HEARD, *CREATION, *POINTS, *WALKS, *MAILS, *STAGES, *NAMES]
