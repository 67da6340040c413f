"""Which line of which file, in which version, is behind a row of the store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from flowscore.engine.program import Applied
from flowscore.engine.walk import Branch, Do, Jump, program
from flowscore.store.tables import definitions

if TYPE_CHECKING:
    from flowscore.language.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Place:
    """`scenarios/scores.yaml:8:5`, and the definition's version; both unknown for old rows."""

    where: str | None = None
    version: int | None = None


@dataclass
class Places:
    """Looks up definitions, each once."""

    connection: Connection
    applied: Applied

    @cached_property
    def versions(self) -> dict[int, Any]:
        """Every version of every definition that was ever live."""
        columns = ("id", "kind", "name", "version", "file", "line", "retired_at")
        query = select(*(definitions.c[name] for name in columns))
        return {row.id: row for row in self.connection.execute(query)}

    def of_definition(self, number: int | None) -> Place:
        """Where that version of the definition began."""
        row = self.versions.get(number) if number is not None else None
        return Place(f"{row.file}:{row.line}", row.version) if row else Place()

    def of_line(self, score: str, rule: str, kind: str, number: int | None) -> Place:
        """The rule itself while its version is live, else where its definition began."""
        place = self.of_definition(number)
        row = self.versions.get(number) if number is not None else None
        if kind == "scenario" or row is None or row.retired_at is not None:
            return place
        live = self.applied.project.scores.get(score)
        marks = [str(one.mark) for one in live.rules if one.name == rule] if live else []
        return Place(marks[0], place.version) if marks else place

    def next_step(self, enrollment: Any) -> str | None:
        """The path of the step at which an enrollment waits."""
        for version in self.applied.versions:
            if version.definition_id == enrollment.definition_id:
                return _step_at(version.scenario, enrollment.position)
        return None


def _step_at(scenario: Scenario, position: int) -> str | None:
    """The step that a place of the walk stands for, through its jumps; None at the end."""
    places = program(scenario.actions)
    while position < len(places):
        match places[position]:
            case Do(action=action):
                return action.path
            case Branch(path=path):
                return path
            case Jump(to=to):
                position = to
    return None
