"""What an apply may not take away: what a version with people inside still names (ruling 129)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, null, select

from flowscore.errors import FlowscoreError
from flowscore.language import actions, conditions, triggers
from flowscore.language.project import Project, read_definition
from flowscore.language.words import EventQuery, Word, walk
from flowscore.store.tables import definitions, enrollments

if TYPE_CHECKING:
    from flowscore.engine.program import Applied, Version

Named = Iterator[tuple[str, str]]  # kind and name; a list that steps fill is a 'static list'
BUILT_IN = frozenset({"email", "all", "transactional"})  # topics that no policy names


def refuse_if_needed(connection: Connection, old: Applied, project: Project) -> None:
    """Raise FlowscoreError with every refusal."""
    if said := "\n".join(refusals(connection, old, project)):
        raise FlowscoreError(said)


def refusals(connection: Connection, old: Applied, project: Project) -> Iterator[str]:
    """What may not go because people are inside of a version that names it, a sentence each."""
    for version in old.versions:
        row = _row(connection, version)
        missing = sorted(_missing(version, project)) or _unreadable(row, project)
        people = people_inside(connection, version.definition_id) if missing else 0
        if people:
            yield (
                f"{', '.join(missing)} cannot go: version {row.version} of "
                f"scenario '{version.scenario.name}' names it and "
                f"{people} {'contact is' if people == 1 else 'contacts are'} inside; "
                "keep it until they have finished"
            )


def people_inside(connection: Connection, definition_id: int) -> int:
    """How many enrollments of a version have not ended."""
    inside = select(func.count()).where(
        enrollments.c.definition_id == definition_id, enrollments.c.ended_at.is_(null())
    )
    return connection.execute(inside).scalar_one()


def _row(connection: Connection, version: Version) -> Any:
    return connection.execute(
        select(definitions).where(definitions.c.id == version.definition_id)
    ).one()


def _unreadable(row: Any, project: Project) -> list[str]:
    """What else keeps the version from being read beside the new project (a band's name)."""
    try:
        read_definition(row.source, row.file, row.line, project)
    except FlowscoreError as error:
        return [f"what it says ({error})"]
    return []


def _missing(version: Version, project: Project) -> set[str]:
    """What the version names that the project no longer has (in that kind)."""
    static = {name for name, one in project.lists.items() if one.members is None}
    there = {
        "list": set(project.lists),
        "static list": static,
        "score": set(project.scores),
        "template": set(project.templates),
        "topic": {*project.policy.topics, *BUILT_IN},
        "scenario": set(project.scenarios),
        "cell": {f"{cell} of {one.name}" for one in project.grades.values() for cell in one.cells},
        "stage": set(project.lifecycle.names) if project.lifecycle else set(),
    }
    named = {pair for word in walk(version.scenario) for pair in named_by(word)}
    return {
        f"{kind.removeprefix('static ')} '{name}'"
        for kind, name in named
        if name not in there[kind]
    }


@singledispatch
def named_by(word: Word) -> Named:
    """What else of the project a word names; one function for each that names something."""
    yield from ()


@named_by.register
def _(word: actions.AddPoints) -> Named:
    yield "score", word.score


@named_by.register
def _(word: actions.ResetScore) -> Named:
    yield from (("score", name) for name in word.scores)


@named_by.register(conditions.ScoreIs)
@named_by.register(triggers.ScoreCrosses)
@named_by.register(triggers.ScoreGains)
def _(word: Any) -> Named:
    yield "score", word.score


@named_by.register(conditions.GradeIs)
@named_by.register(triggers.GradeEnters)
def _(word: Any) -> Named:
    yield from (("cell", f"{cell} of {word.grade}") for cell in word.cells)


@named_by.register
def _(word: conditions.StageIs) -> Named:
    """Of `at_least` the stage that was written: those behind it may come and go."""
    named = word.stages if word.at_least is None else (word.at_least,)
    yield from (("stage", name) for name in named)


@named_by.register
def _(word: triggers.StageEnters) -> Named:
    yield from (("stage", name) for name in word.stages)


@named_by.register
def _(word: actions.SetStage) -> Named:
    yield "stage", word.stage


@named_by.register(actions.AddToList)
@named_by.register(actions.RemoveFromList)
def _(word: Any) -> Named:
    yield from (("static list", name) for name in word.lists)


@named_by.register
def _(word: actions.MoveToList) -> Named:
    yield from (("static list", name) for name in (*word.origin, *word.to))


@named_by.register(conditions.InList)
@named_by.register(triggers.ListJoined)
@named_by.register(triggers.ListLeft)
def _(word: Any) -> Named:
    yield from (("list", name) for name in word.lists)


@named_by.register(actions.SendEmail)
@named_by.register(actions.Notify)
def _(word: Any) -> Named:
    yield from (("template", name) for name in word.templates)


@named_by.register(conditions.MailIgnored)
@named_by.register(triggers.MailNotAnswered)
def _(word: Any) -> Named:
    yield from (("template", name) for name in word.templates)
    yield from (("topic", name) for name in word.topics)


@named_by.register
def _(word: EventQuery) -> Named:
    if all(name.startswith("email_") for name in word.names):
        yield from (("template", name) for name in word.subjects)
    yield from (("topic", name) for name in word.topics)


@named_by.register(conditions.MayMail)
@named_by.register(triggers.ConsentChanges)
@named_by.register(actions.ChangeConsent)
def _(word: Any) -> Named:
    yield from (("topic", name) for name in word.topics)


@named_by.register
def _(word: actions.EnrollIn) -> Named:
    yield from (("scenario", name) for name in word.scenarios)
