"""The tutorial, done from its first line to its last: each file written, each command run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.consoles import LEFT_OUT, commands_in

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TO_WRITE = re.compile(r"Write `([\w./-]+)`")


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text, encoding="utf-8")

    def run(self, command: str) -> list[str]:
        program, *words = shlex.split(command)
        if program == "cd":
            self.folder = self.folder / words[0]
            return []
        assert program == "flowscore", command
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-m", "flowscore", *words],
            check=False, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8",
        )  # fmt: skip
        return [line.rstrip() for line in done.stdout.splitlines()]


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block with the lines that the page shows of its output."""
    for command, shown in commands_in(block):
        lines = (line.rstrip() for line in shown.splitlines())
        yield command, [line for line in lines if line and line != LEFT_OUT]


@pytest.mark.slow
def test_everything_on_the_page_happens_as_it_says(tmp_path):
    reader, said = Reader(tmp_path), 0
    for found in BLOCK.finditer(PAGE):
        kind, text = found.groups()
        if kind == "console":
            for command, shown in commands(text):
                printed = iter(reader.run(command))
                for line in shown:
                    assert line in printed, f"{command}: {line!r} is not printed (there)"
        elif names := TO_WRITE.findall(PAGE[said : found.start()]):
            reader.write(names[-1], text)
        said = found.end()
