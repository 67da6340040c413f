"""One row per operator: its key, its SQL over comparison forms, its English."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from flowscore.clock import duration_text, instant_of, instant_of_local, known_zone
from flowscore.rules.book import Book
from flowscore.store.tables import verdicts

if TYPE_CHECKING:
    from flowscore.language.words import ValueTest


@dataclass(frozen=True)
class Forms:
    """The comparison forms of one value, as SQL."""

    text: ColumnElement[Any]
    number: ColumnElement[Any]
    instant: ColumnElement[Any]
    local: ColumnElement[Any]


Predicate = Callable[[Book, Forms, Any], ColumnElement[bool]]


@dataclass(frozen=True)
class Operator:
    """`positive`: asked of any element of a value; a negative one denies its positive twin."""

    key: str
    sql: Predicate
    english: str
    positive: bool = True
    clock: tuple[int, ...] = ()  # edges in the value's own instant: 0 at it, 1 a duration after
    # (-1: a duration before)


def _is(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    if isinstance(operand, bool):
        return forms.text == ("true" if operand else "false")
    if isinstance(operand, (int, float)):
        return forms.number == operand
    return forms.text == str(operand).casefold()


def _is_any(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return or_(false(), *(_is(book, forms, one) for one in operand))


def _contains(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    place = func.strpos if book.dialect == "postgresql" else func.instr
    return place(forms.text, text_of(operand).casefold()) > 0


def _matches(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return (
        select(1)
        .where(verdicts.c.pattern == operand, verdicts.c.text == forms.text, verdicts.c.matches)
        .exists()
    )


def _starts(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return forms.text.startswith(text_of(operand).casefold(), autoescape=True)


def _ends(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return forms.text.endswith(text_of(operand).casefold(), autoescape=True)


def _before(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    instant = instant_in(book, operand)
    return or_(forms.instant < instant, forms.local <= book.local_constant(instant - 1))


def _after(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    instant = instant_in(book, operand)
    return or_(forms.instant > instant, forms.local > book.local_constant(instant))


def _within(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return or_(
        and_(forms.instant > book.now - operand, forms.instant <= book.now),
        and_(forms.local > book.local("now", -operand), forms.local <= book.local("now", 0)),
    )


def _ahead(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return or_(
        and_(forms.instant > book.now, forms.instant <= book.now + operand),
        and_(forms.local > book.local("now", 0), forms.local <= book.local("now", operand)),
    )


def _older_than(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return or_(
        forms.instant <= book.now - operand,
        forms.local <= book.local("now", -operand),
    )


def _exists(book: Book, forms: Forms, operand: Any) -> ColumnElement[bool]:
    return forms.text.is_not(None)


OPERATORS: dict[str, Operator] = {
    row.key: row
    for row in (
        Operator("is", _is, "is {}"),
        Operator("is_not", _is, "is not {}", positive=False),
        Operator("in", _is_any, "is one of {}"),
        Operator("not_in", _is_any, "is none of {}", positive=False),
        Operator("at_least", lambda b, f, x: f.number >= x, "is at least {}"),
        Operator("at_most", lambda b, f, x: f.number <= x, "is at most {}"),
        Operator("above", lambda b, f, x: f.number > x, "is above {}"),
        Operator("below", lambda b, f, x: f.number < x, "is below {}"),
        Operator("contains", _contains, "contains {}"),
        Operator("starts_with", _starts, "starts with {}"),
        Operator("ends_with", _ends, "ends with {}"),
        Operator("matches", _matches, "matches {}"),
        Operator("exists", _exists, "is known"),
        Operator("before", _before, "is before {}"),
        Operator("after", _after, "is after {}"),
        Operator("within", _within, "lies within the past {}", clock=(0, 1)),
        Operator("ahead", _ahead, "lies within the next {}", clock=(-1, 0)),
        Operator("older_than", _older_than, "is older than {}", clock=(1,)),
    )
}
DURATIONS = frozenset({"within", "ahead", "older_than"})


def text_of(operand: Any) -> str:
    """An operand as the text form of a value would stand."""
    if isinstance(operand, bool):
        return "true" if operand else "false"
    return str(operand)


def instant_in(book: Book, operand: Any) -> int:
    """The instant that a date or time written in a file means (ruling 61)."""
    moment = datetime.fromisoformat(str(operand).strip().replace("Z", "+00:00"))
    if moment.tzinfo is not None:
        return instant_of(moment)
    return instant_of_local(moment, known_zone(book.policy.timezone))


def wants(test: ValueTest) -> bool:
    """Whether the test asks that an element passes (else: that none does)."""
    if test.operator == "exists":
        return bool(test.operand)
    return OPERATORS[test.operator].positive


def element_passes(book: Book, forms: Forms, test: ValueTest) -> ColumnElement[bool]:
    """The test asked of one element, without its negation."""
    return OPERATORS[test.operator].sql(book, forms, test.operand)


def edge_offsets(test: ValueTest) -> tuple[int, ...]:
    """How long after the value's own instant (µs) the answer may change by the clock alone."""
    row = OPERATORS[test.operator]
    if not row.clock:
        return ()
    assert isinstance(test.operand, int)
    return tuple(sign * test.operand for sign in row.clock)


def test_in_english(test: ValueTest) -> str:
    """`is at least 18`, `is not known`, `lies within the past 30 days`."""
    if test.operator == "exists":
        return "is known" if test.operand else "is not known"
    return OPERATORS[test.operator].english.format(operand_text(test))


def operand_text(test: ValueTest) -> str:
    """The operand as a person would write it."""
    if test.operator in DURATIONS and isinstance(test.operand, int):
        return duration_text(test.operand)
    if isinstance(test.operand, tuple):
        return ", ".join(text_of(one) for one in test.operand)
    return text_of(test.operand)
