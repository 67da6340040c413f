"""What sales said of leads: the `sales_feedback` events, read from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from flowscore.store.feedback import FEEDBACK
from flowscore.store.tables import contacts, events
from flowscore.views.reporting.inquiry import COUNTED

if TYPE_CHECKING:
    from flowscore.views.reporting.inquiry import Inquiry, Period

GOOD, BAD = ("qualified", "won"), ("not_qualified",)


def said(inquiry: Inquiry, period: Period) -> Select[Any]:
    """Every feedback of the period: `contact_id`, `at`, `verdict`, `reason`, `amount`, `place`.

    `place` is 1 for the newest of a contact.
    """
    book, log = inquiry.book, events.c
    newest = func.row_number().over(
        partition_by=log.contact_id, order_by=(log.own_at.desc(), log.id.desc())
    )
    return (
        select(
            log.contact_id,
            log.own_at.label("at"),
            book.first_text(log.forms, "verdict").label("verdict"),
            book.first_text(log.forms, "reason").label("reason"),
            book.first_number(log.forms, "amount").label("amount"),
            newest.label("place"),
        )
        .outerjoin(contacts, contacts.c.id == log.contact_id)
        .where(COUNTED, log.name == FEEDBACK, period.holds(log.own_at))
    )


def last_said(inquiry: Inquiry, period: Period) -> Select[Any]:
    """The newest of each contact."""
    every = said(inquiry, period).subquery()
    return select(every).where(every.c.place == 1)
