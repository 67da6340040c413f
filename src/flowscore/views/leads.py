"""The queue for sales: whom to call first, and why (ACCEPTANCE D06).

By the cell of the grade, green ones first, then by the points won in the last 7 days, the
balance and the address; in a project without a grade by a score's balance first. Customers and
those whom sales has closed are left out and counted, unless they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    not_,
    select,
)

from flowscore.errors import FlowscoreError
from flowscore.language.project import Project
from flowscore.language.scoring import Grade, Score
from flowscore.rules.book import NEVER, Book
from flowscore.rules.scoring_words import legend
from flowscore.store.tables import cells, contacts
from flowscore.store.whereabouts import Holding, holding
from flowscore.views.columns import PAGE, Page, shown_at, watermark
from flowscore.views.lead_filters import (
    Filters,
    conditions_of,
    read_cells,
    read_points,
    read_stages,
)
from flowscore.views.lead_rows import Teller, ranked
from flowscore.views.matrix import in_calling_order, matrix_of
from flowscore.views.momentum import won_lately
from flowscore.views.people import name_known
from flowscore.views.settled import Settled, customer_stage

Row = dict[str, Any]
Found = Sequence[Any]  # rows of `id`, `email` and `won`
ADDRESS = contacts.c.email_folded


@dataclass(frozen=True)
class Asked:
    """What a door asks for, in its words."""

    grade: str | None = None
    cells: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    in_list: str | None = None
    owner: str | None = None
    score: str | None = None
    at_least: str | None = None
    everybody: bool = False

    @property
    def leads_only(self) -> bool:
        """Whoever names a stage or a list means everybody in it."""
        return not (self.everybody or self.stages or self.in_list)


def open_queue(connection: Connection, project: Project, asked: Asked) -> Queue:
    """The queue that is asked for; a name that is not there is told."""
    grade = _grade_of(project, asked.grade)
    active = project.scores[grade.engagement.score] if grade else _score_of(project, asked.score)
    compared = _score_of(project, asked.score) if asked.score else active
    if asked.in_list is not None:
        name_known(asked.in_list, project.lists, "list")
    filters = Filters(
        read_cells(asked.cells, grade),
        read_stages(asked.stages, project),
        asked.in_list,
        asked.owner,
        compared,
        read_points(asked.at_least, compared),
    )
    at = watermark(connection)
    settled = _settled(connection, project) if asked.leads_only else None
    return Queue(connection, project, NEVER if at is None else at, active, grade, filters, settled)


def _settled(connection: Connection, project: Project) -> Settled:
    return Settled(customer_stage(project.lifecycle), Book.of(project, connection.dialect.name))


def _grade_of(project: Project, name: str | None) -> Grade | None:
    """The one that is named, else the only one; a project without one has none."""
    if name is not None:
        return project.grades[name_known(name, project.grades, "grade")]
    if len(project.grades) > 1:
        raise FlowscoreError(f"which grade? --grade NAME: {', '.join(sorted(project.grades))}")
    return next(iter(project.grades.values()), None)


def _score_of(project: Project, name: str | None) -> Score:
    if name is not None:
        return project.scores[name_known(name, project.scores, "score")]
    if len(project.scores) > 1:
        raise FlowscoreError(f"which score? --score NAME: {', '.join(sorted(project.scores))}")
    for score in project.scores.values():
        return score
    raise FlowscoreError("nothing tells leads apart: no score is live; see `score:`, then apply")


@dataclass(frozen=True)
class Queue:
    """Leads in the order in which to call them, as of the watermark `at`.

    `score` is how active they are: the grade's engagement, or the score by which they stand.
    """

    connection: Connection
    project: Project
    at: int
    score: Score
    grade: Grade | None
    filters: Filters
    settled: Settled | None

    @cached_property
    def matrix(self) -> Row | None:
        """How many contacts stand in each cell, whatever the filters ask."""
        return matrix_of(self.connection, self.grade) if self.grade else None

    @property
    def legend(self) -> str:
        """What the letters and digits of the cells mean."""
        return legend(self.grade) if self.grade else ""

    @property
    def as_of(self) -> str | None:
        """The last tick."""
        return shown_at(self.at) if self.at > NEVER else None

    @property
    def ranked(self) -> list[str]:
        """The scores by which leads are ordered."""
        return ranked(self.score, self.grade)

    @property
    def head(self) -> Row:
        """What the rows are of."""
        return {
            "as_of": self.as_of,
            "ordered_by": self.ranked,
            "matrix": self.matrix,
            "left_out": self.left_out,
        }

    @cached_property
    def left_out(self) -> Row | None:
        """How many the filters ask for who are no leads any more; None where they are listed."""
        if self.settled is None:
            return None
        query = select(func.count()).select_from(contacts).where(*self._wanted, *self._listed)
        customers = query.where(self.settled.customers)
        if self.grade and not (self.filters.cells or self.filters.narrow):
            customers = self.settled.every_customer
        closed = query.where(self.settled.closed, not_(self.settled.customers))
        return {
            "stage": self.settled.stage,
            "in_stage": self.connection.scalar(customers) or 0,
            "closed": self.connection.scalar(closed) or 0,
        }

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that are asked for, in calling order."""
        every = in_calling_order(self.grade) if self.grade else ()
        return tuple(cell for cell in every if not self.filters.cells or cell in self.filters.cells)

    def rows(self, limit: int | None, offset: int = 0) -> Iterator[Row]:
        """The leads from `offset` on, at most so many, with what sales needs to know."""
        teller = Teller(self.connection, self.project, self.at, self.score, self.grade)
        found = self._graded(limit, offset) if self.grade else self._scored(limit, offset)
        for part in found:
            page = Page({row.id: row.email for row in part})
            yield from teller.leads(page, {row.id: int(row.won) for row in part})

    def _parts(self, query: Select[Any]) -> Iterator[Found]:
        result = self.connection.execute(query, execution_options={"yield_per": PAGE})
        yield from result.partitions(PAGE)

    # --- with a grade -------------------------------------------------------------------------

    def _graded(self, limit: int | None, offset: int) -> Iterator[Found]:
        """Only the cells that reach the page are looked at."""
        among, before = self._reached(limit, offset)
        if len(among) == 1 and limit is not None and self.score.of == "contact":
            moving = self.connection.execute(self._moving(among, limit, offset - before)).all()
            if len(moving) == limit:  # before anybody of the cell who won nothing
                yield moving
                return
        if among:
            yield from self._parts(self._standing(among, limit, offset - before))

    def _moving(self, among: Sequence[str], limit: int, offset: int) -> Select[Any]:
        """Those of a cell who won points of late: few, and the first of their cell."""
        here = select(cells.c.contact_id).where(self._stands_in(among))
        lately = won_lately(self.score, self.at, here).subquery()
        kept = and_(self._holding.mine, self._holding.table.c.score == self.score.name)
        balance = func.coalesce(self._holding.table.c.balance, 0)
        query = (
            select(contacts.c.id, contacts.c.email, lately.c.won)
            .select_from(lately)
            .join(contacts, contacts.c.id == lately.c.id)
            .outerjoin(self._holding.table, kept)
            .where(*self._passing(lately.c.id))
        )
        return _cut(query.order_by(lately.c.won.desc(), balance.desc(), ADDRESS), limit, offset)

    def _standing(self, among: Sequence[str], limit: int | None, offset: int) -> Select[Any]:
        lately = won_lately(self.score, self.at, self._standing_in(among)).subquery()
        kept = and_(self._holding.mine, self._holding.table.c.score == self.score.name)
        query = self._asked(among).outerjoin(lately, lately.c.id == self._holding.whose)
        won = func.coalesce(lately.c.won, 0)
        order = [
            case({cell: place for place, cell in enumerate(among)}, value=cells.c.cell),
            won.desc(),
            func.coalesce(self._holding.table.c.balance, 0).desc(),
            ADDRESS,
        ]
        query = (
            query.outerjoin(self._holding.table, kept)
            .add_columns(won.label("won"))
            .order_by(*order)
        )
        return _cut(query, limit, offset)

    def _reached(self, limit: int | None, offset: int) -> tuple[list[str], int]:
        """The cells that hold the page, and how many leads stand in the cells before it."""
        if limit is None and not offset:
            return list(self.cells), 0
        among: list[str] = []
        before = seen = 0
        for cell in self.cells:
            if limit is not None and seen >= offset + limit:
                break
            here = self._count(cell, None if limit is None else offset + limit - seen)
            if seen + here <= offset:
                before += here
            else:
                among.append(cell)
            seen += here
        return among, before

    def _count(self, cell: str, most: int | None) -> int:
        """How many leads the filters leave in a cell, counted as far as the page goes."""
        if self.matrix and not self.filters.narrow and self.settled is None:
            return int(self.matrix["counts"][cell])
        here = self._asked([cell]).with_only_columns(contacts.c.id).limit(most).subquery()
        return self.connection.scalar(select(func.count()).select_from(here)) or 0

    def _asked(self, among: Sequence[str]) -> Select[Any]:
        """The contacts of these cells whom the filters let pass."""
        return (
            select(contacts.c.id, contacts.c.email)
            .select_from(cells)
            .join(contacts, contacts.c.id == cells.c.contact_id)
            .where(self._stands_in(among), *self._passing(cells.c.contact_id))
        )

    def _standing_in(self, among: Sequence[str]) -> Select[Any] | None:
        """Whose points are added up; where every cell is asked for, everybody's."""
        every = self.grade is not None and len(among) == len(self.grade.cells)
        return None if every else select(cells.c.contact_id).where(self._stands_in(among))

    def _stands_in(self, among: Sequence[str]) -> ColumnElement[bool]:
        name = self.grade.name if self.grade else ""
        return and_(cells.c.grade == name, cells.c.cell.in_(among))

    # --- without one --------------------------------------------------------------------------

    def _scored(self, limit: int | None, offset: int) -> Iterator[Found]:
        yield from self._parts(self._by_score(limit, offset))

    def _by_score(self, limit: int | None, offset: int) -> Select[Any]:
        """Only balances that reach the page are looked at, from the highest down."""
        kept = self._holding.table
        query = (
            select(contacts.c.id, contacts.c.email)
            .select_from(kept)
            .join(contacts, self._holding.mine)
            .where(kept.c.score == self.score.name, *self._passing(contacts.c.id))
        )
        if limit is not None:
            query = query.where(kept.c.balance >= self._lowest(query, offset + limit))
        who = query.with_only_columns(contacts.c.id) if limit is not None else None
        lately = won_lately(self.score, self.at, who).subquery()
        query = query.outerjoin(lately, lately.c.id == self._holding.whose)
        won = func.coalesce(lately.c.won, 0)
        query = query.order_by(kept.c.balance.desc(), won.desc(), ADDRESS)
        return _cut(query.add_columns(won.label("won")), limit, offset)

    def _lowest(self, query: Select[Any], number: int) -> int:
        """The balance of so manieth a lead; below all where there are fewer."""
        balance = self._holding.table.c.balance
        ranked = query.with_only_columns(balance).order_by(balance.desc())
        found = self.connection.scalar(ranked.limit(1).offset(max(number, 1) - 1))
        return NEVER if found is None else int(found)

    # --- both ---------------------------------------------------------------------------------

    def _passing(self, who: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """Who is wanted, and still a lead."""
        return [*self._wanted, *(self.settled.leads(who) if self.settled else ())]

    @cached_property
    def _wanted(self) -> list[ColumnElement[bool]]:
        """Known contacts with an address (ruling 71), and what the filters ask."""
        exist = (ADDRESS.is_not(None), contacts.c.created_at <= self.at)
        return [*exist, *conditions_of(self.filters, self.project)]

    @property
    def _listed(self) -> Iterator[ColumnElement[bool]]:
        """Who has a place in the queue: in the cells that are asked for, or by a balance."""
        if self.grade is None:
            there = and_(self._holding.mine, self._holding.table.c.score == self.score.name)
            yield exists().where(there).correlate(contacts)
        elif self.filters.cells:
            yield contacts.c.id.in_(select(cells.c.contact_id).where(self._stands_in(self.cells)))

    @property
    def _holding(self) -> Holding:
        """Whose points they are: the contact's own, or their company's (ruling 96)."""
        return holding(of_company=self.score.of == "company")


def _cut(query: Select[Any], limit: int | None, offset: int) -> Select[Any]:
    return query.limit(limit).offset(offset or None)
