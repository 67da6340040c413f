"""Reading the lifecycle: the funnel's stages and what qualifies for each (LANGUAGE 5)."""

from __future__ import annotations

from collections.abc import Sequence

from flowscore.language import lifecycle as words
from flowscore.language.conditions import StageIs
from flowscore.language.document import Node
from flowscore.language.grammar.conditions import CONDITION_OR_LIST
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    NAME,
    WORDS,
    YES_NO,
    Key,
    Shape,
    Table,
    list_of,
    read_keys,
)
from flowscore.language.words import walk


def read_lifecycle(node: Node, names: Names) -> words.Lifecycle:
    """The whole lifecycle."""
    gathering, found = Gathering(), {}
    with gathering:
        found = read_keys(node, names, LIFECYCLE)
    if "stages" in node.items and node.items["stages"].elements:
        first, *others = node.items["stages"].elements
        with gathering:
            _refuse_twins((first, *others))
        with gathering:
            _refuse_more_of_the_first(first)
        for other in others:
            with gathering:
                _refuse_retreat_from_nothing(other)
    gathering.settle()
    return words.Lifecycle(mark=node.mark, **found)


def read_stage_of(node: Node, names: Names) -> words.Stage:
    """A bare name, or `{stage: mql, when: {..}, retreat: true}`."""
    if not isinstance(node.value, dict):
        return words.Stage(mark=node.mark, name=NAME.read(node, names))
    _refuse_name_as_key(node)
    found = read_keys(node, names, STAGE)
    gathering = Gathering()
    for word in walk(found.get("when")):
        if isinstance(word, StageIs):
            with gathering:
                hint = "a contact moves forward by itself: name only what qualifies"
                raise mistake(node, "a stage's `when` cannot read the stage", hint, word.mark)
    gathering.settle()
    return words.Stage(mark=node.mark, **found)


def _refuse_name_as_key(node: Node) -> None:
    """`- mql: {when: ..}`, where the name has become the key."""
    others = [key for key in node.items if key not in STAGE.keys]
    inside = node.items[others[0]].items if len(others) == 1 else {}
    if "stage" not in node.items and ("when" in inside or "retreat" in inside):
        hint = f"write {{stage: {others[0]}, when: …}}"
        raise unexpected(node, "a stage: its name, or a mapping with stage and when", hint)


def _refuse_twins(stages: Sequence[Node]) -> None:
    gathering = Gathering()
    seen: dict[str, Node] = {}
    for stage in stages:
        name = stage.items.get("stage", stage).value
        if not isinstance(name, str | int):
            continue  # it has none, which is said where it is read
        with gathering:
            if str(name) in seen:
                hint = f"the first stands in line {seen[str(name)].mark.line}"
                raise mistake(stage, f"two stages are called '{name}'", hint)
        seen.setdefault(str(name), stage)
    gathering.settle()


def _refuse_more_of_the_first(node: Node) -> None:
    gathering = Gathering()
    for key in ("when", "retreat"):
        if key in node.items and node.items[key].value is not False:
            with gathering:
                hint = "write its name alone; what qualifies belongs to the next stage"
                message = f"the first stage has no `{key}`: everybody begins there"
                raise misplaced(node.items[key], message, hint)
    gathering.settle()


def _refuse_retreat_from_nothing(node: Node) -> None:
    if node.items.keys() - STAGE.keys:
        return  # a key is misspelled: what is missing may be that one
    if "retreat" in node.items and node.items["retreat"].value and "when" not in node.items:
        hint = "add `when: …`, or take `retreat` out; steps take a contact back with `back`"
        message = "a stage without `when` has nothing that could cease, so nobody falls back"
        raise misplaced(node.items["retreat"], message, hint)


STAGE = Table(
    "a stage",
    {
        "stage": Key(NAME, "The stage's name.", "name", True),
        "when": Key(
            CONDITION_OR_LIST, "Who qualifies; without it only `set_stage` takes people there."
        ),
        "retreat": Key(YES_NO, "true: who no longer qualifies falls back."),
    },
)
LIFECYCLE = Table(
    "a lifecycle",
    {
        "lifecycle": Key(NAME, "Its name; there is one per project.", "name", True),
        "description": Key(WORDS, "What it is for."),
        "stages": Key(
            list_of(Shape(read_stage_of, {"anyOf": [NAME.schema, STAGE.schema]}), "stages"),
            "The stages, in order; the first is everybody's.",
            "",
            True,
        ),
    },
)
