"""Lists: dynamic ones are kept true (phase 2); static ones are joined and left by steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Text,
    Update,
    bindparam,
    cast,
    insert,
    literal,
    null,
    select,
    update,
)

from flowscore.engine.audience import Asking, ask_everybody, asking, compare, gather
from flowscore.engine.own_events import own_event
from flowscore.engine.scratch import asked, turned
from flowscore.engine.work import Work, rows_of
from flowscore.rules.conditions import holds, is_member
from flowscore.rules.watch import watch
from flowscore.rules.who import Who
from flowscore.store.tables import changes, members

if TYPE_CHECKING:
    from flowscore.language.scenario import ContactList
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class DynamicList:
    """A list kept true, with its statements."""

    name: str
    asking: Asking
    compare: Insert
    moves: Moves


@dataclass(frozen=True)
class Moves:
    """Statements that carry the contacts in `turned` into a list (holds 1) or out of it (0)."""

    join: Insert
    leave: Update
    joined: Insert
    left: Insert
    tell: Insert


def build(lists: Iterable[ContactList], book: Book) -> tuple[DynamicList, ...]:
    """The dynamic lists, in dependency order as given."""
    return tuple(_dynamic(one, book) for one in lists if one.members is not None)


def _dynamic(one: ContactList, book: Book) -> DynamicList:
    assert one.members is not None
    return DynamicList(
        name=one.name,
        asking=asking(watch(one.members), book),
        compare=compare(
            holds(one.members, book, Who(asked.c.contact_id)),
            is_member((one.name,), asked.c.contact_id),
            book,
        ),
        moves=moves(one.name, literal(f"list/{one.name}"), book),
    )


def moves(name: str, cause: Any, book: Book) -> Moves:
    """The statements that move `turned` into and out of the list."""
    going_in = select(turned.c.contact_id).where(turned.c.holds == 1)
    going_out = select(turned.c.contact_id).where(turned.c.holds == 0)
    now = cast(book.now, BigInteger)
    stay = select(turned.c.contact_id, literal(name), now, cast(cause, Text)).where(
        turned.c.holds == 1
    )
    return Moves(
        join=insert(members).from_select(
            ["contact_id", "list", "joined_at", "cause"], stay.order_by(turned.c.contact_id)
        ),
        leave=update(members)
        .where(
            members.c.list == name,
            members.c.left_at.is_(null()),
            members.c.contact_id.in_(going_out),
        )
        .values(left_at=now),
        joined=_moved_event(book, "list_joined", name, going_in),
        left=_moved_event(book, "list_left", name, going_out),
        tell=insert(changes).from_select(
            ["kind", "name", "contact_id"],
            select(literal("list"), literal(name), turned.c.contact_id),
        ),
    )


def _moved_event(book: Book, event: str, name: str, who: Any) -> Insert:
    rows = who.subquery()
    place = bindparam("place", type_=Text)
    key = literal(f"{event}:{name}:") + cast(rows.c.contact_id, Text) + ":" + place
    return own_event(book, event, name, key, rows, {"list": name})


def refresh(work: Work, lists: tuple[DynamicList, ...], changes_seen: int, by_clock: bool) -> None:
    """Phase 2: ask again those of whom something changed, and move whose answer changed."""
    for one in lists:
        if gather(work, one.asking, changes_seen, by_clock):
            settle(work, one)


def refresh_fully(work: Work, lists: tuple[DynamicList, ...]) -> None:
    """Ask everybody, for lists that are new or read a score that was recomputed."""
    for one in lists:
        ask_everybody(work)
        settle(work, one)


def settle(work: Work, one: DynamicList) -> None:
    """Hold the members condition of those asked against where they are, and move them."""
    work.clear(turned)
    if work.fill(turned, one.compare):
        move(work, one.moves, f"{work.now}/{work.round}")


def move(work: Work, statements: Moves, place: str) -> None:
    """Carry `turned` in and out; `place` makes the events' ids (the instant, or the step)."""
    joined = rows_of(work.run(statements.join))
    left = rows_of(work.run(statements.leave))
    if not joined + left:
        return
    work.run(statements.tell)
    if not work.silent:
        work.run(statements.joined, place=place)
        work.run(statements.left, place=place)
    work.counts.joined += joined
    work.counts.left += left
    work.changed += joined + left
