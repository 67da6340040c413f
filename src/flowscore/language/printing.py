"""Problems as a person reads them (the line, a caret, what to do) and as a program does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from flowscore.errors import Problem

if TYPE_CHECKING:
    from flowscore.language.project import Project

LONGEST = 100  # columns of a source line that are shown


def problem_text(problem: Problem, source_line: str = "") -> str:
    """`file:line:column: error: path: what; what to do`, with the line and a caret below it."""
    severity = "" if problem.severity == "error" else f"{problem.severity}: "
    path = f"{problem.path}: " if problem.path else ""
    said = f"{problem.mark}: {severity}{path}{problem.message}"
    if problem.hint:
        said += f"; {problem.hint}"
    return "\n".join([said, *_excerpt(source_line.rstrip(), problem.mark.column)])


def problems_json(problems: Iterable[Problem]) -> list[dict[str, str | int]]:
    """One flat record for each problem; line and column 0 where only the file is known."""
    return [
        {
            "severity": one.severity,
            "file": one.mark.file,
            "line": one.mark.line,
            "column": one.mark.column,
            "path": one.path,
            "message": one.message,
            "hint": one.hint,
        }
        for one in problems
    ]


def summary(problems: Iterable[Problem]) -> str:
    """`2 errors, 1 warning`, or `no problems`."""
    severities = [one.severity for one in problems]
    counts = [(severities.count("error"), "error"), (severities.count("warning"), "warning")]
    said = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count]
    return ", ".join(said) or "no problems"


def contents_text(project: Project) -> str:
    """`3 scenarios, 1 score, …`: how many of each kind a project holds."""
    parts = {
        "scenario": len(project.scenarios),
        "score": len(project.scores),
        **({"grade": len(project.grades)} if project.grades else {}),
        **({"lifecycle": 1} if project.lifecycle else {}),
        "list": len(project.lists),
        "template": len(project.templates),
    }
    return ", ".join(f"{n} {word}" if n == 1 else f"{n} {word}s" for word, n in parts.items())


def _excerpt(line: str, column: int) -> list[str]:
    if not line.strip() or column < 1 or column > len(line) + 1:
        return []
    start = max(0, column - 1 - LONGEST // 2) if len(line) > LONGEST else 0
    shown = line[start : start + LONGEST].replace("\t", " ")
    return [f"    {shown}", "    " + " " * _width(shown[: column - 1 - start]) + "^"]


def _width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )
