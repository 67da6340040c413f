"""docs/how-to/provider-webhooks.md: what it has a reader type, typed at a served project."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from acceptance.conftest import Project
from docs.consoles import commands_in, is_as_shown
from docs.pages import REFERENCE
from flowscore.clock import MINUTE, clock_now
from flowscore.orders import Grid
from flowscore.web.providers import mailgun, postmark, sendgrid, ses
from flowscore.web.server import serving
from flowscore.workspace import Workspace
from required import required

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "provider-webhooks.md"
HERE = "http://127.0.0.1:8300"
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def blocks(kind: str) -> list[str]:
    """The page's blocks of that kind."""
    text = PAGE.read_text("utf-8")
    return re.findall(rf"^ *```{kind}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A served project with the page's settings, and where it answers; Ana is known."""
    project = Project(tmp_path / "shop").scenario("list: everybody\n")
    project.people("ana@example.com").apply()
    given = re.findall(r"^ *(FLOWSCORE_POSTMARK\w+)=(\S+)$", PAGE.read_text("utf-8"), re.M)
    key = re.search(r"^key=(\S+)", "".join(blocks("sh")), re.M)
    assert key
    for name, value in (*given, ("FLOWSCORE_MAILGUN_SIGNING_KEY", key[1])):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FLOWSCORE_WEB_PORT", "0")
    monkeypatch.setenv("FLOWSCORE_SECRET", "of the tests")
    soon = clock_now() + 2 * MINUTE
    with closing(Workspace(project.root)) as workspace, serving(workspace) as server:
        workspace.tick(soon, Grid(until=soon))
        yield project.root, server.address


def typed(line: str, folder: Path, address: str) -> str:
    """What a shell prints, where the service answers at the page's address."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    line = line.replace(HERE, address)
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env={**os.environ, "PATH": places}, timeout=60,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@required("curl")
def test_the_consoles_on_the_page_print_what_it_shows(shop: tuple[Path, str]) -> None:
    for block in blocks("console"):
        for command, shown in commands_in(block):
            printed = "".join(f"{one}\n" for one in typed(command, *shop).splitlines())
            shown, printed = TIME.sub("TIME", shown), TIME.sub("TIME", printed)
            assert is_as_shown(shown, printed), f"{command}\n{printed}"


@required("curl", "openssl")
def test_an_event_signed_as_the_page_does_is_taken(shop: tuple[Path, str]) -> None:
    (script,) = blocks("sh")
    assert json.loads(typed(script, *shop)) == {"taken": 1, "rejected": 0, "ignored": 0}


def test_the_reference_has_every_word_that_is_read() -> None:
    text = (REFERENCE / "provider-webhooks.md").read_text("utf-8")
    words = {*postmark.TYPES, *mailgun.REASONS, *ses.SOFT, *ses.NO_COMPLAINT}
    assert [word for word in sorted(words) if f"`{word}`" not in text] == []
    assert [one for one in sendgrid.DROPPED if f"`{one}`" not in text.lower()] == []
