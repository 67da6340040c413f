"""Scores: rules that give and take points (LANGUAGE 5)."""

from __future__ import annotations

from flowscore.language.conditions import Condition
from flowscore.language.triggers import Trigger
from flowscore.language.words import Scope, Word


class Cap(Word):
    """At most so many `times` or `points` within any rolling `per` (microseconds, None: ever)."""

    times: int | None = None
    points: float | None = None
    per: int | None = None


class Range(Word):
    """Cuts what is read, not what is kept."""

    min: float | None = None
    max: float | None = None


class Rule(Word):
    """Points for each occurrence (`on`), or while a condition holds (`when`): one of the two."""

    name: str
    points: float
    on: tuple[Trigger, ...] = ()
    when: Condition | None = None
    conditions: Condition | None = None
    cap: Cap | None = None
    because: str = ""  # why a sensitive attribute is read (ruling 105)


class Score(Scope):
    """One scoring dimension; `bands` are (name, number), highest first."""

    objective: str = ""
    rules: tuple[Rule, ...] = ()
    range: Range | None = None
    cap: Cap | None = None
    bands: tuple[tuple[str, float], ...] = ()
