"""Reading scores: rules, caps, range, bands and scale (LANGUAGE 5)."""

from __future__ import annotations

from typing import Any

from flowscore.language import scoring as words
from flowscore.language.conditions import ScoreIs
from flowscore.language.document import Node
from flowscore.language.grammar.conditions import CONDITION_OR_LIST
from flowscore.language.grammar.decay import (
    RULE_DECAY_SHAPE,
    SCORE_DECAY_SHAPE,
    WITHOUT_DECAY,
)
from flowscore.language.grammar.enrolling import refuse_property_date
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.points import AMOUNT
from flowscore.language.grammar.sensitive import sensitive_places
from flowscore.language.grammar.shapes import (
    DURATION,
    NAME,
    NUMBER,
    TEXT,
    WHOLE,
    WORDS,
    Key,
    Shape,
    Table,
    choice,
    list_of,
    read_keys,
)
from flowscore.language.grammar.spelling import listed
from flowscore.language.grammar.triggers import ONE_OR_MORE_TRIGGERS
from flowscore.language.triggers import Manual
from flowscore.language.words import walk


def read_cap(node: Node, names: Names) -> words.Cap:
    """`{times: n}` or `{points: n}`, with or without `per`."""
    found = read_keys(node, names, CAP)
    if ("times" in found) == ("points" in found):
        raise mistake(node, "a cap needs either times or points", "write one of the two")
    if min(found.get("times", 1), found.get("points", 1)) <= 0:
        raise mistake(node, "a cap must be above 0", "to switch a rule off, take it out")
    return words.Cap(mark=node.place, **found)


def read_range(node: Node, names: Names) -> words.Range:
    """`{min: -100, max: 100}`, either left out."""
    found = read_keys(node, names, RANGE)
    if not found:
        raise unexpected(node, "min or max")
    if "min" in found and "max" in found and found["min"] >= found["max"]:
        raise mistake(node, f"found min {found['min']:g} not below max {found['max']:g}")
    return words.Range(mark=node.place, **found)


def read_bands(node: Node, names: Names) -> tuple[tuple[str, float], ...]:
    """Names for numbers, highest first."""
    if not node.items:
        raise unexpected(node, "a mapping such as {hot: 80, interested: 50}")
    gathering, bands = Gathering(), {}
    for name, child in node.items.items():
        with gathering:
            bands[name] = float(NUMBER.read(child, names))
            twin = next((one for one in bands if bands[one] == bands[name] and one != name), None)
            if twin:
                raise mistake(child, f"the bands '{twin}' and '{name}' begin at the same number")
    gathering.settle()
    return tuple(sorted(bands.items(), key=lambda band: (-band[1], band[0])))


def read_rule(node: Node, names: Names) -> words.Rule:
    """One rule: points `on` a trigger or `when` a condition holds."""
    found = read_keys(node, names, RULE)
    if ("on" in found) == ("when" in found):
        hint = "`on` for each time a thing happens, `when` for as long as a thing holds"
        raise mistake(node, f"the rule '{found['name']}' needs either on or when", hint)
    gathering = Gathering()
    with gathering:
        _refuse_beside_when(node)
    with gathering:
        _refuse_manual(node, found)
    for trigger in found.get("on", ()):
        with gathering:
            refuse_property_date(node.items["on"], trigger)
    rule = words.Rule(mark=node.mark, **found)
    with gathering:
        _demand_because(node, rule)
    gathering.settle()
    return rule


def _refuse_beside_when(node: Node) -> None:
    gathering = Gathering()
    for key, (message, hint) in BESIDE_WHEN.items() if "when" in node.items else ():
        if key in node.items:
            with gathering:
                raise misplaced(node.items[key], f"a `when` rule has no {message}", hint)
    gathering.settle()


BESIDE_WHEN = {
    "cap": ("cap: its points stand once while it holds", "take the cap out"),
    "conditions": ("conditions of its own", "put them into `when`"),
    "decay": ("decay: its points stand while it holds", "take the decay out"),
}


def _refuse_manual(node: Node, found: dict[str, Any]) -> None:
    if any(isinstance(trigger, Manual) for trigger in found.get("on", ())):
        raise mistake(node.items["on"], "`manual` gives no points: nobody enrolls into a score")


def _demand_because(node: Node, rule: words.Rule) -> None:
    gathering = Gathering()
    for name, mark in sensitive_places(rule):
        with gathering:
            if not rule.because:
                message = f"the rule '{rule.name}' reads '{name}', a sensitive attribute"
                hint = "say beside `points` why this is fair and needed: because: …"
                raise mistake(node, message, hint, mark)
    gathering.settle()


def read_score(node: Node, names: Names) -> words.Score:
    """A whole score."""
    found = read_keys(node, names, SCORE)
    gathering = Gathering()
    seen: dict[str, words.Rule] = {}
    for rule in found["rules"]:
        with gathering:
            _refuse_own_score(node, found["name"], rule)
        with gathering:
            if rule.name in seen:
                _twice(node, rule, seen[rule.name])
        seen.setdefault(rule.name, rule)
    with gathering:
        _refuse_beside_idle(node, found)
    with gathering:
        _refuse_of_a_company(node, found)
    with gathering:
        _demand_range(node, found)
    gathering.settle()
    return words.Score(mark=node.mark, **found)


def _refuse_beside_idle(node: Node, found: dict[str, Any]) -> None:
    """The loss of the whole score leaves no rule out (ruling 56)."""
    gathering = Gathering()
    for rule in found["rules"] if isinstance(found.get("decay"), words.Idle) else ():
        if rule.decay is not None:
            with gathering:
                message = f"the score is `idle` as a whole, and the rule '{rule.name}' fades alone"
                hint = "keep one of the two"
                raise mistake(node.items["rules"], message, hint, rule.decay.mark)
    gathering.settle()


def _refuse_of_a_company(node: Node, found: dict[str, Any]) -> None:
    """What counts for each contact alone has no place in a company's score (ruling 96)."""
    if found.get("of") != "company":
        return
    gathering = Gathering()
    for rule in found["rules"]:
        if rule.when is not None:
            with gathering:
                message = f"the rule '{rule.name}' stands `when` one contact is so"
                hint = "a company's score counts what its people do: use `on`"
                raise mistake(node.items["rules"], message, hint, rule.when.mark)
    if isinstance(found.get("decay"), words.Idle):
        with gathering:
            hint = "take half_life, linear, expire or step"
            message = "`idle` is of one contact, and this is a company's score"
            raise mistake(node.items["decay"], message, hint, found["decay"].mark)
    gathering.settle()


def read_scale(node: Node, names: Names) -> tuple[int, int]:
    """`1-10` or `1-100`."""
    if isinstance(node.value, str) and node.value in SCALES:
        return SCALES[node.value]
    meant = "1-100" if "100" in str(node.value) else "1-10" if "10" in str(node.value) else ""
    raise unexpected(node, listed(SCALES), f"did you mean '{meant}'?" if meant else "")


def _demand_range(node: Node, found: dict[str, Any]) -> None:
    """A scale is laid over the range, which needs both ends (ruling 59)."""
    given = found.get("range")
    if "scale" in found and (given is None or given.min is None or given.max is None):
        hint = "add `range: {min: 0, max: 100}`, so that both ends are known"
        raise misplaced(node.items["scale"], "a scale needs `range` with min and max", hint)


def _twice(node: Node, rule: words.Rule, first: words.Rule) -> None:
    message = f"two rules are called '{rule.name}'"
    hint = f"the first stands in line {first.mark.line}; the ledger needs a name for each"
    raise mistake(node.items["rules"], message, hint, rule.mark)


def _refuse_own_score(node: Node, score: str, rule: words.Rule) -> None:
    for condition in walk(rule.when):
        if isinstance(condition, ScoreIs) and condition.score == score:
            message = f"the rule '{rule.name}' reads the score '{score}' that it changes"
            hint = "let it read an event, an attribute or another score"
            raise mistake(node.items["rules"], message, hint, condition.mark)


SCALES = {"1-10": (1, 10), "1-100": (1, 100)}
CAP = Table(
    "a cap",
    {
        "times": Key(WHOLE, "At most so many times."),
        "points": Key(NUMBER, "At most so many points."),
        "per": Key(DURATION, "Within any such span; without it: ever."),
    },
)
RANGE = Table(
    "a range",
    {
        "min": Key(NUMBER, "What is read never goes below."),
        "max": Key(NUMBER, "What is read never goes above."),
    },
)
RULE = Table(
    "a rule",
    {
        "name": Key(NAME, "The rule's name in the ledger.", required=True),
        "points": Key(AMOUNT, "Points for each occurrence; negative ones are taken.", "", True),
        "on": Key(ONE_OR_MORE_TRIGGERS, "Points each time this happens."),
        "when": Key(CONDITION_OR_LIST, "Points while this holds, taken back when it does not."),
        "conditions": Key(CONDITION_OR_LIST, "Asked at each occurrence of `on`."),
        "cap": Key(Shape(read_cap, CAP.schema), "How often or how much at most."),
        "decay": Key(RULE_DECAY_SHAPE, "How its points fade, instead of as the score says."),
        "because": Key(TEXT, "Why a sensitive attribute is read; reports repeat it."),
    },
    WITHOUT_DECAY,
)
SCORE = Table(
    "a score",
    {
        "score": Key(NAME, "The score's name.", "name", True),
        "description": Key(WORDS, "What it is for."),
        "objective": Key(WORDS, "The business objective behind it."),
        "rules": Key(
            list_of(Shape(read_rule, RULE.schema), "rules"),
            "What gives and takes points.",
            "",
            True,
        ),
        "range": Key(Shape(read_range, RANGE.schema), "Cuts what is read, not what is kept."),
        "cap": Key(Shape(read_cap, CAP.schema), "Over the positive points of all rules."),
        "bands": Key(
            Shape(
                read_bands,
                {"type": "object", "minProperties": 1, "additionalProperties": NUMBER.schema},
            ),
            "Names for numbers of points.",
        ),
        "decay": Key(SCORE_DECAY_SHAPE, "How points fade, for every `on` rule without its own."),
        "scale": Key(Shape(read_scale, {"enum": list(SCALES)}), "Also shown on this scale."),
        "of": Key(choice("contact", "company"), "company: one balance for the whole company."),
    },
    WITHOUT_DECAY,
)
