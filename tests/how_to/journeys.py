"""The how-to pages that are whole projects: their files are written, their commands are run.

Such a page says so in its first lines. `<!-- PATH -->` stands before the text of a file, and a
console block shows what its commands print: `python -m how_to.journeys`, in tests/, prints it anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from docs.consoles import commands_in, is_as_shown
from docs.pages import RUN_AS_A_WHOLE
from flowscore.cli import main

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
FILE = re.compile(r"^<!-- (\S+) -->\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A line that a reader types, what the page shows of its output, and what it printed."""

    line: str
    shown: str
    printed: str

    @property
    def is_as_shown(self) -> bool:
        """Whether that is what it printed."""
        return is_as_shown(self.shown, self.printed)


def journeys() -> list[Path]:
    """The pages that are run as a whole."""
    return [
        page for page in sorted(PAGES.glob("*.md")) if RUN_AS_A_WHOLE in page.read_text("utf-8")
    ]


def run_page(text: str, folder: Path) -> list[Command]:
    """Do what the page says, from its first line to its last, in an empty folder."""
    blocks = [*FILE.finditer(text), *CONSOLE.finditer(text)]
    done: list[Command] = []
    with contextlib.chdir(folder):
        for found in sorted(blocks, key=lambda one: one.start()):
            if found.re is FILE:
                path = folder / found[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(found[2], encoding="utf-8")
            else:
                for line, shown in commands_in(found[1]):
                    printed = typed(line).replace(str(folder), "~/acme")
                    done.append(Command(line, shown, printed))
    return done


def typed(line: str) -> str:
    """What a command prints, on both channels."""
    program, *words = shlex.split(line, comments=True)
    assert program == "flowscore", line
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        main(words)
    return "".join(f"{one.rstrip()}\n" for one in told.getvalue().splitlines())


def renewed(text: str) -> str:
    """The page with the output of each command as it is; blocks that leave lines out stay."""
    with tempfile.TemporaryDirectory() as folder:
        done = iter(run_page(text, Path(folder)))

    def anew(found: re.Match[str]) -> str:
        commands = [next(done) for _ in commands_in(found[1])]
        shown = (one.shown if one.is_as_shown else one.printed for one in commands)
        lines = zip((one.line for one in commands), shown, strict=True)
        return "```console\n" + "".join(f"$ {line}\n{out}" for line, out in lines) + "```"

    return CONSOLE.sub(anew, text)


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    for name in sys.argv[1:] or [page.stem for page in journeys()]:
        page = PAGES / f"{name}.md"
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
