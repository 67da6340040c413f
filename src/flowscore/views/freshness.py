"""Whether the folder still says what is live, so that nobody wonders why an edit does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, select

from flowscore.language.project import Project, digest
from flowscore.store.tables import definitions


def is_as_applied(connection: Connection, folder: Path, load: Callable[[], Project]) -> bool:
    """Whether what stands below the folder is what is live; read only if a file is newer."""
    live = select(definitions).where(definitions.c.retired_at.is_(None))
    rows = connection.execute(live).all()
    if not folder.is_dir() or _last_change(folder) <= max(
        (row.applied_at for row in rows), default=0
    ):
        return True
    return dict(_digests(load())) == {(row.kind, row.name): row.digest for row in rows}


def _last_change(folder: Path) -> int:
    """When a file or folder was changed last; a file that is gone changes its folder."""
    changed = (path.stat().st_mtime_ns for path in (folder, *folder.rglob("*")))
    return max(changed) // 1000


def _digests(project: Project) -> Iterator[tuple[tuple[str, str], str]]:
    groups: dict[str, Mapping[str, object]] = {
        "scenario": project.scenarios,
        "score": project.scores,
        "list": project.lists,
    }
    for kind, group in groups.items():
        for name, definition in group.items():
            yield (kind, name), digest(definition)
    if f"policy/{project.policy.name}" in project.sources:
        yield ("policy", project.policy.name), digest(project.policy)
