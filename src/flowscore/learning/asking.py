"""What a door asks of `learn`: which outcome, which leads, what may be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ENOUGH = 30
"""Customers below which nothing is proposed: fewer say more about chance than about leads."""


@dataclass(frozen=True)
class Question:
    """Everything that `flowscore learn` was told; instants are microseconds, empty means all.

    `because` is the justification of rules over sensitive attributes (ruling 105); `used` and
    `left_out` are columns or attributes that are taken, or not taken, whatever they look like.
    """

    file: Path | None = None
    outcome: str | None = None
    positive: str | None = None
    first: int | None = None
    last: int | None = None
    enough: int = ENOUGH
    score: str | None = None
    sensitive: bool = False
    because: str = ""
    used: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    compare: bool = False
    write: bool = False
    encoding: str = "utf-8"
