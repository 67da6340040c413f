"""The doors for people: thin commands that read arguments, call one verb and print its report."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 ok, 1 your input, 3 our bug, 130 interrupted."""
    from flowscore.cli.app import app_for
    from flowscore.cli.endings import ending_of

    given = project_first(sys.argv[1:] if arguments is None else arguments)
    return ending_of(lambda: app_for(given)(given, prog_name="flowscore"), given)


def project_first(arguments: Sequence[str]) -> list[str]:
    """`--project DIR` may stand anywhere on the line, also behind the command."""
    words = list(arguments)
    for place, word in enumerate(words):
        if word.startswith("--project="):
            return [words.pop(place), *words]
        if word == "--project" and place + 1 < len(words):
            return [*words[place : place + 2], *words[:place], *words[place + 2 :]]
    return words
