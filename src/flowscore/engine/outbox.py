"""The outbox: mails are queued in the tick's transaction, or withheld with their reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, case, cast, exists, func, literal, not_, null, select

from flowscore.engine.work import walking
from flowscore.rules.conditions import contact_is, is_granted
from flowscore.store.dialects import insert_from
from flowscore.store.tables import contacts, enrollments, messages

if TYPE_CHECKING:
    from flowscore.language.actions import SendEmail
    from flowscore.language.scenario import Scenario
    from flowscore.rules.book import Book

COLUMNS = [
    "key", "kind", "contact_id", "enrollment_id", "scenario", "step", "priority", "place",
    "template", "topic", "event_id", "entered_at", "queued_at", "due_at", "unless_late_by",
    "status", "reason", "next_at", "attempts", "sent_event",
]  # fmt: skip
TRANSACTIONAL = "transactional"
GONE = ("withheld", "failed")  # what does not count for `once_per` (ruling 78)


def queue(
    action: SendEmail,
    template: str,
    number: int,
    scenario: Scenario,
    order: int,
    topics: dict[str, str],
    book: Book,
    here: Any,
) -> Any:
    """Statement: one mail for each who stands `here`, queued or withheld (rulings 76, 78, 84)."""
    step = action.path if number == 0 else f"{action.path}/{number}"
    topic = topics.get(template, "")
    reason = _reason_to_withhold(action, template, topic, book)
    now = cast(book.now, BigInteger)
    key = (
        literal(f"{scenario.name}.")
        + cast(walking.c.enrollment_id, Text)
        + literal("." + step.replace("/", "-"))
    )
    rows = (
        select(
            key,
            literal("email"),
            walking.c.contact_id,
            walking.c.enrollment_id,
            literal(scenario.name),
            literal(step),
            literal(scenario.priority),
            literal(order),
            literal(template),
            literal(topic),
            enrollments.c.event_id,
            enrollments.c.entered_at,
            now,
            walking.c.due_at,
            cast(literal(action.unless_late_by), BigInteger),
            case((reason.is_(null()), "queued"), else_="withheld"),
            reason,
            now,
            literal(0),
            literal(False),
        )
        .where(here, enrollments.c.id == walking.c.enrollment_id)
        .order_by(walking.c.enrollment_id)
    )
    return insert_from(messages, COLUMNS, rows)


def _reason_to_withhold(action: SendEmail, template: str, topic: str, book: Book) -> Any:
    who = walking.c.contact_id
    reasons = [(contact_is(who, contacts.c.suppressed.is_not(null())), "suppressed")]
    if topic != TRANSACTIONAL:
        allowed = is_granted(topic or "email", book.policy.consent, who)
        reasons.append((not_(allowed), "no_consent"))
    if action.once_per is not None:
        reasons.append((_had_it(template, action.once_per, book, who), "once_per"))
    return case(*reasons, else_=cast(null(), Text))


def _had_it(template: str, period: int, book: Book, who: Any) -> Any:
    """The same template was queued or sent, whichever is later, within the period."""
    mail = messages.alias()
    latest = case(
        (func.coalesce(mail.c.sent_at, 0) > mail.c.queued_at, mail.c.sent_at),
        else_=mail.c.queued_at,
    )
    return exists(
        select(1)
        .where(
            mail.c.contact_id == who,
            mail.c.template == template,
            mail.c.status.not_in(GONE),
            latest > book.now - period,
        )
        .correlate_except(mail)
    )
