"""Commands as a person types them, and a project with a store on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.conftest import run  # noqa: F401 (a fixture)
from learning.company import POLICY, import_leads

if TYPE_CHECKING:
    from flowscore.workspace import Workspace
    from learning.company import Lead

Company = Callable[[str, "Sequence[Lead]"], "Workspace"]


@pytest.fixture
def company(store_url: str, write_project: Callable[[dict[str, str]], Path]) -> Iterator[Company]:
    """`company(yaml, leads)`: applied, imported, ticked; once on each database."""
    opened: list[Workspace] = []

    def make(yaml: str, leads: Sequence[Lead]) -> Workspace:
        folder = write_project({"scenarios/policy.yaml": POLICY, "scenarios/all.yaml": yaml})
        opened.append(import_leads(folder, leads, store_url))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
