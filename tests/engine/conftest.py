"""A world for each test of the engine, once on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.store.database import Store


@pytest.fixture
def world(store: Store, project_folder: Path) -> World:
    """An empty project on an empty store."""
    return World(project_folder, store)
