"""Sign-ups: an address that somebody typed is asked by mail, and is nobody's until it confirms.

A line of kind `signup` makes no contact and no event. It becomes a message of kind `confirm`,
whose link leads to a page on which the address itself says yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.clock import DAY

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

KEPT = 30 * DAY  # an unconfirmed address is forgotten after that


def ask_back(desk: Desk) -> None:
    """Queue a mail for each sign-up of this pass; one with a known key changes nothing.

    Whose mail bounced, or who complained, is not written to again for being typed into a form.
    """
    spelling = desk.spelling
    harmed = """EXISTS (
        SELECT 1 FROM identities k CROSS JOIN contacts c
        WHERE k.kind = 'email' AND k.value = i.email_folded AND c.id = k.contact_id
          AND c.suppressed IS NOT NULL)"""
    desk.run(f"""
        INSERT INTO messages (key, kind, contact_id, scenario, step, priority, place, template,
                              topic, entered_at, queued_at, due_at, status, reason, next_at,
                              attempts, recipients, payload, sent_event)
        SELECT i.message_id, 'confirm', 0, '', '', 0, 0, 'confirm', 'transactional',
               i.received_at, :tick, i.received_at,
               CASE WHEN {harmed} THEN 'withheld' ELSE 'queued' END,
               CASE WHEN {harmed} THEN 'suppressed' END, :tick, 0,
               {spelling.json_list}(i.email), {spelling.nested("i.properties")}, false
        FROM due d CROSS JOIN {spelling.inbox} i
        WHERE d.kind = 'signup' AND i.seq = d.seq
        ORDER BY d.ord ON CONFLICT DO NOTHING
    """)
    desk.run("DELETE FROM due WHERE kind = 'signup'")


def forget_old(desk: Desk) -> None:
    """What was not confirmed in a month will not be; what was stands in the records of consent."""
    desk.run(
        """
        DELETE FROM messages
        WHERE kind = 'confirm' AND queued_at < :oldest AND status NOT IN ('queued', 'sending')
        """,
        oldest=desk.tick_at - KEPT,
    )
