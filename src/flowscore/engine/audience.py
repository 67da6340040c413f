"""Who has to be asked again, and whose answer is another than before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert, bindparam, case, insert, select, tuple_

from flowscore.engine.scratch import asked, turned
from flowscore.rules.sight import batch, fresh
from flowscore.rules.watch import Asked, Watch, shared
from flowscore.store.dialects import insert_from
from flowscore.store.tables import changes, contacts, events

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class Asking:
    """The statements that gather the contacts of whom a watched thing happened."""

    changes: Insert | None
    events: Insert | None
    behaviour: Insert | None
    edges: tuple[tuple[Asked, Insert], ...]
    watch: Watch


def _into_asked(rows: Any) -> Insert:
    return insert_from(asked, ["contact_id"], rows)


def asking(watch: Watch, book: Book) -> Asking:
    """Build the statements once for a condition."""
    told = select(changes.c.contact_id).where(
        changes.c.id > bindparam("changes_seen"),
        tuple_(changes.c.kind, changes.c.name).in_(sorted(watch.changes)),
    )
    named = (
        select(events.c.contact_id)
        .select_from(fresh.join(events, events.c.id == fresh.c.event_id))
        .where(fresh.c.name.in_(sorted(watch.events)))
    )
    active = (
        select(events.c.contact_id)
        .select_from(fresh.join(events, events.c.id == fresh.c.event_id))
        .where(events.c.behaviour)
    )
    return Asking(
        changes=_into_asked(told),
        events=_into_asked(named) if watch.events else None,
        behaviour=_into_asked(active) if watch.behaviour else None,
        edges=tuple(
            (one, _into_asked(one.passed.where(one.edge.who.is_not(None))))
            for one in dict.fromkeys(shared(book, edge) for edge in watch.edges)
        ),
        watch=watch,
    )


def gather(work: Work, asking: Asking, changes_seen: int, by_clock: bool) -> bool:
    """Fill `asked`; true if there is anybody. `by_clock`: also those whom the clock passed."""
    work.clear(asked)
    if work.told_of(asking.watch.changes, changes_seen):
        work.fill(asked, asking.changes, changes_seen=changes_seen)
    if asking.events is not None and asking.watch.events & work.names:
        work.fill(asked, asking.events)
    if asking.behaviour is not None and work.names:
        work.fill(asked, asking.behaviour)
    for edge, statement in asking.edges if by_clock else ():
        if work.passed(edge):
            work.fill(asked, statement)
    return work.filled(asked)


def ask_everybody(work: Work) -> None:
    """Fill `asked` with every contact of the recompute's `batch`."""
    work.clear(asked)
    work.fill(asked, EVERYBODY)


EVERYBODY = _into_asked(select(batch.c.contact_id))


def compare(holds_now: Any, held: Any, book: Book) -> Insert:
    """Statement: of those asked, put the contacts whose answer changed into `turned`."""
    flag = case((holds_now, 1), else_=0).label("now")
    was = case((held, 1), else_=0).label("was")
    rows = (
        select(asked.c.contact_id, flag, was)
        .select_from(asked.join(contacts, contacts.c.id == asked.c.contact_id))
        .where(contacts.c.created_at <= book.now)
        .subquery()
    )
    changed = select(rows.c.contact_id, rows.c.now).where(rows.c.now != rows.c.was)
    return insert(turned).from_select(["contact_id", "holds"], changed)
