"""Warnings: what is allowed and most likely not meant. Each function is one doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import inf

from flowscore.errors import Mark, Problem
from flowscore.language.actions import (
    Action,
    AddToList,
    Exit,
    If,
    MoveToList,
    RemoveFromList,
    SendEmail,
)
from flowscore.language.conditions import AttributeIs, Happened, InList, ScoreIs
from flowscore.language.draft import Draft
from flowscore.language.limits import Span, empty, limits, number, span
from flowscore.language.scenario import Scenario
from flowscore.language.triggers import AttributeChanges, ListJoined, ListLeft, ScoreCrosses
from flowscore.language.words import Bounds, ValueTest, ValueTests, Word

# A letter's UTF-8 bytes read as Windows-1252: a lead character and one to three that follow.
MANGLED = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122]{1,3}"
)


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
        if not isinstance(trigger, ScoreCrosses):
            continue
        if reason := _out_of_reach(trigger, *spans.get(trigger.score, (-inf, inf))):
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
    """Conditions that nobody can meet."""
    spans = limits(draft)
    for word in draft.words:
        if reason := _impossible(word, spans):
            yield doubt(word.mark, f"this condition can never hold: {reason}")


def _impossible(word: Word, spans: Mapping[str, Span]) -> str:
    if isinstance(word, ScoreIs):
        return _unmet_score(word, spans)
    if isinstance(word, Happened) and empty(word.query.times):
        return "the bounds of `times` exclude each other"
    if isinstance(word, AttributeIs):
        wrong = [one.name for one in word.attributes if empty(_bounds(one))]
        return f"the bounds of '{wrong[0]}' exclude each other" if wrong else ""
    return ""


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
    return (word.then, word.otherwise) if isinstance(word, If) else ()


def silent_lists(draft: Draft) -> Iterator[Problem]:
    """Triggers on static lists that no step fills or empties."""
    joined = {name for action in draft.actions for name in _joins(action)}
    left = {name for action in draft.actions for name in _leaves(action)}
    for trigger in draft.triggers:
        if isinstance(trigger, ListJoined) and _silent(trigger.lists, joined, draft):
            yield _silence(trigger.mark, trigger.lists, "puts anybody on")
        if isinstance(trigger, ListLeft) and _silent(trigger.lists, left, draft):
            yield _silence(trigger.mark, trigger.lists, "takes anybody off")


def _silent(lists: Iterable[str], moved: set[str], draft: Draft) -> bool:
    return not any(name in moved or draft.names.lists.get(name, True) for name in lists)


def _silence(mark: Mark, lists: Iterable[str], what: str) -> Problem:
    named = " or ".join(f"'{name}'" for name in lists)
    return doubt(mark, f"this trigger can never fire: no step {what} the list {named}")


def _joins(action: Word) -> tuple[str, ...]:
    if isinstance(action, AddToList):
        return action.lists
    return action.to if isinstance(action, MoveToList) else ()


def _leaves(action: Word) -> tuple[str, ...]:
    if isinstance(action, RemoveFromList):
        return action.lists
    return action.origin if isinstance(action, MoveToList) else ()


def unread_lists(draft: Draft) -> Iterator[Problem]:
    """Static lists that no condition, trigger or move reads (ruling 104)."""
    read: set[str] = set()
    for word in draft.words:
        if isinstance(word, InList | ListJoined | ListLeft):
            read |= set(word.lists)
        elif isinstance(word, MoveToList):
            read |= set(word.origin)
    for name, one in draft.lists.items():
        if one.members is None and name not in read:
            hint = "take it out, unless people outside flowscore use it"
            yield doubt(one.mark, f"nothing reads the static list '{name}'", hint)


def unsent_templates(draft: Draft) -> Iterator[Problem]:
    """Templates that no step sends (ruling 104)."""
    sends = [action for action in draft.actions if isinstance(action, SendEmail)]
    sent = {name for action in sends for name in action.templates}
    files = {front.name: front.file for front in draft.fronts if not front.locale}
    for name, file in files.items():
        if name not in sent:
            hint = f"send it (`send_email: {name}`) or take it out"
            yield doubt(Mark(file), f"no step sends the template '{name}'", hint)


def mails_without_sender(draft: Draft) -> Iterator[Problem]:
    """Mail that goes out although the policy does not say from whom."""
    sends = (action for action in draft.actions if isinstance(action, SendEmail))
    first = next(sends, None)
    if first is not None and draft.policy.sender is None and draft.names.topics is not None:
        hint = "add `sender: {name: …, address: …}` to the policy"
        yield doubt(first.mark, "mail is sent, and no policy says from whom", hint)


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
