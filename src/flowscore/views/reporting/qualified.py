"""Whom the model calls qualified: a stage of the lifecycle, else the green cells of the grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, or_, select

from flowscore.errors import FlowscoreError
from flowscore.store.tables import cells, contacts
from flowscore.views.people import name_known
from flowscore.views.reporting.inquiry import HAS_ADDRESS, Inquiry, Period
from flowscore.views.reporting.ladder import reached

if TYPE_CHECKING:
    from flowscore.language.lifecycle import Lifecycle
    from flowscore.language.project import Project

USUAL = ("sql", "mql")


@dataclass(frozen=True, slots=True)
class Qualified:
    """What it is called, in words, and who is: `contact_id`, and since when (`at`)."""

    name: str
    words: str
    stage: str | None
    who: Select[Any] | None

    @property
    def people(self) -> Select[Any]:
        """The same; nobody where nothing says who is."""
        if self.who is not None:
            return self.who
        nobody = select(contacts.c.id.label("contact_id"), contacts.c.created_at.label("at"))
        return nobody.where(contacts.c.id.is_(None))


def find_qualified(inquiry: Inquiry) -> Qualified:
    """As `--qualified` says, else as the project does."""
    project, wanted = inquiry.project, inquiry.wishes.qualified
    all_time = Period(None, inquiry.period.until)
    if project.lifecycle is not None:
        names = project.lifecycle.names
        stage = usual_stage(project.lifecycle) if wanted is None else wanted
        name_known(stage, names, "stage")
        last = "" if stage == names[-1] else " or beyond"
        who = reached(project.lifecycle, stage, all_time)
        return Qualified(stage, f"reached stage {stage}{last}", stage, who)
    if wanted is not None:
        raise FlowscoreError(
            f"--qualified {wanted}: the live project has no lifecycle, so it has no stages"
        )
    return _by_cells(project, all_time)


def usual_stage(lifecycle: Lifecycle) -> str:
    """`sql`, else `mql`, else the last before the end that a condition opens, else the end."""
    for name in USUAL:
        if name in lifecycle.names:
            return name
    opened = [stage.name for stage in lifecycle.stages[1:-1] if stage.when is not None]
    return opened[-1] if opened else lifecycle.names[-1]


def _by_cells(project: Project, period: Period) -> Qualified:
    green = [
        and_(cells.c.grade == name, cells.c.cell.in_(grade.green))
        for name, grade in project.grades.items()
        if grade.green
    ]
    if not green:
        return Qualified("", "", None, None)
    named = "; ".join(
        f"{name} {' '.join(grade.green)}" for name, grade in project.grades.items() if grade.green
    )
    who = (
        select(cells.c.contact_id, func.min(cells.c.since).label("at"))
        .join(contacts, contacts.c.id == cells.c.contact_id)
        .where(HAS_ADDRESS, or_(*green), period.holds(cells.c.since))
        .group_by(cells.c.contact_id)
    )
    return Qualified("green", f"stand in a green cell ({named})", None, who)


NOBODY_SAYS = (
    "nothing in the project says who is qualified: a lifecycle does (stages), or green cells "
    "of a grade"
)
