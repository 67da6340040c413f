"""What has been read of a project before it is called one; what the whole-project rules look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from flowscore.language.actions import Action
from flowscore.language.folder import TextFile
from flowscore.language.fronts import Front
from flowscore.language.grammar.names import Names
from flowscore.language.lifecycle import Lifecycle
from flowscore.language.policy import Policy
from flowscore.language.scenario import ContactList, Scenario
from flowscore.language.scoring import Grade, Rule, Score
from flowscore.language.triggers import Trigger
from flowscore.language.words import Word, walk


@dataclass(frozen=True)
class Draft:
    """The definitions that could be read, the templates' fronts, and every file's text."""

    scenarios: Mapping[str, Scenario]
    scores: Mapping[str, Score]
    lists: Mapping[str, ContactList]
    policy: Policy
    grades: Mapping[str, Grade]
    lifecycle: Lifecycle | None
    names: Names
    fronts: tuple[Front, ...]
    files: tuple[TextFile, ...]

    def definition(self, kind: str, name: str) -> Word:
        """The definition of that kind and name."""
        if kind == "lifecycle" and self.lifecycle:
            return self.lifecycle
        kinds: Mapping[str, Mapping[str, Word]] = {
            "scenario": self.scenarios,
            "score": self.scores,
            "list": self.lists,
            "grade": self.grades,
        }
        return kinds[kind][name]

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Every word of every definition."""
        kinds = (self.scenarios, self.scores, self.lists, self.grades)
        single = (self.policy, self.lifecycle)
        every = (*(one for kind in kinds for one in kind.values()), *single)
        return tuple(word for one in every for word in walk(one))

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """Every step of every scenario, those that are switched off included (ruling 113)."""
        return tuple(word for word in self.words if isinstance(word, Action))

    @cached_property
    def triggers(self) -> tuple[Trigger, ...]:
        """Every trigger of every scenario and rule."""
        return tuple(word for word in self.words if isinstance(word, Trigger))

    def rules(self) -> Iterator[tuple[Score, Rule]]:
        """Every rule with its score."""
        return ((score, rule) for score in self.scores.values() for rule in score.rules)
