"""Tells machines from people among the opens and clicks of our own tracking, as they come in.

A scanner shows in what it does within moments: it follows every link of a mail, or the one that
no person sees. A hit waits ten seconds before it is taken (`WAIT`), so that a tick sees all of
what happened around it, whether due now, not yet due, or taken by the tick before.

Only lines of `TRACKING` are judged; imported ones, and those of a provider, say it themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from flowscore.clock import MINUTE, SECOND
from flowscore.store.forms import flatten
from flowscore.store.lines import WHO

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

TRACKING = "flowscore tracking"  # no write key can be called that: names of keys have no blank
WAIT = 10 * SECOND  # from a hit to its receipt
WINDOW = 10  # seconds within which clicks are one burst
MANY = 5  # different links in one burst, whatever the mail holds
FEW = 3  # a mail with fewer links may be clicked through by a person

EVERY_LINK = "every link"
HIDDEN_LINK = "hidden link"


def forget_strangers(desk: Desk) -> None:
    """A hit of somebody who is no longer there makes no contact anew."""
    desk.run("""
        DELETE FROM due WHERE tracked AND NOT EXISTS (
            SELECT 1 FROM identities k WHERE k.kind = due.who_kind AND k.value = due.who)
    """)


def judge(desk: Desk) -> None:
    """Write into `due` what a line's properties say besides, if a machine was at work."""
    if not _lay_out(desk):
        return
    _condemn(desk, BURSTS, EVERY_LINK)
    _condemn(desk, HIDDEN, HIDDEN_LINK)


def _lay_out(desk: Desk) -> int:
    """Fill `aimed`, the lines to be judged, and `hits`, the clicks among and around them; gives
    how many are to be judged.
    """
    aimed = desk.run(f"""
        INSERT INTO aimed
        SELECT d.seq, i.mail_key, i.own_at / {SECOND}
        FROM due d CROSS JOIN {desk.spelling.inbox} i
        WHERE d.tracked AND i.seq = d.seq AND NOT i.machine AND i.mail_key IS NOT NULL
    """)
    if aimed:
        for clicks in (DUE, COMING, TAKEN):
            _gather(desk, clicks)
    return aimed


# The clicks of this pass, those that a later tick takes, those that an earlier one took.
DUE = "FROM due d CROSS JOIN {inbox} c WHERE d.tracked AND c.seq = d.seq"
COMING = f"""
    FROM {{inbox}} c
    WHERE c.received_at > :tick AND c.received_at <= :tick + {MINUTE} AND c.source = '{TRACKING}'
      AND c.mail_key IN (SELECT mail_key FROM aimed)
"""
TAKEN = f"""
    FROM (SELECT who.contact_id, min(d.own_at) AS first, max(d.own_at) AS last
          FROM due d CROSS JOIN identities who
          WHERE d.tracked AND {WHO} GROUP BY who.contact_id) AS p
    CROSS JOIN events c
    WHERE c.contact_id = p.contact_id AND c.source = '{TRACKING}'
      AND c.own_at BETWEEN p.first - {WAIT} AND p.last + {WAIT}
"""


def _gather(desk: Desk, clicks: str) -> None:
    """Add clicks to `hits`; of one link one a second is enough."""
    pick = desk.spelling.pick
    desk.run(f"""
        INSERT INTO hits
        SELECT c.mail_key, c.own_at / {SECOND}, coalesce({pick("c.properties", "link")}, ''),
               CAST({pick("c.properties", "links")} AS integer),
               coalesce({pick("c.properties", "machine_why")}, '') = '{HIDDEN_LINK}'
        {clicks.format(inbox=desk.spelling.inbox)} AND c.name = 'email_clicked'
        ON CONFLICT DO NOTHING
    """)


# From which second to which the clicks on a mail are a machine's.
BURSTS = f"""
    SELECT a.mail_key, a.second AS first, a.second + {WINDOW - 1} AS last
    FROM (SELECT DISTINCT mail_key, second FROM hits) AS a
    CROSS JOIN hits b
    WHERE b.mail_key = a.mail_key AND b.second BETWEEN a.second AND a.second + {WINDOW - 1}
      AND NOT b.hidden
    GROUP BY a.mail_key, a.second
    HAVING count(DISTINCT b.link) >= {MANY}
        OR max(b.links) >= {FEW} AND count(DISTINCT b.link) >= max(b.links)
"""
HIDDEN = f"""
    SELECT mail_key, second - {WINDOW} AS first, second + {WINDOW} AS last FROM hits WHERE hidden
"""


def _condemn(desk: Desk, spans: str, why: str) -> None:
    """Opens too: who follows every link of a mail also loads its pictures."""
    said = {"machine": True, "machine_why": why}
    given = desk.spelling.given
    desk.run(
        f"""
        UPDATE due SET judged = {given("judged")}, judged_forms = {given("judged_forms")}
        WHERE tracked AND judged IS NULL AND seq IN (
            SELECT a.seq FROM ({spans}) AS s CROSS JOIN aimed a
            WHERE a.mail_key = s.mail_key AND a.second BETWEEN s.first AND s.last)
        """,
        judged=orjson.dumps(said).decode(),
        judged_forms=orjson.dumps(flatten(said)).decode(),
    )
