"""The text voice of explain: the lines add up, however many there are."""

from __future__ import annotations

import re

import pytest

from flowscore.cli.explanation import tell_contact
from flowscore.views.explain_lines import NEWEST
from flowscore.views.words import day, event_words


def line(number: int, points: float) -> dict[str, object]:
    return {
        "at": f"2026-01-01T00:{number % 60:02}:00Z",
        "points": points,
        "kind": "rule",
        "rule": "cart",
        "reason": "",
        "where": "scenarios/all.yaml:4:5",
        "version": 2,
        "event": {"name": "cart_updated", "properties": {"cart_id": "c-1"}},
    }


def told(*lines: dict[str, object]) -> dict[str, object]:
    score = {
        "score": "engagement",
        "balance": sum(float(str(one["points"])) for one in lines),
        "objective": "",
        "description": "",
        "band": None,
        "next_band": None,
        "lines": list(lines),
    }
    nothing: list[object] = []
    return {
        "contact": "ana@example.com",
        "as_of": "2026-01-02T00:00:00Z",
        "created_at": "2025-12-01T00:00:00Z",
        "suppressed": "bounced",
        "attributes": {"country": "ES"},
        "company": {"id": "g-7", "industry": "software"},
        "consent": nothing,
        "scores": [score],
        "lists": nothing,
        "scenarios": nothing,
        "mails": nothing,
        "refused": nothing,
    }


def test_lines_shown_add_up_to_the_balance(capsys: pytest.CaptureFixture[str]) -> None:
    tell_contact(told(*(line(n, 0.1) for n in range(100)), line(0, -3)))
    out = capsys.readouterr().out
    points = [
        float(found) for found in re.findall(r"^  (?:before|2026\S+ \S+) +([+-]\S+) ", out, re.M)
    ]
    assert len(points) == SHOWN_LINES + 1
    assert round(sum(points), 8) == 7
    assert "61 earlier lines; --json shows them" in out
    assert "scenarios/all.yaml:4:5 (version 2)" in out


def test_person_without_consent_or_with_a_bounce_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_contact(told())
    out = capsys.readouterr().out
    assert "consent: none recorded" in out
    assert "gets no mail any more: bounced" in out
    assert "with the company id: g-7, industry: software" in out
    assert "Mails: none" in out


def test_words_of_events_and_days_are_short() -> None:
    assert day("2026-01-02T10:00:00Z") == "2026-01-02 10:00"
    assert day("2026-01-02T10:00:07.25Z") == "2026-01-02 10:00:07"
    assert day(None) == ""
    assert event_words(None) == ""
    assert len(event_words({"name": "x", "properties": {"text": "y" * 500}})) == 70
