"""Reading amounts of points: of a rule, and of the steps that give and take them."""

from __future__ import annotations

from typing import Any

from flowscore.language import actions as words
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import SCORE, the_score
from flowscore.language.grammar.shapes import (
    NUMBER,
    WORDS,
    Key,
    Schema,
    Shape,
    Table,
    number_hint,
    read_keys,
)

MOST_POINTS = 1_000_000


def read_points(node: Node, names: Names, sign: int = 1) -> Any:
    """`5`, or a mapping that names the score."""
    if isinstance(node.value, dict):
        found = read_keys(node, names, POINTS)
    elif isinstance(node.value, int | float):
        found = {"points": read_amount(node, names)}
    else:
        raise unexpected(node, "a number, or {score: NAME, points: 5}", number_hint(node))
    score = found.get("score") or the_score(node, names)
    if sign < 0 and found["points"] < 0:
        raise mistake(node, "found a negative number to subtract", "leave the sign out")
    return words.AddPoints, {**found, "score": score, "points": sign * found["points"]}


def read_amount(node: Node, names: Names) -> float:
    """Points: not 0, at most a million either way, at most four decimals."""
    points = NUMBER.read(node, names)
    if points == 0:
        raise unexpected(node, "points other than 0")
    if abs(points) > MOST_POINTS:
        raise unexpected(node, f"points between -{MOST_POINTS} and {MOST_POINTS}")
    if round(points, 4) != points:
        raise unexpected(node, "points with at most 4 decimals")
    return float(points)


AMOUNT = Shape(read_amount, {"type": "number", "minimum": -MOST_POINTS, "maximum": MOST_POINTS})
POINTS = Table(
    "points",
    {
        "score": Key(SCORE, "The score; may be left out where there is only one."),
        "points": Key(AMOUNT, "How many.", required=True),
        "reason": Key(WORDS, "Why, for the ledger."),
    },
)
POINTS_SCHEMA: Schema = {"anyOf": [AMOUNT.schema, POINTS.schema]}
