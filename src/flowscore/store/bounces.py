"""What a mail that came back means for its contact, as a table; soft ones are counted here.

The codes are those of RFC 3463. A hard bounce suppresses at once; of soft ones a row says how
many, within how many days, are as good as a hard one. A message counts once in a row, however
often a server tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscore.clock import DAY

if TYPE_CHECKING:
    from flowscore.store.desk import Desk


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of bounce: `codes` as RFC 3463 writes them, `x` for any class and any number.

    `count` mails within `days` suppress; a count of 1 is a hard bounce, 0 never suppresses.
    """

    kind: str
    codes: tuple[str, ...]
    count: int
    days: int
    means: str


TABLE = (
    Row("no_such_address", ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"), 1, 0,
        "The mailbox or its domain does not exist, or takes no mail."),
    Row("mailbox_disabled", ("5.2.1", "5.2.0", "5.1.0", "5.1.4", "5.4.1", "5.5.0"), 2, 14,
        "The mailbox is switched off, or its server answers as if it were."),
    Row("mailbox_full", ("x.2.2",), 3, 30, "There is no room in the mailbox."),
    Row("no_route", ("5.4.4",), 3, 30, "No server takes mail for the domain."),
    Row("too_large", ("x.2.3", "x.3.4"), 0, 0, "The mail is larger than the server takes."),
    Row("refused", ("x.7.x", "x.6.x", "5.5.x", "x.1.7", "x.1.8"), 0, 0,
        "The server refuses what was sent or who sent it: it speaks of you, not of the mailbox."),
    Row("unreachable", ("x.4.x", "x.3.x", "4.x.x"), 10, 30,
        "The server did not answer, put the mail off until it expired, or was out of order."),
    Row("undelivered", ("5.x.x",), 3, 30, "It came back without a reason that can be read."),
    Row("delayed", (), 0, 0, "The server is still trying, and it may arrive yet: `email_delayed`."),
    Row("old_address", (), 0, 0, "It went to an address that the contact has changed since."),
)  # fmt: skip
"""The first row whose code fits is the bounce's kind."""

COUNTED = tuple(row for row in TABLE if row.count > 1)


def find_unreached(desk: Desk) -> None:
    """Fill `unreached` with those of `returned` of whom the table says that it is enough.

    Of each soft bounce it looks at the one `count - 1` before it of the same kind: was it lately?
    """
    kind = desk.spelling.pick("e.properties", "kind")
    soft = desk.spelling.pick("e.properties", "type")
    before = " ".join(f"WHEN '{row.kind}' THEN lag(at, {row.count - 1}) OVER w" for row in COUNTED)
    spans = " ".join(f"WHEN '{row.kind}' THEN {row.days * DAY}" for row in COUNTED)
    desk.run(f"""
        INSERT INTO unreached SELECT DISTINCT contact_id FROM (
            SELECT contact_id, at - CASE kind {spans} END AS since, CASE kind {before} END AS before
            FROM (
                SELECT e.contact_id, e.own_at AS at, e.id, {kind} AS kind
                FROM returned r JOIN events e ON e.contact_id = r.contact_id
                WHERE e.name = 'email_bounced' AND {soft} = 'soft'
            ) AS theirs
            WINDOW w AS (PARTITION BY contact_id, kind ORDER BY at, id)
        ) AS counted WHERE before > since
    """)
