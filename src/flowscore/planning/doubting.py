"""Doubts that a look at the store raises: events that nothing has ever brought.

Nothing here imports a database, since `validate` asks it too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.errors import FlowscoreError, Problem
from flowscore.language.outside import OWN_EVENTS, unseen_events
from flowscore.language.project import in_order
from flowscore.store.glance import seen_events

if TYPE_CHECKING:
    from flowscore.language.project import Project

DATABASE_URL = "FLOWSCORE_DATABASE_URL"


def with_unseen(
    project: Project, problems: list[Problem], root: Path, place: Callable[[], str | Path]
) -> list[Problem]:
    """The problems, and in a clean folder events that a SQLite store has never seen.

    `place` reads the settings, and is asked only where they say where the store is. Of a store
    on PostgreSQL `flowscore plan` tells it.
    """
    if any(one.severity == "error" for one in problems):
        return problems
    try:
        file = place() if _is_set(root) else root / "flowscore.db"
    except FlowscoreError:  # a bad setting is told by whoever needs it
        return problems
    return [*problems, *unseen(project, seen_events(file))] if isinstance(file, Path) else problems


def unseen(project: Project, names: frozenset[str]) -> list[Problem]:
    """A warning for every event that is waited for and is none of these; of none, nothing."""
    return in_order(unseen_events(project, names - OWN_EVENTS))


def _is_set(root: Path) -> bool:
    """Whether the environment or `.env` says where the store is."""
    if DATABASE_URL in os.environ:
        return True
    try:
        return DATABASE_URL in (root / ".env").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
