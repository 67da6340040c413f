"""explain and scenarios: the holdout, goals, exits, branches and what a walk waits for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Run

Write = Callable[[dict[str, str]], Path]
FILES = """
policy: default
consent: implied
---
list: seen
---
scenario: trial
trigger: {event: signed_up}
goal: {event: bought, up_to: 10 days}
exit_when: {event: {name: closed, since: entered}}
actions:
  - split:
      - {name: calm, share: 100%, actions: [{add_to_list: seen}]}
      - {name: loud, share: 0%, actions: [{exit: loud}]}
  - if: {attribute: {plan: free}}
    then: [{exit: free}]
  - wait_for: {event: logged_in, up_to: 2 days}
    then: [{set_attribute: {seen: true}}]
---
scenario: measured
trigger: {event: signed_up}
holdout: 100%
goal: {event: bought, up_to: 10 days}
actions: [{add_to_list: seen}, {wait: 1 day}]
"""


class Story:
    """Ana buys while it waits, Ben after the end, Cleo closes, Dan logs in, Eva is still inside."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run_, self.folder = run, folder
        self.ok("apply")
        calls = [
            *((name, "signed_up", 1) for name in ("ana", "ben", "cleo", "dan")),
            *(("ana", "bought", 2), ("ben", "bought", 5), ("cleo", "closed", 2)),
            *(("dan", "logged_in", 2), ("eva", "signed_up", 6)),
        ]
        file = folder / "calls.jsonl"
        file.write_text("".join(json.dumps(call(*one)) + "\n" for one in calls))
        self.ok("import", "events", str(file), "--as-live")
        self.ok("tick", "--from", "2026-01-01", "--until", "2026-01-06", "--every", "1d")

    def ok(self, *words: str) -> Any:
        said = self.run_("--project", self.folder, *words)
        assert said.code == 0, said.err
        return said

    def walk(self, name: str) -> str:
        """The line of the contact's walk through `trial`."""
        lines = self.ok("explain", f"{name}@x.example").out.splitlines()
        [line] = [one for one in lines if one.startswith("  trial: ")]
        return line.partition("; ")[2]


def call(name: str, event: str, day: int) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": f"{name}@x.example",
        "event": event,
        "messageId": f"{name}-{event}",
        "timestamp": f"2026-01-0{day}T00:00:00Z",
    }


@pytest.fixture
def story(run: Run, write_project: Write) -> Story:
    return Story(run, write_project({"scenarios/all.yaml": FILES}))


def test_explain_says_which_ways_and_why_it_ended(story: Story) -> None:
    ways = "actions/0 calm, actions/1 else"
    assert story.walk("ana") == f"{ways}; converted 2026-01-02 00:00 (bought)"
    assert story.walk("ben") == f"{ways}, actions/2 else; converted 2026-01-05 00:00 (bought)"
    assert story.walk("cleo") == f"{ways}; exited 2026-01-02 00:00 (closed since entering)"
    dan = f"{ways}, actions/2 then; finished 2026-01-02 00:00; its goal (bought) counts until "
    assert story.walk("dan") == f"{dan}2026-01-11 00:00"
    assert story.walk("eva") == f"{ways}; waits at actions/2 for logged_in, until 2026-01-08 00:00"


def test_explain_as_json_keeps_the_parts(story: Story) -> None:
    walks = story.ok("explain", "eva@x.example", "--json").json["scenarios"]
    trial, measured = sorted(walks, key=lambda one: one["scenario"], reverse=True)
    assert (trial["waits_for"], trial["waits_until"]) == ("logged_in", "2026-01-08T00:00:00Z")
    assert (trial["goal"], trial["goal_until"]) == ("bought", "2026-01-16T00:00:00Z")
    assert (trial["held"], measured["held"]) == (False, True)
    assert trial["exit_when"].startswith("closed")


def test_explain_tells_the_holdout(story: Story) -> None:
    """Nothing was done, and the goal is measured all the same (ruling 43)."""
    lines = story.ok("explain", "ana@x.example").out.splitlines()
    [line] = [one for one in lines if one.startswith("  measured: ")]
    assert "; held out: nothing is done; converted 2026-01-02 00:00 (bought)" in line


def test_scenarios_show_how_their_people_fared(story: Story) -> None:
    rows = {row["scenario"]: row for row in story.ok("scenarios", "--json").json}
    keys = ("entered", "inside", "finished", "exited", "converted", "held", "held_converted")
    assert [rows["trial"][key] for key in keys] == [5, 1, 1, 1, 2, 0, 0]
    assert [rows["measured"][key] for key in keys] == [5, 1, 2, 0, 2, 5, 2]
    head = story.ok("scenarios").out.splitlines()[0].split()
    assert head[2:8] == ["entered", "inside", "finished", "exited", "converted", "held"]
