"""Every how-to page that is a whole project does what it says, command by command."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pages import DOCS
from flowscore.language.project import load_project
from how_to.journeys import PAGES, journeys, run_page


@pytest.mark.parametrize("page", journeys(), ids=lambda page: page.stem)
def test_page_prints_what_its_commands_print(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    done = run_page(page.read_text(encoding="utf-8"), tmp_path)
    assert done
    for command in done:
        assert command.is_as_shown, f"$ {command.line}\n{command.printed}"
    problems = load_project(tmp_path)[1]
    assert not [str(problem) for problem in problems], "a pattern to copy has no doubts"


def test_every_how_to_stands_in_the_index() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    lost = [page.name for page in PAGES.glob("*.md") if f"({page.name})" not in index]
    assert lost == ["README.md"]
    assert "how-to/README.md" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
