"""`flowscore learn` as a person types it: the steps it prints, the edit it makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowscore.language.project import load_project
from learning.company import POLICY, import_leads
from learning.test_from_file import HEADER, put, rows_of
from learning.test_from_store import ENGAGEMENT, example

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Run

CODE = """
import sys
from flowscore.cli import main
code = main({arguments!r})
loaded = {{name.split(".")[0] for name in sys.modules}} & {{"numpy", "sklearn", "scipy"}}
loaded |= {{name for name in sys.modules if name.startswith("flowscore.learning")}}
print(code, sorted(loaded), file=sys.stderr)
"""


@pytest.fixture
def project(write_project: Callable[[dict[str, str]], Path], migrated_sqlite: Path) -> Path:
    """A thousand leads, of whom a hundred bought."""
    folder = write_project({"scenarios/policy.yaml": POLICY, "scenarios/all.yaml": ENGAGEMENT})
    import_leads(folder, example(1_000)).close()
    return folder


def test_e01_e02_e03_e04_e05_steps_are_printed(project: Path, run: Run) -> None:
    said = run("--project", project, "learn", "--outcome", "order_completed")
    assert said.code == 0, said.err
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert lines[0] == "1. Conversion rate (outcome: the event order_completed)"
    assert lines[1].startswith("100 customers of 1,000 leads that came in up to 2026-05-")
    assert lines[1].endswith(": 10.0%")
    trial = next(line for line in lines if line.startswith("online behaviour free_trial_started"))
    assert "200 80 40.0%" in trial and "4.0 ×" in trial
    assert "From the first touch to the sale: 10 days in the middle of all" in said.out
    assert "The line in `engagement`" in said.out and "proposed" in said.out
    assert "+  - {name: free-trial-started, points: " in said.out
    assert "(--write makes it)" in said.out


def test_write_changes_the_file_and_a_second_run_has_nothing_left(project: Path, run: Run) -> None:
    subprocess.run(["git", "init", "-q", project], check=True)
    subprocess.run(["git", "-C", project, "add", "scenarios"], check=True)
    said = run("--project", project, "learn", "--outcome", "order_completed", "--write")
    assert said.code == 0, said.err
    assert "Written: scenarios/all.yaml. Next: git diff" in said.out
    diff = subprocess.run(
        ["git", "-C", project, "diff", "--stat"], check=True, capture_output=True, text=True
    ).stdout
    assert "scenarios/all.yaml" in diff and "1 file changed" in diff
    assert not [one for one in load_project(project)[1] if one.severity == "error"]
    assert run("--project", project, "apply").code == 0
    again = run("--project", project, "learn", "--outcome", "order_completed", "--json").json
    assert {one["name"] for one in again["proposals"]} == {"newsletter", "free-trial-started"}
    assert all(one["now"] == one["points"] for one in again["proposals"])
    assert again["diff"] == ""


def test_e15_too_few_customers_end_the_report(
    write_project: Callable[[dict[str, str]], Path], migrated_sqlite: Path, run: Run
) -> None:
    folder = write_project({"scenarios/policy.yaml": POLICY, "scenarios/all.yaml": ENGAGEMENT})
    import_leads(folder, example(100)).close()
    said = run("--project", folder, "learn", "--outcome", "order_completed", "--write")
    assert said.code == 0
    assert "Nothing is proposed: too few to tell chance from pattern" in said.out
    assert "40.0%" in said.out
    assert "points: 10" in (folder / "scenarios" / "all.yaml").read_text()


def test_a_file_outside_of_any_project(tmp_path: Path, run: Run) -> None:
    file = put(tmp_path / "leads.csv", HEADER, *rows_of(2_000))
    said = run("--project", tmp_path, "learn", file, "--outcome", "won", "--positive", "yes")
    assert said.code == 0, said.err
    assert "A score to begin with:\nscore: learned\n" in said.out
    refused = run("--project", tmp_path, "learn", file, "--outcome", "won", "--write")
    assert refused.code == 1
    assert "there is no folder `scenarios` here" in refused.err


def test_json_holds_everything(tmp_path: Path, run: Run) -> None:
    file = put(tmp_path / "leads.csv", HEADER, *rows_of(2_000))
    said = run("--project", tmp_path, "learn", file, "--outcome", "won", "--json").json
    assert said["overall"]["leads"] == 2_000
    assert {"rates", "left_out", "proposals", "lines", "cycle", "yaml", "stop"} <= set(said)


def test_without_a_project_the_store_cannot_be_asked(tmp_path: Path, run: Run) -> None:
    said = run("--project", tmp_path, "learn")
    assert said.code == 1
    assert "no flowscore project here" in said.err


def test_compare_without_scikit_learn_names_the_extra(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(tmp_path / "leads.csv", HEADER, *rows_of(2_000))
    for name in [one for one in sys.modules if one.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert run("--project", tmp_path, "learn", file, "--outcome", "won").code == 0
    said = run("--project", tmp_path, "learn", file, "--outcome", "won", "--compare")
    assert said.code == 1
    assert "pip install 'flowscore[learn]'" in said.err


@pytest.mark.parametrize("command", ["validate", "--help"])
def test_other_commands_do_not_load_learning(project: Path, command: str) -> None:
    assert loaded(["--project", str(project), command]) == "0 []"


def test_learning_needs_no_numpy(tmp_path: Path) -> None:
    file = put(tmp_path / "leads.csv", HEADER, *rows_of(500))
    said = loaded(["--project", str(tmp_path), "learn", str(file), "--outcome", "won"])
    assert said.startswith("0 ") and "numpy" not in said and "sklearn" not in said


def loaded(arguments: list[str]) -> str:
    """The exit code, and what of learning and of the heavy libraries a command has loaded."""
    code = CODE.format(arguments=arguments)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return told.stderr.splitlines()[-1]
