"""The part of the reference that is printed from the program: `python tests/cli/reference.py`."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from flowscore.cli.app import app_for
from flowscore.clock import duration_text
from flowscore.settings import PREFIX, Settings

PAGES = Path(__file__).parents[2] / "docs" / "reference"
BEGIN = "<!-- What follows is printed by tests/cli/reference.py; a test compares it. -->"


def every_command(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Each command with its full name, groups before what they hold."""
    command = command or get_command(app_for([]))
    if path:
        yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from every_command(inner, (*path, name))


def commands_page() -> str:
    """A section for every command: what it says of itself, and each of its options."""
    return "\n".join(line for name, one in every_command() for line in _section(name, one))


def _section(name: str, command: Any) -> Iterator[str]:
    yield f"## flowscore {name}\n"
    for part in inspect.cleandoc(command.help or "").split("\n\n"):
        yield _example(part) if part.startswith("\b") else f"{part}\n"
    rows = [_row(one) for one in command.params if one.name != "help"]
    if rows:
        yield "\n".join(["| | |", "| --- | --- |", *rows]) + "\n"


def _example(part: str) -> str:
    lead, *code = part.splitlines()[1:]
    shown = textwrap.dedent("\n".join(code))
    return f"{lead.strip()}\n\n```sh\n{shown}\n```\n"


def _row(parameter: Any) -> str:
    shown = parameter.metavar or ""
    if parameter.param_type_name != "argument":
        wanted = "" if parameter.is_flag else f" {shown or 'TEXT'}"
        shown = ", ".join(parameter.opts) + wanted
    return f"| `{shown}` | {parameter.help or ''} |"


def settings_page() -> str:
    """A row for every setting."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(name, field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | |", "| --- | --- | --- |", *rows]) + "\n"


def _default(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"`{duration_text(value)}`" if name == "tick_every" else f"`{value}`"


PRINTED = {"commands.md": commands_page, "settings.md": settings_page}


def renewed(page: str) -> str:
    """The page with its printed part as it should be."""
    written = (PAGES / page).read_text(encoding="utf-8").partition(BEGIN)[0]
    return f"{written}{BEGIN}\n\n{PRINTED[page]()}"


if __name__ == "__main__":
    for page in PRINTED:
        (PAGES / page).write_text(renewed(page), encoding="utf-8")
