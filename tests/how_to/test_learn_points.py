"""docs/how-to/learn-points-from-results.md: its commands print what it says, in its own project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.consoles import commands_in, is_as_shown

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "learn-points-from-results.md"
PROJECT = PAGE.parent / "learn"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COPIED = re.compile(r"^<!-- (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SOMEBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.com"))
}


def test_page_shows_the_model_as_it_is() -> None:
    shown = dict(COPIED.findall(PAGE.read_text(encoding="utf-8")))
    assert list(shown) == ["scenarios/model.yaml"]
    assert shown["scenarios/model.yaml"] == (PROJECT / "scenarios" / "model.yaml").read_text()


@pytest.mark.slow
def test_page_prints_what_its_commands_print(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    shutil.copytree(PROJECT, folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    here = {**os.environ, **SOMEBODY, "PATH": path}
    for block in CONSOLE.findall(PAGE.read_text(encoding="utf-8")):
        for command, shown in commands_in(block):
            told = subprocess.run(
                ["bash", "-c", command],
                cwd=folder, env=here, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert told.returncode == 0, f"{command}\n{told.stdout}{told.stderr}"
            assert is_as_shown(shown, told.stdout), f"$ {command}\n{told.stdout}"
