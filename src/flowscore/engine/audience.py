"""Who has to be asked again, and whose answer is another than before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert, case, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_ignoring

from flowscore.engine.work import Work, asked, clear, fresh, turned
from flowscore.rules.watch import Watch
from flowscore.store.tables import changes, contacts, events


@dataclass(frozen=True)
class Asking:
    """The statements that gather the contacts of whom a watched thing happened."""

    changes: Insert | None
    events: Insert | None
    behaviour: Insert | None
    edges: tuple[Insert, ...]
    watch: Watch


def _into_asked(rows: Any) -> Insert:
    statement = insert_ignoring(asked).from_select(["contact_id"], rows)
    return statement.on_conflict_do_nothing()


def asking(watch: Watch, book: Any) -> Asking:
    """Build the statements once for a condition."""
    from sqlalchemy import bindparam, tuple_

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
            _into_asked(edge.passed(book).where(edge.who.is_not(None))) for edge in watch.edges
        ),
        watch=watch,
    )


def gather(work: Work, asking: Asking, changes_seen: int, by_clock: bool) -> bool:
    """Fill `asked`; true if there is anybody. `by_clock`: also those whom the clock passed."""
    clear(work.connection, asked)
    found = 0
    if work.told_of(asking.watch.changes, changes_seen):
        found += work.run(asking.changes, changes_seen=changes_seen).rowcount
    if asking.events is not None and asking.watch.events & work.names:
        found += work.run(asking.events).rowcount
    if asking.behaviour is not None and work.names:
        found += work.run(asking.behaviour).rowcount
    if by_clock:
        found += sum(work.run(edge).rowcount for edge in asking.edges)
    return found > 0


def ask_everybody(work: Work) -> None:
    """Fill `asked` with every contact that exists."""
    clear(work.connection, asked)
    rows = select(contacts.c.id).where(contacts.c.created_at <= work.book.now)
    work.run(_into_asked(rows))


def compare(holds_now: Any, held: Any, book: Any) -> Insert:
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
