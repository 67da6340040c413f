"""The files of a project's folder: their text, or what keeps it from being read."""

from __future__ import annotations

import os
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
        problem = Problem(Mark(SCENARIOS), f"there is no folder '{SCENARIOS}' in {root}", hint=hint)
        return [], [problem]
    paths, closed = _walk(folder, (".yaml", ".yml"))
    files, problems = _read(root, paths)
    return files, [*problems, *(_unreadable(Path(one.filename), root, one) for one in closed)]


def read_template_files(root: Path) -> list[TextFile]:
    """Every template of `templates/email/`, without those that only serve others (`_*`).

    One that cannot be read is known by its name alone: the mail room says what is wrong with it.
    """
    folder = root / TEMPLATES
    paths, _ = _walk(folder, (".html", ".md"))
    paths = [path for path in paths if path.parent == folder and not path.name.startswith("_")]
    read = {file.name: file for file in _read(root, paths)[0]}
    names = [_name(path, root) for path in paths]
    return [read.get(name, TextFile(name, "", readable=False)) for name in names]


def _walk(folder: Path, suffixes: tuple[str, ...]) -> tuple[list[Path], list[OSError]]:
    """The files with these endings at any depth, hidden ones left out; what could not be opened."""
    found: list[Path] = []
    closed: list[OSError] = []
    for place, inner, files in os.walk(folder, onerror=closed.append):
        inner[:] = [one for one in inner if not one.startswith(".")]
        wanted = (name for name in files if name.lower().endswith(suffixes))
        found += [Path(place, name) for name in wanted if not name.startswith(".")]
    return sorted(found), closed


def _read(root: Path, paths: list[Path]) -> tuple[list[TextFile], list[Problem]]:
    files: list[TextFile] = []
    problems: list[Problem] = []
    for path in paths:
        read = _text(path, root)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            files.append(TextFile(_name(path, root), read))
    return files, problems


def _name(path: Path, root: Path) -> str:
    """The path as messages show it; letters that are no UTF-8 become question marks."""
    return path.relative_to(root).as_posix().encode("utf-8", "replace").decode()


def _unreadable(path: Path, root: Path, error: OSError) -> Problem:
    hint = "check that it is there and that you may read it"
    return Problem(Mark(_name(path, root)), f"cannot be read: {error.strerror or error}", hint=hint)


def _text(path: Path, root: Path) -> str | Problem:
    name = _name(path, root)
    if path.exists() and not path.is_file():
        return Problem(Mark(name), "this is no ordinary file", hint="take it out of the folder")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SIZE + 1)
    except OSError as error:
        return _unreadable(path, root, error)
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
