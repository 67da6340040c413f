"""preview: the event a mail is about, wherever in a scenario the mail is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Run

Write = Callable[[dict[str, str]], Path]
REMINDER = """
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news]
---
scenario: reminder
trigger: {no_event: {name: order_completed, after: {event: cart_updated}, within: 90 days}}
reenroll: every_time
actions:
  - wait_for: {event: seen, up_to: 1 day}
    then: [{exit: seen}]
    else:
      - split:
          - {name: a, share: 50%, actions: [{send_email: reminder}]}
          - {name: b, share: 50%}
"""
MAIL = "---\nsubject: Hello\ntopic: news\n---\nStill waiting: {{ event.cart_id }}\n"


def test_preview_finds_the_event_of_a_mail_deep_inside_a_scenario(
    run: Run, write_project: Write
) -> None:
    """In a branch of a wait and of a split, with the anchor of what did not come (ruling 86)."""
    call: dict[str, object] = {
        "type": "track",
        "event": "cart_updated",
        "userId": "ana@x.example",
        "messageId": "c",
    }
    call |= {"timestamp": "2026-01-01T00:00:00Z", "properties": {"cart_id": "C-7"}}
    folder = write_project(
        {
            "scenarios/all.yaml": REMINDER,
            "templates/email/reminder.md": MAIL,
            "calls.jsonl": json.dumps(call) + "\n",
        }
    )
    for words in (
        ("apply",),
        ("import", "events", folder / "calls.jsonl", "--as-live"),
        ("tick", "--from", "2026-01-01", "--until", "2026-01-02", "--every", "1d"),
    ):
        assert run("--project", folder, *words).code == 0
    said = run("--project", folder, "preview", "reminder", "--contact", "ana@x.example")
    assert "Still waiting: C-7" in said.out
