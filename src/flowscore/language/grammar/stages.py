"""Stages of the lifecycle where they are named: in conditions, triggers and `set_stage`."""

from __future__ import annotations

from typing import Any

from flowscore.language import actions as words
from flowscore.language.conditions import StageIs
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import NAME_SCHEMA, read_stage
from flowscore.language.grammar.shapes import (
    YES_NO,
    Key,
    Schema,
    Shape,
    Table,
    one_or_more,
    read_keys,
)
from flowscore.language.triggers import StageEnters


def read_stage_is(node: Node, names: Names) -> StageIs:
    """`mql`, `[mql, sql]`, or `{at_least: mql}`: that stage and all behind it."""
    if not isinstance(node.value, dict):
        return StageIs(mark=node.place, stages=STAGES.read(node, names))
    found = read_keys(node, names, AT_LEAST)
    if not found:
        raise unexpected(node, "a stage, a list of stages, or {at_least: STAGE}")
    least = found["at_least"]
    behind = names.stages[names.stages.index(least) :] if names.stages else (least,)
    return StageIs(mark=node.place, stages=behind, at_least=least)


def read_stage_enters(node: Node, names: Names) -> StageEnters:
    """`{enters: sql}`, or a list of stages."""
    if not isinstance(node.value, dict):
        hint = f"write {{enters: {node.value}}}" if isinstance(node.value, str) else ""
        raise unexpected(node, "{enters: STAGE}", hint)
    return StageEnters(mark=node.place, **read_keys(node, names, ENTERING))


def read_set_stage(node: Node, names: Names) -> Any:
    """A stage, or `{stage: sql, back: true}`."""
    if isinstance(node.value, dict):
        return words.SetStage, read_keys(node, names, SET_STAGE)
    if isinstance(node.value, tuple):
        hint = "a contact is in one stage: name that one"
        raise unexpected(node, "one stage, or {stage: NAME, back: true}", hint)
    return words.SetStage, {"stage": STAGE.read(node, names)}


STAGE = Shape(read_stage, NAME_SCHEMA)
STAGES = one_or_more(STAGE, "names of stages")
NO_ORDER = "write the stages: [a, b], or turn it round: `not: {stage: {at_least: NAME}}`"
AT_LEAST = Table(
    "a condition on the stage",
    {"at_least": Key(STAGE, "This stage or one behind it.")},
    {
        **dict.fromkeys(("at_most", "above", "below"), NO_ORDER),
        **dict.fromkeys(("is", "in"), "write the stages alone: `stage: [a, b]`"),
        **dict.fromkeys(("is_not", "not_in", "not"), "write `not: {stage: NAME}`"),
        "enters": "a moment is for a trigger: ask where the contact stands, `stage: NAME`",
    },
)
STAGE_IS_SCHEMA: Schema = {"anyOf": [*STAGES.schema["anyOf"], AT_LEAST.schema]}
ENTERING = Table(
    "a trigger over the stage",
    {"enters": Key(STAGES, "When the contact comes into exactly this stage.", "stages", True)},
    {
        "leaves": "name the stages that are entered instead: `enters`",
        "at_least": "a trigger is a moment: write `enters` with the stages",
        "from": "name the stage entered, `enters`; the one before: `this_event: {from: NAME}`",
    },
)
SET_STAGE = Table(
    "set_stage",
    {
        "stage": Key(STAGE, "The stage.", required=True),
        "back": Key(YES_NO, "true: also from a stage behind it; else only forward."),
    },
)
SET_STAGE_SCHEMA: Schema = {"anyOf": [STAGE.schema, SET_STAGE.schema]}
