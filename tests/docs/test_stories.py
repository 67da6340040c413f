"""What the pages say becomes of their examples is what becomes of them: imported, ticked, read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.pages import DOCS, HEADING, Example, examples, project_files
from docs.stories import Row, Story, stories_in
from flowscore.clock import rfc3339

if TYPE_CHECKING:
    from docs.effects import Effect


def told_stories() -> Iterator[tuple[Example, tuple[Row, ...]]]:
    """Each table of a history with the example that it is about: the last one before it."""
    blocks = [one for one in examples() if one.kind == ""]
    for page in dict.fromkeys(one.page for one in blocks):
        text = (DOCS / page).read_text(encoding="utf-8")
        for start, rows in stories_in(text):
            line = text.count("\n", 0, start)
            yield [one for one in blocks if one.page == page and one.line < line][-1], rows


STORIES = [
    pytest.param(example, rows, id=f"{example}-{number}")
    for number, (example, rows) in enumerate(told_stories())
]


def readable(effects: list[Effect]) -> list[str]:
    """One line each, in the order of time."""
    return [f"{rfc3339(at)}  {sentence}" for at, sentence in effects]


@pytest.mark.parametrize(("example", "rows"), STORIES)
def test_story_comes_true(
    example: Example,
    rows: tuple[Row, ...],
    write_project: Callable[[dict[str, str]], Path],
    migrated_sqlite: Path,
) -> None:
    folder = write_project(project_files(example))
    shutil.copytree(migrated_sqlite, folder, dirs_exist_ok=True)
    scores = tuple(name for kind, name in HEADING.findall(example.text) if kind == "score")
    told, done = Story(folder, rows, scores).run()
    assert told, "a story tells at least one thing that happens"
    assert readable(done) == readable(told), f"docs/{example}"
