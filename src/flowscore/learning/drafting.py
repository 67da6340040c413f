"""Turns proposals into text: a difference to read, a folder that is written, or a new score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.errors import FlowscoreError
from flowscore.learning.proposals import LEARNED
from flowscore.learning.yaml_edits import edits, new_score, readable, write

if TYPE_CHECKING:
    from flowscore.learning.asking import Question
    from flowscore.learning.lessons import Lessons


def draft(lessons: Lessons, root: Path | None, question: Question) -> Lessons:
    """Add the difference (or, without a project, a score to begin with), and write if asked."""
    changes = [one for one in lessons.proposals if one.now != one.points]
    if root is None:
        if question.write:
            raise FlowscoreError(
                "--write: there is no folder `scenarios` here to write to; name a project with "
                "--project, or make one: flowscore init DIR"
            )
        lessons.yaml = new_score(LEARNED, changes, question.because) if changes else ""
        return lessons
    wanted = edits(root, changes, question.because)
    lessons.diff = readable(wanted)
    if question.write and wanted:
        _demand_because(lessons, question)
        write(root, wanted)
        lessons.written = [one.file for one in wanted]
    return lessons


def _demand_because(lessons: Lessons, question: Question) -> None:
    named = [one.name for one in lessons.proposals if one.because]
    if named and not question.because.strip():
        raise FlowscoreError(
            f"the rule '{named[0]}' reads a sensitive attribute and needs a justification: say "
            "why it is fair and needed with --because TEXT, or leave out --include-sensitive; "
            "nothing was written"
        )
