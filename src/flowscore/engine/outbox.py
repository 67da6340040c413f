"""The outbox: messages are queued in the tick's transaction, or withheld with their reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import (
    BigInteger,
    Text,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
    update,
)

from flowscore.engine.expressions import UNCHANGED, evaluate, scopes_of
from flowscore.engine.scratch import walking
from flowscore.engine.work import rows_of
from flowscore.language.variables import render_around
from flowscore.rules.conditions import contact_is, holds, is_granted
from flowscore.rules.who import Who
from flowscore.store.dialects import insert_from, json_text
from flowscore.store.tables import Json, attributes, contacts, messages, state

if TYPE_CHECKING:
    from sqlalchemy import Connection, Insert

    from flowscore.engine.path import Path, Verb
    from flowscore.engine.work import Work
    from flowscore.language.actions import CallWebhook, Notify, SendEmail
    from flowscore.rules.book import Book

COLUMNS = [
    "key", "kind", "contact_id", "enrollment_id", "scenario", "step", "priority", "place",
    "template", "topic", "event_id", "entered_at", "queued_at", "due_at", "unless_late_by",
    "status", "reason", "next_at", "attempts", "sent_event",
]  # fmt: skip
TRANSACTIONAL = "transactional"
GONE = ("withheld", "failed")  # what does not count for `once_per` (ruling 78)


def mail(action: SendEmail, template: str, number: int, path: Path) -> Insert:
    """Statement: one mail for each whom the step touches, queued or withheld (76, 78, 84)."""
    topic = path.topics.get(template, "")
    reason = _reason_to_withhold(action, template, topic, path.book)
    return _queue(path, nth(action.path, number), "email", template, topic, reason, [], action)


def notice(action: Notify, what: tuple[str, str], number: int, path: Path) -> Insert:
    """Statement: one internal mail, (template, to), for each whom the step touches (102).

    The contact's owner, or where there is none the policy's `reply_to`, and the record says so.
    """
    template, to = what
    reason: Any = cast(null(), Text)
    recipients: Any = literal([to], Json)
    said: Any = cast(null(), Text)
    if to == "owner":
        owner, instead = _owner(), path.reply_to or None
        recipients = path.book.json_list(func.coalesce(owner, cast(literal(instead), Text)))
        if instead is None:
            reason = case((owner.is_(null()), "no_owner"), else_=reason)
        said = case((owner.is_(null()), "no owner: to the policy's reply_to"), else_=said)
    more = [("recipients", recipients), ("response", said)]
    topic = path.topics.get(template, "")
    return _queue(path, nth(action.path, number), "notify", template, topic, reason, more)


def _owner() -> Any:
    """The address that the contact's attribute `owner` holds (of several the first), or null."""
    rows = attributes.alias()
    whole = cast(json_text(rows.c.value), Text)
    first = case((whole.startswith("["), rows.c.text), else_=whole)
    found = select(first).where(
        rows.c.contact_id == walking.c.contact_id,
        rows.c.name == "owner",
        rows.c.element == 0,
        rows.c.text.contains("@"),
    )
    return cast(found.correlate_except(rows).scalar_subquery(), Text)


def webhook(action: CallWebhook, path: Path) -> Verb:
    """The effect: a POST for each whom the step touches; its expressions are worked out now."""
    none = cast(null(), Text)
    statement = _queue(path, action.path, "webhook", "", "", none, [])
    touched = select(walking.c.enrollment_id, walking.c.contact_id, walking.c.event_id)
    touched = touched.where(path.touched())
    mine = (messages.c.enrollment_id == bindparam("number")) & (messages.c.step == action.path)
    carry = update(messages).where(mine).values(payload=bindparam("carries"))

    def effect(work: Work) -> None:
        queued = rows_of(work.run(statement, this_turn=work.turn))
        work.counts.queued += queued
        if not queued:
            return
        rows = work.run(touched, this_turn=work.turn).all()
        carried = [
            {"number": number, "carries": payload(action, scope)}
            for number, scope in scopes_of(work, rows).items()
        ]
        work.connection.execute(carry, carried)

    return effect


def payload(action: CallWebhook, scope: dict[str, Any]) -> dict[str, Any]:
    """What the webhook carries; an unknown value is null in the body, and no header.

    `${NAME}` stays as its author wrote it, until it is sent; in a contact's words it is none.
    """
    headers = {name: _worked_out(value, scope) for name, value in action.headers}
    return {
        "url": action.url,
        "headers": {name: str(one) for name, one in headers.items() if one is not None},
        "body": _worked_out(orjson.loads(action.body), scope),
    }


def _worked_out(value: Any, scope: dict[str, Any]) -> Any:
    """The value with every text in it evaluated; a lone expression keeps its type."""
    if isinstance(value, dict):
        return {key: _worked_out(one, scope) for key, one in value.items()}
    if isinstance(value, list):
        return [_worked_out(one, scope) for one in value]
    if not isinstance(value, str):
        return value
    result = render_around(value, lambda text: evaluate(text, scope))
    return None if result is UNCHANGED else result


def nth(step: str, number: int) -> str:
    """The name of a step's message: its path, from the second on with a number."""
    return step if number == 0 else f"{step}/{number}"


def _queue(
    path: Path,
    step: str,
    kind: str,
    template: str,
    topic: str,
    reason: Any,
    more: list[tuple[str, Any]],
    action: SendEmail | None = None,
) -> Insert:
    """Statement: a message for each whom the step touches; `more` are further columns."""
    key = (
        literal(f"{path.scenario.name}.")
        + cast(walking.c.enrollment_id, Text)
        + literal("." + step.replace("/", "-"))
    )
    late = action.unless_late_by if action else None
    rows = select(
        key,
        literal(kind),
        walking.c.contact_id,
        walking.c.enrollment_id,
        literal(path.scenario.name),
        literal(step),
        literal(path.scenario.priority),
        literal(path.order),
        literal(template),
        literal(topic),
        walking.c.event_id,
        walking.c.entered_at,
        path.now,
        walking.c.due_at,
        cast(literal(late), BigInteger),
        case((reason.is_(null()), "queued"), else_="withheld"),
        reason,
        path.now,
        literal(0),
        literal(False),
        *(value for _, value in more),
    )
    columns = [*COLUMNS, *(name for name, _ in more)]
    rows = rows.where(path.touched()).order_by(walking.c.enrollment_id)
    return insert_from(messages, columns, rows)


def _reason_to_withhold(action: SendEmail, template: str, topic: str, book: Book) -> Any:
    who = walking.c.contact_id
    reasons = [(_is_suppressed(who, book), "suppressed")]
    if topic != TRANSACTIONAL:
        allowed = is_granted(topic or "email", book.policy.consent, who)
        reasons.append((not_(allowed), "no_consent"))
    if action.once_per is not None:
        reasons.append((_had_it(template, action.once_per, book, who), "once_per"))
    return case(*reasons, else_=cast(null(), Text))


def _is_suppressed(who: Any, book: Book) -> Any:
    """Bounced, complained, or whom the policy never mails, transactional mail included (83)."""
    harmed = contact_is(who, contacts.c.suppressed.is_not(null()))
    kept_out = book.policy.suppress
    return harmed if kept_out is None else or_(harmed, holds(kept_out, book, Who(who)))


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


# Written as the partial index says it, else SQLite would read every mail ever sent.
WAITING = text("status IN ('queued', 'sending')")
ASK_AGAIN = (
    update(messages)
    .where(WAITING, messages.c.waits.is_not(null()))
    .values(next_at=messages.c.queued_at)
)


PAUSED = "paused"  # the key in the store's state under which is kept since when and why


def is_paused(connection: Connection) -> bool:
    """Whether the policy's `pause_when` has stopped the sending."""
    return bool(connection.scalar(select(exists().where(state.c.key == PAUSED))))


def ask_again(connection: Connection) -> None:
    """Mails that wait for a window or a cap are due at once: what they wait for may be another."""
    connection.execute(ASK_AGAIN)


def follow_topics(connection: Connection, topics: dict[str, str]) -> None:
    """Mails that wait are of their template's newest topic: its consent is asked at sending."""
    for template, topic in topics.items():
        waiting = update(messages).where(WAITING, messages.c.status == "queued")
        ours = (messages.c.kind == "email") & (messages.c.template == template)
        connection.execute(waiting.where(ours).values(topic=topic))
