"""Behaviours of the very same leads: the first stands for all, or they would share its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.learning.columns import Column, Cut, Sheet
from flowscore.learning.lessons import LeftOut

if TYPE_CHECKING:
    from flowscore.learning.candidates import Candidates

SAME = 0.9  # of the leads that did either, so many did both


def without_twins(sheet: Sheet, found: Candidates) -> tuple[Sheet, list[Cut]]:
    """The sheet and its cuts without twins of a rule that is there or of an earlier candidate."""
    kept: list[tuple[Column, Cut]] = []
    seen: list[tuple[str, set[int]]] = []
    for column, cut in zip(sheet.columns, found.cuts, strict=True):
        subject = column.subject
        if subject.is_yes_or_no:
            rows = {row for row, value in enumerate(column.values) if value}
            twin = next((label for label, others in seen if _are_twins(rows, others)), None)
            if twin is not None and subject.source != "rule":
                reason = f"the same leads as {twin}, which stands for both"
                found.left_out.append(LeftOut(subject.label, reason, "thin"))
                continue
            seen.append((subject.label, rows))
        kept.append((column, cut))
    columns = tuple(column for column, _ in kept)
    return Sheet(sheet.leads, sheet.won, columns), [cut for _, cut in kept]


def _are_twins(some: set[int], others: set[int]) -> bool:
    fewer, more = sorted((len(some), len(others)))
    if not more or fewer < SAME * more:
        return False
    both = len(some & others)
    return both >= SAME * (fewer + more - both)
