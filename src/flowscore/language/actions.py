"""Actions: what a scenario does, step by step. Each class is one row of LANGUAGE 4."""

from __future__ import annotations

from typing import ClassVar

from flowscore.language.conditions import Condition
from flowscore.language.triggers import Trigger
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


class ResetScore(Action):
    """A line in the ledger of each score that voids everything before it (ruling 54)."""

    scores: tuple[str, ...]


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


class SetStage(Action):
    """Move forward to this lifecycle stage, or, with `back`, to it from wherever."""

    stage: str
    back: bool = False


class SetAttribute(Action):
    """Set attributes; a text with `{{ }}` is a sandboxed Jinja2 expression."""

    values: tuple[tuple[str, str | int | float | bool | tuple[str | int | float | bool, ...]], ...]


class AssignOwner(Action):
    """Set attribute `owner`: the one address, or each in turn (`round_robin`)."""

    owners: tuple[str, ...]
    round_robin: bool = False


class ChangeConsent(Action):
    """`subscribe` or `unsubscribe` to topics, in order; `email` is general, `all` everything."""

    topics: tuple[str, ...]
    granted: bool


class SendEmail(Action):
    """Queue a templated mail (each of `templates`, in order). Durations in microseconds."""

    templates: tuple[str, ...]
    unless_late_by: int | None = None
    once_per: int | None = None


class Notify(Action):
    """Internal mail to addresses (`owner` is the contact's), exempt from consent and caps."""

    to: tuple[str, ...]
    templates: tuple[str, ...]


class CallWebhook(Action):
    """A signed POST. `body` is JSON text whose texts may hold Jinja2, as may the headers'.

    `${NAME}` in any of them is read from the environment when it is sent.
    """

    url: str
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()


class Wait(Action):
    """Pause for a duration (microseconds), or until a time of day on one of `days`.

    `until` is so long after midnight (microseconds), `days` are weekdays from Monday, 0 to 6.
    """

    younger: ClassVar[frozenset[str]] = frozenset({"until", "days", "timezone"})

    duration: int | None = None
    until: int | None = None
    days: tuple[int, ...] = ()
    timezone: str | None = None


class WaitFor(Action):
    """Pause until the trigger occurs (`then`), at most `up_to` microseconds (`otherwise`)."""

    trigger: Trigger
    up_to: int
    then: tuple[Action, ...] = ()
    otherwise: tuple[Action, ...] = ()


class If(Action):
    """Branch on a condition."""

    condition: Condition
    then: tuple[Action, ...] = ()
    otherwise: tuple[Action, ...] = ()


class Portion(Word):
    """One branch of a split; `share` in millionths of those who come."""

    name: str
    share: int
    actions: tuple[Action, ...] = ()


class Split(Action):
    """Branch at random, the same way for the same contact; shares add up to the whole."""

    branches: tuple[Portion, ...]


class EnrollIn(Action):
    """Into other scenarios, by hand as it were: their reenroll and conditions apply."""

    scenarios: tuple[str, ...]


class Exit(Action):
    """End here, with a reason."""

    reason: str = ""
