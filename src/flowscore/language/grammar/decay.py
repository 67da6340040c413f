"""Reading how points fade: `decay` of a rule and of a score (LANGUAGE 5, rulings 50, 51, 56)."""

from __future__ import annotations

from flowscore.language import scoring as words
from flowscore.language.document import Node
from flowscore.language.grammar.conditions import the_word
from flowscore.language.grammar.mistakes import misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.points import AMOUNT, MOST_POINTS
from flowscore.language.grammar.shapes import (
    DURATION,
    YES_NO,
    Key,
    Shape,
    Table,
    filled,
    read_keys,
)
from flowscore.language.grammar.shares import SHARE, share_of

NONE = "none"
ONE_WAY = "points fade in one way: keep one of them"
STEP_FORM = "{step: {lose: 15%, every: 45 days}}"


def read_step(node: Node, names: Names) -> words.Steps:
    """`{lose: 15%, every: 45 days}`."""
    if not isinstance(node.value, dict):
        raise unexpected(node, "a share and a span", "{lose: 15%, every: 45 days}")
    return words.Steps(mark=node.place, **read_keys(node, names, STEP))


def read_lost_share(node: Node, names: Names) -> int:
    """A share of what is left, above 0."""
    share = SHARE.read(node, names)
    if share == 0:
        raise unexpected(node, "a share above 0%", "for points that stay write `decay: none`")
    return share


def read_idle(node: Node, names: Names) -> words.Idle:
    """What the score as a whole loses when nothing is done: points again and again, or all."""
    if not isinstance(node.value, dict):
        hint = "{after: 60 days, reset: true}, or {after: 30 days, lose: 10, every: 7 days}"
        raise unexpected(node, "a mapping with after", hint)
    found = read_keys(node, names, IDLE)
    losing = {"lose", "every"} & set(found)
    if found.get("reset") and losing:
        word = min(losing)
        message = f"'{word}' stands beside `reset: true`, which takes everything at once"
        raise misplaced(node.items[word], message, "keep one of the two")
    if not found.get("reset") and len(losing) < 2:
        hint = "{after: 30 days, lose: 10, every: 7 days}, or {after: 60 days, reset: true}"
        raise mistake(node, "`idle` needs lose and every, or reset: true", hint)
    return words.Idle(mark=node.place, **found)


def read_lost_points(node: Node, names: Names) -> float:
    """Points above 0."""
    if isinstance(node.value, str) and share_of(node.value) is not None:
        raise unexpected(node, "points", f"a share is lost by a step: {STEP_FORM}")
    points = AMOUNT.read(node, names)
    if points < 0:
        raise unexpected(node, "points above 0", "leave the sign out: `lose` says it")
    return points


def decay_shape(table: Table) -> Shape[words.Decay]:
    """One of the families in the table, or `none`."""

    def read(node: Node, names: Names) -> words.Decay:
        if node.value == NONE:
            return words.Steady(mark=node.place)
        if not set(node.items) & set(table.keys) and (hint := _meant(node)):
            raise unexpected(node, "a way to fade, or none", hint)
        word, child = the_word(node, names, table, ONE_WAY)
        decay: words.Decay = table.keys[word].shape.read(child, names)
        return decay

    return Shape(read, {"anyOf": [{"const": NONE}, table.one_key_schema]})


def _meant(node: Node) -> str:
    """What was meant by a decay that does not say how."""
    if isinstance(node.value, bool) or node.value is None:
        return "write `decay: none`, or leave it out" if node.value is not True else ALL_WAYS
    text = str(node.value)
    if share_of(text) is not None:
        return f"write {{step: {{lose: {text}, every: 30 days}}}}"
    if isinstance(node.value, str) and text[:1].isdigit():
        return f"how? {{half_life: {text}}}, {{linear: {text}}} or {{expire: {text}}}"
    if {"lose", "every"} & set(node.items):
        return f"write {STEP_FORM}"
    return "" if node.items else ALL_WAYS


ALL_WAYS = f"how? {{half_life: 30 days}}, {{linear: 90 days}}, {{expire: 90 days}} or {STEP_FORM}"
STEP = Table(
    "a decay by steps",
    {
        "lose": Key(Shape(read_lost_share, SHARE.schema), "This share of what is left.", "", True),
        "every": Key(DURATION, "Each time so long has passed.", required=True),
    },
)
IDLE = Table(
    "idle",
    {
        "after": Key(DURATION, "So long without behaviour.", required=True),
        "lose": Key(
            Shape(
                read_lost_points,
                {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_POINTS},
            ),
            "Points lost then, never below 0.",
        ),
        "every": Key(DURATION, "And again each time so long has passed."),
        "reset": Key(YES_NO, "true: back to 0 instead, once."),
    },
)
LINE_FAMILIES = {
    "expire": Key(filled(words.Expires, "after", DURATION), "All at once, after so long."),
    "linear": Key(filled(words.Linear, "over", DURATION), "Evenly, to nothing after so long."),
    "half_life": Key(filled(words.HalfLife, "half", DURATION), "To half, each time so long."),
    "step": Key(Shape(read_step, STEP.schema), "A share of what is left, at intervals."),
}
WITHOUT_DECAY = {  # what stands where `decay` has been forgotten
    **{
        family: f"write `decay: {{{family}: 30 days}}`"
        for family in ("half_life", "linear", "expire")
    },
    "step": f"write `decay: {STEP_FORM}`",
    "idle": "write `decay: {idle: {after: 60 days, reset: true}}`",
    "decay_every": "it stands in the policy",
}
LINE_DECAY = Table(
    "a rule's decay",
    LINE_FAMILIES,
    {"idle": "the score as a whole is idle: put it under the score's own `decay`"},
)
SCORE_DECAY = Table(
    "a decay",
    {
        **LINE_FAMILIES,
        "idle": Key(
            Shape(read_idle, IDLE.schema), "The score as a whole loses when nothing is done."
        ),
    },
)
RULE_DECAY_SHAPE = decay_shape(LINE_DECAY)
SCORE_DECAY_SHAPE = decay_shape(SCORE_DECAY)
