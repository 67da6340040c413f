"""What the rules that are there read already: no second rule is proposed for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flowscore.language.conditions import AttributeIs, CompanyIs
from flowscore.language.triggers import OnEvent
from flowscore.language.words import walk

if TYPE_CHECKING:
    from flowscore.language.project import Project


@dataclass(frozen=True)
class Covered:
    """What the rules that are there read already."""

    attributes: frozenset[str]
    company: frozenset[str]
    events: tuple[tuple[str, tuple[str, ...]], ...]  # name, patterns of its subject (none: any)

    def behaviour(self, name: str, subject: str = "") -> bool:
        """Whether a rule gives points for that."""
        return any(
            name == one and (not patterns or any(fnmatchcase(subject, p) for p in patterns))
            for one, patterns in self.events
        )


def covered(projects: Iterable[Project]) -> Covered:
    """What any rule of any score reads."""
    rules = [rule for one in projects for score in one.scores.values() for rule in score.rules]
    asked = [word for rule in rules for word in walk(rule.when)]
    queries = [
        trigger.query
        for rule in rules
        for trigger in rule.on
        if isinstance(trigger, OnEvent) and not trigger.query.where
    ]
    return Covered(
        _names(asked, AttributeIs),
        _names(asked, CompanyIs),
        tuple((name, query.subjects) for query in queries for name in query.names),
    )


def _names(words: Iterable[object], kind: type[AttributeIs] | type[CompanyIs]) -> frozenset[str]:
    return frozenset(test.name for one in words if isinstance(one, kind) for test in one.attributes)
