"""What is different between two versions of a definition, a sentence for each difference."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from flowscore.language.actions import Action, If, Portion, Split, WaitFor
from flowscore.language.conditions import All, Condition
from flowscore.language.lifecycle import Stage
from flowscore.language.words import Word
from flowscore.planning.phrases import SPOKEN, label, phrase, share_text, span_text

if TYPE_CHECKING:
    from flowscore.language.scoring import Axis, Rule

PLACES = frozenset({"path", "place"})  # where something stands; moved with whatever is before it
Sentences = Iterator[str]


def differences(old: Word, new: Word) -> Sentences:
    """Each difference of two words of one type; nothing where both mean the same."""
    for field in type(new).model_fields:
        before, after = getattr(old, field), getattr(new, field)
        if field in SPOKEN | PLACES | {"name"} or is_same(before, after):
            continue
        yield from FIELDS.get(field, _value)(label(field), before, after)


def is_same(old: object, new: object) -> bool:
    """Whether both mean the same, wherever they stand."""
    return _meaning(old) == _meaning(new)


def _meaning(value: object) -> str:
    return json.dumps(_parts(value), default=str)


def _parts(value: object) -> object:
    if isinstance(value, Word):
        said = {
            name: _parts(one) for name, one in value.__dict__.items() if name not in SPOKEN | PLACES
        }
        return [type(value).__name__, own_id(value), said]
    return [_parts(one) for one in value] if isinstance(value, tuple) else value


def own_id(word: object) -> str:
    """The id that the author gave a step; nothing where its place is its id."""
    path = word.path if isinstance(word, Action) else ""
    return "" if path.startswith("actions/") else path


# ---------------------------------------------------------------- single values


def arrow(old: str, new: str) -> str:
    """`wait 7 days → 5 days`: what both begin with is said once."""
    before, after = old.split(), new.split()
    shared = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        shared += 1
    left_over = shared < min(len(before), len(after))
    return f"{old} → {' '.join(after[shared:]) if left_over else new}"


def _value(name: str, old: Any, new: Any) -> Sentences:
    """A value that came, went, or is another."""
    if _is_nothing(old):
        yield f"{name} added: {phrase(new)}"
    elif _is_nothing(new):
        yield f"{name} removed: {phrase(old)}"
    elif phrase(old) != phrase(new):
        yield f"{name} {arrow(phrase(old), phrase(new))}"
    else:
        yield f"{name} {phrase(new)}: {', '.join(_inside(old, new))}"


def _is_nothing(value: object) -> bool:
    return value is None or value in ((), "")


def _inside(old: Any, new: Any) -> Sentences:
    """What differs deep inside two values whose words are the same."""
    if isinstance(new, Word) and type(old) is type(new):
        found = list(differences(old, new))
        yield from found or ["written in another way"]
    elif isinstance(new, tuple) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            if not is_same(one, other):
                yield from _inside(one, other)
    else:
        yield "written in another way"


def _share(name: str, old: int, new: int) -> Sentences:
    yield f"{name} {share_text(old)} → {share_text(new)}"


def _duration(name: str, old: int | None, new: int | None) -> Sentences:
    said = ["not at all" if one is None else span_text(one) for one in (old, new)]
    yield f"{name} {said[0]} → {said[1]}"


# ---------------------------------------------------------------- several values


def _condition(name: str, old: Condition | None, new: Condition | None) -> Sentences:
    """Of a list of conditions, those that came and those that went."""
    yield from _several(name, _asked(old), _asked(new))


def _asked(condition: Condition | None) -> tuple[Condition, ...]:
    if condition is None:
        return ()
    return condition.of if isinstance(condition, All) else (condition,)


def _members(name: str, old: Condition | None, new: Condition | None) -> Sentences:
    if old is None:
        yield f"filled by itself from now on, it was filled by hand; members: {phrase(new)}"
    elif new is None:
        yield f"filled by hand from now on; members removed: {phrase(old)}"
    else:
        yield from _several(f"{name}: condition", _asked(old), _asked(new))


def _several(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Sentences:
    """What came and what went; one for another of its kind is a change."""
    gone = [one for one in old if not any(is_same(one, other) for other in new)]
    came = [one for one in new if not any(is_same(one, other) for other in old)]
    if len(gone) == len(came) == 1 and type(gone[0]) is type(came[0]):
        yield from _value(name, gone[0], came[0])
        return
    for one in gone:
        yield f"{name} removed: {phrase(one)}"
    for one in came:
        yield f"{name} added: {phrase(one)}"
    if not gone and not came:
        yield f"{name} in another order"


def _bands(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Sentences:
    before, after = dict(old), dict(new)
    for band in dict.fromkeys((*before, *after)):
        if before.get(band) != after.get(band):
            yield from _value(f"band {band}", before.get(band), after.get(band))


def _rules(name: str, old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Sentences:
    before, after = ({rule.name: rule for rule in rules} for rules in (old, new))
    for rule in old:
        if rule.name not in after:
            yield f"rule {rule.name} removed: {phrase(rule)}"
    for rule in new:
        if rule.name not in before:
            yield f"rule {rule.name} added: {phrase(rule)}"
        else:
            yield from (f"rule {rule.name}: {d}" for d in differences(before[rule.name], rule))
    if set(before) == set(after) and list(before) != list(after):
        yield "rules in another order"


# ---------------------------------------------------------------- grades, stages


def _axis(name: str, old: Axis, new: Axis) -> Sentences:
    if old.score != new.score:
        yield f"{name}: score {old.score} → {new.score}"
    before, after = dict(old.labels), dict(new.labels)
    for one in dict.fromkeys((*before, *after)):
        if one not in after:
            yield f"{name}: {one} removed"
        elif one not in before:
            yield f"{name}: {one} added: {_reach(after[one])}"
        elif before[one] != after[one]:
            yield f"{name}: {one} {arrow(_reach(before[one]), _reach(after[one]))}"
    if old.turned != new.turned:
        most, least = new.labels[0][0], new.labels[-1][0]
        yield f"{name}: turned, so that {most} is the most active and {least} the least"


def _reach(number: float | None) -> str:
    return "whatever is below" if number is None else f"from {number:g}"


def _stages(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Sentences:
    if not all(isinstance(one, Stage) for one in (*old, *new)):
        yield from _value(name, old, new)  # the names that a condition asks for
        return
    before, after = ({stage.name: stage for stage in stages} for stages in (old, new))
    yield from (f"stage {one} removed" for one in before if one not in after)
    for one, stage in after.items():
        if one not in before:
            yield f"stage {one} added: {phrase(stage)}"
        else:
            yield from (f"stage {one}: {said}" for said in differences(before[one], stage))
    kept = [[one for one in names if one in before and one in after] for names in (before, after)]
    if kept[0] != kept[1]:
        yield f"stages in another order: {', '.join(after)}"


def _decay_every(_: str, old: int | None, new: int | None) -> Sentences:
    said = ["every day" if one is None else f"every {span_text(one)}" for one in (old, new)]
    yield f"points fade {said[0]} → {said[1]}"


def _scale(name: str, old: tuple[int, int] | None, new: tuple[int, int] | None) -> Sentences:
    said = ["none" if one is None else f"{one[0]}-{one[1]}" for one in (old, new)]
    yield f"{name} {said[0]} → {said[1]}"


# ---------------------------------------------------------------- steps


def _steps(name: str, old: tuple[Action, ...], new: tuple[Action, ...]) -> Sentences:
    """Steps that came, went or changed, each at its place (of those that stay, the new one)."""
    for before, after in _paired(old, new):
        if after is None:
            assert before is not None
            yield f"{before.path}: step removed: {whole(before)}"
        elif before is None:
            yield f"{after.path}: step added: {whole(after)}"
        elif not is_same(before, after):
            yield from _step(before, after)


def whole(step: Action) -> str:
    """A step with those inside it: `if country is ES (then send mail hola)`."""
    inside = [f"{way} {_in_short(steps)}" for way, steps in _ways(step) if steps]
    return f"{phrase(step)} ({'; '.join(inside)})" if inside else phrase(step)


def _ways(step: Action) -> list[tuple[str, tuple[Action, ...]]]:
    match step:
        case If() | WaitFor():
            return [("then", step.then), ("else", step.otherwise)]
        case Split():
            return [(f"{branch.name}:", branch.actions) for branch in step.branches]
    return []


def _in_short(steps: tuple[Action, ...]) -> str:
    return ", ".join(map(whole, steps)) if len(steps) <= MOST_SAID else f"{len(steps)} steps"


MOST_SAID = 3  # steps inside another that are told one by one


def _step(old: Action, new: Action) -> Sentences:
    said = list(_of_step(old, new))
    yield from said or [f"{new.path}: {phrase(new)}: written in another way"]


def _of_step(old: Action, new: Action) -> Sentences:
    words = phrase(old), phrase(new)
    if words[0] != words[1]:
        yield f"{new.path}: {arrow(*words)}"
    if own_id(old) != own_id(new):
        yield f"{new.path}: its id was {old.path}"
    for field in type(new).model_fields:
        before, after = getattr(old, field), getattr(new, field)
        if field in SPOKEN | PLACES or is_same(before, after):
            continue
        if field == "enabled":
            yield f"{new.path}: {words[1]}: step switched {'on' if after else 'off'}"
        elif field in ("then", "otherwise"):
            yield from _steps(field, before, after)
        elif field == "branches":
            yield from _branches(new.path, before, after)
        elif words[0] == words[1]:
            yield from (f"{new.path}: {words[1]}: {d}" for d in _value(label(field), before, after))


def _branches(path: str, old: tuple[Portion, ...], new: tuple[Portion, ...]) -> Sentences:
    """Steps of the branches that stay; that a branch came or went is said of the split."""
    before = {branch.name: branch for branch in old}
    for branch in new:
        if branch.name in before:
            yield from _steps(path, before[branch.name].actions, branch.actions)


Pair = tuple[Action | None, Action | None]


def _paired(old: tuple[Action, ...], new: tuple[Action, ...]) -> Iterator[Pair]:
    """Each step with what it was: the same step, else the next of its id or kind."""
    matcher = SequenceMatcher(None, [*map(_meaning, old)], [*map(_meaning, new)], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(old[a:b], new[c:d], strict=True)
        else:
            yield from _aligned(list(old[a:b]), list(new[c:d]))


def _aligned(old: list[Action], new: list[Action]) -> Iterator[Pair]:
    for before in old:
        at = next((n for n, after in enumerate(new) if _is_alike(before, after)), None)
        if at is None:
            yield before, None
            continue
        yield from ((None, after) for after in new[:at])
        yield before, new[at]
        del new[: at + 1]
    yield from ((None, after) for after in new)


def _is_alike(old: Action, new: Action) -> bool:
    return type(old) is type(new) and own_id(old) == own_id(new)


FIELDS: dict[str, Callable[[str, Any, Any], Sentences]] = {
    "actions": _steps,
    "rules": _rules,
    "fit": _axis,
    "engagement": _axis,
    "stages": _stages,
    "green": lambda _, old, new: _several("green cell", old, new),
    "scale": _scale,
    "decay_every": _decay_every,
    "bands": _bands,
    "trigger": _several,
    "on": _several,
    "topics": lambda name, old, new: _several("topic", old, new),
    "frequency_caps": _several,
    "conditions": lambda _, old, new: _condition("condition", old, new),
    "exit_when": _condition,
    "suppress": _condition,
    "members": _members,
    "holdout": _share,
    "share": _share,
    "capped_wait": _duration,
    "within": _duration,
    "older_than": _duration,
    "per": _duration,
    "up_to": _duration,
}
"""How a field is told whose value is more than a word; every other is `before → after`."""
