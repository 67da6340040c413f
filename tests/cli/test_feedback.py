"""`flowscore feedback`: what a rep says, once, into the inbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Run

MODEL = """
list: students
---
scenario: not-for-us
trigger: {event: {name: sales_feedback, where: {verdict: not_qualified}}}
actions: [{add_to_list: students}]
"""


@pytest.fixture
def shop(project_folder: Path, run: Run) -> Path:
    """Ana and Ben, known since the first tick."""
    (project_folder / "scenarios" / "all.yaml").write_text(MODEL)
    people = project_folder / "people.csv"
    people.write_text("email,created_at\nAna@example.com,2026-01-01\nben@example.com,2026-01-01\n")
    for words in (("apply",), ("import", "contacts", people)):
        assert run("--project", project_folder, *words).code == 0
    tick(project_folder, run, 0)
    return project_folder


def tick(folder: Path, run: Run, number: int = 1) -> None:
    """A tick of a day to come: one of today would wait for the next full minute."""
    until = f"2100-01-01T00:{number:02}:00Z"
    assert run("--project", folder, "tick", "--until", until).code == 0


def feedback_in(folder: Path, run: Run, to: Path) -> list[dict[str, Any]]:
    assert run("--project", folder, "export", to).code == 0
    events = map(json.loads, (to / "events.jsonl").read_text().splitlines())
    return [one for one in events if one["name"] == "sales_feedback"]


def test_e11_a_rep_says_not_qualified(shop: Path, run: Run, tmp_path: Path) -> None:
    said = run("--project", shop, "feedback", "ana@example.com", "--not-qualified", "student",
               "--by", "luis@acme.example", "--at", "2026-02-01T10:00:00Z")  # fmt: skip
    assert said.out == (
        "ana@example.com: not qualified; it waits in the inbox. Next: flowscore tick\n"
    )
    assert feedback_in(shop, run, tmp_path / "before") == [], "no tick has taken it"
    tick(shop, run)
    (event,) = feedback_in(shop, run, tmp_path / "after")
    assert (event["contact"], event["at"]) == ("Ana@example.com", "2026-02-01T10:00:00Z")
    assert event["properties"] == {
        "verdict": "not_qualified",
        "reason": "student",
        "by": "luis@acme.example",
    }
    assert "Ana@example.com" in run("--project", shop, "lists", "students").out


@pytest.mark.parametrize(
    ("words", "properties"),
    [
        (("--qualified",), {"verdict": "qualified"}),
        (("--won", "1200"), {"verdict": "won", "amount": 1200}),
        (("--won", "0", "a gift"), {"verdict": "won", "amount": 0, "reason": "a gift"}),
        (("--lost",), {"verdict": "lost"}),
        (("--lost", "too expensive"), {"verdict": "lost", "reason": "too expensive"}),
    ],
)
def test_every_verdict(
    shop: Path, run: Run, tmp_path: Path, words: tuple[str, ...], properties: dict[str, Any]
) -> None:
    assert run("--project", shop, "feedback", "ben@example.com", *words).code == 0
    tick(shop, run)
    (event,) = feedback_in(shop, run, tmp_path / "out")
    assert event["properties"] == properties


def test_the_same_words_of_a_day_count_once_and_ids_tell_deals_apart(
    shop: Path, run: Run, tmp_path: Path
) -> None:
    def say(*words: str) -> bool:
        said = run("--project", shop, "feedback", "ben@example.com", *words)
        assert said.code == 0
        return "waits in the inbox" in said.out

    day = ("--at", "2026-02-01")
    assert say("--won", "1200", *day)
    assert not say("--won", "1200", "--at", "2026-02-01T09:00:00Z")
    tick(shop, run)
    assert not say("--won", "1200", *day), "also when a tick has taken it"
    assert say("--won", "1300", *day)
    assert say("--won", "1200", "--at", "2026-02-02")
    assert say("--won", "1200", *day, "--id", "deal-7")
    assert not say("--won", "999", *day, "--id", "deal-7")
    tick(shop, run, 2)
    assert len(feedback_in(shop, run, tmp_path / "out")) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "found none, expected one of --qualified, --not-qualified, --won AMOUNT, --lost"),
        (("--lost", "--won", "3"), "found --lost and --won, expected one of"),
        (("--won", "-3"), "Invalid value for '--won'"),
        (("--won", "nan"), "Invalid value for '--won'"),
        (("--lost", "--at", "yesterday"), "'yesterday' is no instant"),
    ],
)
def test_what_cannot_be_meant_is_told(
    shop: Path, run: Run, words: tuple[str, ...], said: str
) -> None:
    told = run("--project", shop, "feedback", "ben@example.com", *words)
    assert told.code != 0
    assert said in told.err.replace("\n", " ")


def test_a_mistyped_address_makes_nobody(shop: Path, run: Run) -> None:
    told = run("--project", shop, "feedback", "anna@example.com", "--lost")
    assert told.code == 1
    assert "did you mean 'ana@example.com'?" in told.err
