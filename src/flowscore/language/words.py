"""What every word of the language shares: frozen, strict, and aware of its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core.core_schema import CoreSchema, is_instance_schema

from flowscore.errors import Mark

NOWHERE = Mark("")


class AsItIs:
    """Only looked at for its class: a schema of a mark's own fields in each word costs a start."""

    @staticmethod
    def __get_pydantic_core_schema__(source: type, _: GetCoreSchemaHandler) -> CoreSchema:
        return is_instance_schema(source)


class Word(BaseModel):
    """A piece of a definition as read; unknown keys are refused, nothing changes it later."""

    # Built when first used: most projects use some words, and `validate` has to start at once.
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    # Fields that an older flowscore did not know: left out, they do not change a word's digest.
    younger: ClassVar[frozenset[str]] = frozenset()

    mark: Annotated[Mark, AsItIs] = Field(default=NOWHERE, exclude=True, repr=False)


class Bounds(Word):
    """`at_least`, `at_most`, `above`, `below`; those that are given must all hold."""

    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None


class ValueTest(Word):
    """One operator and what it compares with; the operators are rows in `rules/operators.py`.

    `operand` is canonical: microseconds for a duration, a tuple for `in`/`not_in`, a bool for
    `exists`, else text, number or bool as written. Dates and times stay text.
    """

    operator: str
    operand: str | int | float | bool | tuple[str | int | float | bool, ...]


class ValueTests(Word):
    """All tests that one named attribute or property has to pass."""

    name: str
    tests: tuple[ValueTest, ...]


class Sum(Word):
    """What the numbers in a property of all counted events have to add up to (ruling 94)."""

    name: str
    bounds: Bounds


class EventQuery(Word):
    """Which events count, and how many: shared by conditions and triggers.

    The short forms (`page_visited`, `email_opened` …) are read into this too: `names` holds
    the event slugs, `subjects` the paths, templates (`any` gives none), each a pattern with
    `*` where paths are meant; `links` are such patterns over the link clicked (ruling 99).
    With `sums` and no `times` written, `times` has no bounds. Durations in microseconds.
    `since_entry`: only events after the occurrence that enrolled; `same`: properties on which
    they agree with the enrolling event, or, in a trigger, with one another (ruling 85).
    """

    younger: ClassVar[frozenset[str]] = frozenset(
        {"links", "sums", "older_than", "since_entry", "same"}
    )

    names: tuple[str, ...]
    subjects: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    where: tuple[ValueTests, ...] = ()
    times: Bounds = Bounds(at_least=1)
    sums: tuple[Sum, ...] = ()
    within: int | None = None
    older_than: int | None = None
    since_entry: bool = False
    same: tuple[str, ...] = ()
    machine: bool = False


WHOLE_SHARE = 1_000_000  # a share of everybody, in millionths


class Scope(Word):
    """Base of the six kinds of definition: its name and what a person says of it."""

    name: str
    description: str = ""


def walk(word: object) -> Iterator[Word]:
    """The word and every word inside it, in the order of writing."""
    if isinstance(word, Word):
        yield word
        for inner in word.__dict__.values():
            yield from walk(inner)
    elif isinstance(word, tuple):
        for inner in word:
            yield from walk(inner)
