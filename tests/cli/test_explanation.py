"""The text voice of explain: printed lines add up, gates show true and false, mistakes are told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.cli.explanation import tell_contact
from flowscore.cli.explanation_trees import sign, tell_tree
from flowscore.views.explain_lines import NEWEST
from flowscore.views.words import day, event_words, number

if TYPE_CHECKING:
    from .conftest import Run

Row = dict[str, Any]
ANA, BEN = "ana@x.example", "ben@x.example"


def line(number: int, points: float) -> Row:
    return {
        "at": f"2026-01-01T00:{number % 60:02}:00Z",
        "points": points,
        "worth": points,
        "kind": "rule",
        "part": "implicit",
        "rule": "cart",
        "means": "+0.1 for each cart_updated",
        "reason": "",
        "where": "scenarios/all.yaml:4:5",
        "version": 2,
        "event": {"name": "cart_updated", "properties": {"cart_id": "c-1"}},
    }


def told(*lines: Row, **more: Any) -> Row:
    balance = round(sum(one["points"] for one in lines), 4)
    score = {
        "score": "engagement",
        "balance": balance,
        "of": "contact",
        "company": None,
        "objective": "",
        "description": "",
        "band": None,
        "next_band": None,
        "scale": None,
        "rank": None,
        "parts": {"explicit": 0, "implicit": balance, "given": 0, "cut": 0},
        "strongest": [{"kind": "rule", "rule": "cart", "times": len(lines), "worth": balance}],
        "lines": list(lines),
    }
    nothing: list[object] = []
    return {
        "contact": ANA,
        "as_of": "2026-01-02T00:00:00Z",
        "waiting": 0,
        "created_at": "2025-12-01T00:00:00Z",
        "names": [{"kind": "user", "value": "u-1"}],
        "suppressed": "bounced",
        "attributes": {"country": "ES"},
        "company": {"id": "g-7", "industry": "software"},
        "consent": nothing,
        "grades": nothing,
        "journey": None,
        "scores": [score],
        "lists": nothing,
        "scenarios": nothing,
        "mails": nothing,
        "refused": nothing,
        **more,
    }


POINTS = re.compile(r"^  (?:until )?[\d: -]{16} +([+-][\d.,]+) ", re.MULTILINE)
TOTAL = re.compile(r"^  adds up to ([-\d.,]+)$", re.MULTILINE)


def test_lines_shown_add_up_to_the_balance(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (*(line(n, 0.1) for n in range(100)), line(0, -3))
    tell_contact(told(*lines))
    out = capsys.readouterr().out
    points = [float(found) for found in POINTS.findall(out)]
    assert len(points) == NEWEST + 1
    assert round(sum(points), 2) == 7
    assert TOTAL.findall(out) == ["7.00"]
    assert "  above all cart 7 (101 times)\n" in out
    assert "61 earlier lines" in out
    assert "older lines are summed by rule; --all shows each" in out
    assert "scenarios/all.yaml:4:5 (version 2)" in out
    tell_contact(told(*lines), every=True)
    assert len(POINTS.findall(capsys.readouterr().out)) == 101


def test_person_without_consent_or_with_a_bounce_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_contact(told())
    out = capsys.readouterr().out
    assert "consent: none recorded" in out
    assert "also known as u-1" in out
    assert "gets no mail any more: bounced" in out
    assert "with the company id: g-7, industry: software" in out
    assert "Mails: none" in out


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (0, "as of 2026-01-02 00:00 (UTC)\n"),
        (1, "as of 2026-01-02 00:00 (UTC); 1 call waits for the next tick\n"),
        (3, "as of 2026-01-02 00:00 (UTC); 3 calls wait for the next tick\n"),
        (1000, "(UTC); 1,000 calls or more wait for the next tick\n"),
    ],
)
def test_what_no_tick_has_taken_is_told(
    capsys: pytest.CaptureFixture[str], waiting: int, words: str
) -> None:
    tell_contact(told(waiting=waiting))
    assert words in capsys.readouterr().out


def test_words_of_events_and_days_are_short() -> None:
    assert day("2026-01-02T10:00:00Z") == "2026-01-02 10:00"
    assert day("2026-01-02T10:00:07.25Z") == "2026-01-02 10:00:07"
    assert day(None) == ""
    assert event_words(None) == ""
    assert len(event_words({"name": "x", "properties": {"text": "y" * 500}})) == 70
    mail = {"name": "email_sent", "properties": {"scenario": "s", "topic": "t", "template": "m"}}
    assert event_words(mail) == "email_sent (template: m, topic: t, scenario: s)"
    page = {"name": "page_viewed", "subject": "/pricing", "properties": {"title": "Prices"}}
    assert event_words(page) == "page_viewed (about: /pricing, title: Prices)"


@pytest.mark.parametrize(
    ("points", "text"), [(57, "57"), (57.5, "57.5"), (-1057.255, "-1,057.26"), (0.005, "0.01")]
)
def test_points_are_told_in_hundredths(points: float, text: str) -> None:
    assert number(points) == text


def test_a_terminal_that_knows_no_signs_gets_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = {"is": "leaf", "holds": False, "wanted": "plan is pro", "seen": "plan = free", "of": []}
    tell_tree(leaf, 2)
    assert capsys.readouterr().out == "  ✗ plan is pro; seen: plan = free\n"

    class Plain:
        encoding = "cp1252"

    monkeypatch.setattr("flowscore.cli.explanation_trees.sys.stdout", Plain())
    assert (sign(True), sign(False)) == ("yes", "no ")


# ---------------------------------------------------------------- the real command

PROJECT = """
policy: default
consent: implied
---
score: fit
scale: 1-10
range: {min: 0, max: 100}
rules: [{name: boss, points: 60, when: {attribute: {job_title: boss}}}]
---
score: engagement
objective: Who is about to buy.
decay: {half_life: 30 days}
rules: [{name: cart, points: 8, on: {event: cart_updated}}]
bands: {hot: 12, warm: 4}
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 12, 3: 6, 2: 3}
green: [B3]
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [B3, B4]}, retreat: true}
  - {stage: sql, when: [{grade: B4}, {attribute: {country: ES}}]}
---
list: hot-leads
members: [{score: {engagement: {at_least: hot}}}, {not: {in_list: customers}}]
---
list: customers
---
scenario: offer
trigger: {score: {engagement: {reaches: warm}}}
conditions: [{attribute: {country: ES}}]
actions: [{wait: 5 days}, {add_to_list: customers}]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ana, a boss, put something into the cart, and 30 days have gone by."""
    from flowscore.cli import main

    folder = tmp_path_factory.mktemp("explained")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "all.yaml").write_text(PROJECT)
    calls = [
        {"type": "identify", "userId": who, "messageId": f"i-{who}", "traits": {"job_title": job}}
        | {"timestamp": "2026-01-01T00:00:00Z"}
        for who, job in ((ANA, "boss"), (BEN, "clerk"))
    ]
    calls += [
        {"type": "track", "userId": ANA, "event": "cart_updated", "messageId": f"c-{n}"}
        | {"timestamp": f"2026-01-0{n}T00:00:00Z", "properties": {"cart_id": n}}
        for n in (2, 3)
    ]
    file = folder / "calls.jsonl"
    file.write_text("".join(json.dumps(call) + "\n" for call in calls))
    for words in (
        ("apply",),
        ("import", "events", str(file), "--as-live"),
        ("tick", "--from", "2026-01-01", "--until", "2026-02-01", "--every", "1d"),
    ):
        assert main(["--project", str(folder), *words]) == 0
    return folder


def test_d07_explain_reads_as_text_for_a_rep(run: Run, shop: Path) -> None:
    said = run("--project", shop, "explain", ANA)
    assert said.code == 0, said.err
    for words in (
        "lead-grade: B3, green since 2026-01-15 00:00",
        "A = fit from 75, B from 50, C from 25, D below; 4 = engagement from 12 (the most active)",
        "needs 3.91 more engagement for B4",
        "needs 15 more fit for A3",
        "Journey (buyer): mql since",
        "next: sql, when:",
        "✗ grade lead-grade is B4; seen: lead-grade B3",
        "✗ country is ES; seen: country = not known",
        "engagement: 8.09 points ('warm', 3.91 more to 'hot')",
        "what they told us: 0, what they did: 8.09",
        "6 of 10 on its scale",
        "cart  +8 for each cart_updated; half of it is gone every 30 days",
    ):
        assert words in said.out, words
    assert re.search(
        r"2026-01-02 00:00 +\+8\.00 +4\.00 +cart +cart_updated \(cart_id: 2\)", said.out
    )
    assert re.search(r"^ +-7\.91 +decay +what has faded", said.out, re.MULTILINE)
    assert "adds up to 8.09" in said.out


def test_d08_explain_tells_the_way_with_its_times(run: Run, shop: Path) -> None:
    out = run("--project", shop, "explain", ANA).out
    assert "  lead 2026-01-01 00:00 to 2026-01-02 00:00: everybody begins here" in out
    assert "  mql 2026-01-02 00:00 until now: grade lead-grade is B3 or B4" in out


def test_a15_explain_shows_the_scale_beside_the_points(run: Run, shop: Path) -> None:
    scores = run("--project", shop, "explain", ANA, "--json").json["scores"]
    fit = next(one for one in scores if one["score"] == "fit")
    assert (fit["balance"], fit["scale"]) == (60, {"value": 6, "from": 1, "to": 10})


def test_explain_says_why_not_in_a_scenario(run: Run, shop: Path) -> None:
    out = run("--project", shop, "explain", ANA, "--scenario", "offer").out
    for words in (
        f"{ANA} and the scenario offer, as of 2026-02-01 00:00 (UTC)",
        "would not enter now, whatever came:",
        "asked: country is ES; seen: country = not known",
        "Trigger: score engagement reaches 4",
        "✓ score engagement at least 4; seen: engagement 8.0",
        "✓ once only; seen: never entered",
        "✗ country is ES; seen: country = not known",
        "Enrollments: none",
        "offer 2026-01-02 00:00",
    ):
        assert words in out, words
    told = run("--project", shop, "explain", ANA, "--scenario", "offer", "--json").json
    assert told["would_enter"]["holds"] is False


def test_explain_says_why_not_in_a_list(run: Run, shop: Path) -> None:
    out = run("--project", shop, "explain", ANA, "--list", "hot-leads").out
    assert f"{ANA} and the list hot-leads, as of 2026-02-01 00:00 (UTC): not in it" in out
    assert "✗ score engagement at least 12; seen: engagement 8.0" in out
    assert "✓ not: in list customers; seen: not in customers" in out
    out = run("--project", shop, "explain", ANA, "--list", "customers").out
    assert "adds: scenario/offer#actions/1" in out


def test_explain_writes_one_page(run: Run, shop: Path, tmp_path: Path) -> None:
    page = tmp_path / "ana.html"
    said = run("--project", shop, "explain", ANA, "--html", page)
    assert (said.code, said.out.startswith(f"{page} explains {ANA}")) == (0, True)
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ana@x.exmple",), "did you mean 'ana@x.example'?"),
        ((ANA, "--scenario", "ofer"), "no scenario is called 'ofer'; did you mean 'offer'?"),
        ((ANA, "--list", "hot"), "no list is called 'hot'; "),
        ((ANA, "--list", "customers", "--html", "x.html"), "give one of them at a time"),
        ((ANA, "--html", "no/such/folder/x.html"), "no/such/folder/x.html"),
    ],
)
def test_explain_tells_a_mistake(run: Run, shop: Path, words: tuple[str, ...], told: str) -> None:
    said = run("--project", shop, "explain", *words)
    assert said.code == 1
    assert told in said.err
