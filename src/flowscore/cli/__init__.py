"""The doors for people: thin commands that read arguments, call one verb and print its report."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 ok, 1 your input, 3 our bug, 130 interrupted."""
    from flowscore.cli.app import app
    from flowscore.cli.endings import ending_of

    given = list(sys.argv[1:] if arguments is None else arguments)
    return ending_of(lambda: app(given, prog_name="flowscore"), given)
