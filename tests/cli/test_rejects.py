"""`flowscore rejects`: listed, counted, exported to be mended and imported, forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flowscore.clock import DAY, HOUR, clock_now, rfc3339
from flowscore.store.database import open_store
from flowscore.store.rejects import Rejected, keep_rejects

from .conftest import Run, Said

Rejects = Callable[..., Said]
NOW = clock_now() - HOUR
OLD = NOW - 10 * DAY
NAMELESS = {"type": "track", "userId": "ana@example.com", "messageId": "m1"}
RULES = "score: engagement\nrules: [{name: order, points: 5, on: {event: order_completed}}]\n"


@pytest.fixture
def folder(run: Run, write_project: Callable[[dict[str, str]], Path]) -> Path:
    made = write_project({"scenarios/score.yaml": RULES})
    assert run("--project", made, "apply").code == 0
    return made


@pytest.fixture
def rejects(run: Run, folder: Path) -> Rejects:
    return lambda *words: run("--project", folder, "rejects", *words)


def came(folder: Path, *found: Rejected) -> None:
    store = open_store(folder / "flowscore.db")
    with store.receive() as connection:
        keep_rejects(connection, found)
    store.close()


def some(folder: Path) -> None:
    no_event = "event: found nothing, expected the name of what happened"
    came(
        folder,
        Rejected("shop", no_event, json.dumps({**NAMELESS, "messageId": "m0"}), OLD),
        Rejected("shop", no_event, json.dumps(NAMELESS), NOW),
        Rejected("blog", "found a number, expected an object", "7", NOW),
        Rejected("blog", "found 900,000 letters", '{"type": "track", "x…', NOW),
    )


def test_they_are_counted_by_source_and_reason(rejects: Rejects, folder: Path) -> None:
    some(folder)
    told = rejects("--json").json
    assert told["total"] == 4
    assert told["by_reason"][0] == {
        "calls": 2,
        "source": "shop",
        "reason": "event: found nothing, expected the name of what happened",
        "last_at": rfc3339(NOW),
    }
    assert [one["source"] for one in told["rejects"]] == ["blog", "blog", "shop", "shop"]
    assert told["rejects"][2]["call"] == NAMELESS
    text = rejects().out
    assert "expected the name of what happened" in text
    assert '{"type": "track", "userId": "ana@example.com"' in text


def test_since_leaves_out_what_is_older(rejects: Rejects, folder: Path) -> None:
    some(folder)
    told = rejects("--json", "--since", rfc3339(NOW - DAY)).json
    assert told["total"] == 3 == len(told["rejects"])


def test_none_is_said_in_both_voices(rejects: Rejects) -> None:
    assert rejects().out == "None.\n"
    assert rejects("--json").json == {"total": 0, "by_reason": [], "rejects": []}


def test_they_are_mended_and_imported(rejects: Rejects, folder: Path, run: Run) -> None:
    some(folder)
    file = folder / "mend.jsonl"
    assert "4 calls" in rejects("--export", file).out
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[1]["rejected"]["source"] == "shop"
    assert lines[2] == {
        "content": 7,
        "timestamp": rfc3339(NOW),
        "rejected": {"source": "blog", "reason": "found a number, expected an object"},
    }
    mended = [{**line, "event": "Order Completed"} for line in lines if "userId" in line]
    file.write_text("".join(json.dumps(line) + "\n" for line in mended))
    for _ in range(2):
        assert run("--project", folder, "import", "events", file).code == 0
    assert run("--project", folder, "tick", "--until", rfc3339(clock_now() + HOUR)).code == 0
    assert run("--project", folder, "export", folder / "out").code == 0
    rows = [json.loads(line) for line in (folder / "out/events.jsonl").read_text().splitlines()]
    ordered = [row for row in rows if row["name"] == "order_completed"]
    assert [row["message_id"] for row in ordered] == ["m0", "m1"]
    assert [row["at"] for row in ordered] == [rfc3339(OLD), rfc3339(NOW)]


def test_only_what_was_written_is_forgotten(rejects: Rejects, folder: Path) -> None:
    some(folder)
    assert "1 reject forgotten" not in rejects("--since", "2100-01-01", "--clear").out
    since = rfc3339(NOW - DAY)
    said = rejects("--since", since, "--export", folder / "mend.jsonl", "--clear")
    assert "3 rejects forgotten" in said.out
    assert rejects("--json").json["total"] == 1
    assert "1 reject forgotten" in rejects("--clear").out
    assert rejects("--json").json["total"] == 0


def test_what_comes_again_after_that_is_kept_again(rejects: Rejects, folder: Path) -> None:
    some(folder)
    rejects("--clear")
    some(folder)
    assert rejects("--json").json["total"] == 4


def test_a_file_that_cannot_be_written_is_told(rejects: Rejects, folder: Path) -> None:
    some(folder)
    said = rejects("--export", folder / "no" / "mend.jsonl", "--clear")
    assert (said.code, "no/mend.jsonl" in said.err) == (1, True)
    assert rejects("--json").json["total"] == 4
