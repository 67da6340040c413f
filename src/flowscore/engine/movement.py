"""What judging anew moves: balances, cells, stages and members of some contacts, then and now.

A recompute counts it batch for batch; a plan counts what is then taken back. Both count contacts
that have an address, as every listing does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    cast,
    distinct,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
)

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
    balances,
    cells,
    company_balances,
    contacts,
    members,
    stages,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscore.engine.work import Work
    from flowscore.language.project import Project

Farthest = tuple[int, int]  # (by how many 10⁻⁴ points, the contact's id)
STOOD = (stood_at_balances, stood_in_cells, stood_in_stages, stood_in_lists)


@dataclass
class ScoreMoves:
    """Whose balance is another in one score; `change` is the sum of it in 10⁻⁴ points.

    By number (as `80`): `passed` are those who are at or over it now, `fell` those below it now,
    `sank` those at or below it now; of a company's score `passing` and `sinking` count companies,
    since a crossing is the company's.
    """

    more: int = 0
    less: int = 0
    change: int = 0
    most: Farthest | None = None
    least: Farthest | None = None
    passed: dict[str, int] = field(default_factory=dict)
    fell: dict[str, int] = field(default_factory=dict)
    passing: dict[str, int] = field(default_factory=dict)
    sinking: dict[str, int] = field(default_factory=dict)

    def add(self, other: ScoreMoves) -> None:
        """Take in what was counted of other contacts."""
        self.more += other.more
        self.less += other.less
        self.change += other.change
        both = [one for one in (self.most, other.most) if one is not None]
        self.most = max(both, key=lambda one: one[0], default=None)
        both = [one for one in (self.least, other.least) if one is not None]
        self.least = min(both, key=lambda one: one[0], default=None)
        for name in ("passed", "fell", "passing", "sinking"):
            _add(getattr(self, name), getattr(other, name))


@dataclass
class ListMoves:
    """How many were in a list, and who came and went."""

    before: int = 0
    joined: int = 0
    left: int = 0


@dataclass
class Moves:
    """What moved of so many contacts. From and to are (cell or stage, cell or stage) as `A3>A4`.

    Who stayed where they were is counted too: `A4>A4`; who had no cell comes from nothing: `>D1`.
    """

    contacts: int = 0
    scores: dict[str, ScoreMoves] = field(default_factory=dict)
    cells: dict[str, dict[str, int]] = field(default_factory=dict)
    stages: dict[str, int] = field(default_factory=dict)
    lists: dict[str, ListMoves] = field(default_factory=dict)

    def add(self, other: Moves) -> None:
        """Take in what was counted of other contacts."""
        self.contacts += other.contacts
        for name, one in other.scores.items():
            self.scores.setdefault(name, ScoreMoves()).add(one)
        for grade, found in other.cells.items():
            _add(self.cells.setdefault(grade, {}), found)
        _add(self.stages, other.stages)
        for name, moved in other.lists.items():
            mine = self.lists.setdefault(name, ListMoves())
            _add(vars(mine), vars(moved))

    def follow(self, other: Moves) -> None:
        """Take in what happened to contacts that are counted here already, after that.

        Who moved on from a cell is taken off those who stayed in it: so the sums before and
        after are right for each cell.
        """
        for one in other.lists.values():
            one.before = 0
        for ways in (other.stages, *other.cells.values()):
            for way in [way for way in ways if not is_move(way)]:
                del ways[way]
            for way, number in list(ways.items()):
                stayed = way.partition(">")[0]
                ways[f"{stayed}>{stayed}"] = ways.get(f"{stayed}>{stayed}", 0) - number
        other.contacts = 0
        self.add(other)

    @classmethod
    def read(cls, kept: Any) -> Moves:
        """As the store's state keeps it (JSON)."""
        return cls(
            contacts=kept["contacts"],
            scores={name: ScoreMoves(**one) for name, one in kept["scores"].items()},
            cells=kept["cells"],
            stages=kept["stages"],
            lists={name: ListMoves(**one) for name, one in kept["lists"].items()},
        )


def _add(mine: dict[str, int], others: dict[str, int]) -> None:
    for name, number in others.items():
        mine[name] = mine.get(name, 0) + number


def is_move(way: str) -> bool:
    """Whether `A3>A4` leads elsewhere."""
    origin, _, target = way.partition(">")
    return origin != target


# ---------------------------------------------------------------- then


def remember(work: Work, project: Project) -> None:
    """Keep how the contacts in `batch` stand under a project: before they are judged anew."""
    forget(work)
    standing = _balances(project, list(project.scores))
    work.fill(stood_at_balances, _keep(stood_at_balances, standing), kept=False)
    work.fill(stood_in_cells, _keep(stood_in_cells, CELLS), kept=False)
    work.fill(stood_in_stages, _keep(stood_in_stages, STAYS), kept=False)
    work.fill(stood_in_lists, _keep(stood_in_lists, MEMBERS), kept=False)


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


def _balances(project: Project, names: list[str]) -> Any:
    """What contacts read: their own balance, or their company's (ruling 96)."""
    theirs = [name for name in names if project.scores[name].of == "company"]
    own = [name for name in names if name not in theirs]
    mine = (
        select(balances.c.contact_id, balances.c.score, balances.c.balance)
        .select_from(_people().join(balances, balances.c.contact_id == batch.c.contact_id))
        .where(balances.c.score.in_(own))
    )
    if not theirs:
        return mine
    companys = (
        select(batch.c.contact_id, company_balances.c.score, company_balances.c.balance)
        .select_from(
            _people().join(company_balances, company_balances.c.company_id == contacts.c.company_id)
        )
        .where(company_balances.c.score.in_(theirs))
    )
    return union_all(mine, companys)


CELLS = select(cells.c.contact_id, cells.c.grade, cells.c.cell).select_from(
    _people().join(cells, cells.c.contact_id == batch.c.contact_id)
)
STAYS = (
    select(stages.c.contact_id, stages.c.stage)
    .select_from(_people().join(stages, stages.c.contact_id == batch.c.contact_id))
    .where(stages.c.left_at.is_(null()))
)
MEMBERS = (
    select(members.c.contact_id, members.c.list)
    .select_from(_people().join(members, members.c.contact_id == batch.c.contact_id))
    .where(members.c.left_at.is_(null()))
)


# ---------------------------------------------------------------- now


def count(work: Work, project: Project, first_stage: str = "") -> Moves:
    """What is another than `remember` kept; `first_stage` was theirs who stood in none."""
    total = work.once(select(func.count()).select_from(_people())).scalar_one()
    return Moves(
        contacts=total,
        scores=dict(_count_scores(work, project)),
        cells=_count_cells(work, project),
        stages=_count_stages(work, project, first_stage),
        lists=_count_lists(work),
    )


def _count_scores(work: Work, project: Project) -> Iterator[tuple[str, ScoreMoves]]:
    named = thresholds(project)
    for name in project.scores:
        moved = _moved(project, name)
        row = work.once(_sums(moved, named[name])).one()
        if row.number:
            yield name, _score_moves(work, moved, row, named[name])


def _moved(project: Project, name: str) -> Any:
    """Whose balance in a score is another: before, after, and whose balance it is."""
    companys = project.scores[name].of == "company"
    owner = contacts.c.company_id if companys else contacts.c.id
    now = _balances(project, [name]).subquery()
    stood = and_(
        stood_at_balances.c.contact_id == now.c.contact_id, stood_at_balances.c.score == name
    )
    before = func.coalesce(stood_at_balances.c.balance, 0)
    return (
        select(
            now.c.contact_id,
            before.label("before"),
            now.c.balance.label("after"),
            owner.label("owner"),
        )
        .select_from(
            now.join(contacts, contacts.c.id == now.c.contact_id).outerjoin(
                stood_at_balances, stood
            )
        )
        .where(now.c.balance != before)
        .subquery("moved")
    )


def _sums(moved: Any, numbers: tuple[float, ...]) -> Select[Any]:
    change = moved.c.after - moved.c.before
    columns = [
        func.count().label("number"),
        _how_many(change > 0).label("more"),
        func.coalesce(func.sum(change), 0).label("change"),
    ]
    for place, number in enumerate(numbers):
        line = scaled(number, SHOWN)
        up = and_(moved.c.before < line, moved.c.after >= line)
        down = and_(moved.c.before >= line, moved.c.after < line)
        sunk = and_(moved.c.before > line, moved.c.after <= line)
        columns += [
            _how_many(up).label(f"passed_{place}"),
            _how_many(down).label(f"fell_{place}"),
            _how_many_owners(moved, up).label(f"passing_{place}"),
            _how_many_owners(moved, sunk).label(f"sinking_{place}"),
        ]
    return select(*columns).select_from(moved)


def _how_many(condition: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _how_many_owners(moved: Any, condition: ColumnElement[bool]) -> Any:
    return func.count(distinct(case((condition, moved.c.owner))))


def _score_moves(work: Work, moved: Any, row: Any, numbers: tuple[float, ...]) -> ScoreMoves:
    found = ScoreMoves(row.more, row.number - row.more, int(row.change))
    found.most, found.least = _farthest(work, moved, up=True), _farthest(work, moved, up=False)
    for name in ("passed", "fell", "passing", "sinking"):
        counts = {f"{n:g}": getattr(row, f"{name}_{place}") for place, n in enumerate(numbers)}
        setattr(found, name, {number: count for number, count in counts.items() if count})
    return found


def _farthest(work: Work, moved: Any, *, up: bool) -> Farthest | None:
    """Who gained most, or lost most; of equals the oldest contact."""
    change = cast(moved.c.after - moved.c.before, BigInteger).label("change")
    rows = select(change, moved.c.contact_id).where(change > 0 if up else change < 0)
    order = change.desc() if up else change.asc()
    found = work.once(rows.order_by(order, moved.c.contact_id).limit(1)).one_or_none()
    return None if found is None else (found.change, found.contact_id)


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


def _count_lists(work: Work) -> dict[str, ListMoves]:
    now = MEMBERS.subquery()
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
