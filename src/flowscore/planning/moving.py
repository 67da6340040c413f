"""What moved or would move, as one document: balances, cells, stages, members, what it sets off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from flowscore.engine.moves import Moves, is_move
from flowscore.engine.thresholds import thresholds
from flowscore.language import triggers
from flowscore.language.project import Project
from flowscore.planning.phrases import phrase
from flowscore.store.tables import SHOWN, contacts

if TYPE_CHECKING:
    from flowscore.engine.moves import Farthest, ScoreMoves
    from flowscore.language.scoring import Grade

Row = dict[str, Any]


@dataclass(frozen=True)
class Moved:
    """What moved of the contacts of a project, and under which addresses they are known."""

    moves: Moves
    project: Project
    addresses: dict[int, str]
    refilled: frozenset[str] = frozenset()
    """The lists that are filled anew, which nothing notices; `replaced`: so are stages."""
    replaced: bool = False

    def as_row(self) -> Row:
        """For programs, and for whoever puts it into words."""
        project, moves = self.project, self.moves
        named = thresholds(project)
        row: Row = {
            "contacts": moves.contacts,
            "scores": {
                name: self._score_row(name, one, named.get(name, ()))
                for name, one in moves.scores.items()
            },
            "grades": {
                name: found
                for name, grade in project.grades.items()
                if (found := _grade_row(grade, moves.cells.get(name, {})))["contacts"]
            },
            "stages": _ways(moves.stages),
            "lists": {
                name: _list_row(vars(one))
                for name, one in moves.lists.items()
                if (one.joined or one.left) and name in project.lists
            },
        }
        if project.lifecycle is not None:
            row["lifecycle"] = project.lifecycle.name
        return row | {"would_fire": list(self._occurrences())}

    def _score_row(self, name: str, one: ScoreMoves, numbers: tuple[float, ...]) -> Row:
        bands = {number: band for band, number in self.project.scores[name].bands}
        changed = one.more + one.less
        return {
            "contacts": changed,
            "more": one.more,
            "less": one.less,
            "mean": round(one.change / SHOWN / changed, 4),
            "most": self._farthest(one.most),
            "least": self._farthest(one.least),
            "thresholds": [
                {
                    "number": number,
                    "band": bands.get(number),
                    "passed": one.passed.get(f"{number:g}", 0),
                    "fell": one.fell.get(f"{number:g}", 0),
                }
                for number in numbers
            ],
        }

    def _farthest(self, found: Farthest | None) -> Row | None:
        if found is None:
            return None
        return {"email": self.addresses.get(found[1]), "points": found[0] / SHOWN}

    def _occurrences(self) -> Iterator[Row]:
        """What the next tick would notice, if it were told to: the state triggers it sets off."""
        for scenario in self.project.scenarios.values():
            for trigger in scenario.trigger if scenario.enabled else ():
                if number := occurring(trigger, self):
                    what = {"scenario": scenario.name, "trigger": phrase(trigger)}
                    yield {**what, "occurrences": number}
        for score in self.project.scores.values():
            for rule in score.rules:
                for trigger in rule.on:
                    if number := occurring(trigger, self):
                        what = {"rule": f"{score.name}/{rule.name}", "trigger": phrase(trigger)}
                        yield {**what, "occurrences": number}


def moved(
    connection: Connection,
    moves: Moves,
    project: Project,
    refilled: Collection[str] = (),
    *,
    replaced: bool = False,
) -> Moved:
    """With the addresses of those who gained and lost most."""
    found = [far for one in moves.scores.values() for far in (one.most, one.least) if far]
    query = select(contacts.c.id, contacts.c.email).where(
        contacts.c.id.in_({contact_id for _, contact_id in found})
    )
    addresses = {row.id: row.email for row in connection.execute(query)}
    return Moved(moves, project, addresses, frozenset(refilled), replaced)


def _ways(ways: dict[str, int]) -> list[Row]:
    """Those that lead elsewhere, the most travelled first."""
    found = sorted((-number, way) for way, number in ways.items() if is_move(way) and number)
    return [
        {"from": way.partition(">")[0], "to": way.partition(">")[2], "contacts": -number}
        for number, way in found
    ]


def _grade_row(grade: Grade, ways: dict[str, int]) -> Row:
    before, after = dict.fromkeys(grade.cells, 0), dict.fromkeys(grade.cells, 0)
    for way, number in ways.items():
        origin, _, target = way.partition(">")
        for counts, cell in ((before, origin), (after, target)):
            if cell in counts:
                counts[cell] += number
    moves = _ways(ways)
    return {
        "contacts": sum(one["contacts"] for one in moves),
        "fit": [label for label, _ in grade.fit.labels],
        "engagement": [label for label, _ in grade.engagement.labels],
        "before": before,
        "after": after,
        "moves": moves,
    }


def _list_row(counts: dict[str, int]) -> Row:
    return {**counts, "after": counts["before"] + counts["joined"] - counts["left"]}


# ---------------------------------------------------------------- what it would set off


@singledispatch
def occurring(trigger: triggers.Trigger, moved: Moved) -> int:
    """How often a trigger occurs by what moved; events do not come from judging anew."""
    return 0


@occurring.register
def _(trigger: triggers.ScoreCrosses, moved: Moved) -> int:
    one = moved.moves.scores.get(trigger.score)
    if one is None:
        return 0
    counts = one.passing if trigger.direction == "reaches" else one.sinking
    return counts.get(f"{trigger.threshold:g}", 0)


@occurring.register
def _(trigger: triggers.GradeEnters, moved: Moved) -> int:
    ways = moved.moves.cells.get(trigger.grade, {})
    return _entering(ways, trigger.cells)


@occurring.register
def _(trigger: triggers.StageEnters, moved: Moved) -> int:
    ways = {} if moved.replaced else moved.moves.stages
    return sum(
        number
        for way, number in ways.items()
        if is_move(way) and way.partition(">")[2] in trigger.stages
    )


@occurring.register
def _(trigger: triggers.ListJoined, moved: Moved) -> int:
    return _of_lists(trigger.lists, "joined", moved)


@occurring.register
def _(trigger: triggers.ListLeft, moved: Moved) -> int:
    return _of_lists(trigger.lists, "left", moved)


def _of_lists(names: tuple[str, ...], word: str, moved: Moved) -> int:
    lists = moved.moves.lists
    return sum(
        getattr(lists[name], word) for name in names if name in lists and name not in moved.refilled
    )


def _entering(ways: dict[str, int], cells: tuple[str, ...]) -> int:
    """Who was in none of these cells and is in one."""
    found = 0
    for way, number in ways.items():
        origin, _, target = way.partition(">")
        found += number if target in cells and origin not in cells else 0
    return found
