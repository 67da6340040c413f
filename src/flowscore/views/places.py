"""Which line of which file, in which version, is behind a row of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select

from flowscore.errors import FlowscoreError
from flowscore.language.actions import Action
from flowscore.language.project import Project, read_definition
from flowscore.language.scenario import Scenario
from flowscore.language.words import Word, walk
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
    project: Project  # as it is live
    _scenarios: dict[int, Scenario | None] = field(default_factory=dict)
    _lines: dict[tuple[Any, ...], Place] = field(default_factory=dict)

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

    def of_line(self, line: Any) -> Place:
        """The rule or step of a ledger line while its version is live, else its definition."""
        behind = (line.score, line.rule, line.kind, line.definition_id, _step_of(line))
        if behind not in self._lines:
            self._lines[behind] = self._of_line(line)
        return self._lines[behind]

    def _of_line(self, line: Any) -> Place:
        place = self.of_definition(line.definition_id)
        version = self.versions.get(line.definition_id)
        if version is None or version.retired_at is not None:
            return place
        marks = [str(word.mark) for word in self._words_behind(line)]
        return Place(marks[0], place.version) if marks else place

    def _words_behind(self, line: Any) -> list[Word]:
        """The live rule that gave the points, or the live step."""
        if line.kind in ("rule", "when"):
            score = self.project.scores.get(line.score)
            return [rule for rule in score.rules if rule.name == line.rule] if score else []
        scenario = self.project.scenarios.get(line.rule)
        steps = [word for word in walk(scenario) if isinstance(word, Action)] if scenario else []
        return [step for step in steps if step.path == _step_of(line)]

    def scenario(self, number: int) -> Scenario | None:
        """The scenario of that version; None where it names what has gone since."""
        if number not in self._scenarios:
            self._scenarios[number] = self._read(number)
        return self._scenarios[number]

    def _read(self, number: int) -> Scenario | None:
        known = self.versions.get(number)
        if known is not None and known.retired_at is None:
            return self.project.scenarios.get(known.name)
        query = select(definitions).where(definitions.c.id == number)
        row = self.connection.execute(query).first()
        try:
            found = read_definition(row.source, row.file, row.line, self.project) if row else None
        except FlowscoreError:
            return None
        return found if isinstance(found, Scenario) else None

    def next_step(self, enrollment: Any) -> str | None:
        """The path of the step at which an enrollment waits."""
        scenario = self.scenario(enrollment.definition_id)
        return step_at(scenario, enrollment.position) if scenario else None


def _step_of(line: Any) -> str:
    """The path of the step that wrote the line; the key of such a line is `ENROLLMENT/PATH`."""
    if line.kind not in ("scenario", "reset"):
        return ""
    return str(line.key).partition("/")[2].removesuffix(f"/{line.score}")
