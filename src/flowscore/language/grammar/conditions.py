"""Reading conditions: one row for each word of LANGUAGE 2."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flowscore.language import conditions as words
from flowscore.language.conditions import Condition
from flowscore.language.document import Node
from flowscore.language.grammar.cells import GRADE_IS_SCHEMA, read_grade_is
from flowscore.language.grammar.counting import IN_CONDITIONS, WHERE
from flowscore.language.grammar.events import IGNORED_WORDS, IgnoredWord, event_shapes
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import (
    CONSENTS,
    GENERAL,
    LISTS,
    read_level,
    read_score,
    the_score,
)
from flowscore.language.grammar.shapes import (
    DURATION,
    Key,
    Schema,
    Shape,
    Table,
    filled,
    read_elements,
    read_keys,
)
from flowscore.language.grammar.shares import SHARE
from flowscore.language.grammar.spelling import listed
from flowscore.language.grammar.stages import STAGE_IS_SCHEMA, read_stage_is
from flowscore.language.grammar.values import NAMED_TESTS, bounds_of, bounds_table

BOUND_WORDS = frozenset({"at_least", "at_most", "above", "below"})


def read_condition(node: Node, names: Names) -> Condition:
    """One condition: a mapping with exactly one key; a list of conditions means all of them."""
    if isinstance(node.value, tuple):
        return read_all(node, names)
    word, child = the_word(node, names, CONDITIONS)
    condition: Condition = CONDITIONS.keys[word].shape.read(child, names)
    return condition


EACH_AN_ITEM = "make each an item of its own: a line with '- '"


def the_word(
    node: Node, names: Names, table: Table, several: str = EACH_AN_ITEM
) -> tuple[str, Node]:
    """The one key of a condition or trigger, known and supported; `several`: how to mend two."""
    example = next(iter(table.keys))
    if not node.items:
        hint = bare_word_hint(node, names, table)
        raise unexpected(
            node, f"{table.thing}: a mapping with one key, such as `{example}: …`", hint
        )
    wrong = [_unknown(key, child, table, node.items) for key, child in node.items.items()]
    gathering = Gathering()
    for error in filter(None, wrong):
        with gathering:
            raise error
    gathering.settle()
    if len(node.items) > 1:
        found = " and ".join(f"'{key}'" for key in node.items)
        raise mistake(node, f"found {found} together, expected one key in {table.thing}", several)
    return next(iter(node.items.items()))


def _unknown(key: str, child: Node, table: Table, beside: Iterable[str]) -> Exception | None:
    if key in table.keys:
        return None
    found = f"'{key}' has no place" if key in table.elsewhere else f"unknown word '{key}'"
    return misplaced(child, f"{found} in {table.thing}", table.suggestion(key, beside))


def bare_word_hint(node: Node, names: Names, table: Table) -> str:
    """What was meant where a text stands instead of a mapping."""
    words_found = node.value.split() if isinstance(node.value, str) else []
    if not words_found:
        return f"known here: {listed(table.keys)}"
    first = words_found[0].rstrip(":")
    if first in table.keys:
        return f"write `{first}: …`"
    if guess := table.guess(first):
        return guess
    word = next((key for key in ("in_list", "list_joined") if key in table.keys), "")
    word = word if first in names.lists else "event"
    meant = (
        f"did you mean {{{word}: {first}}}? "
        if word in table.keys and len(words_found) == 1
        else ""
    )
    return f"{meant}known here: {listed(table.keys)}"


def read_all(node: Node, names: Names) -> words.All:
    """`all: [..]`, and any bare list of conditions."""
    return words.All(mark=node.place, of=_several(node, names))


def read_any(node: Node, names: Names) -> words.AnyOf:
    """`any: [..]`."""
    return words.AnyOf(mark=node.place, of=_several(node, names))


def read_not(node: Node, names: Names) -> words.Not:
    """`not: {..}`; of a list: not all of them."""
    return words.Not(mark=node.place, of=read_condition(node, names))


def _several(node: Node, names: Names) -> tuple[Condition, ...]:
    if not node.elements:
        hint = "leave the key out" if node.value == () else "begin each with '- '"
        raise unexpected(node, "a list of conditions", hint)
    return read_elements(node, names, CONDITION)


def read_score_is(node: Node, names: Names) -> Condition:
    """`{engagement: {at_least: 50}}`, several scores (all of them), or the bounds alone."""
    if not isinstance(node.value, dict) or not node.items:
        raise unexpected(node, "{SCORE: {at_least: NUMBER}}", _bare_level(node))
    if BOUND_WORDS & set(node.items) and not set(node.items) & set(names.scores):
        return _score_bounds(node, names, the_score(node, names), node)
    gathering, read = Gathering(), []
    for name, child in node.items.items():
        with gathering:
            score = read_score(Node(name, child.place, child.path), names)
            read.append(_score_bounds(child, names, score, child))
    gathering.settle()
    return read[0] if len(read) == 1 else words.All(mark=node.place, of=tuple(read))


def _bare_level(node: Node) -> str:
    if node.value is None or isinstance(node.value, dict | tuple):
        return ""
    return f"write {{at_least: {node.value}}}"


def _score_bounds(node: Node, names: Names, score: str, place: Node) -> words.ScoreIs:
    if not isinstance(node.value, dict):
        raise unexpected(node, "bounds such as {at_least: 50}", _bare_level(node))
    found = read_keys(node, names, _levels(score))
    return words.ScoreIs(mark=place.place, score=score, bounds=bounds_of(node, found))


def _levels(score: str) -> Table:
    """Bounds in numbers or in the bands of that score."""
    level = Shape(lambda node, names: read_level(node, names, score), LEVEL_SCHEMA)
    return bounds_table("the bounds of a score", level)


def read_consent(node: Node, names: Names) -> Condition:
    """`email` in general, or topics of the policy; of several any (ruling 82)."""
    topics = CONSENTS.read(node, names)
    general = words.MayMail(mark=node.place)
    named = tuple(topic for topic in topics if topic != GENERAL)
    if not named:
        return general
    specific = words.MayMail(mark=node.place, topics=named)
    if GENERAL not in topics:
        return specific
    return words.AnyOf(mark=node.place, of=(general, specific))


def read_this_event(node: Node, names: Names) -> words.ThisEvent:
    """Tests of the event that enrolled (ruling 86)."""
    if not names.in_scenario:
        message = "`this_event` is the event that enrolled: it works only in a scenario"
        raise misplaced(node, message, "use `event` with `where`")
    return words.ThisEvent(mark=node.place, properties=WHERE.read(node, names))


def read_drawn(node: Node, names: Names) -> words.Drawn:
    """A stable share, drawn for the place where the condition stands (ruling 44)."""
    place = f"{names.here}/{node.path.rpartition('/')[0]}"
    return words.Drawn(mark=node.place, share=SHARE.read(node, names), place=place)


def _ignored(row: IgnoredWord) -> Shape[words.MailIgnored]:
    return Shape(
        lambda node, names: words.MailIgnored(mark=node.place, **row.read(node, names)),
        row.table.schema,
    )


def _happened(word: str, shape: Shape[Any]) -> Callable[[Node, Names], words.Happened]:
    def read(node: Node, names: Names) -> words.Happened:
        return words.Happened(mark=node.place, word=word, query=shape.read(node, names))

    return read


LEVEL_SCHEMA: Schema = {"type": ["number", "string"]}
BOUNDS_SCHEMA = _levels("").schema
SCORE_IS_SCHEMA: Schema = {
    "anyOf": [
        BOUNDS_SCHEMA,
        {"type": "object", "minProperties": 1, "additionalProperties": BOUNDS_SCHEMA},
    ]
}
CONDITION: Shape[Condition] = Shape(read_condition, {"$ref": "#/$defs/condition"})
SEVERAL: Schema = {"type": "array", "items": CONDITION.schema, "minItems": 1}
CONDITION_OR_LIST: Shape[Condition] = Shape(read_condition, {"anyOf": [CONDITION.schema, SEVERAL]})

CONDITIONS = Table(
    "a condition",
    {
        "all": Key(Shape(read_all, SEVERAL), "Every one of these is true."),
        "any": Key(Shape(read_any, SEVERAL), "At least one of these is true."),
        "not": Key(Shape(read_not, CONDITION_OR_LIST.schema), "This is not true."),
        "score": Key(
            Shape(read_score_is, SCORE_IS_SCHEMA),
            "The balance of a score; a band's name may stand for its number.",
        ),
        "grade": Key(Shape(read_grade_is, GRADE_IS_SCHEMA), "The contact's cell is one of these."),
        "stage": Key(
            Shape(read_stage_is, STAGE_IS_SCHEMA),
            "The contact's lifecycle stage is this one (of several: any), or `at_least` it.",
        ),
        "attribute": Key(
            filled(words.AttributeIs, "attributes", NAMED_TESTS),
            "Every named attribute of the contact passes its tests.",
        ),
        "company": Key(
            filled(words.CompanyIs, "attributes", NAMED_TESTS),
            "Every named attribute of the contact's company passes its tests.",
        ),
        "in_list": Key(
            filled(words.InList, "lists", LISTS),
            "Member of this list now (of several: of any).",
        ),
        **{
            word: Key(Shape(_happened(word, shape), shape.schema), says)
            for word, (shape, says) in event_shapes(IN_CONDITIONS).items()
        },
        **{
            word: Key(
                _ignored(row),
                "The latest such mail sent at least so long ago was ignored for that time.",
            )
            for word, row in IGNORED_WORDS.items()
        },
        "this_event": Key(
            Shape(read_this_event, WHERE.schema),
            "The event that enrolled the contact passes these tests.",
        ),
        "inactive": Key(
            filled(words.Inactive, "duration", DURATION),
            "No behaviour for so long.",
        ),
        "consent": Key(
            Shape(read_consent, CONSENTS.schema),
            "May be mailed now: `email` in general, or on a topic.",
        ),
        "random": Key(
            Shape(read_drawn, SHARE.schema), "Belongs to this share of all contacts, for good."
        ),
    },
    {
        **dict.fromkeys(("then", "else"), "it stands beside `if`: indent it like the `if`"),
        "email_complained": "write `event: email_complained`",
        "email_delivered": "write `email_sent`; a bounce is `email_bounced`",
    },
)
