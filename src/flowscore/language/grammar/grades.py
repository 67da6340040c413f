"""Reading grades: fit against engagement, each a score with labels (LANGUAGE 5, ruling 106)."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from flowscore.language import scoring as words
from flowscore.language.document import Node
from flowscore.language.grammar.cells import CELLS_SCHEMA, cells_of
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import SCORE, read_level
from flowscore.language.grammar.shapes import (
    NAME,
    WORDS,
    Key,
    Schema,
    Shape,
    Table,
    choice,
    read_keys,
)
from flowscore.language.grammar.spelling import near

BELOW = "below"
LABEL = re.compile(r"[^\W_][\w-]{0,19}")
# The lowest label may be left out where it is plain which one it is.
IMPLIED = {frozenset("ABC"): "D", frozenset("432"): "1", frozenset("123"): "4"}
OWN_KEYS = ("score", "axis")
Levels = dict[str, float | None]  # label → points from which it is given; None: below the others


def labels_of(node: Node) -> tuple[str, ...] | None:
    """The labels that a side seems to have, right or wrong; None where that cannot be known."""
    labels = [key for key in node.items if key not in OWN_KEYS]
    if not labels:
        return None
    lowest = IMPLIED.get(frozenset(labels))
    return (*labels, lowest) if lowest else tuple(labels)


def cells_named(root: Node) -> tuple[str, ...] | None:
    """The cells of a grade as it stands in the file, right or wrong."""
    sides = [root.items[key] for key in ("fit", "engagement") if key in root.items]
    labels = [labels_of(side) for side in sides]
    if len(labels) < 2 or labels[0] is None or labels[1] is None:
        return None
    return tuple(words.cell_name(fit, active) for fit in labels[0] for active in labels[1])


# -- one side -------------------------------------------------------------------------------


def read_fit(node: Node, names: Names) -> words.Axis:
    """`{score: fit, A: 75, B: 50, C: 25}`, D below."""
    gathering, found, labels = _read_side(node, names, FIT)
    levels = Levels()
    with gathering:
        levels = _with_lowest(node, labels)
        _refuse_unordered(node, levels)
    gathering.settle()
    return words.Axis(mark=node.place, score=found["score"], labels=_highest_first(levels))


def read_engagement(node: Node, names: Names) -> words.Axis:
    """`{score: engagement, 4: 75, 3: 50, 2: 25}`, 1 below; `axis: descending` turns it."""
    gathering, found, labels = _read_side(node, names, ENGAGEMENT)
    if "axis" in node.items and "axis" not in found:
        gathering.settle()  # which way the numbers should run is not known
    turned = found.get("axis") == "descending"
    levels = Levels()
    with gathering:
        levels = _with_lowest(node, labels)
        _refuse_unordered(node, levels)
        levels = _along_the_axis(node, levels, turned)
    gathering.settle()
    labels_read = _highest_first(levels)
    return words.Axis(mark=node.place, score=found["score"], labels=labels_read, turned=turned)


def _along_the_axis(node: Node, levels: Levels, turned: bool) -> Levels:
    """Digits run one way or the other; words stand by their points."""
    if all(map(_is_digit, levels)):
        known = NO_LEVEL not in levels.values()
        return (_turned if turned else _unturned)(node, levels) if known else levels
    if turned:
        message = "`axis: descending` turns the numbers 4 3 2 1, and there are words here"
        raise misplaced(node.items["axis"], message, "take it out: words stand by their points")
    return levels


def _read_side(node: Node, names: Names, table: Table) -> tuple[Gathering, dict[str, str], Levels]:
    """The score, the axis, and each label with its number; what was wrong with the former two."""
    if not isinstance(node.value, dict):
        example = "{score: NAME, A: 75, B: 50, C: 25}"
        raise unexpected(node, f"a score and labels with points, such as {example}")
    own = {key: child for key, child in node.items.items() if _is_own(key, child, table)}
    gathering, levels, found = Gathering(), Levels(), {"score": ""}
    with gathering:
        found = read_keys(replace(node, value=own), names, table)
    of_keys = len(gathering.problems)
    for label, child in node.items.items():
        if label not in own:
            with gathering:
                levels[_label(label, child)] = _level(child, names, found["score"])
    if len(own) == len(node.items):
        with gathering:
            raise mistake(node, f"{table.thing} has no labels", "add them: A: 75, B: 50, C: 25")
    if len(gathering.problems) > of_keys:
        gathering.settle()
    return gathering, found, levels


def _is_own(key: str, child: Node, table: Table) -> bool:
    """Whether it is no label: a key of the side, or what was meant to be one."""
    if key in table.keys or key in table.elsewhere:
        return True
    return isinstance(child.value, str) and child.value != BELOW and bool(near(key, table.keys))


def _label(label: str, child: Node) -> str:
    if LABEL.fullmatch(label):
        return label
    message = f"found the label '{label}', expected one word of letters, digits and hyphens"
    raise misplaced(child, message, "it becomes part of the cell's name")


def _level(node: Node, names: Names, score: str) -> float | None:
    """A number, a band of that score, or `below`."""
    if node.value == BELOW:
        return None
    if node.value is None or isinstance(node.value, dict | tuple):
        raise unexpected(node, f"a number of points, a band, or {BELOW}")
    if isinstance(node.value, str) and names.scores.get(score) is None:
        return NO_LEVEL  # the score is not there, or its file is broken: that is said elsewhere
    return float(read_level(node, names, score))


NO_LEVEL = float("nan")


def _with_lowest(node: Node, levels: Levels) -> Levels:
    """The labels with the lowest one, which has no number."""
    lowest = [label for label, level in levels.items() if level is None]
    if len(lowest) > 1:
        message = f"'{lowest[0]}' and '{lowest[1]}' both lie below the others"
        raise mistake(node.items[lowest[1]], message, "give one of them a number")
    if len(lowest) == 1:
        if len(levels) == 1:
            raise mistake(node, "a side needs two labels or more", "good: 50, poor: below")
        return levels
    if implied := IMPLIED.get(frozenset(levels)):
        return {**levels, implied: None}
    last = min(levels, key=lambda label: levels[label] or 0.0)
    hint = f"write `{last}: {BELOW}`, or add a label with `{BELOW}`"
    raise mistake(node, f"no label is left for what lies below {levels[last]:g}", hint)


def _refuse_unordered(node: Node, levels: Levels) -> None:
    """Refuse labels with the same number, and letters whose numbers do not fall."""
    gathering = Gathering()
    order = [label for label, _ in _highest_first(levels)]
    for one, other in pairwise(order):
        with gathering:
            if levels[one] == levels[other]:
                message = f"the labels '{one}' and '{other}' begin at the same number"
                raise mistake(node.items[other], message, "each needs a number of its own")
    if all(map(_is_letter, levels)) and NO_LEVEL not in levels.values() and order != sorted(order):
        with gathering:
            hint = f"the earlier the letter, the higher its number: {' > '.join(sorted(order))}"
            raise mistake(node, "the numbers do not fall from letter to letter", hint)
    gathering.settle()


def _is_letter(label: str) -> bool:
    return len(label) == 1 and label.isalpha() and label.isupper()


def _is_digit(label: str) -> bool:
    return len(label) == 1 and label.isdecimal() and label.isascii()


def _highest_first(levels: Levels) -> tuple[tuple[str, float | None], ...]:
    """By their numbers, the one below the others last."""
    lowest = float("-inf")
    return tuple(sorted(levels.items(), key=lambda item: -(lowest if item[1] is None else item[1])))


def _unturned(node: Node, levels: Levels) -> Levels:
    """Digits as they stand: the highest is the most active."""
    order = [label for label, _ in _highest_first(levels)]
    if order == sorted(order, reverse=True):
        return levels
    if order == sorted(order):
        hint = "for 1 as the most active add `axis: descending`"
    else:
        hint = "the higher the label, the higher its number"
    raise mistake(node, f"{max(order)} is the most active here: its number is the highest", hint)


def _turned(node: Node, levels: Levels) -> Levels:
    """1 is the most active: as it stands, or mirrored where the numbers rise with the digits."""
    ordered = _highest_first(levels)
    order = [label for label, _ in ordered]
    if order == sorted(order):
        return levels
    if order != sorted(order, reverse=True):
        hint = "write 1: 75, 2: 50, 3: 25"
        raise mistake(node, "the numbers neither rise nor fall with the labels", hint)
    return {label: level for label, (_, level) in zip(sorted(order), ordered, strict=True)}


# -- the whole ------------------------------------------------------------------------------


def read_grade(node: Node, names: Names) -> words.Grade:
    """A whole grade; its green cells are its own, whatever the project's grade has now."""
    name = names.here.partition("/")[2]
    own = replace(names, grades={**names.grades, name: cells_named(node)})
    grade = words.Grade(mark=node.mark, **read_keys(node, own, GRADE))
    if grade.fit.score == grade.engagement.score:
        message = f"both sides read the score '{grade.fit.score}'"
        hint = "a grade sets one score against another; for one score alone use its `bands`"
        raise misplaced(node.items["engagement"].items["score"], message, hint)
    twins = [cell for cell in grade.cells if grade.cells.count(cell) > 1]
    if twins:
        message = f"two cells are called '{twins[0]}'"
        raise misplaced(node.items["engagement"], message, "take other labels")
    return grade


def read_green(node: Node, names: Names) -> tuple[str, ...]:
    """Cells of the grade that is being read."""
    return cells_of(names.here.partition("/")[2]).read(node, names)


LEVELS_SCHEMA: Schema = {"type": ["number", "string"]}


def _side_schema(table: Table) -> Schema:
    return {**table.schema, "minProperties": 2, "additionalProperties": LEVELS_SCHEMA}


SCORE_KEY = Key(SCORE, "The score; its labels stand beside it.", "", True)
FIT = Table(
    "the fit",
    {"score": SCORE_KEY},
    {"axis": "it stands inside `engagement`; letters keep their order"},
)
ENGAGEMENT = Table(
    "the engagement",
    {
        "score": SCORE_KEY,
        "axis": Key(
            choice("ascending", "descending"), "descending: 1 is the most active instead of 4."
        ),
    },
)
GRADE = Table(
    "a grade",
    {
        "grade": Key(NAME, "The grade's name.", "name", True),
        "description": Key(WORDS, "What it is for."),
        "fit": Key(
            Shape(read_fit, _side_schema(FIT)), "How well they suit us: A, B, C, D.", "", True
        ),
        "engagement": Key(
            Shape(read_engagement, _side_schema(ENGAGEMENT)),
            "How active they are: 4, 3, 2, 1.",
            "",
            True,
        ),
        "green": Key(Shape(read_green, CELLS_SCHEMA), "The cells that are worth a call."),
    },
)
