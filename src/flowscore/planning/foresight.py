"""What an apply would move: the very apply is run, and taken back before anybody sees it.

It goes by contacts, no more of them in a transaction than an apply judges in one: of a big store
a sample, or one such part after the other. So delivery never waits longer than for an apply,
intake never, and plan and apply cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Insert, case, func, select

from flowscore.engine import movement, recompute, registry
from flowscore.engine.enrollment import stands_there
from flowscore.engine.moves import ListMoves, Moves
from flowscore.engine.program import compile_program
from flowscore.planning.moving import Moved, moved
from flowscore.rules.sight import batch
from flowscore.store.dialects import insert_from
from flowscore.store.tables import contacts

if TYPE_CHECKING:
    from flowscore.engine.program import Program
    from flowscore.engine.recompute import Order
    from flowscore.language.project import Project
    from flowscore.planning.standing import Standing
    from flowscore.store.database import Store


@dataclass
class Foresight:
    """What would move of those judged; `of` is how many contacts there are."""

    judged: int
    of: int
    moves: Moves = field(default_factory=Moves)
    existing: dict[str, int] = field(default_factory=dict)
    """By scenario how many would stand in the state in which it begins."""

    @property
    def each(self) -> float:
        """How many contacts each that was judged stands for."""
        return self.of / self.judged if self.judged else 1

    @property
    def about(self) -> str:
        """What is said before a number that was reckoned up."""
        return "" if self.judged == self.of else "about "

    def members(self, name: str, now: int) -> int:
        """How many a list would hold that holds so many now."""
        moved = self.moves.lists.get(name, ListMoves())
        return max(0, now + round((moved.joined - moved.left) * self.each))


def foresee(
    store: Store,
    standing: Standing,
    *,
    whole: bool,
    watch: Callable[[int], None] = lambda _: None,
) -> Foresight:
    """Try the apply on everybody, or (not `whole`) on the first part of a store with many.

    Under the tick's lock, which the caller holds. Nothing of it is ever committed.
    """
    total = recompute.count_contacts(standing.connection)
    parts = max(1, ceil(total / recompute.BATCH))
    found = Foresight(judged=0, of=total)
    for part in range(parts if whole else 1):
        with _taken_back(store) as connection:
            judged = _try(connection, standing, found, (part, parts))
        found.judged += judged
        watch(judged)
    return found


def as_moved(standing: Standing, found: Foresight) -> Moved:
    """With addresses; what is filled and placed anew is told apart, since nothing notices it."""
    order = standing.order
    asked = (standing.connection, found.moves, standing.new)
    return moved(*asked, order.lists, replaced=order.stages)


class _TakenBackError(Exception):
    """Ends a transaction that is not to be."""


@contextmanager
def _taken_back(store: Store) -> Iterator[Connection]:
    with suppress(_TakenBackError), store.transact() as connection:
        yield connection
        raise _TakenBackError


def _try(
    connection: Connection, standing: Standing, found: Foresight, part: tuple[int, int]
) -> int:
    """Apply, judge one part of the contacts, count; how many those are."""
    mark = standing.mark
    assert mark is not None
    report = registry.ApplyReport()
    registry.make_live(connection, standing.new, mark, report, fires=False)
    order = recompute.pending(connection)
    assert order is not None
    # Not the one kept for what is live: no apply stands behind its revision.
    program = compile_program(registry.load_applied(connection), standing.dialect)
    work = recompute.begin(connection, program, mark)
    judged = work.fill(batch, _part(program, order, *part), kept=False)
    movement.remember(work, standing.new, standing.new.scores, standing.old)
    recompute.prepare(work, program)
    recompute.judge(work, program, order)
    recompute.finish(work, program, order)
    counted = movement.count(work, standing.new, standing.new.scores, _first_stage(standing.old))
    found.moves.add(counted)
    for name in standing.taken_in_anew:
        there = stands_there(standing.new.scenarios[name], program.book).subquery()
        mine = select(func.count()).select_from(there.join(batch, batch.c.contact_id == there.c[0]))
        found.existing[name] = found.existing.get(name, 0) + work.once(mine).scalar_one()
    return judged


def _part(program: Program, order: Order, part: int, parts: int) -> Insert:
    """Every so many-th contact by their stable draw; companies whole where a score is theirs."""
    drawn: Any = contacts.c.draw_a
    if any(name in program.book.company_scores for name in order.scores):
        drawn = case((contacts.c.company_id.is_not(None), contacts.c.company_id), else_=drawn)
    return insert_from(batch, ["contact_id"], select(contacts.c.id).where(drawn % parts == part))


def _first_stage(project: Project) -> str:
    return "" if project.lifecycle is None else project.lifecycle.names[0]
