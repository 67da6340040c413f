"""Which leads are wanted: of some cells, stages, a list, an owner, from so many points on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select

from flowscore.errors import FlowscoreError
from flowscore.language.scoring import Score
from flowscore.store.tables import (
    SHOWN,
    attributes,
    contacts,
    members,
    stages,
)
from flowscore.store.whereabouts import holding
from flowscore.views.people import name_known

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.language.scoring import Grade

GREEN = "green"
NOBODY = "none"


@dataclass(frozen=True)
class Filters:
    """What was asked for; nothing named lets everybody pass."""

    cells: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    in_list: str | None = None
    owner: str | None = None
    score: Score | None = None
    at_least: float | None = None

    @property
    def narrow(self) -> bool:
        """Whether they ask for more than cells."""
        return bool(self.stages or self.in_list or self.owner) or self.at_least is not None


def read_cells(asked: tuple[str, ...], grade: Grade | None) -> tuple[str, ...]:
    """The cells by name, in any case; `green` is all that are marked."""
    if asked and grade is None:
        raise FlowscoreError("--cell needs a grade, and this project has none; see `grade:`")
    found: list[str] = []
    for name in asked:
        assert grade is not None
        if name.casefold() == GREEN:
            found += _green(grade)
        else:
            folded = {cell.casefold(): cell for cell in grade.cells}
            found.append(folded.get(name.casefold()) or name_known(name, grade.cells, "cell"))
    return tuple(found)


def _green(grade: Grade) -> tuple[str, ...]:
    if not grade.green:
        raise FlowscoreError(f"grade {grade.name} marks no cells: add `green: [{grade.cells[0]}]`")
    return grade.green


def read_stages(asked: tuple[str, ...], project: Project) -> tuple[str, ...]:
    """The stages by name."""
    if asked and project.lifecycle is None:
        raise FlowscoreError("--stage needs stages, and this project has none; see `lifecycle:`")
    known = project.lifecycle.names if project.lifecycle else ()
    return tuple(name_known(name, known, "stage") for name in asked)


def read_points(text: str | None, score: Score) -> float | None:
    """A number, or the name of a band for its number."""
    if text is None:
        return None
    bands = dict(score.bands)
    if text in bands:
        return bands[text]
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip(), re.ASCII):
        return float(text)
    known = f" or a band of {score.name} ({', '.join(bands)})" if bands else ""
    raise FlowscoreError(f"--at-least: found {text!r}, expected a number{known}")


# --- as SQL -----------------------------------------------------------------------------------


def conditions_of(filters: Filters, project: Project) -> Iterator[ColumnElement[bool]]:
    """A predicate over `contacts` for each; sets that an index gives, so that few are walked."""
    person = contacts.c.id
    if filters.stages:
        yield _in_stages(filters.stages, project)
    if filters.in_list is not None:
        now = and_(members.c.list == filters.in_list, members.c.left_at.is_(None))
        yield person.in_(select(members.c.contact_id).where(now))
    if filters.owner is not None:
        yield _owned_by(filters.owner)
    if filters.score is not None and filters.at_least is not None:
        yield _has_points(filters.score, filters.at_least)


def _in_stages(asked: tuple[str, ...], project: Project) -> ColumnElement[bool]:
    """Who has no stay is in the first stage (ruling 28)."""
    here = select(stages.c.contact_id).where(stages.c.left_at.is_(None))
    named = contacts.c.id.in_(here.where(stages.c.stage.in_(asked)))
    if project.lifecycle and project.lifecycle.names[0] in asked:
        return or_(named, contacts.c.id.not_in(here))
    return named


def _owned_by(owner: str) -> ColumnElement[bool]:
    """Compared as text is, without regard to case; `none`: nobody's."""
    owned = select(attributes.c.contact_id).where(attributes.c.name == "owner")
    if owner.casefold() == NOBODY:
        return contacts.c.id.not_in(owned.where(attributes.c.element >= 0))
    return contacts.c.id.in_(owned.where(attributes.c.text == owner.casefold()))


def _has_points(score: Score, least: float) -> ColumnElement[bool]:
    """Who has no line stands at 0 (ruling 67)."""
    number = round(least * SHOWN)
    table, owner, whose = holding(of_company=score.of == "company")
    there: Select[Any] = select(owner).where(table.c.score == score.name)
    if number > 0:
        return whose.in_(there.where(table.c.balance >= number))
    below = whose.in_(there.where(table.c.balance < number))
    return or_(not_(below), whose.is_(None))
