"""The same story through the same commands on SQLite and on PostgreSQL: the same export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .test_lists import LADDER, OFFERS

if TYPE_CHECKING:
    from .conftest import Project

NAMES = ("ana", "ben", "eva")


def story(project: Project) -> dict[str, bytes]:
    """Three people climb the ladder, one of them after having said no; every file exported."""
    project.scenario(LADDER).mail(*OFFERS).apply()
    people = tuple(f"{name}@example.com" for name in NAMES)
    project.people(*people)
    calls = [
        project.track(who, event, f"{day} 1{hour}:00")
        for hour, who in enumerate(people)
        for day, event in enumerate(("nineteen", "one", "lost", "thirty", "thirty"), 2 + hour)
    ]
    calls.append(project.track(people[2], "Unsubscribed", "4"))
    project.happened(*({**call, "messageId": f"m{n}"} for n, call in enumerate(calls)))
    project.tick("1", "14", every="6h")
    folder = project.root / "out"
    project.ok("export", str(folder))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_both_databases_export_the_same_bytes(
    project: Project, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(project)(tmp_path / "other")
    other.write("scenarios/policy.yaml", (project.root / "scenarios/policy.yaml").read_text())
    on_sqlite = story(project)
    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", postgres_url)
    on_postgresql = story(other)
    assert (project.root / "flowscore.db").exists()
    assert not (other.root / "flowscore.db").exists()
    assert on_sqlite["messages.jsonl"]
    assert on_postgresql == on_sqlite
