"""Grades: each contact's cell is kept true to the balances of two scores (phase 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Text,
    case,
    cast,
    delete,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from flowscore.engine.audience import Asking, ask_everybody, asking, gather
from flowscore.engine.scratch import asked, turned
from flowscore.language.conditions import ScoreIs
from flowscore.language.project import Project, digest
from flowscore.language.words import Bounds
from flowscore.rules.conditions import balance_of
from flowscore.rules.happened import scaled
from flowscore.rules.sight import CHANGES_SEEN
from flowscore.rules.watch import watch
from flowscore.store.dialects import insert_or_update
from flowscore.store.tables import SHOWN, cells, changes, contacts

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.scoring import Axis, Grade
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class KeptGrade:
    """A grade kept true, with its statements."""

    name: str
    asking: Asking
    compare: Insert
    move: Insert
    tell: Insert


def build(grades: Iterable[Grade], book: Book) -> tuple[KeptGrade, ...]:
    """The statements of these grades."""
    return tuple(_kept(one, book) for one in grades)


def _kept(grade: Grade, book: Book) -> KeptGrade:
    return KeptGrade(
        name=grade.name,
        asking=asking(_watch(grade), book),
        compare=_compare(grade, book),
        move=_move(grade, book),
        tell=insert(changes).from_select(
            ["kind", "name", "contact_id"],
            select(literal("grade"), literal(grade.name), turned.c.contact_id),
        ),
    )


def _watch(grade: Grade) -> Any:
    """The two balances, and whoever is new: a contact without a line has a cell too."""
    seen = watch(ScoreIs(score=grade.fit.score, bounds=Bounds()))
    seen.join(watch(ScoreIs(score=grade.engagement.score, bounds=Bounds())))
    return seen


def _compare(grade: Grade, book: Book) -> Insert:
    """Statement: of those asked, who is in another cell goes into `turned`, with its number."""
    balances = (
        select(
            asked.c.contact_id,
            balance_of(grade.fit.score, asked.c.contact_id, book).label("fit"),
            balance_of(grade.engagement.score, asked.c.contact_id, book).label("engagement"),
        )
        .select_from(asked.join(contacts, contacts.c.id == asked.c.contact_id))
        .where(contacts.c.created_at <= book.now)
        .offset(0)  # so that each balance is looked up once, not at each line of its axis
        .subquery("read")
    )
    width = len(grade.engagement.labels)
    place = _row_of(grade.fit, balances.c.fit) * width
    place = place + _row_of(grade.engagement, balances.c.engagement)
    is_in = cells.c.contact_id == balances.c.contact_id
    stood = case({name: n for n, name in enumerate(grade.cells)}, value=cells.c.cell, else_=-1)
    rows = (
        select(balances.c.contact_id, place)
        .select_from(balances.outerjoin(cells, is_in & (cells.c.grade == grade.name)))
        .where(or_(cells.c.cell.is_(null()), stood != place))
    )
    return insert(turned).from_select(["contact_id", "holds"], rows)


def _row_of(axis: Axis, balance: Any) -> Any:
    """The label's number on its axis: the highest line that the balance reaches (ruling 59)."""
    lines = [
        (balance >= scaled(points, SHOWN), number)
        for number, (_, points) in enumerate(axis.labels)
        if points is not None
    ]
    return case(*lines, else_=len(axis.labels) - 1) if lines else literal(0)


def _move(grade: Grade, book: Book) -> Insert:
    """Statement: everybody in `turned` stands in the cell of that number; none is looked at yet."""
    rows = select(
        turned.c.contact_id,
        literal(grade.name),
        case(dict(enumerate(grade.cells)), value=turned.c.holds),
        cast(null(), Text),
        cast(book.now, BigInteger),
    )
    columns = ["contact_id", "grade", "cell", "looked", "since"]
    return insert_or_update(
        cells,
        ["contact_id", "grade"],
        columns,
        rows,
        lambda row: {"cell": row.cell, "since": row.since},
    )


# ---------------------------------------------------------------- verbs


def refresh(work: Work, grades: Iterable[KeptGrade], changes_seen: int, by_clock: bool) -> None:
    """Phase 2: look again at those whose balances moved, and put them into their cells."""
    for one in grades:
        if gather(work, one.asking, changes_seen, by_clock):
            settle(work, one)


def settle(work: Work, one: KeptGrade) -> None:
    """Put those asked into the cells that their balances give."""
    work.clear(turned)
    if moved := work.fill(turned, one.compare):
        work.run(one.move)
        work.run(one.tell)
        work.counts.celled += moved
        work.changed += moved


def remember_looked(work: Work, grades: Iterable[KeptGrade], changes_seen: int) -> None:
    """The cells of this phase 3 are what the next entering is held against (ruling 21)."""
    if work.told_of({("grade", one.name) for one in grades}, changes_seen):
        work.run(LOOK, changes_seen=changes_seen)


MOVED = or_(cells.c.looked.is_(null()), cells.c.looked != cells.c.cell)
TOLD = select(changes.c.contact_id).where(changes.c.kind == "grade", changes.c.id > CHANGES_SEEN)
LOOK = update(cells).where(MOVED, cells.c.contact_id.in_(TOLD)).values(looked=cells.c.cell)


# ---------------------------------------------------------------- after an apply


def changed_grades(old: Project, new: Project) -> list[str]:
    """The grades by which an apply grades everybody anew."""
    return [
        name
        for name, one in new.grades.items()
        if name not in old.grades or digest(old.grades[name]) != digest(one)
    ]


def forget_gone(work: Work, kept: Iterable[KeptGrade]) -> None:
    """Cells of grades that are no more."""
    work.once(delete(cells).where(cells.c.grade.not_in([one.name for one in kept])))


def refresh_fully(work: Work, grades: Iterable[KeptGrade]) -> None:
    """Give everybody their cell anew."""
    for one in grades:
        ask_everybody(work)
        settle(work, one)
