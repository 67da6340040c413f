"""Deadlines after a count: only a walk knows which event is their anchor (ruling 120).

Each completing event is kept among the marks as an anchor of its own: `same` is its messageId,
`received_at` the tick that first knew it to be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, Insert, Text, cast, insert, or_, select

from flowscore.engine import counting
from flowscore.engine.scratch import happened
from flowscore.language.triggers import NoEvent, OnEvent
from flowscore.rules.answers import is_unanswered
from flowscore.rules.events import log_alias
from flowscore.rules.sight import batch
from flowscore.store.tables import marks

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.rules.book import Book
    from flowscore.rules.sight import Sight


def notice(work: Work, mark: str, trigger: NoEvent, sight: Sight, live_from: int | None) -> None:
    """Put the deadlines that have passed unanswered into `happened`."""
    counted = OnEvent(word="event", query=trigger.after)
    if sight.everything or counting.may_complete(work, counted):
        found = counting.completed(work, mark, counted, sight, live_from)
        if found:
            work.add(marks, [_anchor(work, mark, one) for one in found], new_only=True)
    if work.round <= 1:
        work.fill(happened, _passed(work.book, mark, trigger, sight))


def _anchor(work: Work, mark: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "trigger": f"{mark}/anchor",
        "contact_id": found["contact_id"],
        "same": found["key"],
        "own_at": found["own_at"],
        "received_at": work.now,
        "message_id": found["key"],
    }


def _passed(book: Book, mark: str, trigger: NoEvent, sight: Sight) -> Executable:
    return book.build(("anchors", mark, sight), lambda: _deadlines(book, mark, trigger, sight))


def _deadlines(book: Book, mark: str, trigger: NoEvent, sight: Sight) -> Insert:
    """Of anchors known before, the deadlines in (prev, now]; of new ones all that have passed."""
    kept, anchor = marks.alias(), log_alias()
    due = anchor.c.own_at + trigger.within
    passed = anchor.c.own_at <= book.now - trigger.within
    noticed = or_(kept.c.received_at == book.now, anchor.c.own_at > book.prev - trigger.within)
    rows = (
        select(
            anchor.c.contact_id,
            due.label("own_at"),
            anchor.c.message_id + "@" + cast(due, Text),
            anchor.c.id,
        )
        .select_from(kept.join(anchor, anchor.c.message_id == kept.c.message_id))
        .where(
            kept.c.trigger == f"{mark}/anchor",
            passed,
            is_unanswered(book, trigger, anchor),
        )
    )
    if sight.everything:
        rows = rows.where(kept.c.contact_id.in_(select(batch.c.contact_id)))
    else:
        rows = rows.where(noticed)
    return insert(happened).from_select(["contact_id", "own_at", "key", "event_id"], rows)
