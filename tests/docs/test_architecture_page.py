"""docs/architecture.md names every room, on the floor that the import rules give it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"


def floors_of_the_rules() -> list[set[str]]:
    """From the ground up."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = rules["tool"]["importlinter"]["contracts"][0]["layers"]
    return [set(re.findall(r"\w+", layer)) - {"__main__"} for layer in reversed(layers)]


def floors_of_the_page() -> list[set[str]]:
    """The rows of its table, rooms of one number together."""
    floors: dict[int, set[str]] = {}
    text = PAGE.read_text(encoding="utf-8")
    for number, rooms in re.findall(r"^\| (\d+) \| ([^|]+) \|", text, re.MULTILINE):
        floors.setdefault(int(number), set()).update(re.findall(r"`(\w+)/?`", rooms))
    return [floors[number] for number in sorted(floors)]


def test_rooms_stand_on_their_floors() -> None:
    assert floors_of_the_page() == [floor for floor in floors_of_the_rules() if floor]


def test_every_module_it_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    modules = [path.as_posix() for path in (ROOT / "src").rglob("*.py")]
    modules += [path.as_posix() for path in (ROOT / "tests").glob("*.py")]
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    gone = {one for one in named if not any(path.endswith(f"/{one}") for path in modules)}
    assert named
    assert gone == set()
