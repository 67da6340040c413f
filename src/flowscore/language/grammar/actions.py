"""Reading actions: one row for each word of LANGUAGE 4."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flowscore.language import actions as words
from flowscore.language.actions import Action
from flowscore.language.document import Node
from flowscore.language.grammar.addresses import ADDRESS, RECIPIENTS
from flowscore.language.grammar.conditions import CONDITION_OR_LIST, bare_word_hint
from flowscore.language.grammar.expressions import read_expression
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.points import POINTS_SCHEMA, read_points
from flowscore.language.grammar.references import (
    CONSENTS,
    REFUSALS,
    SCENARIOS,
    SCORES,
    STATIC_LISTS,
    TEMPLATES,
)
from flowscore.language.grammar.shapes import (
    DURATION,
    WORDS,
    YES_NO,
    Key,
    Schema,
    Shape,
    Table,
    keys_inside,
    list_of,
    read_elements,
    read_keys,
)
from flowscore.language.grammar.spelling import listed
from flowscore.language.grammar.splits import split_shape
from flowscore.language.grammar.stages import SET_STAGE_SCHEMA, read_set_stage
from flowscore.language.grammar.values import VALUE, Operand
from flowscore.language.grammar.waits import WAIT, WAIT_FOR_SHAPE, read_wait
from flowscore.language.grammar.webhooks import WEBHOOK, read_webhook

FIXED = ("email", "created_at")  # attributes that say who a contact is
BRANCHING = ("if", "wait_for")  # actions beside which `then` and `else` stand
STEP_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


def read_step(node: Node, names: Names) -> Action:
    """One step: exactly one action, and beside it `id`, `enabled`, `then`, `else`."""
    word = _the_action(node, names)
    gathering = Gathering()
    extras: dict[str, Any] = {}
    for key, child in node.items.items():
        with gathering:
            _refuse_unknown(key, child, f"unknown key '{key}' beside '{word}'", node.items)
    with gathering:
        extras = _extras(node, names, word)
    with gathering:
        if not _lacks_what_stands_beside(node, word):
            kind, fields = ACTIONS.keys[word].shape.read(node.items[word], names)
    gathering.settle()
    action: Action = kind(mark=node.mark, **fields, **extras)
    return action


def _lacks_what_stands_beside(node: Node, word: str) -> bool:
    """Whether a key beside the action belongs into it: then what it lacks is said already."""
    own = keys_inside(ACTIONS.keys[word].shape.schema)
    return any(key in own for key in node.items if key not in BESIDE.keys)


def _the_action(node: Node, names: Names) -> str:
    """The one key of a step that is an action."""
    if not node.items:
        expected = "an action: a mapping with one key, such as `send_email: NAME`"
        raise unexpected(node, expected, bare_word_hint(node, names, ACTIONS))
    actions = [key for key in node.items if key in ACTIONS.keys]
    if len(actions) == 1:
        return actions[0]
    gathering = Gathering()
    for key, child in node.items.items():
        with gathering:
            _refuse_unknown(key, child, f"unknown action '{key}'")
    gathering.settle()
    found = " and ".join(f"'{key}'" for key in actions) or "none"
    hint = "make each a step of its own: a line with '- '" if actions else _known()
    raise mistake(node, f"found {found}, expected one action in a step", hint)


def _refuse_unknown(key: str, child: Node, message: str, beside: Iterable[str] = ()) -> None:
    if key not in ACTIONS.keys and key not in BESIDE.keys:
        raise misplaced(child, message, IN_A_STEP.guess(key, beside) or _known())


def _known() -> str:
    return f"known: {listed(ACTIONS.keys)}; beside an action: {listed(BESIDE.keys)}"


def _extras(node: Node, names: Names, word: str) -> dict[str, Any]:
    beside = {key: child for key, child in node.items.items() if key in BESIDE.keys}
    gathering = Gathering()
    for key, child in beside.items():
        with gathering:
            if key in ("then", "else") and word not in BRANCHING:
                hint = "it belongs to an `if` or a `wait_for`"
                raise misplaced(child, f"'{key}' stands beside '{word}'", hint)
    gathering.settle()
    found = read_keys(Node(beside, node.mark, node.path), names, BESIDE)
    inside = {"then", "else"} & set(node.items[word].items)  # said there
    if word == "if" and not inside and not {"then", "otherwise"} & set(found):
        raise mistake(node, "an `if` needs `then` or `else`", "write the steps under `then`")
    return {"path": found.pop("id", node.path), **found}


def read_id(node: Node, names: Names) -> str:
    """An author's own name for a step."""
    if isinstance(node.value, str) and STEP_ID.fullmatch(node.value):
        return node.value
    raise unexpected(node, "a name of letters, digits, - and _ that begins with a letter")


def read_steps(node: Node, names: Names) -> tuple[Action, ...]:
    """A list of steps."""
    if isinstance(node.value, dict):
        raise unexpected(node, "a list of steps", "begin each step with '- '")
    return STEPS.read(node, names)


# -- what each action takes -----------------------------------------------------------------


def read_set_attribute(node: Node, names: Names) -> Any:
    """`{plan: trial, tags: [a, b]}`."""
    if not node.items:
        raise unexpected(node, "a mapping such as {plan: trial}")
    gathering, values = Gathering(), []
    for name, child in node.items.items():
        with gathering:
            if name in FIXED:
                raise misplaced(child, f"'{name}' cannot be set by a scenario")
            values.append((name, _attribute_value(child, names)))
    gathering.settle()
    return words.SetAttribute, {"values": tuple(values)}


def _attribute_value(node: Node, names: Names) -> Operand | tuple[Operand, ...]:
    if node.value is None:
        raise unexpected(node, "a value", 'an empty text "" takes the attribute away')
    if isinstance(node.value, dict):
        hint = "put {{ }} into quotes" if node.shown.startswith("a mapping ((") else ""
        raise unexpected(node, "a value or a list of values", hint)
    if isinstance(node.value, tuple):
        return read_elements(node, names, Shape(read_expression, {}))
    return read_expression(node, names)


def read_send_email(node: Node, names: Names) -> Any:
    """A template, or a mapping with how late and how often it may go."""
    if isinstance(node.value, dict):
        return words.SendEmail, read_keys(node, names, SEND_EMAIL)
    return words.SendEmail, {"templates": TEMPLATES.read(node, names)}


def read_move(node: Node, names: Names) -> Any:
    """`{from: [a, b], to: c}`."""
    return words.MoveToList, read_keys(node, names, MOVE)


def read_notify(node: Node, names: Names) -> Any:
    """`{to: sales@acme.example, template: hot-lead}`."""
    if isinstance(node.value, str | tuple):
        raise unexpected(node, "a mapping with to and template", "{to: owner, template: NAME}")
    return words.Notify, read_keys(node, names, NOTIFY)


def read_owner(node: Node, names: Names) -> Any:
    """An address, or `{round_robin: [..]}`."""
    if isinstance(node.value, dict):
        return words.AssignOwner, {**read_keys(node, names, OWNERS), "round_robin": True}
    if node.elements:
        hint = "write {round_robin: [..]}: each in turn"
        raise unexpected(node, "one address, or {round_robin: [..]}", hint)
    return words.AssignOwner, {"owners": (ADDRESS.read(node, names),)}


def _filling(kind: type[Action], field: str, shape: Shape[Any], **fixed: object) -> Shape[Any]:
    """An action of that kind with one field read by the shape."""
    return Shape(
        lambda node, names: (kind, {field: shape.read(node, names), **fixed}), shape.schema
    )


SEND_EMAIL = Table(
    "send_email",
    {
        "template": Key(TEMPLATES, "The template (several: all, in order).", "templates", True),
        "unless_late_by": Key(DURATION, "Withheld when it would go out so late."),
        "once_per": Key(DURATION, "Withheld when the contact got the same within this time."),
    },
)
MOVE = Table(
    "move_to_list",
    {
        "from": Key(STATIC_LISTS, "The lists to leave.", "origin", True),
        "to": Key(STATIC_LISTS, "The list to join.", required=True),
    },
)
NOTIFY = Table(
    "notify",
    {
        "to": Key(RECIPIENTS, "Who gets it: addresses, or `owner`.", required=True),
        "template": Key(TEMPLATES, "The template (several: all).", "templates", True),
    },
)
OWNERS = Table(
    "assign_owner",
    {"round_robin": Key(list_of(ADDRESS, "addresses"), "Each in turn.", "owners", True)},
)
STEPS_SCHEMA: Schema = {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1}

ACTIONS = Table(
    "an action",
    {
        "add_points": Key(Shape(read_points, POINTS_SCHEMA), "Adds points to a score."),
        "subtract_points": Key(
            Shape(lambda node, names: read_points(node, names, -1), POINTS_SCHEMA),
            "Takes points from a score.",
        ),
        "reset_score": Key(
            _filling(words.ResetScore, "scores", SCORES), "Sets scores back to 0, for good."
        ),
        "add_to_list": Key(
            _filling(words.AddToList, "lists", STATIC_LISTS), "Puts the contact on static lists."
        ),
        "remove_from_list": Key(
            _filling(words.RemoveFromList, "lists", STATIC_LISTS), "Takes the contact off lists."
        ),
        "move_to_list": Key(Shape(read_move, MOVE.schema), "Leaves lists and joins another."),
        "set_stage": Key(
            Shape(read_set_stage, SET_STAGE_SCHEMA),
            "Moves forward to a lifecycle stage; with `back` also backwards.",
        ),
        "set_attribute": Key(
            Shape(
                read_set_attribute,
                {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"not": {"enum": list(FIXED)}},
                    "additionalProperties": {
                        "anyOf": [VALUE.schema, {"type": "array", "items": VALUE.schema}]
                    },
                },
            ),
            "Sets attributes; a text with {{ }} is a Jinja2 expression.",
        ),
        "send_email": Key(
            Shape(read_send_email, {"anyOf": [TEMPLATES.schema, SEND_EMAIL.schema]}),
            "Queues a templated mail, under the policy.",
        ),
        "notify": Key(
            Shape(read_notify, NOTIFY.schema), "Internal mail, exempt from consent and caps."
        ),
        "webhook": Key(Shape(read_webhook, WEBHOOK.schema), "A signed POST to another system."),
        "assign_owner": Key(
            Shape(read_owner, {"anyOf": [ADDRESS.schema, OWNERS.schema]}),
            "Sets the attribute `owner`.",
        ),
        "subscribe": Key(
            _filling(words.ChangeConsent, "topics", CONSENTS, granted=True),
            "Grants consent: to topics, or `email` in general.",
        ),
        "unsubscribe": Key(
            _filling(words.ChangeConsent, "topics", REFUSALS, granted=False),
            "Refuses consent: to topics, `email` in general, or `all`.",
        ),
        "wait": Key(
            Shape(read_wait, {"anyOf": [DURATION.schema, WAIT.schema]}),
            "Pauses for so long, or until a time of day.",
        ),
        "wait_for": Key(
            WAIT_FOR_SHAPE, "Pauses until it occurs (`then`), at most `up_to` (`else`)."
        ),
        "if": Key(
            _filling(words.If, "condition", CONDITION_OR_LIST),
            "Branches on a condition, into `then` and `else`.",
        ),
        "split": Key(
            split_shape(Shape(read_steps, STEPS_SCHEMA)),
            "Branches at random, the same way for the same contact.",
        ),
        "enroll": Key(_filling(words.EnrollIn, "scenarios", SCENARIOS), "Into another scenario."),
        "exit": Key(_filling(words.Exit, "reason", WORDS), "Ends here, with a reason."),
    },
)
STEP: Shape[Action] = Shape(read_step, {"$ref": "#/$defs/step"})
STEPS = list_of(STEP, "steps")
BESIDE = Table(
    "a step",
    {
        "id": Key(
            Shape(read_id, {"type": "string", "pattern": f"^{STEP_ID.pattern}$"}),
            "The step's name; without one its place is its name.",
        ),
        "enabled": Key(YES_NO, "false: the step is passed over."),
        "then": Key(Shape(read_steps, STEPS.schema), "Steps where the condition holds."),
        "else": Key(Shape(read_steps, STEPS.schema), "Steps where it does not.", "otherwise"),
    },
)
WALK_ON = "a walk only goes forward: write the steps under `then` and `else`, or `enroll`"
BY_WEBHOOK = "flowscore itself sends mail; reach other systems with `webhook`"
IN_A_STEP = Table(
    "a step",
    {**ACTIONS.keys, **BESIDE.keys},
    {
        **dict.fromkeys(("goto", "go_to", "jump", "loop", "repeat"), WALK_ON),
        **dict.fromkeys(("sms", "send_sms", "push", "slack", "whatsapp", "in_app"), BY_WEBHOOK),
        **dict.fromkeys(("task", "create_task", "create_deal", "deal"), BY_WEBHOOK),
        "up_to": "it belongs inside `wait_for`: {email_opened: NAME, up_to: 7 days}",
    },
)
STEP_SCHEMA: Schema = {
    "type": "object",
    "properties": {**ACTIONS.properties, **BESIDE.properties},
    "oneOf": [{"required": [word]} for word in ACTIONS.keys],
    "dependentSchemas": {
        key: {"anyOf": [{"required": [word]} for word in BRANCHING]} for key in ("then", "else")
    },
    "if": {"required": ["if"]},
    "then": {"anyOf": [{"required": ["then"]}, {"required": ["else"]}]},
    "additionalProperties": False,
}
