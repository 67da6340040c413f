"""Cells of a grade where they are named: in conditions, in triggers and among the green ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flowscore.language.conditions import All, Condition, GradeIs
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import Gathering, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import NAME_SCHEMA, read_grade, the_grade
from flowscore.language.grammar.shapes import Key, Schema, Shape, Table, one_or_more, read_keys
from flowscore.language.grammar.spelling import did_you_mean, listed
from flowscore.language.triggers import GradeEnters

COMPARING = {"at_least", "at_most", "above", "below", "is", "is_not", "in", "not_in"}


def read_cell(node: Node, names: Names, grade: str) -> str:
    """The name of a cell of that grade."""
    if not isinstance(node.value, str | int) or isinstance(node.value, bool):
        raise unexpected(node, "the name of a cell, such as A4")
    cell, cells = str(node.value), names.grades.get(grade)
    if cells is None or cell in cells:
        return cell
    message = f"there is no cell '{cell}' in the grade '{grade}'"
    raise mistake(node, message, _meant_cell(cell, cells))


def _meant_cell(cell: str, cells: Sequence[str]) -> str:
    """`4A`, `a4`, or a whole row or column: `A`, `4`."""
    if cell[::-1] in cells:
        return f"the fit stands first: did you mean '{cell[::-1]}'?"
    part = [one for one in cells if cell and (one.startswith(cell) or one.endswith(cell))]
    if part and len(part) < len(cells):
        return f"a cell names fit and engagement: write [{listed(part)}]"
    return did_you_mean(cell, cells, f"there are: {listed(cells)}")


def cells_of(grade: str) -> Shape[tuple[str, ...]]:
    """A cell of that grade, or a list of them."""
    one = Shape(lambda node, names: read_cell(node, names, grade), NAME_SCHEMA)
    return one_or_more(one, "cells, such as [A4, A3]")


def read_grade_is(node: Node, names: Names) -> Condition:
    """`A4`, `[A3, A4]`; with several grades `{priority: [A3]}`, of several names all (93)."""
    if not isinstance(node.value, dict) or not node.items:
        return _is(node, names, the_grade(node, names))
    gathering, read = Gathering(), []
    for name, child in node.items.items():
        with gathering:
            _refuse_comparing(name, child, names)
            grade = read_grade(replace(child, value=name, mark=child.place), names)
            read.append(_is(child, names, grade))
    gathering.settle()
    return read[0] if len(read) == 1 else All(mark=node.place, of=tuple(read))


def _is(node: Node, names: Names, grade: str) -> GradeIs:
    if node.value is None or isinstance(node.value, dict):
        hint = "ask where the contact stands: `grade: [A4, A3]`" if "enters" in node.items else ""
        raise unexpected(node, "a cell or a list of cells, such as [A4, A3]", hint)
    return GradeIs(mark=node.place, grade=grade, cells=cells_of(grade).read(node, names))


def _refuse_comparing(name: str, child: Node, names: Names) -> None:
    if name in names.grades:
        return
    if name in COMPARING:
        hint = "name the cells: `grade: [A4, A3]`; what must not hold goes into `not`"
        raise mistake(child, f"'{name}' has no place in a grade", hint, child.place)
    if name == "enters":
        hint = "ask where the contact stands: `grade: [A4, A3]`"
        raise mistake(child, "'enters' is a moment, for a trigger", hint, child.place)


def read_grade_enters(node: Node, names: Names) -> GradeEnters:
    """`{enters: [A3, A4]}`; with several grades `{priority: {enters: [A4]}}`."""
    if not isinstance(node.value, dict) or not node.items:
        hint = f"write {{enters: {node.value}}}" if isinstance(node.value, str) else ""
        raise unexpected(node, "{enters: [A4, A3]}", hint or "write the cells behind `enters`")
    if any(map(ENTERING.guess, node.items)) and not set(node.items) & set(names.grades):
        return _enters(node, names, the_grade(node, names))
    if len(node.items) > 1:
        raise mistake(node, "found several grades in one trigger", "write a list of triggers")
    name, child = next(iter(node.items.items()))
    return _enters(child, names, read_grade(replace(child, value=name, mark=child.place), names))


def _enters(node: Node, names: Names, grade: str) -> GradeEnters:
    if not isinstance(node.value, dict):
        hint = f"write {{enters: {node.value}}}" if isinstance(node.value, str) else ""
        raise unexpected(node, "{enters: [A4, A3]}", hint)
    found = read_keys(node, names, entering_table(cells_of(grade)))
    return GradeEnters(mark=node.place, grade=grade, **found)


def entering_table(cells: Shape[tuple[str, ...]]) -> Table:
    """The keys of a trigger over a grade, whose cells are read like this."""
    return Table(
        "a trigger over a grade",
        {
            "enters": Key(
                cells, "When the contact comes into one of these cells from outside.", "cells", True
            )
        },
        {
            "leaves": "name the cells that are entered instead: `enters`",
            "at_least": "a trigger is a moment: write `enters` with the cells",
        },
    )


ENTERING = entering_table(cells_of(""))
CELLS_SCHEMA = cells_of("").schema
GRADE_IS_SCHEMA: Schema = {
    "anyOf": [
        CELLS_SCHEMA,
        {"type": "object", "minProperties": 1, "additionalProperties": CELLS_SCHEMA},
    ]
}
GRADE_ENTERS_SCHEMA: Schema = {
    "anyOf": [
        ENTERING.schema,
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": ENTERING.schema,
        },
    ]
}
