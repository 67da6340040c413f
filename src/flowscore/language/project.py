"""A folder of scenarios and templates as one frozen value, with every problem found in it."""

from __future__ import annotations

from pathlib import Path

from flowscore.errors import Problem
from flowscore.language.policy import Policy
from flowscore.language.scenario import ContactList, Scenario
from flowscore.language.scoring import Score
from flowscore.language.words import Word


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
    policy: Policy = Policy()
    templates: dict[str, TemplateFile] = {}
    sources: dict[str, str] = {}  # "scenario/NAME" -> the definition's YAML text as written


def load_project(root: Path) -> tuple[Project, list[Problem]]:
    """Read `scenarios/` and `templates/` below root; an author's mistake never raises."""
    raise NotImplementedError
