"""Recomputing: scores, cells, stages and lists are judged anew from the log, silently (128).

It goes by contacts, so many in a transaction of their own, and keeps in the store what is left
to do: whoever holds the tick's lock next goes on where a run was stopped. Intake never waits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)

from flowscore.engine import balances as accounts
from flowscore.engine import companies, decay, grades, idle, lists, resets, scoring, stages
from flowscore.engine.scratch import prepare_scratch
from flowscore.engine.states import read_state, write_state
from flowscore.engine.work import MOST_ROUNDS, Work
from flowscore.language.project import Project, digest
from flowscore.rules.sight import batch
from flowscore.store.tables import balances, changes, contacts, events, ledger, marks

if TYPE_CHECKING:
    from flowscore.engine.program import Program
    from flowscore.language.policy import Policy
    from flowscore.language.scenario import ContactList
    from flowscore.language.scoring import Rule, Score

PENDING = "recompute"  # the state's key for what is left to do
FIRES = "fires after a recompute"  # and for a tick that is to notice what it moved
BATCH = 20_000  # contacts in one transaction


@dataclass
class Order:
    """What is to be judged anew, and up to which contact it has been.

    `scores`: by name the rules that still mean the same; `faded`: scores whose lines stay and
    only fade otherwise; `whens`: every `when` rule is asked; `fires`: what moves is noticed.
    `grades`: everybody's cell is given anew; `stages`: everybody is placed anew.
    """

    scores: dict[str, list[str]] = field(default_factory=dict)
    faded: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    grades: list[str] = field(default_factory=list)
    stages: bool = False
    whens: bool = False
    fires: bool = False
    upto: int = 0


def order_changes(
    connection: Connection, old: Project, new: Project, *, fires: bool = False
) -> list[str]:
    """Note what this apply makes stale; returns the names of the scores that are recomputed."""
    scores = changed_scores(old, new)
    order = Order(
        scores={one.name: sorted(unchanged_rules(old.scores.get(one.name), one)) for one in scores},
        faded=sorted(new.scores) if _fades_anew(old.policy, new.policy) else [],
        lists=[one.name for one in changed_lists(old, new)],
        grades=grades.changed_grades(old, new),
        stages=stages.has_changed(old, new) or reads_anew(old.policy, new.policy),
        whens=reads_anew(old.policy, new.policy),
        fires=fires,
    )
    write_state(connection, PENDING, asdict(order))
    return [one.name for one in scores]


def order_scores(
    connection: Connection, project: Project, names: list[str], *, fires: bool = False
) -> None:
    """Note that these scores are to be judged anew, though nothing of them changed."""
    kept = {name: [rule.name for rule in project.scores[name].rules] for name in names}
    write_state(connection, PENDING, asdict(Order(scores=kept, fires=fires)))


def is_pending(connection: Connection) -> bool:
    """Whether a recompute was ordered and not finished."""
    return read_state(connection, PENDING) is not None


def do_batch(connection: Connection, program: Program, mark: int, size: int = BATCH) -> int:
    """Judge the next contacts anew as of the watermark; how many (0: all is done)."""
    order = Order(**read_state(connection, PENDING))
    work = _silent_work(connection, program, mark)
    if order.upto == 0:
        program.patterns.learn_everything(work)
        grades.forget_gone(work, program.grades)
        stages.close_gone(work, program.stages)
    found = work.once(NEXT, upto=order.upto, size=size).scalars().all()
    if not found:
        _finish(work, program, order)
        return 0
    work.add(batch, [{"contact_id": id_} for id_ in found])
    _judge(work, program, order)
    order.upto = found[-1]
    write_state(connection, PENDING, asdict(order))
    work.run(EMPTY_BATCH)
    work.tidy()
    return len(found)


NEXT = (
    select(contacts.c.id)
    .where(contacts.c.id > bindparam("upto", type_=BigInteger))
    .order_by(contacts.c.id)
    .limit(bindparam("size"))
)
EMPTY_BATCH = delete(batch)


def _silent_work(connection: Connection, program: Program, mark: int) -> Work:
    work = Work(connection, program.book, program.patterns, mark, mark, 0)
    prepare_scratch(connection)
    work.stand_at(work.last(events) + 1, work.last(contacts))
    work.silent = True
    return work


def _judge(work: Work, program: Program, order: Order) -> None:
    """Everything of the contacts in `batch`."""
    for name, unchanged in order.scores.items():
        _recompute(work, program, program.applied.project.scores[name], set(unchanged))
    stale = [program.applied.project.scores[name] for name in {*order.scores, *order.faded}]
    if stale:
        decay.enter_anew(work, program.scoring.fading)
        accounts.add_up(work, stale)
    work.run(TELL_OF_MOVED)
    if order.whens:
        scoring.stand(work, program.scoring, 0, by_clock=False, only=_when_rules(program))
    _refresh(work, program, order)
    if not order.fires:
        work.run(LOOK)
        grades.remember_looked(work, program.grades, 0)
        work.once(delete(changes))


MINE = balances.c.contact_id.in_(select(batch.c.contact_id))
MOVED = and_(MINE, balances.c.looked != balances.c.balance)
TELL_OF_MOVED = insert(changes).from_select(
    ["kind", "name", "contact_id"],
    select(literal("score"), balances.c.score, balances.c.contact_id).where(MOVED),
)
LOOK = update(balances).where(MOVED).values(looked=balances.c.balance)


def _finish(work: Work, program: Program, order: Order) -> None:
    """What no single contact decides: the balances of companies, and who reads them."""
    if companies.recompute(work, program.companies, fires=order.fires):
        _refresh(work, program, Order(fires=order.fires))
    write_state(work.connection, PENDING, None)
    if order.fires:
        write_state(work.connection, FIRES, True)
    else:
        grades.remember_looked(work, program.grades, 0)
        work.once(delete(changes))
    work.tidy()


# ---------------------------------------------------------------- what is stale


def changed_scores(old: Project, new: Project) -> list[Score]:
    """The scores whose points an apply counts anew."""
    return [one for one in new.scores.values() if _points_differ(old.scores.get(one.name), one)]


def _points_differ(old: Score | None, new: Score) -> bool:
    return old is None or digest(_points_of(old)) != digest(_points_of(new))


def _points_of(score: Score) -> tuple[object, ...]:
    return (score.rules, score.cap, score.range, score.decay, score.of)


def reads_anew(old: Policy, new: Policy) -> bool:
    """Whether dates or consent mean something else under the new policy."""
    return (old.timezone, old.consent) != (new.timezone, new.consent)


def _fades_anew(old: Policy, new: Policy) -> bool:
    """Whether points fade at other instants (ruling 50)."""
    return (old.timezone, old.decay_every) != (new.timezone, new.decay_every)


def _when_rules(program: Program) -> set[tuple[str, str]]:
    return {(one.score.name, one.rule.name) for one in program.scoring.when}


def changed_lists(old: Project, new: Project) -> list[ContactList]:
    """The dynamic lists that an apply fills anew, asking everybody."""
    every = reads_anew(old.policy, new.policy)
    return [
        one
        for one in new.lists.values()
        if one.members is not None
        and (every or one.name not in old.lists or digest(old.lists[one.name]) != digest(one))
    ]


def unchanged_rules(old: Score | None, score: Score) -> set[str]:
    """The names of the rules that still mean the same."""
    before = {rule.name: digest(rule) for rule in old.rules} if old is not None else {}
    return {rule.name for rule in score.rules if before.get(rule.name) == digest(rule)}


# ---------------------------------------------------------------- one score


def _recompute(work: Work, program: Program, score: Score, unchanged: set[str]) -> None:
    """Judge the score's rules anew by own time over the log of these contacts (ruling 128)."""
    mine = select(batch.c.contact_id)
    work.once(delete(ledger).where(ledger.c.contact_id.in_(mine), judged_anew(score, unchanged)))
    used = marks.c.trigger.startswith(f"score/{score.name}/")
    work.once(delete(marks).where(marks.c.contact_id.in_(mine), used))
    only = replace(program.scoring.only(score.name), booking=None)
    scoring.award(work, only, scoring.ALL)
    renewed = {(score.name, rule.name) for rule in score.rules if _asks_anew(rule, unchanged)}
    scoring.stand(work, only, 0, by_clock=False, only=renewed)
    for one in only.losing:
        idle.judge(work, one)
    resets.reckon_anew(work, score.name, [score])


def _asks_anew(rule: Rule, unchanged: set[str]) -> bool:
    return rule.when is not None and rule.name not in unchanged


def judged_anew(score: Score, unchanged: set[str]) -> ColumnElement[bool]:
    """Lines that are judged anew; those of state triggers and `when` stay with their rule."""
    from_the_log = and_(
        ledger.c.kind == "rule",
        or_(ledger.c.event_id.is_not(None), ledger.c.key.startswith("quiet@")),
    )
    changed = and_(ledger.c.kind.in_(("rule", "when")), not_(ledger.c.rule.in_(unchanged)))
    return and_(ledger.c.score == score.name, or_(from_the_log, changed, idle.IS_LOSS))


def _refresh(work: Work, program: Program, order: Order) -> None:
    """What changed asks everybody; then whatever reads what moved, until nothing moves."""
    changed = set(order.lists)
    lists.refresh_fully(work, tuple(one for one in program.lists if one.name in changed))
    grades.refresh_fully(work, [one for one in program.grades if one.name in order.grades])
    if order.stages:
        stages.refresh_fully(work, program.stages)
    if order.fires:
        return  # what the points move is the next tick's, which notices it
    seen_by_rules = seen_by_places = seen_by_lists = 0
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
