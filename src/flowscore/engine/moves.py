"""What moved, as numbers that add up: balances, cells, stages and members of so many contacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Farthest = tuple[int, int]  # (by how many 10⁻⁴ points, the contact's id)


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
