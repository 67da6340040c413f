"""What an apply would change, in words and with counts, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flowscore.engine.refusals import refusals
from flowscore.engine.registry import definitions_of
from flowscore.errors import Problem
from flowscore.language.project import digest
from flowscore.planning.consequences import Consequence, consequences
from flowscore.planning.differences import arrow, differences
from flowscore.planning.doubting import unseen
from flowscore.planning.foresight import as_moved
from flowscore.planning.summaries import summary

if TYPE_CHECKING:
    from flowscore.errors import Mark
    from flowscore.language.project import Project
    from flowscore.planning.standing import Standing

Row = dict[str, Any]
What = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class Change:
    """What becomes of one definition; `version` is its number once it is applied."""

    kind: str
    name: str
    change: What
    where: str | None = None
    version: int | None = None
    differences: tuple[str, ...] = ()
    consequences: tuple[Consequence, ...] = ()

    def as_row(self) -> Row:
        """For programs."""
        return {**vars(self), "consequences": [vars(one) for one in self.consequences]}


@dataclass(frozen=True)
class Plan:
    """Every change, and what apply would refuse; nothing was changed to learn it.

    `moves` is what changed scores, grades or stages would move, tried on so many of so many
    contacts (`judged`, `of`); `unforeseen` says why it is not known.
    """

    store: bool
    changes: tuple[Change, ...]
    unchanged: int
    refused: tuple[str, ...] = ()
    doubts: tuple[Problem, ...] = ()
    moves: Row | None = None
    unforeseen: str = ""

    def as_row(self) -> Row:
        """For programs."""
        changes = [one.as_row() for one in self.changes]
        return {
            "store": self.store,
            "changes": changes,
            "unchanged": self.unchanged,
            "refused": list(self.refused),
            "moves": self.moves,
            "unforeseen": self.unforeseen or None,
        }


def first_plan(new: Project) -> Plan:
    """Where nothing has been applied yet: everything is added."""
    added = (_added(new, kind, name, one, 1) for kind, name, one in definitions_of(new))
    return Plan(store=False, changes=_in_order(added), unchanged=0)


def make_plan(standing: Standing) -> Plan:
    """Hold the folder against what is live in one moment of the store."""
    changes = _in_order(_changes(standing))
    total = sum(1 for _ in definitions_of(standing.new))
    return Plan(
        store=True,
        changes=(*changes, *_templates(standing)),
        unchanged=total - sum(one.change != "removed" for one in changes),
        refused=tuple(refusals(standing.connection, standing.applied, standing.new)),
        doubts=tuple(unseen(standing.new, standing.seen_events)),
        moves=_moves(standing),
        unforeseen=standing.unforeseen,
    )


def _moves(standing: Standing) -> Row | None:
    found = standing.foresight
    if found is None:
        return None
    return {"judged": found.judged, "of": found.of, **as_moved(standing, found).as_row()}


def _changes(standing: Standing) -> Iterator[Change]:
    """As apply decides it: by the digest of what a definition means."""
    new, live = standing.new, dict(standing.live)
    for kind, name, definition in definitions_of(new):
        row = live.pop((kind, name), None)
        version = standing.newest.get((kind, name), 0) + 1
        if row is None:
            change = _added(new, kind, name, definition, version)
            yield _with_consequences(change, standing)
        elif row.digest != digest(definition):
            yield _with_consequences(_changed(row, definition, version, standing), standing)
    for kind, name in live:
        yield _with_consequences(Change(kind, name, "removed"), standing)


def _with_consequences(change: Change, standing: Standing) -> Change:
    found = tuple(consequences(change.kind, change.name, change.change, standing))
    return Change(**{**vars(change), "consequences": found})


def _added(new: Project, kind: str, name: str, definition: Any, version: int) -> Change:
    said = tuple(summary(definition))
    return Change(kind, name, "added", _place(definition.mark), version, said)


def _changed(row: Any, definition: Any, version: int, standing: Standing) -> Change:
    old = standing.old_definition(row.kind, row.name)
    said = tuple(differences(old, definition)) or ("written in another way",)
    return Change(row.kind, row.name, "changed", _place(definition.mark), version, said)


def _place(mark: Mark) -> str:
    return f"{mark.file}:{mark.line}"


def _templates(standing: Standing) -> Iterator[Change]:
    """Mail templates have no versions: what is sent is always the newest text."""
    old, new = standing.applied.project.templates, standing.new.templates
    for name in sorted({*old, *new}):
        if name not in old:
            yield Change("template", name, "added", new[name].file)
        elif name not in new:
            yield Change("template", name, "removed", old[name].file)
        elif old[name].topic != new[name].topic:
            said = f"topic {arrow(old[name].topic or 'none', new[name].topic or 'none')}"
            yield Change("template", name, "changed", new[name].file, None, (said,))


KINDS = ("policy", "score", "grade", "lifecycle", "list", "scenario")


def _in_order(changes: Iterator[Change]) -> tuple[Change, ...]:
    """The policy first, scenarios last, each kind by name."""
    return tuple(sorted(changes, key=lambda one: (KINDS.index(one.kind), one.name)))


def sums(plan: Plan) -> Mapping[str, int]:
    """How many are added, changed and removed."""
    words: tuple[What, ...] = ("added", "changed", "removed")
    return {word: sum(one.change == word for one in plan.changes) for word in words}
