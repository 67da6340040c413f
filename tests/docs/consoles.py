"""Console blocks of the pages: the commands a reader types, and what is shown of their output."""

from __future__ import annotations

import re
from collections.abc import Iterator

LEFT_OUT = "…"


def commands_in(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the lines that the page shows of its output."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows; `…` stands for lines that are left out."""
    lines = (line.rstrip() for line in shown.rstrip("\n").split("\n"))
    pattern = "".join(
        r"(?:.*\n)*" if line == LEFT_OUT else re.escape(line) + r" *\n" for line in lines if shown
    )
    return re.fullmatch(pattern, printed) is not None
