"""A test without its tool skips and says why; where the tool is demanded it fails."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from required import REQUIRE, find_tool

TESTS = Path(__file__).parent
TEST = """
from required import required

@required("sh", "no-such-program")
def test_something():
    raise AssertionError("it ran")
"""


def run(tmp_path: Path, demanded: str, *words: str) -> str:
    (tmp_path / "test_one.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    command = [sys.executable, "-m", "pytest", "-rA", "-o", f"pythonpath={TESTS}", "-p"]
    command += ["no:cacheprovider", *words, "test_one.py"]
    surroundings = os.environ | {REQUIRE: demanded}
    return subprocess.run(
        command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False
    ).stdout


def test_a_tool_that_is_missing_skips_with_its_reason(tmp_path: Path) -> None:
    told = run(tmp_path, "")
    assert "1 skipped" in told
    assert "no-such-program is not installed; install no-such-program" in told


@pytest.mark.parametrize("demanded", ["all", "nginx,no-such-program"])
def test_a_demanded_tool_that_is_missing_fails(tmp_path: Path, demanded: str) -> None:
    told = run(tmp_path, demanded, "-n", "1")  # the workers of xdist are told, too
    assert "1 error" in told and "skipped" not in told
    assert f"no-such-program is not installed; install no-such-program ({REQUIRE}" in told


def test_other_tools_may_be_missing_when_one_is_demanded(tmp_path: Path) -> None:
    assert "1 skipped" in run(tmp_path, "nginx")


def test_programs_of_the_system_are_found_without_their_folder_on_the_path(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_tool("nologin") == Path("/usr/sbin/nologin")
    assert find_tool("no-such-program") is None


def test_ci_installs_every_tool_that_a_test_needs() -> None:
    lines = (TESTS.parent / ".ci" / "tools").read_text("utf-8").splitlines()
    installed = {line.split()[0] for line in lines if not line.startswith("#")} | {"clients"}
    assert needed() - installed == set()


def needed() -> set[str]:
    """The tools that marks and fixtures below tests/ name."""
    files = [path for path in TESTS.rglob("*.py") if "node_modules" not in path.parts]
    calls = (
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )
    named = [call.args for call in calls if call.func.id in ("required", "demand")]  # type: ignore[attr-defined]
    return {one.value for args in named for one in args if isinstance(one, ast.Constant)}
