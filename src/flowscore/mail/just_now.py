"""What stands in the inbox and no tick has taken yet: a refusal holds a mail back from then on.

A mail may wait for a tick; whoever has just pressed «unsubscribe» may not. So the sender looks
into the inbox too, by its index of lines that speak of consent.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, text

from flowscore.store.spelling import SPELLINGS
from flowscore.store.tables.arrivals import SPEAKS

# The lines on a mail's contact, known by `now`: a run over other days' ticks has later ones there
# too. What a tick has taken may not be deleted from the inbox yet.
LINES = f"""identities k CROSS JOIN {{inbox}} i{{more}}
    WHERE k.contact_id = messages.contact_id AND i.user_value = k.value AND i.user_kind = k.kind
      AND i.{SPEAKS} AND i.received_at <= :now
      AND NOT EXISTS (SELECT 1 FROM taken WHERE taken.seq = i.seq)"""


def complained_just_now(dialect: str) -> ColumnElement[bool]:
    """Whether the mail's contact has called a mail spam since the last tick."""
    lines = LINES.format(inbox=SPELLINGS[dialect].inbox, more="")
    return _true(f"SELECT 1 FROM {lines} AND i.name = 'email_complained'")


def refused_just_now(dialect: str) -> ColumnElement[bool]:
    """Whether its topic, mail in general, or everything was refused since the last tick.

    A refusal that comes late stands back behind what was granted after it; one of mail in
    general behind any word on the topic itself (ruling 82). Whoever takes a refusal back before
    a tick has come is mailed again from the next one on.
    """
    spelling = SPELLINGS[dialect]
    topic = spelling.item_text(0)
    lines = LINES.format(inbox=spelling.inbox, more=f" CROSS JOIN {spelling.each('i.consents')}")
    said_at = "coalesce(i.consent_at, CASE WHEN i.quiet THEN i.received_at ELSE i.own_at END)"
    return _true(f"""
        SELECT 1 FROM {lines} AND i.name = 'unsubscribed' AND NOT {spelling.item_true(1)}
          AND {topic} IN ('all', 'email', messages.topic) AND NOT EXISTS (
            SELECT 1 FROM consents c
            WHERE c.contact_id = messages.contact_id AND c.granted
              AND (c.topic = messages.topic AND ({topic} = 'email' OR c.at > {said_at})
                   OR c.topic = 'email' AND {topic} = 'email' AND c.at > {said_at}))
    """)


def _true(query: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = text(f"EXISTS ({query})")  # type: ignore[assignment]
    return found
