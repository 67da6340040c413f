"""One lesson: from a file or from the store, then drafted as text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.language.project import Project
from flowscore.learning.drafting import draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.learning.asking import Question
    from flowscore.learning.lessons import Lessons

Reading = Callable[[], AbstractContextManager[tuple["Connection", Project]]]


def learn(question: Question, root: Path, project: Project | None, reading: Reading) -> Lessons:
    """What results propose; `project` is the folder's, None where there is none."""
    folder = None if project is None else root
    known = project or Project()
    if question.file is not None:
        from flowscore.learning.from_file import learn_from_file

        return draft(learn_from_file(question.file, question, known), folder, question)
    from flowscore.learning.from_store import learn_from_store

    with reading() as (connection, live):
        lessons = learn_from_store(connection, live, known, question)
    return draft(lessons, folder, question)
