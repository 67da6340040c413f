"""The three questions behind a model: how long is the cycle, which steps, which people (E08)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.learning.families import COMPANY, DEMOGRAPHIC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowscore.learning.lessons import CloseRate, Lessons

MOST_NAMED = 5
WHO = frozenset({DEMOGRAPHIC, COMPANY})


def questions(lessons: Lessons) -> list[tuple[str, str]]:
    """Each question with the answer that these leads give."""
    doubted = {one.name for one in lessons.left_out if one.kind == "suspicious"}
    trusted = [one for one in lessons.rates if one.what not in doubted]
    steps = (one for one in trusted if one.family not in WHO)
    people = (one for one in trusted if one.family in WHO)
    found = [
        ("Which steps lead to a sale?", _strongest(lessons, steps)),
        ("Who buys?", _strongest(lessons, people)),
    ]
    if lessons.cycle:
        found.insert(0, ("How long is the cycle?", f"{lessons.cycle.advice.partition(':')[0]}"))
    return found


def _strongest(lessons: Lessons, rates: Iterable[CloseRate]) -> str:
    """The clearly better ones that most customers share: by customers more than would be fair."""
    better = [one for one in rates if one.clear and one.lift > 1 and one.answer != "not known"]
    better.sort(key=lambda one: (lessons.overall.share * one.rate.leads - one.rate.won, one.what))
    named = [
        f"{one.what}{f' {one.answer}' if one.answer else ''} "
        f"({one.rate.won / lessons.overall.won:.0%} of customers, {one.lift:.1f} × the average)"
        for one in better[:MOST_NAMED]
    ]
    return ", ".join(named) or "nothing that clearly stands out"
