"""Scenarios and lists: what happens to whom (LANGUAGE 4 and 5)."""

from __future__ import annotations

from typing import ClassVar, Literal

from flowscore.language.actions import Action
from flowscore.language.conditions import Condition
from flowscore.language.triggers import Trigger
from flowscore.language.words import Scope, Word


class Reenroll(Word):
    """Whether a contact may enter again; `after` in microseconds for mode `after`."""

    mode: Literal["never", "when_finished", "every_time", "after"] = "never"
    after: int | None = None


class Goal(Word):
    """What makes an enrollment a success, within `up_to` microseconds of entry (None: inside)."""

    trigger: Trigger
    up_to: int | None = None


class Scenario(Scope):
    """Trigger, conditions, actions; `holdout` in millionths of those who enter."""

    younger: ClassVar[frozenset[str]] = frozenset({"goal", "exit_when", "holdout"})

    trigger: tuple[Trigger, ...]
    conditions: Condition | None = None
    reenroll: Reenroll = Reenroll()
    enroll_existing: bool = False
    enabled: bool = True
    priority: int = 0
    goal: Goal | None = None
    exit_when: Condition | None = None
    holdout: int = 0
    actions: tuple[Action, ...] = ()


class ContactList(Scope):
    """A list of contacts; dynamic when it has `members`, else static."""

    members: Condition | None = None
