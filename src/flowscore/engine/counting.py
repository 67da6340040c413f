"""Counted triggers: the event that completes a count, walked by own time (rulings 22, 127).

One ordered pass over the affected contacts' unused events; a mark per (trigger, contact) says
how far they are used up.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
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

from flowscore.engine.expressions import in_chunks
from flowscore.engine.scratch import happened
from flowscore.language.project import digest
from flowscore.rules.book import NEVER
from flowscore.rules.events import log_alias, matching
from flowscore.rules.happened import SUM_PLACES
from flowscore.rules.sight import batch, fresh
from flowscore.rules.triggers import needed
from flowscore.store.dialects import insert_or_replace
from flowscore.store.tables import changes, events, marks

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.triggers import OnEvent, Trigger
    from flowscore.language.words import Bounds, EventQuery
    from flowscore.rules.book import Book
    from flowscore.rules.sight import Sight

LONGEST_SAME = 1_000  # letters
Moment = tuple[int, int, str]  # own time, receipt, messageId: the order of events (ruling 10)


def mark_of(place: str, trigger: Trigger) -> str:
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
    used: dict[tuple[int, str], dict[str, Any]] = {}
    query = trigger.query
    rows = work.run(_unused(work, mark, trigger, sight)).all()
    for (contact_id, same), own in _walks(work, mark, rows, query).items():
        for row in completions(own, query, live_from):
            found.append(_occurrence(row))
            used[contact_id, same] = _mark(mark, same, row)
    if used:
        work.connection.execute(MOVE_MARKS, list(used.values()))
    return found


def _walks(
    work: Work, mark: str, rows: Sequence[Any], query: EventQuery
) -> dict[tuple[int, str], list[Any]]:
    """The events of each walk: one for a contact, with `same` one for each combination.

    An event without one of those properties belongs to none.
    """
    walks: dict[tuple[int, str], list[Any]] = {}
    upto = _marks(work, mark, rows) if query.same else {}
    for row in rows:
        same = combination(row, query)
        if same is None:
            continue
        last = upto.get((row.contact_id, same))
        if last is None or (row.own_at, row.received_at, row.message_id) > last:
            walks.setdefault((row.contact_id, same), []).append(row)
    return walks


def _marks(work: Work, mark: str, rows: Sequence[Any]) -> dict[tuple[int, str], Moment]:
    """How far each combination of these contacts is used up."""
    found: dict[tuple[int, str], Moment] = {}
    for some in in_chunks(row.contact_id for row in rows):
        kept = select(marks).where(marks.c.trigger == mark, marks.c.contact_id.in_(some))
        for row in work.connection.execute(kept):
            found[row.contact_id, row.same] = (row.own_at, row.received_at, row.message_id)
    return found


def combination(row: Any, query: EventQuery) -> str | None:
    """The values of the `same` properties as text: numbers alike that are equal (ruling 85).

    None where one is missing, the empty text where none is asked for. Of long ones a digest: they
    stand in an index.
    """
    values = []
    for place in range(len(query.same)):
        text, number = getattr(row, f"same_{place}"), getattr(row, f"number_{place}")
        if text is None:
            return None
        values.append(text if number is None else float(number))
    said = json.dumps(values) if values else ""
    return said if len(said) <= LONGEST_SAME else digest(said)


def completions(
    rows: Iterable[Any], query: EventQuery, live_from: int | None = None
) -> Iterator[Any]:
    """The rows of one walk that complete a count; each uses up all rows up to it (ruling 22).

    `rows` come in order and hold what `measures` gives, and with `live_from` when they were seen.
    """
    window: deque[Any] = deque()
    totals = [Decimal(0)] * len(query.sums)
    for row in rows:
        window.append(row)
        totals = _added(totals, row, 1)
        while query.within is not None and window[0].own_at <= row.own_at - query.within:
            totals = _added(totals, window.popleft(), -1)
        new = live_from is None or (row.seen_at > live_from and not row.historical)
        if new and len(window) >= needed(query) and _add_up(totals, query):
            yield row
            window.clear()
            totals = [Decimal(0)] * len(query.sums)


def _added(totals: list[Decimal], row: Any, times: int) -> list[Decimal]:
    """The totals with (or, times -1, without) what the row brings."""
    return [
        total + times * Decimal(str(getattr(row, f"sum_{place}")))
        for place, total in enumerate(totals)
    ]


def _add_up(totals: list[Decimal], query: EventQuery) -> bool:
    """Whether every sum, rounded to 4 decimals, lies within its bounds (ruling 94)."""
    return all(
        _is_within(total.quantize(SHOWN_DIGITS, ROUND_HALF_UP), one.bounds)
        for total, one in zip(totals, query.sums, strict=True)
    )


SHOWN_DIGITS = Decimal(1).scaleb(-SUM_PLACES)


def _is_within(total: Decimal, bounds: Bounds) -> bool:
    least = bounds.at_least is None or total >= Decimal(str(bounds.at_least))
    return least and (bounds.above is None or total > Decimal(str(bounds.above)))


def measures(book: Book, query: EventQuery, log: Any) -> list[ColumnElement[Any]]:
    """The columns that a walk needs beside the order: what is added up, what has to agree."""
    sums = [_number(book, log, one.name).label(f"sum_{i}") for i, one in enumerate(query.sums)]
    texts = [book.first_text(log.c.forms, n).label(f"same_{i}") for i, n in enumerate(query.same)]
    numbers = [
        book.first_number(log.c.forms, name).label(f"number_{place}")
        for place, name in enumerate(query.same)
    ]
    return [*sums, *texts, *numbers]


def _number(book: Book, log: Any, name: str) -> ColumnElement[Any]:
    """What one event adds to a sum: every number of the property, 0 where there is none."""
    rows = book.elements(log.c.forms, name)
    total = select(func.coalesce(func.sum(rows.form(1, Double)), 0)).select_from(rows.rows)
    return total.correlate_except(rows.rows).scalar_subquery()


def _occurrence(row: Any) -> dict[str, Any]:
    return {
        "contact_id": row.contact_id,
        "own_at": row.own_at,
        "key": row.message_id,
        "event_id": row.id,
    }


def _mark(mark: str, same: str, row: Any) -> dict[str, Any]:
    return {
        "trigger": mark,
        "contact_id": row.contact_id,
        "same": same,
        "own_at": row.own_at,
        "received_at": row.received_at,
        "message_id": row.message_id,
    }


def _unused(work: Work, mark: str, trigger: OnEvent, sight: Sight) -> Executable:
    """The statement for `walk`, built once for an applied project."""
    book = work.book
    return book.build((mark, sight), lambda: _matching_after_mark(book, mark, trigger, sight))


def _matching_after_mark(book: Book, mark: str, trigger: OnEvent, sight: Sight) -> Select[Any]:
    """The matching events after each affected contact's mark, in order.

    Affected is who has a fresh matching event; older events than its window cannot matter. With
    `same` there is no one mark for a contact: `_walks` leaves out what each combination used up.
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
        *measures(book, trigger.query, log),
    )
    kept = and_(marks.c.trigger == mark, marks.c.contact_id == log.c.contact_id, marks.c.same == "")
    if sight.everything:
        mine = batch.join(log, log.c.contact_id == batch.c.contact_id)
        source = mine.outerjoin(marks, kept)
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
