"""What can be wrong, as values: a place in a file, a problem found there, and the one exception."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]
_OURS = str(Path(__file__).parent)


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


def fault(error: BaseException) -> str:
    """Kind and place of a fault of ours, `KeyError at rounds.py:80`.

    Without its words, which may hold an address: this is for logs.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _OURS in frame.filename]
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"
