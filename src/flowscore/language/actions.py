"""Actions: what a scenario does, step by step. Each class is one row of LANGUAGE 4."""

from __future__ import annotations

from flowscore.language.conditions import Condition
from flowscore.language.words import Word


class Action(Word):
    """A step. `path` (`actions/2/then/0`, or the author's `id`) names it for good."""

    path: str = ""
    enabled: bool = True


class AddPoints(Action):
    """A line in the ledger; `subtract_points` is this with the sign turned."""

    score: str
    points: float
    reason: str = ""


class AddToList(Action):
    """Join static lists, in order."""

    lists: tuple[str, ...]


class RemoveFromList(Action):
    """Leave static lists, in order."""

    lists: tuple[str, ...]


class MoveToList(Action):
    """Leave those of `origin`, join those of `to` (also when in none of `origin`)."""

    origin: tuple[str, ...]
    to: tuple[str, ...]


class SetAttribute(Action):
    """Set attributes; a text with `{{ }}` is a sandboxed Jinja2 expression."""

    values: tuple[tuple[str, str | int | float | bool | tuple[str | int | float | bool, ...]], ...]


class SendEmail(Action):
    """Queue a templated mail (each of `templates`, in order). Durations in microseconds."""

    templates: tuple[str, ...]
    unless_late_by: int | None = None
    once_per: int | None = None


class Wait(Action):
    """Pause for a duration (microseconds)."""

    duration: int


class If(Action):
    """Branch on a condition."""

    condition: Condition
    then: tuple[Action, ...] = ()
    otherwise: tuple[Action, ...] = ()


class Exit(Action):
    """End here, with a reason."""

    reason: str = ""
