"""An applied project compiled: every statement of a tick, built once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowscore.engine import companies, enrollment, grades, lists, scoring, stages, steps
from flowscore.engine.goals import Hope, Way, build_hopes, build_way_out
from flowscore.engine.path import Path
from flowscore.engine.patterns import Patterns
from flowscore.language.project import Project
from flowscore.language.scenario import Scenario
from flowscore.language.triggers import ScoreCrosses, Trigger
from flowscore.rules.book import Book
from flowscore.rules.deadlines import deadline_edges
from flowscore.rules.watch import EXISTENCE, Asked, Edge, shared, watch

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Version:
    """A version of a scenario: the live one, or an older one that still has people inside."""

    scenario: Scenario
    definition_id: int
    live: bool
    live_from: int | None = None
    first_activation: bool = False


@dataclass(frozen=True)
class Applied:
    """The live project with what the store knows of its versions."""

    project: Project
    versions: tuple[Version, ...]
    score_ids: dict[str, int]


@dataclass(frozen=True)
class Program:
    """The statements of every phase, in order."""

    applied: Applied
    book: Book
    patterns: Patterns
    scoring: scoring.Scoring
    companies: companies.KeptCompanies | None
    grades: tuple[grades.KeptGrade, ...]
    stages: stages.Funnel | None
    lists: tuple[lists.DynamicList, ...]
    entries: tuple[enrollment.Entry, ...]
    paths: dict[int, Path]
    goals: tuple[Hope, ...]
    waits: tuple[Hope, ...]
    ways_out: tuple[Way, ...]
    triggers: tuple[Trigger, ...]
    edges: tuple[Asked, ...]


def compile_program(applied: Applied, dialect: str) -> Program:
    """Build every statement for the project on this kind of database."""
    project = applied.project
    book = Book.of(project, dialect)
    points = scoring.build(project.scores.values(), applied.score_ids, book)
    order = {one.name: place for place, one in enumerate(in_order(project.scenarios.values()))}
    entries = tuple(_entries(applied, order, book))
    paths = [_path(one, project, order, book, points) for one in applied.versions]
    hopes = [build_hopes(path) for path in paths]
    hoped = tuple(one.trigger for found in hopes for some in found for one in some)
    triggers = (*_triggers(entries, points), *hoped)
    graded = grades.build(project.grades.values(), book)
    funnel = stages.build(project.lifecycle, book)
    dynamic = lists.build(project.lists.values(), book)
    ways_out = tuple(way for path in paths if (way := build_way_out(path)) is not None)
    deadlines = (edge for one in triggers for edge in deadline_edges(one))
    for edge in (EXISTENCE, *deadlines, *_suppression(project)):
        shared(book, edge)
    return Program(
        applied=applied,
        book=book,
        patterns=Patterns(_words(applied), book),
        scoring=points,
        companies=companies.build(points.scores),
        grades=graded,
        stages=funnel,
        lists=dynamic,
        entries=entries,
        triggers=triggers,
        edges=tuple(book.edges.values()),
        paths={path.definition_id: path for path in paths},
        goals=tuple(one for found, _ in hopes for one in found),
        waits=tuple(one for _, found in hopes for one in found),
        ways_out=ways_out,
    )


def _suppression(project: Project) -> list[Edge]:
    """When the clock may change whom the policy never mails: mails that wait are asked then."""
    kept_out = project.policy.suppress
    return [] if kept_out is None else watch(kept_out).edges


def _path(
    version: Version, project: Project, order: dict[str, int], book: Book, points: scoring.Scoring
) -> Path:
    """The places of a version, oldest order first; one whose scenario is gone comes last."""
    path = Path(
        scenario=_as_now(version, project),
        definition_id=version.definition_id,
        order=order.get(version.scenario.name, len(order)),
        book=book,
        scoring=points,
        topics={name: template.topic for name, template in project.templates.items()},
        stages=project.lifecycle.names if project.lifecycle else (),
        reply_to=(project.policy.sender.reply_to or "") if project.policy.sender else "",
    )
    return steps.build(path)


def _triggers(entries: Iterable[enrollment.Entry], points: scoring.Scoring) -> tuple[Trigger, ...]:
    of_scenarios = [trigger for entry in entries for trigger in entry.scenario.trigger]
    return (*of_scenarios, *(trigger for one in points.on for trigger in one.rule.on))


def in_order(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """Scenarios as they act in one tick (rulings 16 and 91)."""
    return sorted(scenarios, key=_rank)


def _rank(scenario: Scenario) -> tuple[Any, ...]:
    up = [t.threshold for t in _crossings(scenario) if t.direction == "reaches"]
    down = [t.threshold for t in _crossings(scenario) if t.direction == "falls_to"]
    if up:
        return (-scenario.priority, 1, min(up), scenario.name)
    if down:
        return (-scenario.priority, 2, -max(down), scenario.name)
    return (-scenario.priority, 0, 0, scenario.name)


def _crossings(scenario: Scenario) -> list[ScoreCrosses]:
    return [trigger for trigger in scenario.trigger if isinstance(trigger, ScoreCrosses)]


def _entries(applied: Applied, order: dict[str, int], book: Book) -> Iterable[enrollment.Entry]:
    live = sorted(
        (one for one in applied.versions if one.live), key=lambda one: order[one.scenario.name]
    )
    for one in live:
        yield enrollment.build(
            one.scenario,
            one.definition_id,
            one.live_from,
            one.first_activation,
            order[one.scenario.name],
            book,
        )


def _as_now(version: Version, project: Project) -> Scenario:
    """Actions of the version; `enabled` and `priority` of the newest, gone is disabled (129)."""
    newest = project.scenarios.get(version.scenario.name)
    if newest is None:
        return version.scenario.model_copy(update={"enabled": False})
    return version.scenario.model_copy(
        update={"enabled": newest.enabled, "priority": newest.priority}
    )


def _words(applied: Applied) -> list[BaseModel]:
    project = applied.project
    return [
        *project.scores.values(),
        *project.lists.values(),
        project.policy,
        *((project.lifecycle,) if project.lifecycle else ()),
        *(version.scenario for version in applied.versions),
    ]
