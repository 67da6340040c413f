"""rescore: the door to judging scores anew, and what it says."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .test_plan import Folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Run


@pytest.fixture
def folder(run: Run, write_project: Callable[[dict[str, str]], Path]) -> Folder:
    return Folder(run, write_project)


CALL = """
scenario: call
trigger: {score: {engagement: {reaches: 25}}}
actions: [{add_to_list: cold}]
"""


def test_a_rescore_where_nothing_came_late_moves_nothing(folder: Folder) -> None:
    said = folder.live().ok("rescore")
    assert said == (
        "judged anew: engagement (3 contacts)\nNothing moved: every balance is what it was.\n"
    )
    assert "judged anew: engagement" in folder.ok("rescore", "engagement")


def test_before_the_first_tick_it_says_so(folder: Folder) -> None:
    folder.ok("apply")
    assert "No tick has run yet" in folder.ok("rescore")
    assert folder.run("rescore", "--json").json == {"judged": False}


def test_an_unknown_score_is_refused(folder: Folder) -> None:
    said = folder.live().run("rescore", "engagment")
    assert (said.code, said.out) == (1, "")
    assert said.err == ("flowscore: no score is called 'engagment'; did you mean 'engagement'?\n")


def test_apply_says_what_it_moved_and_fires_when_it_is_told_to(folder: Folder) -> None:
    """E06: the model is changed while it runs, and one sees what changed."""
    folder.write({"scenarios/call.yaml": CALL})
    folder.live().edit("scores", ("points: 10", "points: 12"))
    said = folder.ok("apply")
    assert "engagement: 3 contacts have another balance, +4 on average (3 more, 0 less)" in said
    assert "Nothing fired.\n" in said
    folder.edit("scores", ("points: 10", "points: 15"))
    said = folder.ok("apply", "--fire")
    assert "  1 passed 25\n" in said
    assert "The next tick notices it; cells, stages and lists follow there.\n" in said
    assert "  scenario call: 1 occurrence (score engagement reaches 25)\n" in said
    folder.ok("tick", "--until", "2026-01-09", "--every", "1d")
    rows = folder.run("scenarios", "--json").json
    # eva had 30 of the first model, and passed 25 then.
    assert [row["entered"] for row in rows if row["scenario"] == "call"] == [2]


def test_as_json_it_has_the_counts(folder: Folder) -> None:
    found = folder.live().run("rescore", "--fire", "--json").json
    assert (found["judged"], found["fires"], found["scores_judged"]) == (True, True, ["engagement"])
    assert (found["contacts"], found["scores"], found["would_fire"]) == (3, {}, [])


def test_on_a_terminal_it_shows_how_far_it_is(folder: Folder) -> None:
    """A bar with the contacts done of how many; in a pipe it is quiet (the tests above)."""
    root = folder.live().root
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flowscore", "--project", str(root), "rescore"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "contacts" in shown
    assert "/3" in shown
    assert done.stdout.decode().startswith("judged anew: engagement (3 contacts)\n")


def test_without_a_project_it_is_refused(run: Run, tmp_path: Path) -> None:
    said = run("--project", tmp_path, "rescore")
    assert (said.code, said.out) == (1, "")
