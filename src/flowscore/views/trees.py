"""Conditions as trees: true or false at each leaf, with what was seen and what was wanted.

All leaves of all trees are asked in one statement, with the engine's own predicates; what an
`all`, an `any` or a `not` says follows from its leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, cast, literal, select
from sqlalchemy import case as when

from flowscore.language import conditions as words
from flowscore.rules.conditions import holds
from flowscore.rules.explain import sentence
from flowscore.rules.seen import seen
from flowscore.rules.who import Who

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flowscore.views.explain_case import Case

Row = dict[str, Any]
MANY = 200  # leaves in one statement


@dataclass(frozen=True)
class Of:
    """Whom the conditions are asked of; with the event that enrolled, or would, if there is one."""

    event: int | None = None
    since: int | None = None


NOBODY = Of()


def trees_of(case: Case, conditions: Sequence[words.Condition], of: Of = NOBODY) -> list[Row]:
    """Each condition as a tree, as of the watermark."""
    plants = [spread(one) for one in conditions]
    leaves = list(dict.fromkeys(leaf for one in plants for leaf in _leaves(one)))
    answers = _ask(case, leaves, of)
    return [_grown(one, answers) for one in plants]


def spread(condition: words.Condition) -> words.Condition:
    """The same condition with one leaf for each attribute, company attribute and property."""
    match condition:
        case words.All() | words.AnyOf():
            inner = tuple(flat for one in condition.of for flat in _flattened(condition, one))
            return inner[0] if len(inner) == 1 else condition.model_copy(update={"of": inner})
        case words.Not():
            return condition.model_copy(update={"of": spread(condition.of)})
        case words.AttributeIs() | words.CompanyIs():
            return _each(condition, "attributes")
        case words.ThisEvent():
            return _each(condition, "properties")
    return condition


def _flattened(outer: words.Condition, inner: words.Condition) -> tuple[words.Condition, ...]:
    """What stands in an `all` inside an `all`, or in an `any` inside an `any`, stands in both."""
    grown = spread(inner)
    if isinstance(grown, words.All | words.AnyOf) and type(grown) is type(outer):
        return grown.of
    return (grown,)


def _each(condition: Any, key: str) -> Any:
    asked = getattr(condition, key)
    if len(asked) == 1:
        return condition
    leaves = [condition.model_copy(update={key: (one,), "mark": one.mark}) for one in asked]
    return words.All(of=tuple(leaves), mark=condition.mark)


def _leaves(condition: words.Condition) -> Iterator[words.Condition]:
    match condition:
        case words.All() | words.AnyOf():
            for one in condition.of:
                yield from _leaves(one)
        case words.Not():
            yield from _leaves(condition.of)
        case _:
            yield condition


def _ask(case: Case, leaves: Sequence[words.Condition], of: Of) -> dict[words.Condition, Row]:
    """What each leaf says of the contact, and the value it sees."""
    answers: dict[words.Condition, Row] = {}
    for start in range(0, len(leaves), MANY):
        some = leaves[start : start + MANY]
        columns = [column for leaf in some for column in _columns(case, leaf, of)]
        values = case.connection.execute(select(*columns), case.instants).one()
        for place, leaf in enumerate(some):
            answers[leaf] = {
                "holds": bool(values[2 * place]),
                "seen": _seen_text(values[2 * place + 1]),
            }
    return answers


def _seen_text(seen: str | None) -> str | None:
    """As a person would say it; a program that stores it keeps to one form."""
    if seen is None:
        return None
    if seen.startswith("1 times"):
        return "once" + seen.removeprefix("1 times")
    if seen.startswith(("true: ", "false: ")):
        return "it is so" if seen.startswith("true: ") else "it is not so"
    return seen


def _columns(case: Case, leaf: words.Condition, of: Of) -> Iterator[ColumnElement[Any]]:
    who = Who(_number(case.contact.id), *map(_number_or_none, (of.event, of.since)))
    yield when((holds(leaf, case.book, who), 1), else_=0)
    yield seen(leaf, case.book, who)


def _number(value: int) -> ColumnElement[int]:
    return cast(literal(value, BigInteger), BigInteger)


def _number_or_none(value: int | None) -> ColumnElement[int] | None:
    return None if value is None else _number(value)


def _grown(condition: words.Condition, answers: Mapping[words.Condition, Row]) -> Row:
    match condition:
        case words.All():
            return _branch("all", condition, condition.of, answers, all)
        case words.AnyOf():
            return _branch("any", condition, condition.of, answers, any)
        case words.Not():
            return _branch("not", condition, (condition.of,), answers, _none)
    return {
        "is": "leaf",
        **answers[condition],
        "wanted": sentence(condition),
        "where": _where(condition),
        "of": [],
    }


def _branch(
    kind: str,
    condition: words.Condition,
    inner: Sequence[words.Condition],
    answers: Mapping[words.Condition, Row],
    verdict: Any,
) -> Row:
    of = [_grown(one, answers) for one in inner]
    return {
        "is": kind,
        "holds": verdict(one["holds"] for one in of),
        "seen": None,
        "wanted": sentence(condition),
        "where": _where(condition),
        "of": of,
    }


def _none(values: Iterator[bool]) -> bool:
    return not any(values)


def _where(condition: words.Condition) -> str | None:
    return str(condition.mark) or None
