"""One printer, two voices: sentences and tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from flowscore.errors import Problem
from flowscore.language.printing import problem_text

CONTROL = dict.fromkeys((*range(9), 11, *range(12, 32), *range(127, 160)), "�")
"""Control characters in somebody's data must not steer the reader's terminal."""


def clean(text: object) -> str:
    """The text without anything that a terminal would obey."""
    return str(text).translate(CONTROL)


def say(text: str = "") -> None:
    """A line for people, on standard output."""
    typer.echo(clean(text))


def complain(text: str) -> None:
    """A line for people, on standard error."""
    typer.echo(clean(text), err=True)


def show_json(value: object) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def stream_json(rows: Iterable[Any]) -> None:
    """A JSON array, written as its rows come, so that a long one needs no memory."""
    before = "[\n"
    for row in rows:
        typer.echo(before + json.dumps(row, ensure_ascii=False), nl=False)
        before = ",\n"
    typer.echo("[]" if before == "[\n" else "\n]")


def stream_document(head: dict[str, Any], name: str, rows: Iterable[Any]) -> None:
    """One JSON document whose last key holds rows, written as they come."""
    start = json.dumps(head, ensure_ascii=False, indent=2).removesuffix("}").rstrip()
    typer.echo(f"{start},\n  {json.dumps(name)}:")
    stream_json(rows)
    typer.echo("}")


def show_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns under their heads, as wide as they need to be; numbers stand to the right."""
    for line in table_lines(heads, rows):
        say(line)


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The table line by line, for whoever says more below a row; its heads first."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    right = [_of_numbers(row[i] for row in cells) for i in range(len(heads))]
    for row in [list(heads), *cells]:
        fields = zip(row, widths, right, strict=True)
        yield "  ".join(f.rjust(w) if r else f.ljust(w) for f, w, r in fields).rstrip()


def _cell(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return clean(value).replace("\n", " ").replace("\r", " ").replace("\t", " ")


def _of_numbers(column: Iterable[str]) -> bool:
    """Whether it holds numbers; one that is blank in some rows still stands to the right."""
    filled = [cell for cell in column if cell]
    return bool(filled) and all(map(_numeric, filled))


def _numeric(cell: str) -> bool:
    return cell.lstrip("+-").replace(".", "", 1).replace(",", "").isdigit()


def mistakes_in(problems: Sequence[Problem]) -> int:
    """How many of them block."""
    return sum(problem.severity == "error" for problem in problems)


def tell_problems(problems: Sequence[Problem], root: Path) -> None:
    """Each problem with the offending line and a caret under the place."""
    for problem in problems:
        complain(problem_text(problem, _line_of(root / problem.mark.file, problem.mark.line)))


def _line_of(file: Path, number: int) -> str:
    try:
        lines = file.read_bytes().decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return ""
    return lines[number - 1] if 0 < number <= len(lines) else ""


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, silence in a pipe; what it gives is told how much more is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda more: bar.advance(task, more)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 contact`, `1,234 contacts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
