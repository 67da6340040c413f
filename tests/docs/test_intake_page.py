"""docs/reference/intake.md says what the door does: its paths, answers, limits, and its command."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from docs.consoles import commands_in, is_as_shown
from flowscore.settings import Settings
from flowscore.store import calls, fields, forms
from flowscore.web import batches, bodies, intake, intake_schema, keys, writer
from required import required
from web.conftest import House, house, serve
from web.intake_door import open_intake

__all__ = ["house", "serve"]  # fixtures

PAGE = (Path(__file__).parents[2] / "docs/reference/intake.md").read_text(encoding="utf-8")
ASKED = {"/v1/projects/{key}/settings", "/sourceConfig/", "/sourceConfig"}


def section(name: str) -> str:
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(name: str) -> list[list[str]]:
    """The cells of a section's table."""
    lines = re.findall(r"^\| (.+) \|$", section(name), re.MULTILINE)
    return [line.split(" | ") for line in lines[1:] if not line.startswith("---")]


def test_every_path_is_there_with_its_kind() -> None:
    listed = {path: what for paths, what in rows("Paths") for path in re.findall("`(.+?)`", paths)}
    assert set(listed) == set(intake.PATHS) | ASKED
    for path, kind in intake.PATHS.items():
        if kind and path.startswith("/v1"):
            assert f"`{kind}`" in listed[path]


def test_every_answer_is_there() -> None:
    assert [int(status) for status, *_ in rows("Answers")] == [200, *intake_schema.WHY]


def test_the_limits_are_those_of_the_code() -> None:
    told = dict(rows("Limits"))
    most = Settings.model_fields["web_max_body"].default
    assert told["a body as it is sent"] == f"`FLOWSCORE_WEB_MAX_BODY`, {most // 1024**2} MiB"
    assert bodies.INFLATED == 2
    assert bodies.HELD == 8
    assert told["objects and lists in a body"] == f"{bodies.MOST_PARTS:,}"
    assert told["a call"] == f"{batches.MOST_LETTERS // 1024} KiB of JSON"
    assert told["an id, an event's name"] == f"{fields.LONGEST} letters"
    assert told["an attribute's name"] == f"{calls.LONGEST_NAME} letters"
    assert told["lines that wait to be written"] == f"{writer.MOST_WAITING:,}, then 429"
    assert f"first {forms.LONGEST_TEXT} letters" in section("Limits")
    assert f"{forms.LONGEST} letters of dotted path" in section("Limits")
    assert f"within {keys.FRESH_SECONDS:g} seconds" in section("Write keys")


def test_events_of_our_own_are_named() -> None:
    told = set(re.findall("`(.+?)`", section("Write keys")))
    assert batches.OURS - {"enroll_requested"} <= told
    assert told >= batches.WEIGHTY


@required("curl")
def test_the_command_on_the_page_brings_its_event_in(house: House) -> None:
    door = open_intake(house)
    block = re.findall(r"^```console\n(\$ curl.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0]
    [(command, shown)] = commands_in(block)
    here = command.replace("http://127.0.0.1:8300", house.server.address)
    printed = subprocess.run(
        ["bash", "-c", here.replace("curl", "curl -sS", 1)],
        env={"KEY": door.key, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert is_as_shown(shown, printed + "\n")
    assert json.loads(door.one()["properties"]) == {"total": 49}
