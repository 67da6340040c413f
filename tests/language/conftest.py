"""A small project to make mistakes in, and the problems of whatever is written into it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from flowscore.errors import Problem
from flowscore.language.project import Project, load_project

BASE = """\
policy: default
timezone: Europe/Madrid
sender: {name: Acme, address: hello@acme.example}
topics: [news, offers]
---
score: engagement
range: {min: -100, max: 100}
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
bands: {hot: 80, interested: 50}
---
list: customers
---
list: hot
members: [{score: {engagement: {at_least: hot}}}, {not: {in_list: customers}}]
---
scenario: base
trigger: manual
actions:
  - send_email: offer
  - add_to_list: customers
  - subtract_points: {score: engagement, points: 200}
"""
OFFER = "---\nsubject: An offer\ntopic: offers\n---\nHello\n"

Load = Callable[..., tuple[Project, list[Problem]]]


@pytest.fixture
def load(project_folder: Path) -> Load:
    """Load the base project with one more file, `scenarios/x.yaml`, and any other files."""

    def run(text: str, files: dict[str, str] | None = None) -> tuple[Project, list[Problem]]:
        written = {
            "scenarios/base.yaml": BASE,
            "scenarios/x.yaml": textwrap.dedent(text).lstrip("\n"),
            "templates/email/offer.html": OFFER,
            **(files or {}),
        }
        for name, content in written.items():
            path = project_folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return load_project(project_folder)

    return run


@pytest.fixture
def clean(load: Load) -> Callable[..., Project]:
    """Load a text that must be without a problem, warnings included."""

    def run(text: str, files: dict[str, str] | None = None) -> Project:
        project, problems = load(text, files)
        assert problems == []
        return project

    return run
