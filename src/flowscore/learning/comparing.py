"""Holds models against leads they have not seen, beside a logistic regression as the yardstick."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import Any

from flowscore.errors import FlowscoreError
from flowscore.learning.columns import Column, Cut, Sheet
from flowscore.learning.cutting import count, cut
from flowscore.learning.lessons import Judged
from flowscore.learning.rates import Rate, separation
from flowscore.learning.weighing import Scorecard, weigh

HELD_OUT = 0.3
YARDSTICK = "logistic regression (the yardstick)"
MISSING_EXTRA = (
    "--compare measures against a logistic regression and needs scikit-learn: "
    "pip install 'flowscore[learn]'"
)

Model = Callable[[Sequence[int]], Sequence[float]]
"""Gives the total of each of these rows."""


def require_yardstick() -> None:
    """Refuse before the work when scikit-learn is not there."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise FlowscoreError(MISSING_EXTRA) from error


def split(sheet: Sheet) -> tuple[list[int], list[int]]:
    """Rows to learn from and rows held out: three in ten of the customers and of the others.

    By a hash of each lead, so that the same leads are held out next time.
    """
    learning: list[int] = []
    held: list[int] = []
    for outcome in (0, 1):
        rows = [row for row, one in enumerate(sheet.won) if one == outcome]
        rows.sort(key=lambda row: (sha256(sheet.leads[row].encode()).digest(), row))
        place = round(len(rows) * HELD_OUT)
        held += rows[:place]
        learning += rows[place:]
    return sorted(learning), sorted(held)


def compare(
    sheet: Sheet,
    cuts: Sequence[Cut],
    old: Scorecard | None = None,
    written: Callable[[Scorecard], Scorecard] = lambda card: card,
) -> tuple[list[Judged], Rate]:
    """Each model's figures on the held-out leads; the new one is learned from the others alone.

    `old` are the points as they are, `written` makes a scorecard one that rules can say.
    """
    learning, held = split(sheet)
    subjects = {one.subject.key for one in cuts}
    kept = Sheet(
        sheet.leads, sheet.won, tuple(c for c in sheet.columns if c.subject.key in subjects)
    )
    own = [cut(column.subject, count(column, sheet.won, learning)) for column in kept.columns]
    card = written(weigh(kept, own, learning))
    models: list[tuple[str, Sequence[float]]] = []
    if old is not None:
        models.append(("the points as they are now", old.totals(sheet, held)))
    models.append(("the proposed points", card.totals(kept, held)))
    models.append((YARDSTICK, yardstick(kept, own, learning, held)))
    won = [sheet.won[row] for row in held]
    return [judge(name, totals, won) for name, totals in models], Rate(len(won), sum(won))


def judge(name: str, totals: Sequence[float], won: Sequence[int]) -> Judged:
    """ROC-AUC and top-decile lift."""
    groups = grouped(totals, won)
    return Judged(name, separation(groups), top_decile_lift(groups))


def grouped(totals: Sequence[float], won: Sequence[int]) -> list[Rate]:
    """The leads by total, lowest first, those with the same total as one."""
    ordered = sorted(zip(totals, won, strict=True))
    found = []
    for _, some in groupby(ordered, key=lambda pair: pair[0]):
        outcomes = [one for _, one in some]
        found.append(Rate(len(outcomes), sum(outcomes)))
    return found


def top_decile_lift(groups: Sequence[Rate]) -> float:
    """The close rate of the tenth with the highest totals ÷ the overall one; ties shared out."""
    leads, won = sum(one.leads for one in groups), sum(one.won for one in groups)
    room, caught = leads / 10, 0.0
    for group in reversed(groups):
        taken = min(room, group.leads)
        caught += group.won * taken / group.leads
        room -= taken
    return caught / won * 10 if won else 0.0


# --- the yardstick ----------------------------------------------------------------------------


def yardstick(
    sheet: Sheet, cuts: Sequence[Cut], learning: Sequence[int], held: Sequence[int]
) -> list[float]:
    """A logistic regression over the same columns: each answer, and numbers as they are."""
    require_yardstick()
    from sklearn.linear_model import LogisticRegression

    rows = _features(sheet, cuts, learning)
    model = LogisticRegression(max_iter=2000)
    model.fit(rows(learning), [sheet.won[row] for row in learning])
    return [float(one) for one in model.decision_function(rows(held))]


def _features(
    sheet: Sheet, cuts: Sequence[Cut], learning: Sequence[int]
) -> Callable[[Sequence[int]], Any]:
    """Rows as a sparse matrix; numbers are centred and scaled by the leads learned from."""
    from scipy.sparse import csr_matrix, hstack

    blocks: list[Callable[[Sequence[int]], Any]] = []
    for column, one in zip(sheet.columns, cuts, strict=True):
        blocks.append(partial(_one_hot, column, one))
        if column.subject.kind in ("number", "count"):
            blocks.append(partial(_scaled, column, _scale(column.values, learning)))
    return lambda rows: hstack([csr_matrix(block(rows)) for block in blocks]).tocsr()


def _scaled(column: Column, scale: tuple[float, float], rows: Sequence[int]) -> list[list[float]]:
    middle, spread = scale
    return [[(_plain(column, row, middle) - middle) / spread] for row in rows]


def _one_hot(column: Column, one: Cut, rows: Sequence[int]) -> list[list[float]]:
    codes = (one.code(column.values[row]) for row in rows)
    return [[float(code == place) for place in range(len(one.answers))] for code in codes]


def _plain(column: Column, row: int, middle: float) -> float:
    value = column.values[row]
    if column.subject.kind == "count":
        return math.log1p(float(value or 0))
    return middle if value is None else float(value)


def _scale(values: Sequence[Any], learning: Sequence[int]) -> tuple[float, float]:
    known = [float(value) for row in learning if (value := values[row]) is not None]
    middle = sum(known) / len(known) if known else 0.0
    spread = math.sqrt(sum((one - middle) ** 2 for one in known) / len(known)) if known else 1.0
    return middle, spread or 1.0
