"""The files of templates/email: read, split from their front matter, sorted by name and locale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import yaml

from flowscore.errors import Mark, Problem

FOLDER = Path("templates") / "email"
KEYS = ("subject", "preheader", "topic")
SUFFIXES = (".html", ".md", ".txt")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LOCALE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
FENCE = re.compile(r"---[ \t]*\r?\n")
MAX_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One file. `body` keeps the lines of the file: front matter became empty lines.

    `front` holds the values that are right, `marks` the place of every key that is there.
    """

    file: str  # as problems name it, from the project's root
    name: str  # "welcome", "_layout.html"
    locale: str  # "" for the base
    suffix: str
    body: str
    front: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)

    @property
    def partial(self) -> bool:
        """Only for `extends` and `include`."""
        return self.name.startswith("_")

    @property
    def text(self) -> str:
        """The body without the lines that the front matter left."""
        return self.body.lstrip("\r\n")


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    """`did you mean 'subject'?`, or nothing."""
    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{found[0]}'?" if found else ""


def read_folder(root: Path) -> tuple[list[Source], list[Problem]]:
    """Every file that can be read, and what is wrong with the others."""
    folder = root / FOLDER
    problems: list[Problem] = []
    paths = sorted(p for p in folder.iterdir() if _is_template(p)) if folder.is_dir() else []
    sources = [read for p in paths if (read := _read(p, str(p.relative_to(root)), problems))]
    return sources, problems


def _is_template(path: Path) -> bool:
    return path.suffix in SUFFIXES and path.is_file() and not path.name.startswith(".")


def _read(path: Path, file: str, problems: list[Problem]) -> Source | None:
    text = _decode(path, file, problems)
    if text is None:
        return None
    name, locale = _names(path)
    if not path.name.startswith("_") and not _named_well(name, locale):
        problems.append(_bad_name(file, path))
        return None
    if path.name.startswith("_") or path.suffix == ".txt":
        return Source(file, name, locale, path.suffix, text)
    front, marks, body = split_front_matter(text, file, problems)
    return Source(file, name, locale, path.suffix, body, front, marks)


def _decode(path: Path, file: str, problems: list[Problem]) -> str | None:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_SIZE:
            problems.append(Problem(Mark(file), "the file is over 1 MiB: no mail should be"))
            return None
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        mark = Mark(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        hint = "save the file as UTF-8"
        problems.append(Problem(mark, f"byte 0x{raw[error.start]:02x} is no UTF-8", hint=hint))
    except OSError as error:
        problems.append(Problem(Mark(file), f"cannot be read: {error.strerror}"))
    return None


def _names(path: Path) -> tuple[str, str]:
    if path.name.startswith("_"):
        return path.name, ""
    name, _, locale = path.name.removesuffix(path.suffix).partition(".")
    return name, locale.replace("_", "-").lower()


def _named_well(name: str, locale: str) -> bool:
    return bool(SLUG.fullmatch(name)) and (not locale or bool(LOCALE.fullmatch(locale)))


def _bad_name(file: str, path: Path) -> Problem:
    return Problem(
        Mark(file),
        f"'{path.name}' is no name of a template",
        hint="NAME.html or NAME.es.html, NAME in small letters, digits and single hyphens",
    )


def split_front_matter(
    text: str, file: str, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, Mark], str]:
    """Keys, their marks, and the body with as many lines as the file."""
    opened = FENCE.match(text)
    if not opened:
        return {}, {}, text
    closed = re.compile(r"^---[ \t]*$", re.MULTILINE).search(text, opened.end())
    if not closed:
        message = "the front matter has no closing --- line"
        problems.append(Problem(Mark(file, 1, 1), message, hint="end it with a line of three -"))
        return {}, {}, "\n" * text.count("\n")
    front, marks = _read_keys(text[opened.end() : closed.start()], file, problems)
    return front, marks, "\n" * text.count("\n", 0, closed.end()) + text[closed.end() :]


def _read_keys(
    text: str, file: str, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, Mark]]:
    front: dict[str, str] = {}
    marks: dict[str, Mark] = {}
    for key, value in _pairs(text, file, problems):
        scalar = isinstance(value, yaml.ScalarNode)
        mark = _mark(key if scalar or key.value not in KEYS else value, file)
        if wrong := _wrong_pair(key, value, front):
            problems.append(Problem(mark, wrong[0], path=str(key.value)[:60], hint=wrong[1]))
            marks.setdefault(str(key.value), mark)
            continue
        front[key.value], marks[key.value] = value.value, _text_mark(value, file)
    return front, marks


def _pairs(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The items of the mapping; scalars keep the text as it is written."""
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        problems.append(_yaml_problem(error, file))
        return
    except yaml.YAMLError as error:
        problems.append(Problem(Mark(file, 1, 1), f"the front matter is no YAML: {error}"))
        return
    if isinstance(node, yaml.MappingNode):
        yield from node.value
    elif node is not None:
        message = "the front matter is no mapping"
        problems.append(Problem(_mark(node, file), message, hint="write lines like subject: …"))


def _yaml_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    at = error.problem_mark or error.context_mark
    mark = Mark(file, at.line + 2, at.column + 1) if at else Mark(file, 1, 1)
    hint = "put the text in quotes when it holds : { } or #"
    return Problem(mark, f"the front matter is no YAML: {error.problem}", hint=hint)


def _mark(node: yaml.Node, file: str) -> Mark:
    # Front matter begins on line 2 of the file, and YAML counts from 0.
    return Mark(file, node.start_mark.line + 2, node.start_mark.column + 1)


def _text_mark(node: yaml.Node, file: str) -> Mark:
    """Where the text begins: behind its quote."""
    mark = _mark(node, file)
    quoted = getattr(node, "style", None) in ("'", '"')
    return Mark(mark.file, mark.line, mark.column + 1) if quoted else mark


def _wrong_pair(key: yaml.Node, value: yaml.Node, front: dict[str, str]) -> tuple[str, str] | None:
    """What is wrong with a key, and what to do."""
    if key.value not in KEYS:
        hint = nearest(str(key.value), KEYS) or f"known are {', '.join(KEYS)}"
        return f"unknown key '{key.value}' in the front matter", hint
    if key.value in front:
        return f"'{key.value}' stands twice in the front matter", "keep one of them"
    if not isinstance(value, yaml.ScalarNode):
        return f"'{key.value}' is no text", 'write it in quotes: subject: "{{ contact.name }}"'
    return None
