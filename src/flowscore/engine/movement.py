"""What judging anew moves: balances, cells, stages and members of some contacts, then and now.

A recompute counts it batch for batch; a plan counts what is then taken back. Both count contacts
that have an address, as every listing does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    distinct,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)

from flowscore.engine.moves import Farthest, ListMoves, Moves, ScoreMoves
from flowscore.engine.scratch import (
    stood_at_balances,
    stood_in_cells,
    stood_in_lists,
    stood_in_stages,
)
from flowscore.engine.thresholds import thresholds
from flowscore.rules.happened import scaled
from flowscore.rules.sight import batch
from flowscore.store.tables import (
    SHOWN,
    cells,
    company_balances,
    contacts,
    members,
    stages,
)
from flowscore.store.whereabouts import holding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flowscore.engine.work import Work
    from flowscore.language.project import Project

STOOD = (stood_at_balances, stood_in_cells, stood_in_stages, stood_in_lists)


# ---------------------------------------------------------------- then


def remember(
    work: Work, project: Project, scores: Collection[str], old: Project | None = None
) -> None:
    """Keep how the contacts in `batch` stand: before they are judged anew under `project`.

    Of balances those of these scores, as they are read under the `old` project.
    """
    forget(work)
    read_by = project if old is None else old
    for name in sorted(read_by.scores.keys() & scores):
        work.fill(stood_at_balances, _keep(stood_at_balances, _read(read_by, name)), kept=False)
    if project.grades:
        work.fill(stood_in_cells, _keep(stood_in_cells, CELLS), kept=False)
    if project.lifecycle is not None:
        work.fill(stood_in_stages, _keep(stood_in_stages, STAYS), kept=False)
    if kept_true := _kept_true(project):
        work.fill(stood_in_lists, _keep(stood_in_lists, _members(kept_true)), kept=False)


def _kept_true(project: Project) -> list[str]:
    """The dynamic lists: nobody joins or leaves another by being judged anew."""
    return [one.name for one in project.lists.values() if one.members is not None]


def forget(work: Work) -> None:
    """Who stood where is asked no more."""
    for table in STOOD:
        work.clear(table)


def _keep(table: Any, rows: Any) -> Any:
    return insert(table).from_select([column.name for column in table.columns], rows)


def _people() -> Any:
    """The contacts in `batch` with an address."""
    return batch.join(
        contacts, and_(contacts.c.id == batch.c.contact_id, contacts.c.email.is_not(None))
    )


def _holding(project: Project, name: str) -> tuple[Any, Any]:
    """Whose balance contacts read in a score: their own, or their company's (ruling 96)."""
    kept = holding(of_company=name in project.company_scores)
    return kept.table, and_(kept.mine, kept.table.c.score == name)


def _read(project: Project, name: str) -> Select[Any]:
    table, holds = _holding(project, name)
    rows = select(batch.c.contact_id, literal(name), table.c.balance)
    return rows.select_from(_people().join(table, holds))


CELLS = select(cells.c.contact_id, cells.c.grade, cells.c.cell).select_from(
    _people().join(cells, cells.c.contact_id == batch.c.contact_id)
)
STAYS = (
    select(stages.c.contact_id, stages.c.stage)
    .select_from(_people().join(stages, stages.c.contact_id == batch.c.contact_id))
    .where(stages.c.left_at.is_(null()))
)


def _members(lists: list[str]) -> Select[Any]:
    return (
        select(members.c.contact_id, members.c.list)
        .select_from(_people().join(members, members.c.contact_id == batch.c.contact_id))
        .where(members.c.left_at.is_(null()), members.c.list.in_(lists))
    )


# ---------------------------------------------------------------- now


def count(work: Work, project: Project, scores: Collection[str], first_stage: str = "") -> Moves:
    """What is another than `remember` kept; `first_stage` was theirs who stood in none."""
    total = work.once(select(func.count()).select_from(_people())).scalar_one()
    return Moves(
        contacts=total,
        scores=dict(_count_scores(work, project, scores)),
        cells=_count_cells(work, project),
        stages=_count_stages(work, project, first_stage),
        lists=_count_lists(work, project),
    )


def _count_scores(
    work: Work, project: Project, scores: Collection[str]
) -> Iterator[tuple[str, ScoreMoves]]:
    named = thresholds(project)
    for name in sorted(scores):
        moved = _moved(project, name)
        row = work.once(_sums(moved, named[name])).one()
        if row.number:
            yield name, _score_moves(work, moved, row, named[name])


@dataclass(frozen=True)
class _Moved:
    """Whose balance in a score is another: before, after, and (of companies) whose it is."""

    before: Any
    after: Any
    rows: Any
    differ: Any
    company: Any

    @property
    def change(self) -> Any:
        return self.after - self.before


def _moved(project: Project, name: str) -> _Moved:
    table, holds = _holding(project, name)
    stood = and_(
        stood_at_balances.c.contact_id == batch.c.contact_id, stood_at_balances.c.score == name
    )
    before = func.coalesce(stood_at_balances.c.balance, 0)
    return _Moved(
        before=before,
        after=table.c.balance,
        rows=_people().join(table, holds).outerjoin(stood_at_balances, stood),
        differ=table.c.balance != before,
        company=contacts.c.company_id if table is company_balances else None,
    )


def _sums(moved: _Moved, numbers: tuple[float, ...]) -> Select[Any]:
    columns = [
        func.count().label("number"),
        _how_many(moved.change > 0).label("more"),
        func.coalesce(func.sum(moved.change), 0).label("change"),
        func.max(moved.change).label("most"),
        func.min(moved.change).label("least"),
    ]
    for place, number in enumerate(numbers):
        columns += _crossings(moved, scaled(number, SHOWN), place)
    return select(*columns).select_from(moved.rows).where(moved.differ)


def _crossings(moved: _Moved, line: float, place: int) -> list[Any]:
    """Who passed a number, fell below it, sank to it; companies, where the balance is theirs."""
    up = and_(moved.before < line, moved.after >= line)
    down = and_(moved.before >= line, moved.after < line)
    sunk = and_(moved.before > line, moved.after <= line)
    counts = [_how_many(up).label(f"passed_{place}"), _how_many(down).label(f"fell_{place}")]
    if moved.company is None:
        return [*counts, _how_many(sunk).label(f"sinking_{place}")]
    owners = {"passing": up, "sinking": sunk}
    return counts + [
        func.count(distinct(case((crossed, moved.company)))).label(f"{word}_{place}")
        for word, crossed in owners.items()
    ]


def _how_many(condition: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _score_moves(work: Work, moved: _Moved, row: Any, numbers: tuple[float, ...]) -> ScoreMoves:
    found = ScoreMoves(row.more, row.number - row.more, int(row.change))
    found.most = _farthest(work, moved, row.most) if row.most > 0 else None
    found.least = _farthest(work, moved, row.least) if row.least < 0 else None
    for name in ("passed", "fell", "passing", "sinking"):
        of = name if name != "passing" or moved.company is not None else "passed"
        counts = {f"{n:g}": getattr(row, f"{of}_{place}") for place, n in enumerate(numbers)}
        setattr(found, name, {number: count for number, count in counts.items() if count})
    return found


def _farthest(work: Work, moved: _Moved, change: int) -> Farthest:
    """One of those who gained or lost so much."""
    who = select(batch.c.contact_id).select_from(moved.rows).where(moved.change == change)
    return int(change), work.once(who.limit(1)).scalar_one()


def _count_cells(work: Work, project: Project) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name in project.grades:
        then = and_(
            stood_in_cells.c.contact_id == batch.c.contact_id, stood_in_cells.c.grade == name
        )
        now = and_(cells.c.contact_id == batch.c.contact_id, cells.c.grade == name)
        rows = _people().outerjoin(stood_in_cells, then).outerjoin(cells, now)
        found[name] = _count_ways(work, rows, stood_in_cells.c.cell, cells.c.cell)
    return found


def _count_stages(work: Work, project: Project, first: str) -> dict[str, int]:
    """Who has no stay stands in the first stage."""
    if project.lifecycle is None:
        return {}
    then = stood_in_stages.c.contact_id == batch.c.contact_id
    now = and_(stages.c.contact_id == batch.c.contact_id, stages.c.left_at.is_(null()))
    rows = _people().outerjoin(stood_in_stages, then).outerjoin(stages, now)
    names = project.lifecycle.names
    before = func.coalesce(stood_in_stages.c.stage, literal(first or names[0]))
    return _count_ways(work, rows, before, func.coalesce(stages.c.stage, literal(names[0])))


def _count_ways(work: Work, rows: Any, origin: Any, target: Any) -> dict[str, int]:
    ways = select(origin.label("origin"), target.label("target"), func.count().label("number"))
    ways = ways.select_from(rows).where(or_(origin.is_not(None), target.is_not(None)))
    found = work.once(ways.group_by("origin", "target"))
    return {f"{row.origin or ''}>{row.target or ''}": row.number for row in found}


def _count_lists(work: Work, project: Project) -> dict[str, ListMoves]:
    now = _members(_kept_true(project)).subquery()
    same = and_(
        stood_in_lists.c.contact_id == now.c.contact_id, stood_in_lists.c.list == now.c.list
    )
    came = now.outerjoin(stood_in_lists, same)
    went = stood_in_lists.outerjoin(now, same)
    asked = {
        "before": select(stood_in_lists.c.list, func.count()).group_by(stood_in_lists.c.list),
        "joined": select(now.c.list, func.count())
        .select_from(came)
        .where(stood_in_lists.c.contact_id.is_(None))
        .group_by(now.c.list),
        "left": select(stood_in_lists.c.list, func.count())
        .select_from(went)
        .where(now.c.contact_id.is_(None))
        .group_by(stood_in_lists.c.list),
    }
    found: dict[str, ListMoves] = {}
    for word, query in asked.items():
        for name, number in work.once(query):
            setattr(found.setdefault(name, ListMoves()), word, number)
    return found
