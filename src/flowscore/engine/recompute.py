"""Recomputing: after an apply, scores and lists are judged anew from the log, silently (128)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, and_, delete, not_, or_, update

from flowscore.engine import lists, resets, scoring
from flowscore.engine.balances import rebalance_fully
from flowscore.engine.scratch import prepare_scratch
from flowscore.engine.work import MOST_ROUNDS, Work
from flowscore.language.project import Project, digest
from flowscore.store.tables import balances, changes, contacts, events, ledger, marks

if TYPE_CHECKING:
    from flowscore.engine.program import Program
    from flowscore.language.policy import Policy
    from flowscore.language.scenario import ContactList
    from flowscore.language.scoring import Rule, Score


def catch_up(connection: Connection, old: Project, program: Program, mark: int) -> list[str]:
    """Judge what changed as of the watermark; nothing fires. Returns the recomputed scores."""
    work = _silent_work(connection, program, mark)
    program.patterns.learn_everything(work)
    new = program.applied.project
    changed = changed_scores(old, new)
    for score in changed:
        _recompute(work, program, old.scores.get(score.name), score)
    if reads_anew(old.policy, new.policy):
        scoring.stand(work, program.scoring, 0, by_clock=False, only=_when_rules(program))
    _refresh(work, program, {one.name for one in changed_lists(old, new)})
    work.once(
        update(balances)
        .where(balances.c.looked != balances.c.balance)
        .values(looked=balances.c.balance)
    )
    connection.execute(delete(changes))
    work.tidy()
    return [score.name for score in changed]


def _silent_work(connection: Connection, program: Program, mark: int) -> Work:
    work = Work(connection, program.book, program.patterns, mark, mark, 0)
    prepare_scratch(connection)
    work.stand_at(work.last(events) + 1, work.last(contacts))
    work.silent = True
    return work


def changed_scores(old: Project, new: Project) -> list[Score]:
    """The scores whose points an apply counts anew."""
    return [one for one in new.scores.values() if _points_differ(old.scores.get(one.name), one)]


def _points_differ(old: Score | None, new: Score) -> bool:
    return old is None or digest(_points_of(old)) != digest(_points_of(new))


def _points_of(score: Score) -> tuple[object, ...]:
    return (score.rules, score.cap, score.range)


def reads_anew(old: Policy, new: Policy) -> bool:
    """Whether dates or consent mean something else under the new policy."""
    return (old.timezone, old.consent) != (new.timezone, new.consent)


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


def _recompute(work: Work, program: Program, old: Score | None, score: Score) -> None:
    """Judge the score's rules anew by own time over the whole log (ruling 128)."""
    unchanged = unchanged_rules(old, score)
    work.connection.execute(delete(ledger).where(judged_anew(score, unchanged)))
    work.connection.execute(delete(marks).where(marks.c.trigger.startswith(f"score/{score.name}/")))
    work.connection.execute(delete(balances).where(balances.c.score == score.name))
    only = program.scoring.only(score.name)
    scoring.award(work, only, scoring.ALL)
    renewed = {(score.name, rule.name) for rule in score.rules if _asks_anew(rule, unchanged)}
    scoring.stand(work, only, 0, by_clock=False, only=renewed)
    resets.reckon_anew(work, score.name)
    work.connection.execute(delete(balances).where(balances.c.score == score.name))
    rebalance_fully(work, only.scores)


def unchanged_rules(old: Score | None, score: Score) -> set[str]:
    """The names of the rules that still mean the same."""
    before = {rule.name: digest(rule) for rule in old.rules} if old is not None else {}
    return {rule.name for rule in score.rules if before.get(rule.name) == digest(rule)}


def _asks_anew(rule: Rule, unchanged: set[str]) -> bool:
    return rule.when is not None and rule.name not in unchanged


def judged_anew(score: Score, unchanged: set[str]) -> ColumnElement[bool]:
    """Lines that are judged anew; those of state triggers and `when` stay with their rule."""
    from_the_log = and_(
        ledger.c.kind == "rule",
        or_(ledger.c.event_id.is_not(None), ledger.c.key.startswith("quiet@")),
    )
    changed = and_(ledger.c.kind.in_(("rule", "when")), not_(ledger.c.rule.in_(unchanged)))
    return and_(ledger.c.score == score.name, or_(from_the_log, changed))


def _refresh(work: Work, program: Program, changed: set[str]) -> None:
    """Lists that changed ask everybody; then whatever reads what moved, until nothing moves."""
    lists.refresh_fully(work, tuple(one for one in program.lists if one.name in changed))
    seen_by_rules = seen_by_lists = 0
    for _ in range(MOST_ROUNDS):
        work.changed = 0
        upto = work.last(changes)
        scoring.stand(work, program.scoring, seen_by_rules, by_clock=False)
        seen_by_rules = upto
        lists.refresh(work, program.lists, seen_by_lists, by_clock=False)
        seen_by_lists = work.last(changes)
        if not work.changed:
            return
