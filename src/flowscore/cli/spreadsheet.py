"""Rows as a CSV file that a spreadsheet opens, with nothing in it that it would run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from flowscore.errors import FlowscoreError

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that Excel, LibreOffice or Google Sheets may take for a formula (OWASP)."""

Value = str | int | float | bool | None


def write_sheet(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Write the file whole or not at all; gives the rows written.

    UTF-8 with a byte order mark, by which Excel knows it; RFC 4180.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        count = _write(part, heads, rows)
        part.replace(path)
    except OSError as error:
        raise FlowscoreError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _write(part: Path, heads: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    count = 0
    with part.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        for row in rows:
            writer.writerow([harmless(value) for value in row])
            count += 1
    return count


def harmless(value: Value) -> Value:
    """A text that begins like a formula behind an apostrophe; numbers stay numbers."""
    return (
        f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value
    )
