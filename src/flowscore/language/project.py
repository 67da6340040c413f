"""A folder of scenarios and templates as one frozen value, with every problem found in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from flowscore.errors import FlowscoreError, Mark, Problem
from flowscore.language.checks import check_project, topic_is_known
from flowscore.language.circles import Place, find_circles, in_dependency_order
from flowscore.language.document import Document, read_documents
from flowscore.language.draft import Draft
from flowscore.language.folder import TextFile, read_scenario_files, read_template_files
from flowscore.language.fronts import Front, read_front
from flowscore.language.grammar.gathering import names_of_documents
from flowscore.language.grammar.kinds import KINDS, kind_of, read_root, refuse_twin
from flowscore.language.grammar.mistakes import Gathering, MistakesError
from flowscore.language.grammar.names import Names
from flowscore.language.lifecycle import Lifecycle
from flowscore.language.policy import Policy
from flowscore.language.scenario import ContactList, Scenario
from flowscore.language.scoring import Grade, Score
from flowscore.language.words import Scope, Word

T = TypeVar("T")
Read = dict[tuple[str, str], tuple[Scope, Document]]  # by kind and name


class TemplateFile(Word):
    """What the language needs to know of a mail template: its name, topic and file."""

    name: str
    topic: str
    file: str


class Project(Word):
    """All definitions, by name; lists stand in dependency order."""

    scenarios: dict[str, Scenario] = {}
    scores: dict[str, Score] = {}
    lists: dict[str, ContactList] = {}
    grades: dict[str, Grade] = {}
    lifecycle: Lifecycle | None = None
    policy: Policy = Policy()
    templates: dict[str, TemplateFile] = {}
    sources: dict[str, str] = {}  # "scenario/NAME" -> the definition's YAML text as written

    @property
    def is_empty(self) -> bool:
        """Whether nothing was defined; a policy alone can keep consent and take sign-ups."""
        words = self.scenarios, self.scores, self.lists, self.grades, self.lifecycle
        return not (any(words) or f"policy/{self.policy.name}" in self.sources)

    @property
    def company_scores(self) -> frozenset[str]:
        """The scores that are companies'."""
        return frozenset(name for name, one in self.scores.items() if one.of == "company")

    @property
    def first_stage(self) -> str:
        """Where the lifecycle begins for everybody; empty without a lifecycle."""
        return self.lifecycle.names[0] if self.lifecycle else ""


def load_project(root: Path) -> tuple[Project, list[Problem]]:
    """Read `scenarios/` and `templates/` below root; an author's mistake never raises."""
    files, problems = read_scenario_files(root)
    templates = read_template_files(root)
    fronts = tuple(read_front(file) for file in templates)
    documents, broken = _documents(files, problems)
    names = names_of_documents(documents, broken, (front.name for front in fronts))
    read = _definitions(documents, names, problems)
    draft = _draft(read, names, fronts, (*files, *templates))
    whole = not any(problem.severity == "error" for problem in problems)
    problems += check_project(draft, whole=whole)
    return _project(draft, read, _templates(draft)), in_order(problems)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By place, each said once (an alias repeats what it refers to)."""
    once = {(one.mark, one.message): one for one in problems}
    return sorted(once.values(), key=lambda one: (one.mark, one.severity, one.message))


def read_definition(text: str, file: str, first_line: int, project: Project) -> Scope:
    """Read one stored definition again, against what the project defines now.

    Raises FlowscoreError where the text names what the project no longer has.
    """
    documents, problems = read_documents(text, file, first_line)
    if not problems and len(documents) == 1:
        try:
            return read_root(documents[0].root, names_of_project(project))
        except MistakesError as mistakes:
            problems = list(mistakes.problems)
    said = "; ".join(f"{problem.mark}: {problem.message}" for problem in problems)
    raise FlowscoreError(said or f"{file}: expected one definition")


def read_stored(
    texts: Sequence[tuple[str, int, str]], templates: Mapping[str, Mapping[str, Any]]
) -> Project:
    """The project of stored definitions (file, first line, text) and templates' fields by name.

    Raises FlowscoreError where this version of flowscore cannot read one of them.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for file, first_line, text in texts:
        read, wrong = read_documents(text, file, first_line)
        documents += read
        problems += wrong
    names = names_of_documents(documents, [], templates)
    definitions = _definitions(documents, names, problems)
    if problems:
        said = "; ".join(f"{problem.mark}: {problem.message}" for problem in problems)
        raise FlowscoreError(f"the applied project cannot be read: {said}; apply it again")
    known = {name: TemplateFile(**fields) for name, fields in templates.items()}
    return _project(_draft(definitions, names, (), ()), definitions, known)


def names_of_project(project: Project) -> Names:
    """What a loaded project defines."""
    return Names(
        scores={name: dict(score.bands) for name, score in project.scores.items()},
        lists={name: one.members is not None for name, one in project.lists.items()},
        grades={name: one.cells for name, one in project.grades.items()},
        stages=project.lifecycle.names if project.lifecycle else (),
        scenarios=frozenset(project.scenarios),
        topics=project.policy.topics,
        templates=frozenset(project.templates),
    )


def digest(definition: object) -> str:
    """A hash of what a definition means: comments, layout and description do not count."""
    meaning = json.dumps(_meaning(definition), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(meaning.encode()).hexdigest()


SPOKEN = frozenset({"mark", "description", "objective"})  # what only people read


def _meaning(value: object) -> object:
    if isinstance(value, Word):
        fields = {
            name: _meaning(it)
            for name, it in value.__dict__.items()
            if name not in SPOKEN and not _is_left_out(value, name, it)
        }
        return [type(value).__name__, fields]
    if isinstance(value, tuple):
        return [_meaning(one) for one in value]
    return value


def _is_left_out(word: Word, name: str, value: object) -> bool:
    """A field that an older flowscore did not know, not written: digests stay as they were."""
    return name in word.younger and value == type(word).model_fields[name].default


def _documents(files: list[TextFile], problems: list[Problem]) -> tuple[list[Document], list[str]]:
    """All documents of all files, and the texts that broke off."""
    documents: list[Document] = []
    broken: list[str] = []
    for file in files:
        read, wrong = read_documents(file.text, file.name)
        documents += read
        problems += wrong
        if wrong:
            broken.append(file.text)
    return documents, broken


def _definitions(documents: list[Document], names: Names, problems: list[Problem]) -> Read:
    """Every definition that could be read, by kind and name; of twins the first."""
    read: Read = {}
    seen: dict[tuple[str, str], Mark] = {}
    gathering = Gathering()
    for document in documents:
        with gathering:
            kind = kind_of(document.root)
            with gathering:
                refuse_twin(document.root, kind, seen)
            definition = read_root(document.root, names)
            read.setdefault((kind, definition.name), (definition, document))
    problems += gathering.problems
    return read


def _draft(
    read: Read, names: Names, fronts: tuple[Front, ...], files: tuple[TextFile, ...]
) -> Draft:
    by_kind: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for (kind, name), (definition, _) in sorted(read.items(), key=lambda item: item[0]):
        by_kind[kind][name] = definition
    policy = next(iter(by_kind["policy"].values()), Policy())
    return Draft(
        by_kind["scenario"],
        by_kind["score"],
        by_kind["list"],
        policy,
        by_kind["grade"],
        next(iter(by_kind["lifecycle"].values()), None),
        names,
        fronts,
        files,
    )


def _project(draft: Draft, read: Read, templates: dict[str, TemplateFile]) -> Project:
    """The draft without what a circle runs through."""
    wrong = {place for circle in find_circles(draft) for place in circle}
    lifecycle = draft.lifecycle
    return Project(
        scenarios=dict(draft.scenarios),
        scores=_without(wrong, "score", draft.scores),
        lists=in_dependency_order(_without(wrong, "list", draft.lists)),
        grades=_without(wrong, "grade", draft.grades),
        lifecycle=lifecycle if lifecycle and ("lifecycle", lifecycle.name) not in wrong else None,
        policy=draft.policy,
        templates=templates,
        sources={
            f"{kind}/{name}": document.text
            for (kind, name), (_, document) in read.items()
            if (kind, name) not in wrong
        },
    )


def _without(wrong: set[Place], kind: str, named: Mapping[str, T]) -> dict[str, T]:
    return {name: one for name, one in named.items() if (kind, name) not in wrong}


def _templates(draft: Draft) -> dict[str, TemplateFile]:
    """Templates by name; a locale's variant takes the topic of the one it varies."""
    return {
        front.name: TemplateFile(name=front.name, topic=front.topic or "", file=front.file)
        for front in draft.fronts
        if not front.locale and topic_is_known(front, draft)
    }
