"""Rules over the whole project: each is a small function, and all stand in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscore.errors import Problem
from flowscore.language.folder import TextFile
from flowscore.language.fronts import Front
from flowscore.language.grammar.names import Names

if TYPE_CHECKING:
    from flowscore.language.project import Project


@dataclass(frozen=True, slots=True)
class Draft:
    """What has been read, before it is called a project."""

    project: Project
    names: Names
    fronts: tuple[Front, ...]
    files: tuple[TextFile, ...]


Check = Callable[[Draft], Iterator[Problem]]
CHECKS: tuple[Check, ...] = ()


def check_project(draft: Draft) -> list[Problem]:
    """Everything that is wrong or doubtful about the project as a whole."""
    return [problem for check in CHECKS for problem in check(draft)]
