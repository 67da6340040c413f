"""Which tests show which row of docs/acceptance.md: `python tests/acceptance/register.py`."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "acceptance.md"
NAMED = re.compile(r"^(?:async )?def (test_((?:[a-f]|t)\d{2})_\w+)", re.MULTILINE)
ROW = re.compile(r"^\| ([A-FT]\d{2}) \| (.+?) \|(.*)\|$", re.MULTILINE)


def tests_by_row() -> dict[str, list[str]]:
    """Row id -> `file::test`, found by the id in the test's name."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for test, row in NAMED.findall(path.read_text(encoding="utf-8")):
            found.setdefault(row.upper(), []).append(f"{path.relative_to(TESTS)}::{test}")
    return found


def named_on_page() -> dict[str, list[str]]:
    """Row id -> the tests that the page names."""
    found = ROW.finditer(PAGE.read_text(encoding="utf-8"))
    return {match[1]: re.findall(r"`(.+?)`", match[3]) for match in found}


def renewed() -> str:
    """The page with the tests that there are."""
    tests = tests_by_row()

    def line(found: re.Match[str]) -> str:
        row, sentence, _ = found.groups()
        shown = "<br>".join(f"`{name}`" for name in tests.get(row, []))
        return f"| {row} | {sentence} | {shown} |"

    return ROW.sub(line, PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(renewed(), encoding="utf-8")
