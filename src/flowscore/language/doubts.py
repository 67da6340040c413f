"""Warnings: what is allowed and most likely not meant. Each function is one doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import inf

from flowscore.errors import Mark, Problem
from flowscore.language.actions import Action, Exit, If, Portion, WaitFor
from flowscore.language.conditions import (
    AttributeIs,
    CompanyIs,
    Drawn,
    Happened,
    ScoreIs,
    ThisEvent,
)
from flowscore.language.draft import Draft
from flowscore.language.limits import Span, empty, limits, most_gained, number, span
from flowscore.language.scenario import Scenario
from flowscore.language.triggers import (
    AttributeChanges,
    DateComes,
    OnEvent,
    ScoreCrosses,
    ScoreGains,
    Trigger,
)
from flowscore.language.words import Bounds, EventQuery, ValueTest, ValueTests, Word

# A letter's UTF-8 bytes read as Windows-1252: a lead character and one to three that follow.
MANGLED = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122]{1,3}"
)


NEVER_HOLDS = "condition can never hold"
SIGNS = {
    ">=": "at_least", "<=": "at_most", ">": "above", "<": "below",
    "!=": "is_not", "<>": "is_not", "==": "is", "=": "is",
}  # fmt: skip
OPERATOR = re.compile(r"(>=|<=|<>|!=|==|[<>=])\s*(\S+)$")


def doubt(mark: Mark, message: str, hint: str = "") -> Problem:
    """A warning: it is said, and blocks nothing."""
    return Problem(mark, message, hint=hint, severity="warning")


def unreachable_thresholds(draft: Draft) -> Iterator[Problem]:
    """Triggers over a score that can never get there."""
    spans = limits(draft)
    for trigger in draft.triggers:
        reason = ""
        if isinstance(trigger, ScoreCrosses):
            reason = _out_of_reach(trigger, *spans.get(trigger.score, (-inf, inf)))
        elif isinstance(trigger, ScoreGains) and trigger.score in draft.scores:
            most = most_gained(draft.scores[trigger.score], trigger.within, draft)
            if most < trigger.points:
                reason = f"'{trigger.score}' gains at most {number(most)} in that time"
        if reason:
            yield doubt(trigger.mark, f"this trigger can never fire: {reason}")


def _out_of_reach(trigger: ScoreCrosses, low: float, high: float) -> str:
    score, line = trigger.score, trigger.threshold
    if trigger.direction == "reaches":
        if line > high:
            return f"'{score}' never gets above {number(high)}, expected to reach {line:g}"
        return f"'{score}' is never below {line:g}" if line <= low else ""
    if line < low:
        return f"'{score}' never gets below {number(low)}, expected to fall to {line:g}"
    return f"'{score}' is never above {line:g}" if line >= high else ""


def impossible_conditions(draft: Draft) -> Iterator[Problem]:
    """Conditions that nobody can meet, and triggers that ask for the same."""
    spans = limits(draft)
    for word in draft.words:
        if reason := _impossible(word, spans):
            can = "trigger can never fire" if isinstance(word, Trigger) else NEVER_HOLDS
            yield doubt(word.mark, f"this {can}: {reason}")


def _impossible(word: Word, spans: Mapping[str, Span]) -> str:
    match word:
        case ScoreIs():
            return _unmet_score(word, spans)
        case Happened() | OnEvent():
            return _unmet_count(word.query)
        case AttributeIs() | CompanyIs():
            return _unmet_tests(word.attributes)
        case ThisEvent():
            return _unmet_tests(word.properties)
        case Drawn(share=0):
            return "a share of 0% is nobody"
    return ""


def _unmet_count(query: EventQuery) -> str:
    if empty(query.times):
        return "the bounds of `times` exclude each other"
    if any(empty(one.bounds) for one in query.sums):
        return "the bounds of `sum` exclude each other"
    if query.within is not None and query.older_than is not None:
        no_time = query.within <= query.older_than
        return "`within` and `older_than` leave no time between them" if no_time else ""
    return ""


def _unmet_tests(named: tuple[ValueTests, ...]) -> str:
    wrong = [one.name for one in named if empty(_bounds(one))]
    return f"the bounds of '{wrong[0]}' exclude each other" if wrong else ""


def _bounds(tests: ValueTests) -> Bounds:
    """The numeric bounds among the tests of one attribute."""
    found = {test.operator: test.operand for test in tests.tests}
    return Bounds(**{name: found[name] for name in Bounds.model_fields if name in found})


def _unmet_score(word: ScoreIs, spans: Mapping[str, Span]) -> str:
    if empty(word.bounds):
        return "its bounds exclude each other"
    low, high = spans.get(word.score, (-inf, inf))
    least, most = span(word.bounds)
    if least > high or (least == high and word.bounds.above == high):
        return f"'{word.score}' never gets above {number(high)}"
    if most < low or (most == low and word.bounds.below == low):
        return f"'{word.score}' never gets below {number(low)}"
    return ""


def operators_in_text(draft: Draft) -> Iterator[Problem]:
    """Values such as `>= 50`, which are compared as the text they are."""
    for word in draft.words:
        if found := _written_operator(word):
            hint = f"did you mean {{{SIGNS[found[1]]}: {found[2]}}}?"
            yield doubt(word.mark, f"'{found[0]}' is compared as a text", hint)


def _written_operator(word: Word) -> re.Match[str] | None:
    if isinstance(word, ValueTest) and word.operator == "is" and isinstance(word.operand, str):
        return OPERATOR.match(word.operand)
    return None


def changes_of_nothing(draft: Draft) -> Iterator[Problem]:
    """Triggers that wait for a change to the value it had."""
    for trigger in draft.triggers:
        if isinstance(trigger, AttributeChanges) and _one_value(trigger.to, trigger.origin):
            message = f"this trigger can never fire: '{trigger.attribute}' stays what it was"
            yield doubt(trigger.mark, message, "let `from` and `to` differ")


def dates_before_creation(draft: Draft) -> Iterator[Problem]:
    """A date counted back from `created_at`: it is past before anybody is known."""
    for trigger in draft.triggers:
        if isinstance(trigger, DateComes) and _is_before_creation(trigger):
            message = "this trigger can never fire: it lies before the contact is created"
            yield doubt(trigger.mark, message, "write the offset without its -")


def _is_before_creation(trigger: DateComes) -> bool:
    if trigger.name != "created_at" or trigger.yearly or trigger.of_event:
        return False
    return (trigger.days or 0) < 0 or trigger.offset < 0


def _one_value(to: ValueTests | None, origin: ValueTests | None) -> bool:
    """Whether both ends name the same single value."""
    if to is None or origin is None or to.tests[0].operator != "is":
        return False
    return repr(to) == repr(origin)  # marks apart


def steps_behind_an_exit(draft: Draft) -> Iterator[Problem]:
    """Steps that nobody reaches, because an `exit` stands before them."""
    for word in draft.words:
        for steps in _sequences(word):
            for at, step in enumerate(steps[:-1]):
                if isinstance(step, Exit) and step.enabled:
                    message = "nobody reaches this step: an `exit` stands before it"
                    yield doubt(steps[at + 1].mark, message, f"see line {step.mark.line}")
                    break


def _sequences(word: Word) -> tuple[tuple[Action, ...], ...]:
    if isinstance(word, Scenario):
        return (word.actions,)
    if isinstance(word, Portion):
        return (word.actions,)
    return (word.then, word.otherwise) if isinstance(word, If | WaitFor) else ()


def mangled_text(draft: Draft) -> Iterator[Problem]:
    """Text that was encoded twice: `Ã©` for `é`."""
    for file in draft.files:
        for line, text in enumerate(file.text.split("\n"), 1):
            for found in MANGLED.finditer(text):
                if meant := _mended(found[0]):
                    mark = Mark(file.name, line, found.start() + 1)
                    hint = "open the file as UTF-8 and write the letter again"
                    yield doubt(mark, f"found '{found[0]}', most likely '{meant}'", hint)


def _mended(text: str) -> str:
    """The letter behind a piece of text that was encoded twice, if it is one."""
    for encoding in ("cp1252", "latin-1"):
        for end in range(len(text), 1, -1):
            try:
                return text[:end].encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
    return ""
