"""Recomputing: scores, cells, stages and lists are judged anew from the log, silently (128).

It goes by contacts, so many in a transaction of their own, and keeps in the store what is left
to do: whoever holds the tick's lock next goes on where a run was stopped. Intake never waits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
)

from flowscore.engine import balances as accounts
from flowscore.engine import (
    companies,
    decay,
    grades,
    lists,
    movement,
    scoring,
    stages,
)
from flowscore.engine.moves import Moves
from flowscore.engine.rejudging import rejudge
from flowscore.engine.scratch import prepare_scratch
from flowscore.engine.staleness import (
    changed_lists,
    changed_scores,
    fades_anew,
    reads_anew,
    unchanged_rules,
)
from flowscore.engine.states import read_state, write_state
from flowscore.engine.work import MOST_ROUNDS, Work
from flowscore.rules.sight import batch
from flowscore.store.dialects import insert_from
from flowscore.store.tables import balances, changes, contacts, events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowscore.engine.program import Program
    from flowscore.language.project import Project

PENDING = "recompute"  # the state's key for what is left to do
FIRES = "fires after a recompute"  # and for a tick that is to notice what it moved
BATCH = 20_000  # contacts in one transaction


@dataclass
class Order:
    """What is to be judged anew, and up to which contact it has been.

    `scores`: by name the rules that still mean the same; `faded`: scores whose lines stay and
    only fade otherwise; `whens`: every `when` rule is asked; `fires`: what moves is noticed.
    `grades`: everybody's cell is given anew; `stages`: everybody is placed anew. `moved`: what
    moved so far.
    """

    scores: dict[str, list[str]] = field(default_factory=dict)
    faded: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    grades: list[str] = field(default_factory=list)
    stages: bool = False
    whens: bool = False
    fires: bool = False
    upto: int = 0
    moved: Moves = field(default_factory=Moves)

    @property
    def judges(self) -> bool:
        """Whether anybody is to be looked at; else only texts are learnt and the gone forgotten."""
        scores = self.scores or self.faded
        return bool(scores or self.lists or self.grades or self.stages or self.whens)


@dataclass(frozen=True)
class Judged:
    """So many contacts were judged (0: all is done), and what moved from the first one on."""

    contacts: int
    moved: Moves


def order_changes(
    connection: Connection, old: Project, new: Project, *, fires: bool = False
) -> list[str]:
    """Note what this apply makes stale; returns the names of the scores that are recomputed."""
    order = stale(old, new, fires=fires)
    write_state(connection, PENDING, asdict(order))
    return list(order.scores)


def stale(old: Project, new: Project, *, fires: bool = False) -> Order:
    """What is to be judged anew when `new` goes live in the place of `old`."""
    scores = changed_scores(old, new)
    return Order(
        scores={one.name: sorted(unchanged_rules(old.scores.get(one.name), one)) for one in scores},
        faded=sorted(new.scores) if fades_anew(old.policy, new.policy) else [],
        lists=[one.name for one in changed_lists(old, new)],
        grades=grades.changed_grades(old, new),
        stages=stages.has_changed(old, new) or reads_anew(old.policy, new.policy),
        whens=reads_anew(old.policy, new.policy),
        fires=fires,
    )


def order_scores(
    connection: Connection, project: Project, names: Iterable[str], *, fires: bool = False
) -> None:
    """Note that these scores are to be judged anew, though nothing of them changed."""
    write_state(connection, PENDING, asdict(_rescoring(project, names, fires)))


def _rescoring(project: Project, names: Iterable[str], fires: bool) -> Order:
    kept = {name: [rule.name for rule in project.scores[name].rules] for name in names}
    return Order(scores=kept, fires=fires)


def order_texts(connection: Connection) -> None:
    """Note that every pattern is to be tried again: texts that it was tried on are gone.

    What is left to do begins anew, since texts are learnt before the first contact.
    """
    order = pending(connection) or Order()
    write_state(connection, PENDING, asdict(replace(order, upto=0, moved=Moves())))


def is_rescoring(
    connection: Connection, project: Project, names: Iterable[str], *, fires: bool
) -> bool:
    """Whether just this was ordered and not finished."""
    order = pending(connection)
    wanted = _rescoring(project, names, fires)
    return order is not None and replace(order, upto=0, moved=Moves()) == wanted


def is_pending(connection: Connection) -> bool:
    """Whether a recompute was ordered and not finished."""
    return read_state(connection, PENDING) is not None


def pending(connection: Connection) -> Order | None:
    """What was ordered and is not finished."""
    kept = read_state(connection, PENDING)
    return None if kept is None else Order(**{**kept, "moved": Moves.read(kept["moved"])})


def count_contacts(connection: Connection) -> int:
    """How many contacts a recompute goes through."""
    return connection.execute(select(func.count()).select_from(contacts)).scalar_one()


def do_batch(connection: Connection, program: Program, mark: int) -> Judged:
    """Judge the next contacts anew as of the watermark."""
    order = pending(connection)
    assert order is not None
    work = begin(connection, program, mark)
    if order.upto == 0:
        prepare(work, program)
    found = _next(work, program, order) if order.judges else []
    if not found:
        _finish_and_count(work, program, order)
        write_state(connection, PENDING, None)
        work.tidy()
        return Judged(0, order.moved)
    judged = (program.applied.project, _may_move(program, order))
    movement.remember(work, *judged)
    judge(work, program, order)
    order.moved.add(movement.count(work, *judged))
    write_state(connection, PENDING, asdict(order))
    work.tidy()
    return Judged(len(found), order.moved)


def _may_move(program: Program, order: Order) -> set[str]:
    """The scores that are judged, and those that stand on what may move."""
    standing = {one.score.name for one in program.scoring.when}
    return {*order.scores, *order.faded, *standing}


def prepare(work: Work, program: Program) -> None:
    """What every contact's judgement leans on, once before the first."""
    program.patterns.learn_everything(work)
    decay.forget_gone(work, program.scoring.scores)
    grades.forget_gone(work, program.grades)
    stages.close_gone(work, program.stages)


def _next(work: Work, program: Program, order: Order) -> Sequence[int]:
    """Fill `batch`; of a company's score caps look at all members, so those come together."""
    together = any(name in program.book.company_scores for name in order.scores)
    statement = NEXT.where(~WITH_EARLIER) if together else NEXT
    found = work.once(statement, upto=order.upto, size=BATCH).scalars().all()
    if found:
        work.fill_with(batch, [{"contact_id": id_} for id_ in found])
        order.upto = found[-1]
    if found and together:
        work.fill(batch, COLLEAGUES)
    return found


NEXT = (
    select(contacts.c.id)
    .where(contacts.c.id > bindparam("upto", type_=BigInteger))
    .order_by(contacts.c.id)
    .limit(bindparam("size"))
)
_other, _mine = contacts.alias("other"), contacts.alias("mine")
WITH_EARLIER = (
    select(1)
    .where(_other.c.company_id == contacts.c.company_id, _other.c.id <= bindparam("upto"))
    .correlate(contacts)
    .exists()
)
COLLEAGUES = insert_from(
    batch,
    ["contact_id"],
    select(_other.c.id)
    .select_from(
        batch.join(_mine, _mine.c.id == batch.c.contact_id).join(
            _other, _other.c.company_id == _mine.c.company_id
        )
    )
    .distinct(),
)
COLLEAGUES_ALL = insert_from(
    batch, ["contact_id"], select(contacts.c.id).where(contacts.c.company_id.is_not(None))
)


def begin(connection: Connection, program: Program, mark: int) -> Work:
    """The work of one transaction as of the watermark, of which nothing is noticed."""
    work = Work(connection, program.book, program.patterns, mark, mark, 0)
    prepare_scratch(connection)
    work.stand_at(work.last(events) + 1, work.last(contacts))
    work.silent = True
    return work


def judge(work: Work, program: Program, order: Order) -> None:
    """Everything of the contacts in `batch`; what others left to be noticed stays so."""
    before = work.last(changes)
    scores = program.applied.project.scores
    for name, unchanged in order.scores.items():
        rejudge(work, program, scores[name], set(unchanged))
        accounts.add_up(work, [scores[name]])  # the next may ask for it in its conditions
    accounts.add_up(work, [scores[name] for name in order.faded if name not in order.scores])
    if stale := sorted({*order.scores, *order.faded}):
        decay.enter_anew(work, program.scoring.fading)
        work.once(_tell_of_moved(stale))
    if order.whens:
        scoring.stand(work, program.scoring, 0, by_clock=False, only=_when_rules(program))
    _refresh(work, program, order, before)
    if not order.fires:
        _look(work, program, before)


def _tell_of_moved(scores: list[str]) -> Insert:
    mine = balances.c.contact_id.in_(select(batch.c.contact_id))
    moved = (mine, balances.c.looked != balances.c.balance, balances.c.score.in_(scores))
    rows = select(literal("score"), balances.c.score, balances.c.contact_id)
    return insert(changes).from_select(["kind", "name", "contact_id"], rows.where(*moved))


def _look(work: Work, program: Program, since: int) -> None:
    """Nobody notices what moved after change `since`: it is what was looked at last."""
    accounts.remember_looked(work, since)
    companies.remember_looked(work, program.companies, since)
    grades.remember_looked(work, program.grades, since)
    work.once(delete(changes).where(changes.c.id > since))


def finish(work: Work, program: Program, order: Order) -> None:
    """What no single contact decides: the balances of companies, and who reads them."""
    before = work.last(changes)
    if order.judges and companies.recompute(work, program.companies):
        _refresh(work, program, Order(fires=order.fires), before)
    if order.fires:
        write_state(work.connection, FIRES, True)
    else:
        _look(work, program, before)


def _finish_and_count(work: Work, program: Program, order: Order) -> None:
    if program.companies is None or not order.judges:
        finish(work, program, order)
        return
    work.fill(batch, COLLEAGUES_ALL)
    judged = (program.applied.project, _may_move(program, order))
    movement.remember(work, *judged)
    finish(work, program, order)
    order.moved.follow(movement.count(work, *judged))


# ---------------------------------------------------------------- whatever reads it


def _when_rules(program: Program) -> set[tuple[str, str]]:
    return {(one.score.name, one.rule.name) for one in program.scoring.when}


def _refresh(work: Work, program: Program, order: Order, since: int) -> None:
    """What changed asks everybody; then whatever reads what moved after change `since`."""
    changed = set(order.lists)
    lists.refresh_fully(work, tuple(one for one in program.lists if one.name in changed))
    grades.refresh_fully(work, [one for one in program.grades if one.name in order.grades])
    if order.stages:
        stages.refresh_fully(work, program.stages)
    if order.fires:
        return  # what the points move is the next tick's, which notices it
    seen_by_rules = seen_by_places = seen_by_lists = since
    for _ in range(MOST_ROUNDS):
        work.changed = 0
        upto = work.last(changes)
        scoring.stand(work, program.scoring, seen_by_rules, by_clock=False)
        seen_by_rules = upto
        grades.refresh(work, program.grades, seen_by_places, by_clock=False)
        stages.refresh(work, program.stages, seen_by_places, by_clock=False)
        seen_by_places = work.last(changes)
        lists.refresh(work, program.lists, seen_by_lists, by_clock=False)
        seen_by_lists = work.last(changes)
        if not work.changed:
            return


def fired(connection: Connection) -> bool:
    """Whether the next tick is to notice what a recompute moved; asked once."""
    found: Any = read_state(connection, FIRES)
    if found:
        write_state(connection, FIRES, None)
    return bool(found)
