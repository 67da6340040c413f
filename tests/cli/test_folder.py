"""init, validate, apply and schema: from an empty folder to something live."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

Write = Callable[[dict[str, str]], Path]
WRONG = """
scenario: warm
trigger: {event: cart_updated}
actions:
  - wiat: 3 days
  - wait: 4 hrs
"""
RIGHT = """
scenario: warm
trigger: {event: cart_updated}
actions: [{wait: 3 days}]
"""


def test_init_makes_a_project_that_is_clean_and_goes_live(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "academy"
    said = run("init", folder)
    assert said.code == 0
    assert f"cd {folder} && flowscore validate" in said.out
    assert run("--project", folder, "validate").code == 0
    assert run("--project", folder, "apply").code == 0
    assert (folder / "flowscore.db").is_file()


def test_init_never_overwrites(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    said = run("init", tmp_path)
    assert said.code == 1
    assert "nothing was written" in said.err
    assert list(tmp_path.iterdir()) == [tmp_path / "scenarios"]


def test_validate_shows_every_mistake_with_its_line_and_a_caret(
    run: Run, write_project: Write
) -> None:
    folder = write_project({"scenarios/warm.yaml": WRONG})
    said = run("--project", folder, "validate")
    assert said.code == 1
    assert "scenarios/warm.yaml:4:5" in said.err
    assert "- wiat: 3 days\n" in said.err
    assert "did you mean 'wait'?" in said.err
    assert "scenarios/warm.yaml:5:11" in said.err
    assert said.out.startswith("2 mistakes")


def test_validate_warns_of_a_variable_that_is_not_set(
    run: Run, write_project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = "{webhook: {url: 'https://crm.example/${CRM_PATH}', headers: {K: '${CRM_KEY}'}}}"
    text = f"scenario: x\ntrigger: manual\nactions: [{call}]\n"
    folder = write_project({"scenarios/x.yaml": text, ".env": "CRM_PATH=leads\n"})
    said = run("--project", folder, "validate")
    assert said.code == 0
    assert "scenarios/x.yaml:3:11: warning: ${CRM_KEY} is not set" in said.err
    assert "CRM_PATH" not in said.err.replace(call, "")
    monkeypatch.setenv("CRM_KEY", "k")
    assert run("--project", folder, "validate").err == ""


def test_validate_as_json_is_one_document(run: Run, write_project: Write) -> None:
    folder = write_project({"scenarios/warm.yaml": WRONG})
    said = run("--project", folder, "validate", "--json")
    assert (said.code, said.err, said.json["clean"]) == (1, "", False)
    found = {(one["line"], one["column"], one["severity"]) for one in said.json["problems"]}
    assert {(4, 5, "error"), (5, 11, "error")} <= found


def test_apply_of_an_unclean_folder_changes_nothing(run: Run, write_project: Write) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT})
    assert run("--project", folder, "apply").code == 0
    before = run("--project", folder, "scenarios", "--json").json
    write_project({"scenarios/warm.yaml": WRONG})
    said = run("--project", folder, "apply")
    assert said.code == 1
    assert "nothing was applied" in said.out
    assert run("--project", folder, "scenarios", "--json").json == before


def test_apply_says_what_is_new_changed_and_gone(run: Run, write_project: Write) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT, "scenarios/l.yaml": "list: gone\n"})
    assert "added list: gone" in run("--project", folder, "apply").out
    (folder / "scenarios/l.yaml").unlink()
    write_project({"scenarios/warm.yaml": RIGHT.replace("3 days", "4 days")})
    said = run("--project", folder, "apply").out
    assert "changed scenario: warm" in said
    assert "removed list: gone" in said


def test_tick_says_when_the_folder_is_not_what_is_live(run: Run, write_project: Write) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT})
    run("--project", folder, "apply")
    grid = ("tick", "--from", "2026-01-01", "--every", "1d", "--until")
    assert run("--project", folder, *grid, "2026-01-02").err == ""
    write_project({"scenarios/warm.yaml": "# a word to my colleagues\n" + RIGHT})
    assert run("--project", folder, *grid, "2026-01-03").err == ""
    write_project({"scenarios/warm.yaml": RIGHT.replace("3 days", "4 days")})
    assert "flowscore apply makes it so" in run("--project", folder, *grid, "2026-01-04").err
    run("--project", folder, "apply")
    assert run("--project", folder, *grid, "2026-01-05").err == ""


def test_folder_without_scenarios_is_told_so(run: Run, tmp_path: Path) -> None:
    for command in ("validate", "apply"):
        said = run("--project", tmp_path, command)
        assert said.code == 1
        assert "no flowscore project here" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["contacts", "lists", "scenarios", "outbox", "tick", "deliver"])
def test_store_that_is_not_there_is_told_so(run: Run, write_project: Write, command: str) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT})
    said = run("--project", folder, command)
    assert said.code == 1
    assert "no store here" in said.err
    assert not (folder / "flowscore.db").exists()


def test_tick_before_apply_says_what_to_do(run: Run, write_project: Write) -> None:
    folder = write_project(
        {"scenarios/policy.yaml": "policy: default\n", "p.csv": "email\na@b.es\n"}
    )
    assert run("--project", folder, "import", "contacts", folder / "p.csv").code == 0
    said = run("--project", folder, "tick")
    assert said.code == 1
    assert "flowscore apply" in said.err
    assert run("--project", folder, "apply").code == 0
    assert run("--project", folder, "tick").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("validate", "--project", "DIR"),
        ("--project=DIR", "validate"),
        ("validate", "--project=DIR"),
    ],
)
def test_project_may_stand_anywhere(run: Run, write_project: Write, words: tuple[str, ...]) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT})
    assert run(*(word.replace("DIR", str(folder)) for word in words)).code == 0


def test_schema_is_a_json_schema(run: Run) -> None:
    assert "$schema" in run("schema").json


DONT_WRITE = "PYTHONDONTWRITEBYTECODE"
LIGHT = """
import sys
from flowscore.cli import main
main(sys.argv[1:])
heavy = {"sqlalchemy", "sqlmodel", "prefect", "fastapi"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.mark.parametrize("words", [("--help",), ("validate",), ("tick", "--help")])
def test_light_commands_import_neither_database_nor_prefect(
    write_project: Write, words: tuple[str, ...]
) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT})
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *words], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_validate_starts_about_as_fast_as_the_libraries_it_needs(
    write_project: Write, tmp_path: Path
) -> None:
    folder = write_project({"scenarios/warm.yaml": RIGHT})
    # As installed: with bytecode, which some surroundings keep from being written beside a source.
    kept = {name: value for name, value in os.environ.items() if name != DONT_WRITE}
    surroundings = kept | {"PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode")}

    def seconds(*words: str) -> float:
        """Of processor time, since other tests share the machine."""
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, *words]
        subprocess.run(command, cwd=folder, env=surroundings, check=True, capture_output=True)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime

    libraries = "import typer, yaml; from pydantic import BaseModel"
    ours = min(seconds("-m", "flowscore", "validate") for _ in range(3))
    assert ours <= 3 * min(seconds("-c", libraries) for _ in range(3))
