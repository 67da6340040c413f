"""Carries contacts from one lifecycle stage to another, and tells of it (rulings 21, 28, 49)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from flowscore.engine.own_events import own_event
from flowscore.engine.scratch import staged
from flowscore.store.forms import forms_of
from flowscore.store.tables import Json, changes, stages

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.rules.book import Book

STAY = stages.alias("stay")  # where somebody stands now


@dataclass(frozen=True)
class Moves:
    """Statements that carry the contacts in `staged` from the stage they are in to another."""

    leave: Update
    enter: Insert
    tell: Insert
    changed: Insert


def moves(names: tuple[str, ...], book: Book) -> Moves:
    """The statements for a lifecycle of these stages."""
    now = cast(book.now, BigInteger)
    here = and_(stages.c.left_at.is_(None), stages.c.contact_id.in_(select(staged.c.contact_id)))
    told = select(literal("stage"), literal(""), staged.c.contact_id)
    return Moves(
        leave=update(stages).where(here).values(left_at=now),
        enter=_enter(names, now),
        tell=insert(changes).from_select(["kind", "name", "contact_id"], told),
        changed=_changed(names, book),
    )


def _enter(names: tuple[str, ...], now: Any) -> Insert:
    """Statement: the new stay, and before it one for every stage passed over on the way."""
    there = _table_of(names, "there")
    skipped = there.c.place != staged.c.target
    passed = and_(there.c.place > staged.c.origin, there.c.place < staged.c.target)
    rows = select(
        staged.c.contact_id,
        there.c.stage,
        now,
        case((skipped, now)),
        staged.c.cause,
        skipped,
    ).select_from(staged.join(there, or_(~skipped, passed)))
    columns = ["contact_id", "stage", "entered_at", "left_at", "cause", "skipped"]
    return insert(stages).from_select(columns, rows.order_by(staged.c.contact_id, there.c.place))


def _changed(names: tuple[str, ...], book: Book) -> Insert:
    """Statement: `stage_changed` for each, with the stages it leads from and to (ruling 110)."""
    origin, target = _table_of(names, "origin"), _table_of(names, "target")
    rows = (
        select(
            staged.c.contact_id,
            origin.c.stage.label("origin"),
            origin.c.forms.label("origin_forms"),
            target.c.stage.label("target"),
            target.c.forms.label("target_forms"),
        )
        .join(origin, origin.c.place == staged.c.origin)
        .join(target, target.c.place == staged.c.target)
        .subquery()
    )
    number = cast(rows.c.contact_id, Text) + ":" + bindparam("place", type_=Text)
    forms = (_nested(book, rows.c.origin_forms), _nested(book, rows.c.target_forms))
    return own_event(
        book,
        "stage_changed",
        rows.c.target,
        literal("stage_changed:") + number,
        rows,
        _from_to(book, rows.c.origin, rows.c.target),
        forms=_from_to(book, *forms),
    )


def _from_to(book: Book, origin: Any, target: Any) -> Any:
    return book.json_object(**{"from": origin, "to": target})


def _nested(book: Book, json: Any) -> Any:
    """JSON in a column as a part of other JSON: SQLite takes it for text."""
    return func.json(json) if book.dialect == "sqlite" else json


def _table_of(names: tuple[str, ...], alias: str) -> Any:
    """The stages as rows: place, name, and the comparison forms of the name."""
    rows = [
        select(
            literal(place).label("place"),
            cast(literal(name), Text).label("stage"),
            literal(forms_of(name), Json).label("forms"),
        )
        for place, name in enumerate(names)
    ]
    return union_all(*rows).subquery(alias)


def place_of(names: tuple[str, ...], stage: Any) -> Any:
    """The place of a stay's stage among these; without a stay the first."""
    return case({name: place for place, name in enumerate(names)}, value=stage, else_=0)


def into_staged(rows: Any) -> Insert:
    """Statement: these (contact, place it leaves, place it goes to, cause) are to move."""
    return insert(staged).from_select(["contact_id", "origin", "target", "cause"], rows)


def move(work: Work, statements: Moves, place: str) -> None:
    """Carry `staged` over; `place` makes the events' ids (the instant, or the step)."""
    carry(work, statements)
    if not work.silent:
        work.run(statements.changed, place=place)


def carry(work: Work, statements: Moves) -> None:
    """The same without an event."""
    work.run(statements.leave)
    work.run(statements.enter)
    work.run(statements.tell)
