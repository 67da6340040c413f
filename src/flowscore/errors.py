"""What can be wrong, as values: a place in a file, a problem found there, and the one exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1, 0 when only the file is known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where, what was found, what was expected, what to do.

    `path` is the way walked inside the document (`actions/2/then/0`), `hint` what to do
    («did you mean 'wait'?»); a warning does not block.
    """

    mark: Mark
    message: str
    path: str = ""
    hint: str = ""
    severity: Severity = "error"


class FlowscoreError(Exception):
    """Input or surroundings that a person can mend; its text says how. Exit code 1."""


class UncleanError(FlowscoreError):
    """The folder has mistakes; nothing of it goes live."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("the folder has mistakes; `flowscore validate` lists them")
        self.problems = problems
