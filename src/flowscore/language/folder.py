"""The files of a project's folder: their text, or what keeps it from being read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowscore.errors import Mark, Problem

MAX_SIZE = 1 << 20
SCENARIOS = "scenarios"
TEMPLATES = "templates/email"


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file and its text; `name` is its path from the project's root."""

    name: str
    text: str
    readable: bool = True


def read_scenario_files(root: Path) -> tuple[list[TextFile], list[Problem]]:
    """Every YAML file below `scenarios/`, by name."""
    folder = root / SCENARIOS
    if not folder.is_dir():
        hint = "`flowscore init DIR` writes a project to start from"
        return [], [
            Problem(Mark(SCENARIOS), f"there is no folder '{SCENARIOS}' in {root}", hint=hint)
        ]
    return _read(root, sorted(_walk(folder, (".yaml", ".yml"))))


def read_template_files(root: Path) -> list[TextFile]:
    """Every template of `templates/email/`, without those that only serve others (`_*`).

    One that cannot be read is known by its name alone: the mail room says what is wrong with it.
    """
    folder = root / TEMPLATES
    paths = [path for path in _walk(folder, (".html", ".md")) if path.parent == folder]
    paths = sorted(path for path in paths if not path.name.startswith("_"))
    files, _ = _read(root, paths)
    read = {file.name: file for file in files}
    names = [path.relative_to(root).as_posix() for path in paths]
    return [read.get(name, TextFile(name, "", readable=False)) for name in names]


def _walk(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for place, inner, files in os.walk(folder):
        inner[:] = sorted(one for one in inner if not one.startswith("."))
        for name in files:
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(place, name)


def _read(root: Path, paths: list[Path]) -> tuple[list[TextFile], list[Problem]]:
    files: list[TextFile] = []
    problems: list[Problem] = []
    for path in paths:
        name = path.relative_to(root).as_posix()
        read = _text(path, name)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            files.append(TextFile(name, read))
    return files, problems


def _text(path: Path, name: str) -> str | Problem:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SIZE + 1)
    except OSError as error:
        hint = "check that it is there and that you may read it"
        return Problem(Mark(name), f"cannot be read: {error.strerror or error}", hint=hint)
    if len(raw) > MAX_SIZE:
        return Problem(Mark(name), "the file is over 1 MiB", hint="split it into several files")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start, name)


def _not_utf8(raw: bytes, start: int, name: str) -> Problem:
    before = raw[:start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig", "replace")) + 1
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(Mark(name), "the file is UTF-16, expected UTF-8", hint="save it as UTF-8")
    latin = raw[start : start + 1].decode("latin-1")
    message = f"byte 0x{raw[start]:02X} is no UTF-8 (in Latin-1 it would be '{latin}')"
    return Problem(Mark(name, line, column), message, hint="save the file as UTF-8")
