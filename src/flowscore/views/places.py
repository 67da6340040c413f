"""Which line of which file, in which version, is behind a row of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select

from flowscore.engine.program import Applied
from flowscore.errors import FlowscoreError
from flowscore.language.project import read_definition
from flowscore.language.scenario import Scenario
from flowscore.store.tables import definitions
from flowscore.views.walks import step_at


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
    _scenarios: dict[int, Scenario | None] = field(default_factory=dict)

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

    def scenario(self, number: int) -> Scenario | None:
        """The scenario of that version; None where it names what has gone since."""
        if number not in self._scenarios:
            self._scenarios[number] = self._read(number)
        return self._scenarios[number]

    def _read(self, number: int) -> Scenario | None:
        for version in self.applied.versions:
            if version.definition_id == number:
                return version.scenario
        query = select(definitions).where(definitions.c.id == number)
        row = self.connection.execute(query).first()
        try:
            project = self.applied.project
            found = read_definition(row.source, row.file, row.line, project) if row else None
        except FlowscoreError:
            return None
        return found if isinstance(found, Scenario) else None

    def next_step(self, enrollment: Any) -> str | None:
        """The path of the step at which an enrollment waits."""
        scenario = self.scenario(enrollment.definition_id)
        return step_at(scenario, enrollment.position) if scenario else None
