"""The rules of the house that a machine can hold: floors, sizes, first sentences, no leaks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "flowscore"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "versions" not in path.parts)
HEAVY = {"prefect", "fastapi", "sqlalchemy", "sqlmodel"}
TOP_LEVEL = {
    "LICENSE",
    "README.md",
    "benchmarks",
    "docs",
    "pyproject.toml",
    "scenarios",
    "src",
    "templates",
    "tests",
}
# In two halves, so that this file does not name what it looks for.
LEAKS = re.compile(
    "|".join(
        (
            "pypi" + r"\.(org|python)",
            "python" + "hosted",
            "npm" + r"js\.(org|com)",
            "deb" + r"ian\.org",
            "/wo" + "rk/(main|shared|scratch|venv|\\.library)",
            r"\bsha" + r"red/(data|hooks|[A-Z]+\.md)",
            "contract" + r"\.md",
        )
    ),
    re.IGNORECASE,
)


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not in a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_arrows_point_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run(
        [lint, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["validate"], ["schema"]], ids=" ".join)
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """They have to start in a moment: neither Prefect nor FastAPI nor SQLAlchemy is loaded."""
    code = (
        "import sys; from flowscore.cli import main; "
        f"code = main({['--project', str(ROOT), *arguments]!r}); "
        f"print(sorted({HEAVY!r} & set(sys.modules)), code, file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert told.stderr.splitlines()[-1:] == ["[] 0"], told.stdout + told.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_are_short_and_say_what_they_are_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    assert first, "opens with a sentence: what is it for?"
    assert text.count("\n") <= 400, "a module of more than 400 lines is split"


def test_modules_are_named_for_what_they_are() -> None:
    assert not [p for p in MODULES if p.stem in ("utils", "util", "helpers", "manager", "misc")]


def test_functions_are_short() -> None:
    sizes = sorted(lines_of(function) for path in MODULES for function in functions_of(path))
    assert sizes[len(sizes) // 2] <= 9
    assert sum(size <= 20 for size in sizes) >= 0.85 * len(sizes)
    assert sizes[-1] <= 60


def test_only_flows_imports_prefect() -> None:
    word = re.compile(r"^\s*(import|from) prefect\b", re.MULTILINE)
    found = [p.name for p in MODULES if word.search(p.read_text(encoding="utf-8"))]
    assert found == ["flows.py"]


def test_no_file_names_what_only_this_workshop_has() -> None:
    leaks = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        leaks += [f"{path.relative_to(ROOT)}: {found[0]}" for found in LEAKS.finditer(text)]
    assert leaks == []


def test_top_level_holds_nothing_but_what_belongs_there() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_constraints_pin_every_direct_dependency() -> None:
    pinned = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
    }
    quoted = re.findall(
        r'^  "([A-Za-z0-9_-]+)(?:\[\w+\])?[<>=]', (ROOT / "pyproject.toml").read_text(), re.M
    )
    assert {name.lower().replace("_", "-") for name in quoted} - pinned == set()


@pytest.mark.parametrize(
    "words", ["-m venv", "-c .ci/constraints.txt -e '.[test]'", "pytest -q -n 2"]
)
def test_ci_runs_what_the_readme_says(words: str) -> None:
    assert words in (ROOT / "README.md").read_text(encoding="utf-8")
    assert words in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
