"""docs/how-to/change-a-running-scenario.md: each file written, each command run and compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.consoles import commands_in, is_as_shown

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "change-a-running-scenario.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TO_WRITE = re.compile(r"Write `([\w./-]+)`")
CLOCK = re.compile(r"(applied|until) 20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?(?=,| \(|$)", re.MULTILINE)
"""When something was applied is told by the clock: it is another time in every run."""


def printed_by(command: str, folder: Path) -> str:
    """What a command prints; `flowscore` is the one under test."""
    words = f'flowscore() {{ "{sys.executable}" -m flowscore "$@"; }}; {command}'
    environment = {**os.environ, "PYTHONUTF8": "1"}
    told = subprocess.run(
        ["bash", "-c", words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return "".join(f"{line.rstrip()}\n" for line in told.stdout.splitlines())


@pytest.mark.slow
def test_everything_on_the_page_happens_as_it_says(tmp_path: Path) -> None:
    page, said = PAGE.read_text(encoding="utf-8"), 0
    for found in BLOCK.finditer(page):
        kind, text = found.groups()
        if kind == "console":
            for command, shown in commands_in(text):
                printed = CLOCK.sub(r"\1 then", printed_by(command, tmp_path))
                wanted = CLOCK.sub(r"\1 then", shown)
                assert is_as_shown(wanted, printed), f"$ {command}\n{printed}"
        elif names := TO_WRITE.findall(page[said : found.start()]):
            file = tmp_path / names[-1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        said = found.end()
