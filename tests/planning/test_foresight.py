"""What a plan says of random projects is what the apply then does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from engine.running import prepared, tick
from flowscore.errors import FlowscoreError
from flowscore.workspace import Workspace
from oracle.cases import write
from oracle.generate import seeded

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.engine.registry import ApplyReport
    from flowscore.planning.plan import Plan


def planned_and_applied(
    seed: int, folder: Path, url: str | None = None
) -> tuple[Plan, ApplyReport | str, dict[str, int]]:
    """A random project with people in it is given another one's definitions.

    The plan, what apply said, and how many members each list has then.
    """
    case = seeded(seed)
    with prepared(case, url) as before:
        tick(before, case)
        write(seeded(seed + 5000), folder)
        shutil.rmtree(before.root / "scenarios")
        shutil.copytree(folder / "scenarios", before.root / "scenarios")
        workspace = Workspace(before.root)
        plan = workspace.plan()
        said: ApplyReport | str
        try:
            said = workspace.apply()
        except FlowscoreError as error:
            said = str(error)
        with workspace.look.lists(None, None) as rows:
            members = {row["list"]: row["members"] for row in rows}
        workspace.close()
        return plan, said, members


def hold_together(plan: Plan, said: ApplyReport | str, members: dict[str, int]) -> None:
    assert "\n".join(plan.refused) == (said if isinstance(said, str) else "")
    if isinstance(said, str):
        return
    changes = [one for one in plan.changes if one.kind != "template"]
    for what in ("added", "changed", "removed"):
        foreseen = sorted((one.kind, one.name) for one in changes if one.change == what)
        assert foreseen == sorted(getattr(said, what))
    assert plan.unchanged == said.unchanged
    for change in changes:
        for one in change.consequences:
            if one.what == "members" and one.count is not None:
                assert members.get(change.name, 0) == one.count, (change, one)


@pytest.mark.parametrize("seed", range(1, 6))
def test_apply_does_what_the_plan_said(tmp_path: Path, seed: int) -> None:
    hold_together(*planned_and_applied(seed, tmp_path))


def test_on_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    hold_together(*planned_and_applied(11, tmp_path, postgres_url))
