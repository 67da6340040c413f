"""The page on returned mail shows the table that counts."""

from __future__ import annotations

from pathlib import Path

from flowscore.mail.returns.taking import KEPT
from flowscore.store.bounces import TABLE, Row

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bounces.md"


def _line(row: Row) -> str:
    when = {0: "never", 1: "at once (hard)"}.get(row.count, f"{row.count} within {row.days} days")
    return f"| `{row.kind}` | {', '.join(row.codes)} | {row.means} | {when} |"


def test_the_page_has_the_table_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("## The table")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [_line(row) for row in TABLE]
    assert f"its first {KEPT:,} letters" in page
