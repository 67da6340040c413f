"""The lifecycle: each contact's stage is kept true to the stages' conditions (phase 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from flowscore.engine.audience import Asking, ask_everybody, asking, gather
from flowscore.engine.journeys import STAY, Moves, carry, into_staged, move, moves, place_of
from flowscore.engine.scratch import asked, staged
from flowscore.language.project import digest
from flowscore.rules.conditions import holds
from flowscore.rules.sight import batch
from flowscore.rules.watch import Watch, watch
from flowscore.rules.who import Who
from flowscore.store.tables import changes, contacts, stages

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.lifecycle import Lifecycle
    from flowscore.language.project import Project
    from flowscore.rules.book import Book

BY_CONDITION, RETREAT, BY_STEP = "lifecycle", "retreat", "scenario/"  # causes of a stay


@dataclass(frozen=True)
class Funnel:
    """The lifecycle kept true, with its statements."""

    names: tuple[str, ...]
    asking: Asking
    compare: Insert
    moves: Moves


def build(lifecycle: Lifecycle | None, book: Book) -> Funnel | None:
    """The statements of the project's lifecycle; None where it has none."""
    if lifecycle is None:
        return None
    names = lifecycle.names
    return Funnel(
        names, asking(_watch(lifecycle), book), _compare(lifecycle, book), moves(names, book)
    )


def _watch(lifecycle: Lifecycle) -> Watch:
    """What any stage's condition listens to, and what steps do to stages."""
    seen = Watch(changes={("stage", "")})
    for stage in lifecycle.stages:
        if stage.when is not None:
            seen.join(watch(stage.when))
    return seen


def _compare(lifecycle: Lifecycle, book: Book) -> Insert:
    """Statement: of those asked, who belongs to another stage goes into `staged`."""
    read = _read(lifecycle, book)
    forward = read.c.target > read.c.origin
    back = and_(read.c.target < read.c.origin, _may_fall(lifecycle, read))
    cause = case((forward, BY_CONDITION), else_=RETREAT)
    rows = select(read.c.contact_id, read.c.origin, read.c.target, cause)
    return into_staged(rows.where(or_(forward, back)))


def _read(lifecycle: Lifecycle, book: Book) -> Any:
    """Of each who is asked: where they stand, the furthest stage that holds, who put them there."""
    here = and_(STAY.c.contact_id == asked.c.contact_id, STAY.c.left_at.is_(null()))
    people = asked.join(contacts, contacts.c.id == asked.c.contact_id).outerjoin(STAY, here)
    return (
        select(
            asked.c.contact_id,
            place_of(lifecycle.names, STAY.c.stage).label("origin"),
            _furthest(lifecycle, book).label("target"),
            func.coalesce(STAY.c.cause, "").label("cause"),
        )
        .select_from(people)
        .where(contacts.c.created_at <= book.now)
        .offset(0)  # so that the conditions are asked once of each
        .subquery("read")
    )


def _furthest(lifecycle: Lifecycle, book: Book) -> Any:
    """The place of the furthest stage whose condition holds; the first is everybody's."""
    who = Who(asked.c.contact_id)
    behind = reversed(list(enumerate(lifecycle.stages))[1:])
    lines = [(holds(one.when, book, who), place) for place, one in behind if one.when is not None]
    return case(*lines, else_=0) if lines else literal(0)


def _may_fall(lifecycle: Lifecycle, read: Any) -> ColumnElement[bool]:
    """Only from a stage that says so and has a condition, unless a step put them there (49)."""
    places = [n for n, one in enumerate(lifecycle.stages) if one.retreat and one.when is not None]
    by_step = read.c.cause.startswith(BY_STEP)
    return and_(read.c.origin.in_(places), ~by_step)


# ---------------------------------------------------------------- verbs


def refresh(work: Work, funnel: Funnel | None, changes_seen: int, by_clock: bool) -> None:
    """Phase 2: ask again those of whom something changed, and move who belongs elsewhere."""
    if funnel is not None and gather(work, funnel.asking, changes_seen, by_clock):
        settle(work, funnel)


def settle(work: Work, funnel: Funnel) -> None:
    """Move those asked to the stage they belong to."""
    work.clear(staged)
    if moved := work.fill(staged, funnel.compare):
        move(work, funnel.moves, f"{work.now}/{work.round}")
        work.counts.staged += moved
        work.changed += moved


def keep_furthest(work: Work, funnel: Funnel | None) -> None:
    """Of those in `batch`, merged in this tick, who stood further on by the other name is there.

    They were there before, so it is no change that anything begins with.
    """
    if funnel is None:
        return
    work.clear(staged)
    if work.fill(staged, _further_on(funnel.names), kept=False):
        carry(work, funnel.moves)


def _further_on(names: tuple[str, ...]) -> Insert:
    there = stages.alias("there")  # where they stood up to now by the name that they gave up
    origin, target = place_of(names, STAY.c.stage), place_of(names, there.c.stage)
    now = bindparam("now", type_=BigInteger)
    same = and_(there.c.contact_id == STAY.c.contact_id, STAY.c.left_at.is_(null()))
    rows = (
        select(STAY.c.contact_id, origin, func.max(target), func.max(there.c.cause))
        .select_from(STAY.join(there, same).join(batch, batch.c.contact_id == STAY.c.contact_id))
        .where(there.c.left_at == now, there.c.entered_at < now, target > origin)
        .group_by(STAY.c.contact_id, STAY.c.stage)
    )
    return into_staged(rows)


# ---------------------------------------------------------------- after an apply


def has_changed(old: Project, new: Project) -> bool:
    """Whether an apply places everybody anew."""
    return _meaning(old) != _meaning(new)


def _meaning(project: Project) -> str:
    return "" if project.lifecycle is None else digest(project.lifecycle)


def close_gone(work: Work, funnel: Funnel | None) -> None:
    """Who stands in a stage that is no more begins anew."""
    names = funnel.names if funnel is not None else ()
    gone = and_(stages.c.left_at.is_(null()), stages.c.stage.not_in(names))
    work.once(update(stages).where(gone).values(left_at=work.now))


def refresh_fully(work: Work, funnel: Funnel | None) -> None:
    """Place everybody anew; whoever reads stages looks again, since names have changed too."""
    if funnel is not None:
        ask_everybody(work)
        settle(work, funnel)
        work.run(TELL_OF_ALL)


TELL_OF_ALL = insert(changes).from_select(
    ["kind", "name", "contact_id"], select(literal("stage"), literal(""), asked.c.contact_id)
)
