"""Counted triggers: the event that completes a count, walked by own time (rulings 22, 127).

One ordered pass over the affected contacts' unused events; a mark per (trigger, contact) says
how far they are used up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Executable,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from flowscore.engine.work import Work, fresh, happened
from flowscore.language.project import digest
from flowscore.rules.book import NEVER
from flowscore.rules.events import log_alias, matching
from flowscore.rules.triggers import needed
from flowscore.store.dialects import insert_or_replace
from flowscore.store.tables import changes, events, marks

if TYPE_CHECKING:
    from flowscore.language.triggers import NoEvent, OnEvent
    from flowscore.rules.book import Book
    from flowscore.rules.sight import Sight

Moment = tuple[int, int, str]  # own time, receipt, messageId: the order of events (ruling 10)


def mark_of(place: str, trigger: OnEvent | NoEvent) -> str:
    """The name under which a trigger's marks are kept: where it stands and what it says."""
    return f"{place}#{digest(trigger)[:16]}"


def walk(work: Work, mark: str, trigger: OnEvent, sight: Sight, live_from: int | None) -> None:
    """Put the completed counts into `happened` and move the marks."""
    found = completed(work, mark, trigger, sight, live_from)
    if found:
        work.fill_with(happened, found)


def completed(
    work: Work, mark: str, trigger: OnEvent, sight: Sight, live_from: int | None
) -> list[dict[str, Any]]:
    """The completed counts, as rows of `happened`; moves the marks.

    `live_from`: only events that a later tick than this took in complete a count (scenarios);
    None: every event may (rules of scores).
    """
    found: list[dict[str, Any]] = []
    used: list[dict[str, Any]] = []
    rows = work.run(_unused(work, mark, trigger, sight)).all()
    for contact_id, own in groupby(rows, key=lambda row: row.contact_id):
        for row in _completed(own, needed(trigger.query), trigger.query.within, live_from):
            found.append(_occurrence(row))
            used = _moved(used, contact_id, mark, row)
    if used:
        work.connection.execute(MOVE_MARKS, used)
    return found


def _completed(
    rows: Iterator[Any], count: int, within: int | None, live_from: int | None
) -> Iterator[Any]:
    """The rows of one contact that complete a count; each uses up all rows up to it."""
    window: deque[int] = deque()
    for row in rows:
        window.append(row.own_at)
        while within is not None and window[0] <= row.own_at - within:
            window.popleft()
        new = live_from is None or (row.seen_at > live_from and not row.historical)
        if len(window) >= count and new:
            yield row
            window.clear()


def _occurrence(row: Any) -> dict[str, Any]:
    return {
        "contact_id": row.contact_id,
        "own_at": row.own_at,
        "key": row.message_id,
        "event_id": row.id,
    }


def _moved(
    used: list[dict[str, Any]], contact_id: int, mark: str, row: Any
) -> list[dict[str, Any]]:
    """The marks to write, with this row as the contact's last."""
    if used and used[-1]["contact_id"] == contact_id:
        used.pop()
    used.append(
        {
            "trigger": mark,
            "contact_id": contact_id,
            "same": "",
            "own_at": row.own_at,
            "received_at": row.received_at,
            "message_id": row.message_id,
        }
    )
    return used


def _unused(work: Work, mark: str, trigger: OnEvent, sight: Sight) -> Executable:
    """The statement for `walk`, built once for an applied project."""
    book = work.book
    return book.build((mark, sight), lambda: _matching_after_mark(book, mark, trigger, sight))


def _matching_after_mark(book: Book, mark: str, trigger: OnEvent, sight: Sight) -> Select[Any]:
    """The matching events after each affected contact's mark, in order.

    Affected is who has a fresh matching event; older events than its window cannot matter.
    """
    log = log_alias()
    such = matching(book, trigger.query, log)
    after_mark = or_(
        marks.c.contact_id.is_(None),
        log.c.own_at > marks.c.own_at,
        and_(log.c.own_at == marks.c.own_at, _later(log)),
    )
    row = select(
        log.c.id,
        log.c.contact_id,
        log.c.own_at,
        log.c.received_at,
        log.c.message_id,
        log.c.seen_at,
        log.c.historical,
    )
    kept = and_(marks.c.trigger == mark, marks.c.contact_id == log.c.contact_id)
    if sight.everything:
        source = log.outerjoin(marks, kept)
    else:
        stirred = _stirred(book, trigger)
        source = stirred.join(
            log, and_(log.c.contact_id == stirred.c.contact_id, log.c.own_at > stirred.c.since)
        ).outerjoin(marks, kept)
    order = (log.c.contact_id, log.c.own_at, log.c.received_at, log.c.message_id)
    return row.select_from(source).where(such, after_mark).order_by(*order)


def _later(log: Any) -> Any:
    same_receipt = and_(
        log.c.received_at == marks.c.received_at, log.c.message_id > marks.c.message_id
    )
    return or_(log.c.received_at > marks.c.received_at, same_receipt)


def _stirred(book: Any, trigger: OnEvent) -> Any:
    """Contacts with a fresh matching event, and since when their events can matter.

    Who was merged in this tick may complete a count with events that were there before.
    """
    new = events.alias()
    since_then = new.c.own_at - (trigger.query.within or 0)
    stirred = (
        select(new.c.contact_id, since_then.label("since"))
        .select_from(fresh.join(new, new.c.id == fresh.c.event_id))
        .where(fresh.c.name.in_(trigger.query.names), matching(book, trigger.query, new))
    )
    merged = select(changes.c.contact_id, literal(NEVER)).where(
        changes.c.kind == "contact", bindparam("round", type_=BigInteger) <= 1
    )
    both = union_all(stirred, merged).subquery()
    earliest = func.min(both.c.since) if trigger.query.within is not None else literal(NEVER)
    since = cast(earliest, BigInteger).label("since")
    return select(both.c.contact_id, since).group_by(both.c.contact_id).subquery()


def may_complete(work: Work, trigger: OnEvent) -> bool:
    """Whether anything happened that can complete a count."""
    merged = work.round <= 1 and work.told_of({("contact", "")}, 0)
    return merged or bool(work.names & set(trigger.query.names))


MOVE_MARKS = insert_or_replace(marks, ["trigger", "contact_id", "same"])
