"""One score judged anew over the log of some contacts; lines that come out the same stay (128).

Lines are what costs: most of a score that is judged again has them all already. So the awards
are found first and held against the ledger; only what differs is written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    cast,
    delete,
    func,
    not_,
    null,
    or_,
    select,
    update,
)

from flowscore.engine import caps, idle, resets, scoring
from flowscore.engine.scratch import awards
from flowscore.rules.sight import batch
from flowscore.store.tables import ledger, marks

if TYPE_CHECKING:
    from flowscore.engine.program import Program
    from flowscore.engine.work import Work
    from flowscore.language.scoring import Rule, Score

MINE = ledger.c.contact_id.in_(select(batch.c.contact_id))


def rejudge(work: Work, program: Program, score: Score, unchanged: set[str]) -> None:
    """The lines of the contacts in `batch` as the score would give them to the log as it is.

    `unchanged`: rules that mean the same as when their lines were written.
    """
    only = replace(program.scoring.only(score.name), booking=None)
    used = marks.c.trigger.startswith(f"score/{score.name}/")
    work.once(delete(marks).where(marks.c.contact_id.in_(select(batch.c.contact_id)), used))
    scoring.collect(work, only, scoring.ALL)
    work.weigh(batch, awards, ledger)  # the batch before may have made it many times as long
    _forget_ordered(work, score, unchanged)
    definition_id = program.applied.score_ids.get(score.name)
    _revalue(work, score, definition_id, unchanged)
    # Where order does not matter the ledger is held against the awards as they come.
    ordered = score.of == "company"
    work.once(scoring.write_uncapped(score, definition_id, ordered=ordered))
    _forget_stale(work, score, unchanged)
    caps.award_capped(work, score, only.on)
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


def _forget_ordered(work: Work, score: Score, unchanged: set[str]) -> None:
    """Take out all lines that come in an order, and those of rules that have gone.

    What a cap leaves of an award depends on those before it, and whose line came last matters in
    a company's score: such lines are all written anew.
    """
    ordered = ledger.c.rule.not_in([rule.name for rule in scoring.free_rules(score)])
    work.once(delete(ledger).where(MINE, judged_anew(score, unchanged), ordered))


def _revalue(work: Work, score: Score, definition_id: int | None, unchanged: set[str]) -> None:
    """Lines of rules that give other points than before."""
    changed = [rule for rule in scoring.free_rules(score) if rule.name not in unchanged]
    if not changed:
        return
    worth = case({one.name: scoring.points(one.points) for one in changed}, value=ledger.c.rule)
    lines = ledger.c.rule.in_([one.name for one in changed])
    work.once(
        update(ledger)
        .where(MINE, ledger.c.score == score.name, ledger.c.kind == "rule", lines)
        .values(points=cast(worth, BigInteger), definition_id=definition_id)
    )


def _forget_stale(work: Work, score: Score, unchanged: set[str]) -> None:
    """Take out the lines that nothing awards any more, now that every award has its line."""
    names = [rule.name for rule in scoring.free_rules(score)]
    lines = select(func.count()).where(MINE, ledger.c.score == score.name, ledger.c.rule.in_(names))
    given = select(awards.c.contact_id, awards.c.rule, awards.c.key).where(awards.c.rule.in_(names))
    awarded = select(func.count()).select_from(given.distinct().subquery())
    if all(len(rule.on) == 1 for rule in scoring.free_rules(score)):
        awarded = select(func.count()).where(awards.c.rule.in_(names))  # none comes twice
    if work.once(lines).scalar() != work.once(awarded).scalar():
        stale = _without_award(and_(judged_anew(score, unchanged), ledger.c.rule.in_(names)))
        work.once(delete(ledger).where(ledger.c.id.in_(stale)))


def _without_award(lines: ColumnElement[bool]) -> Select[Any]:
    award = and_(
        awards.c.contact_id == ledger.c.contact_id,
        awards.c.rule == ledger.c.rule,
        awards.c.key == ledger.c.key,
    )
    mine = batch.join(ledger, ledger.c.contact_id == batch.c.contact_id).outerjoin(awards, award)
    return select(ledger.c.id).select_from(mine).where(lines, awards.c.key.is_(null()))
