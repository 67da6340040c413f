"""`flowscore export --contact`: one person's data as that person can read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowscore.cli.person_words import walk_words

if TYPE_CHECKING:
    from .conftest import Run

MODEL = """
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news]
---
score: engagement
objective: Who is looking.
rules: [{name: order, points: 10, on: {event: order_completed}, cap: {times: 2, per: 1 day}}]
---
score: fit
rules: [{name: director, points: 80, when: {attribute: {job_title: director}}}]
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 5}
---
lifecycle: buyer
stages: [lead, {stage: customer, when: {event: order_completed}}]
---
list: buyers
members: [{event: order_completed}]
---
scenario: thanks
description: Thanks, and how to begin.
trigger: {event: order_completed}
actions: [{send_email: hello}]
"""
EVENTS = """event,email,timestamp,verdict,reason
order_completed,ana@x.example,2026-01-03 10:00,,
sales_feedback,ana@x.example,2026-01-04 10:00,not_qualified,student
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ana bought, got a mail, and sales had a word on her."""
    from flowscore.cli import main

    folder = tmp_path_factory.mktemp("export") / "shop"
    files = {
        "scenarios/all.yaml": MODEL,
        "templates/email/hello.html": "---\nsubject: Hello\ntopic: news\n---\n<p>Hello</p>\n",
        "people.csv": "email,created_at,consent,job_title\nana@x.example,2026-01-01,yes,director\n"
        "ben@x.example,2026-01-01,yes,\n",
        "events.csv": EVENTS,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for words in (
        "apply",
        f"import contacts {folder}/people.csv",
        f"import events {folder}/events.csv --as-live",
        "tick --from 2026-01-01 --until 2026-01-05 --every 1h --deliver",
    ):
        assert main(["--project", str(folder), *words.split()]) == 0
    return folder


def test_f02_one_person_in_words(shop: Path, run: Run) -> None:
    assert run("--project", shop, "export", "--contact", "ANA@x.example").out == (
        "ana@x.example: all that is held of this person, as of 2026-01-05 00:00 (UTC)\n"
        "\n"
        "Who:\n"
        "  known since 2026-01-01 00:00\n"
        "  address: ana@x.example\n"
        "  job_title: director (since 2026-01-01 00:00)\n"
        "\n"
        "What came in:\n"
        "  order_completed: 1 time, 2026-01-03 10:00\n"
        "  stage_changed: 1 time, 2026-01-03 10:00\n"
        "  list_joined: 1 time, 2026-01-03 10:00\n"
        "  email_sent: 1 time, 2026-01-03 10:00\n"
        "  sales_feedback: 1 time, 2026-01-04 10:00\n"
        "\n"
        "Consent:\n"
        "  email: granted 2026-01-01 00:00 (import of people.csv)\n"
        "\n"
        "Consent as it was given:\n"
        "  2026-01-01 00:00 granted email (import of people.csv)\n"
        "\n"
        "Opens and clicks:\n"
        "  kept with the person (the policy says full)\n"
        "\n"
        "What it is used for: points:\n"
        "  engagement: 10 points\n"
        "    Who is looking.\n"
        "    order: +10 for each order_completed, at most 2 times per 1 day: counts 10 now\n"
        "  fit: 80 points\n"
        "    director: +80 while job_title is director: counts 80 now\n"
        "\n"
        "What it is used for: where the person stands:\n"
        "  lead-grade: A2; A = fit from 75, B from 50, C from 25, D below; "
        "4 = engagement from 75 (the most active), 3 from 50, 2 from 5, 1 below\n"
        "  stage lead since 2026-01-01 00:00: everybody begins here\n"
        "  stage customer since 2026-01-03 10:00: order_completed\n"
        "\n"
        "What it is used for: lists:\n"
        "  buyers since 2026-01-03 10:00: order_completed\n"
        "\n"
        "What it is used for: scenarios:\n"
        "  thanks, 2026-01-03 10:00 to 2026-01-03 10:00: Thanks, and how to begin. "
        "It begins when: order_completed.\n"
        "\n"
        "Scenarios that did not begin: nothing\n"
        "\n"
        "What was sent, and to whom:\n"
        "  hello by thanks, queued 2026-01-03 10:00; sent 2026-01-03 10:00\n"
        "\n"
        "What came back: nothing\n"
        "\n"
        "What sales said:\n"
        "  not qualified (student), 2026-01-04 10:00\n"
        "\n"
        "How this is decided:\n"
        "  Nothing but the rules above rates anybody; who may change them is seen in the files.\n"
        "  An unsubscribe link stands in every marketing mail; what was granted can be taken "
        "back.\n"
    )


def test_f02_one_person_as_a_document(shop: Path, run: Run) -> None:
    told = run("--project", shop, "export", "--contact", "ana@x.example", "--json")
    assert told.json["contact"] == "ana@x.example"
    assert told.json["grades"][0]["cell"] == "A2"
    assert "ben@x.example" not in told.out


def test_a_folder_or_a_person(shop: Path, run: Run, tmp_path: Path) -> None:
    assert (
        "name a folder for the whole store, or one person" in run("--project", shop, "export").err
    )
    both = run("--project", shop, "export", tmp_path, "--contact", "ana@x.example")
    assert "name a folder for the whole store, or one person" in both.err
    nobody = run("--project", shop, "export", "--contact", "anna@x.example")
    assert nobody.code == 1
    assert "did you mean 'ana@x.example'?" in nobody.err


def test_a_scenario_without_a_description_ends_its_sentence() -> None:
    walk = {
        "scenario": "hand-over",
        "description": "",
        "entered_at": "2026-10-12T12:00:00Z",
        "ended_at": None,
        "begins": "order_completed",
    }
    told = "hand-over, 2026-10-12 12:00 until now. It begins when: order_completed."
    assert walk_words(walk) == told
