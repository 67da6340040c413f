"""What sales says as it comes in: as a call, as a row, checked, and never behaviour (ruling 26)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowscore.store.database import Store
from flowscore.store.imports import Source, import_events
from store.taking import at
from store.test_calls import NOW, read, refused


def said(**properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Sales Feedback",
        "userId": "ana@example.com",
        "messageId": "m1",
        "properties": properties,
    }


def test_e11_feedback_is_an_event_and_no_behaviour() -> None:
    row = read(said(verdict="not_qualified", reason="student", by="luis@acme.example"))
    assert (row.name, row.behaviour) == ("sales_feedback", 0)
    assert json.loads(row.properties or "") == {
        "verdict": "not_qualified",
        "reason": "student",
        "by": "luis@acme.example",
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"verdict": "Not Qualified"}, {"verdict": "not_qualified"}),
        ({"verdict": "not-qualified"}, {"verdict": "not_qualified"}),
        ({"verdict": "WON", "amount": "1200"}, {"verdict": "won", "amount": 1200}),
        ({"verdict": "won", "amount": 1200.5}, {"verdict": "won", "amount": 1200.5}),
        ({"verdict": "won", "amount": 0}, {"verdict": "won", "amount": 0}),
        ({"verdict": "won", "amount": ""}, {"verdict": "won", "amount": ""}),
        ({"verdict": "lost", "reason": " budget "}, {"verdict": "lost", "reason": "budget"}),
        ({"verdict": "qualified", "deal": "d-7"}, {"verdict": "qualified", "deal": "d-7"}),
    ],
)
def test_feedback_is_kept_as_rules_and_reports_read_it(
    given: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert json.loads(read(said(**given)).properties or "") == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "verdict: found nothing, expected qualified, not_qualified, won or lost"),
        ({"verdict": "maybe"}, "verdict: found «maybe», expected qualified, "),
        ({"verdict": 1}, "verdict: found «1», expected qualified, "),
        ({"verdict": "won", "amount": -1}, "amount: found «-1», expected a number from 0"),
        ({"verdict": "won", "amount": "1,200"}, "amount: found «1,200», expected a number"),
        ({"verdict": "won", "amount": "nan"}, "amount: found «nan», expected a number"),
        ({"verdict": "won", "amount": True}, "amount: found «true», expected a number"),
        ({"verdict": "won", "amount": 1e300}, "amount: found «1e+300», expected a number"),
        ({"verdict": "lost", "reason": ["a"]}, "reason: found a list, expected text"),
        ({"verdict": "lost", "reason": "x" * 501}, "reason: found 501 letters, expected at most"),
    ],
)
def test_feedback_that_means_nothing_is_rejected(given: dict[str, Any], reason: str) -> None:
    assert refused(said(**given)).startswith(reason)


def test_e16_feedback_of_a_crm_comes_as_a_file(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "deals.csv"
    file.write_text(
        "event,email,timestamp,message_id,verdict,amount,reason\n"
        "Sales Feedback,ana@example.com,2026-01-05 10:00,deal-1,won,1200,\n"
        "Sales Feedback,ben@example.com,2026-01-05 11:00,deal-2,not qualified,,student\n"
        "Sales Feedback,ben@example.com,2026-01-05 11:00,deal-3,perhaps,,\n"
        "Sales Feedback,ben@example.com,2026-01-05 11:00,deal-2,not qualified,,student\n",
        encoding="utf-8",
    )
    report = import_events(store, Source(file), max(NOW, at(9_000_000)))
    assert (report.taken, report.duplicates, report.rejected) == (2, 1, 1)
    assert report.first_rejects[0].line == 4
    assert "found «perhaps»" in report.first_rejects[0].reason
