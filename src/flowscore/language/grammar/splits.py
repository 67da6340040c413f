"""The action `split`: branches by stable shares that add up to everybody."""

from __future__ import annotations

from typing import Any

from flowscore.language import actions as words
from flowscore.language.actions import Action
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import Gathering, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    NAME,
    Key,
    Shape,
    Table,
    list_of,
    read_elements,
    read_keys,
)
from flowscore.language.grammar.shares import PERCENT, SHARE, nearest_whole_split, share_text
from flowscore.language.grammar.spelling import listed
from flowscore.language.words import WHOLE_SHARE

EXPECTED = "a list of branches: [{name: a, share: 50%, actions: [..]}, …]"


def portion_table(steps: Shape[tuple[Action, ...]]) -> Table:
    """The keys of a branch, whose steps are read like this."""
    return Table(
        "a branch of a split",
        {
            "name": Key(NAME, "The branch's name in reports.", required=True),
            "share": Key(SHARE, "How many of those who come.", required=True),
            "actions": Key(steps, "Its steps; left out: nothing is done."),
        },
    )


def split_shape(steps: Shape[tuple[Action, ...]]) -> Shape[Any]:
    """`[{name: a, share: 50%, actions: [..]}, {name: b, share: 50%, actions: [..]}]`."""
    table = portion_table(_steps_or_none(steps))
    portion = Shape(
        lambda node, names: words.Portion(mark=node.mark, **read_keys(node, names, table)),
        table.schema,
    )
    schema = {**list_of(portion, "branches").schema, "minItems": 1}
    return Shape(lambda node, names: _read_split(node, names, portion), schema)


def _steps_or_none(steps: Shape[tuple[Action, ...]]) -> Shape[tuple[Action, ...]]:
    """An empty list is a branch to compare with, in which nothing is done."""
    return Shape(
        lambda node, names: () if node.value == () else steps.read(node, names),
        {**steps.schema, "minItems": 0},
    )


def _read_split(node: Node, names: Names, portion: Shape[words.Portion]) -> Any:
    if not node.elements:
        raise unexpected(node, EXPECTED)
    branches = read_elements(node, names, portion)
    gathering = Gathering()
    with gathering:
        _refuse_twin_names(node, branches)
    with gathering:
        _demand_whole(node, branches)
    gathering.settle()
    return words.Split, {"branches": branches}


def _refuse_twin_names(node: Node, branches: tuple[words.Portion, ...]) -> None:
    gathering = Gathering()
    seen: dict[str, words.Portion] = {}
    for at, branch in enumerate(branches):
        with gathering:
            if branch.name in seen:
                hint = f"the first stands in line {seen[branch.name].mark.line}"
                message = f"two branches are called '{branch.name}'"
                raise mistake(node.elements[at], message, hint)
        seen.setdefault(branch.name, branch)
    gathering.settle()


def _demand_whole(node: Node, branches: tuple[words.Portion, ...]) -> None:
    shares = [branch.share for branch in branches]
    total = sum(shares)
    if total == WHOLE_SHARE:
        return
    missing = "too much" if total > WHOLE_SHARE else "missing"
    hint = f"{share_text(abs(WHOLE_SHARE - total))} {missing}"
    if total and any(share % PERCENT for share in shares):  # ruling 113
        whole = listed(f"{one}%" for one in nearest_whole_split(shares))
        hint += f"; the nearest whole split is {whole}"
    raise mistake(node, f"the shares add up to {share_text(total)}, expected 100%", hint)
