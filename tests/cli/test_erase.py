"""`flowscore erase` as a person types it: asked first, clear in a pipe, safe to repeat."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

MODEL = """
policy: default
---
score: engagement
rules: [{name: order, points: 10, on: {event: order_completed}}]
"""
EVENTS = """event,userId,email,timestamp
order_completed,4711,ana@x.example,2026-01-03 10:00
order_completed,,ben@x.example,2026-01-03 10:00
"""


@pytest.fixture
def shop(tmp_path: Path, run: Run) -> Path:
    """Ana, whom calls name by userId and address, and Ben."""
    folder = tmp_path / "shop"
    for name, text in (("scenarios/all.yaml", MODEL), ("events.csv", EVENTS)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert run("--project", folder, "apply").code == 0
    said = run("--project", folder, "import", "events", folder / "events.csv", "--as-live")
    assert "2 of 2 taken" in said.out
    tick = "tick --from 2026-01-03 --until 2026-01-04 --every 1h"
    assert run("--project", folder, *tick.split()).code == 0
    return folder


def contacts(run: Run, shop: Path) -> list[str]:
    return [row["contact"] for row in run("--project", shop, "contacts", "--json").json]


def test_f02_the_person_goes_and_is_told_so(shop: Path, run: Run) -> None:
    said = run("--project", shop, "erase", "Ana@X.example", "--yes")
    assert said.out == (
        "Ana@X.example is erased: what was held of this person is gone, and reports count on.\n"
        "Gone: 1 balance, 1 contact, 2 names.\n"
        "Neither the address nor a userId comes back, unless with consent given from now on.\n"
    )
    assert contacts(run, shop) == ["ben@x.example"]
    again = run("--project", shop, "erase", "ana@x.example", "--yes")
    assert again.code == 0
    assert again.out.startswith("ana@x.example was erased 20")
    assert again.out.endswith(" (UTC); nothing more was held.\n")


def test_by_user_id_as_a_document(shop: Path, run: Run) -> None:
    told = run("--project", shop, "erase", "--user-id", "4711", "--yes", "--json").json
    assert (told["erased"], told["was_a_contact"], told["erased_before"]) == ("4711", True, None)
    assert told["gone"]["identities"] == 2
    assert contacts(run, shop) == ["ben@x.example"]


def test_in_a_pipe_nobody_can_be_asked(shop: Path, run: Run, monkeypatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        said = run("--project", shop, "erase", "ana@x.example")
    assert said.code == 1
    assert "nobody is there to be asked whether this is meant; `--yes` says it is" in said.err
    assert len(contacts(run, shop)) == 2


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"\n", 2), (b"y\n", 1)])
def test_on_a_terminal_it_asks_first(shop: Path, run: Run, answer: bytes, left: int) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "flowscore", "--project", str(shop), "erase", "ana@x.example"]
    process = subprocess.Popen(
        words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    os.close(theirs)
    os.write(ours, answer)
    said, _ = process.communicate(timeout=60)
    os.close(ours)
    assert b"Erase ana@x.example? All that is held of this person goes for good." in said
    assert (b"nothing was erased" in said) == (left == 2)
    assert process.returncode == (left == 2)
    assert len(contacts(run, shop)) == left


def test_whoever_is_not_there_is_not_erased(shop: Path, run: Run) -> None:
    nobody = run("--project", shop, "erase", "anna@x.example", "--yes")
    assert nobody.code == 1
    assert "did you mean 'ana@x.example'?" in nobody.err
    stranger = run("--project", shop, "erase", "--user-id", "4712", "--yes")
    assert "no contact has the userId '4712'" in stranger.err
    assert "name one person: EMAIL, or --user-id ID" in run("--project", shop, "erase").err
