"""`flowscore report` as a command: text, one document, one section, and what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.cli.report_page import SECTIONS, TITLES
from flowscore.views.reporting import report

if TYPE_CHECKING:
    from .conftest import Run

PROJECT = """
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news]
frequency_cap: [{emails: 1, per: 1 day}]
---
score: interest
objective: Who is about to book.
rules:
  - {name: trial, points: 40, on: {event: trial_started}}
  - {name: young, points: 5, when: {attribute: {age: {below: 30}}}, because: we teach students}
---
lifecycle: buyer
stages:
  - lead
  - {stage: sql, when: {score: {interest: {at_least: 40}}}}
  - {stage: customer, when: {event: order_completed}}
---
scenario: welcome
trigger: {event: signed_up}
goal: {event: trial_started, up_to: 30 days}
holdout: 30%
actions: [{send_email: hello}]
"""
MAIL = "---\nsubject: Hello\ntopic: news\n---\n<p>Hello</p>\n"
PEOPLE = 40


@pytest.fixture(scope="module")
def academy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people sign up; every second starts a trial, every fourth buys."""
    folder = tmp_path_factory.mktemp("report") / "academy"
    people = ["email,created_at,consent,age,source"]
    events = ["event,email,timestamp,path,verdict,reason,amount"]
    for number in range(PEOPLE):
        who, source = f"p{number:02}@x.example", ("fair", "quiz")[number % 2]
        people.append(f"{who},2026-01-01,news,{20 + number},{source}")
        events.append(f"page_viewed,{who},2026-01-01 10:00,/pricing,,,")
        events.append(f"signed_up,{who},2026-01-02 10:00,,,,")
        if number % 2 == 0:
            events.append(f"trial_started,{who},2026-01-05 10:00,,,,")
        if number % 4 == 0:
            events.append(f"order_completed,{who},2026-01-20 10:00,,,,")
    events.append("sales_feedback,p00@x.example,2026-01-21,,won,,1200")
    events.append("sales_feedback,p02@x.example,2026-01-21,,not_qualified,student,")
    for name, text in (
        ("scenarios/all.yaml", PROJECT),
        ("templates/email/hello.html", MAIL),
        ("people.csv", "\n".join(people)),
        ("events.csv", "\n".join(events)),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def lived(academy: Path) -> Path:
    """After two months, by the real commands."""
    from flowscore.cli import main

    for line in (
        "apply",
        f"import contacts {academy / 'people.csv'}",
        f"import events {academy / 'events.csv'} --as-live",
        "tick --from 2026-01-01 --until 2026-02-01 --every 6h --deliver",
    ):
        assert main(["--project", str(academy), *line.split()]) == 0, line
    return academy


def asked(run: Run, folder: Path, *words: object) -> Any:
    said = run("--project", folder, "report", "--json", *words)
    assert said.code == 0, said.err
    return said.json


def test_report_is_one_page_of_plain_text(run: Run, lived: Path) -> None:
    said = run("--project", lived, "report")
    assert (said.code, said.err) == (0, "")
    titles = re.findall(r"^(.+)\n-+$", said.out, re.MULTILINE)
    assert titles == list(TITLES.values())
    assert said.out.startswith("Report from the beginning up to 2026-02-01 00:00 (UTC)\n")
    assert "\x1b" not in said.out


def test_every_section_has_a_voice_and_a_title() -> None:
    assert list(report.SECTIONS) == list(SECTIONS) == list(TITLES)


def test_report_is_one_json_document(run: Run, lived: Path) -> None:
    told = asked(run, lived)
    assert list(told) == ["as_of", "since", "until", "data", *report.SECTIONS]
    assert (told["since"], told["until"]) == (None, "2026-02-01T00:00:00Z")


@pytest.mark.parametrize("section", report.SECTIONS)
def test_report_of_one_section_is_that_section_alone(run: Run, lived: Path, section: str) -> None:
    told = asked(run, lived, "--section", section)
    assert list(told) == ["as_of", "since", "until", "data", section]
    said = run("--project", lived, "report", "--section", section)
    assert re.findall(r"^(.+)\n-+$", said.out, re.MULTILINE) == [TITLES[section]]


def test_b11_report_tells_which_leads_became_sql(run: Run, lived: Path) -> None:
    told = asked(run, lived, "--section", "qualification")["qualification"]
    assert (told["of_new_leads"]["count"], told["of_new_leads"]["of"]) == (20, PEOPLE)
    became = {row["contact"] for row in told["became"]}
    assert became == {f"p{number:02}@x.example" for number in range(0, PEOPLE, 2)}
    (sql,) = told["stages"]
    ends = {name: sql[name] for name in ("customer", "not_qualified", "lost", "open")}
    assert ends == {"customer": 10, "not_qualified": 1, "lost": 0, "open": 9}
    said = run("--project", lived, "report", "--section", "qualification").out
    assert "20 of 40 (50.0 %; 95 % between 35.2 % and 64.8 %)" in said
    assert "p00@x.example" in said


def test_e14_cycle_and_revenue_are_told(run: Run, lived: Path) -> None:
    said = run("--project", lived, "report", "--section", "qualification").out
    assert "Won: 1 deal worth 1,200\n" in said
    assert "From lead to customer: half within 19.5 days" in said
    assert "First meeting: no event meeting_booked came in" in said


def test_e15_what_is_too_thin_to_judge_is_said_beside_it(run: Run, lived: Path) -> None:
    funnel = run("--project", lived, "report", "--section", "funnel").out
    assert "too thin to judge: 10 customers; at least 30 make this meaningful" in funnel


def test_e09_report_tells_which_source_brings_leads_that_qualify(run: Run, lived: Path) -> None:
    told = asked(run, lived, "--section", "sources")["sources"]
    by_source = {row["value"]: row["any_touch"] for row in told["source"]["values"]}
    assert (by_source["fair"]["count"], by_source["fair"]["of"]) == (20, 20)
    assert (by_source["quiz"]["count"], by_source["quiz"]["of"]) == (0, 20)
    assert told["page"]["values"][0]["value"] == "/pricing"


def test_e12_unqualified_that_reached_sales_are_told_with_the_reason(run: Run, lived: Path) -> None:
    told = asked(run, lived, "--section", "feedback")["feedback"]
    wrong = told["against_the_model"]["wrongly_qualified"]
    assert (wrong["count"], wrong["of"]) == (1, 2)
    assert told["reasons"] == [{"verdict": "not_qualified", "reason": "student", "times": 1}]
    said = run("--project", lived, "report", "--section", "feedback").out
    assert "Unqualified that reached sales: 1 of 2 judged leads" in said


def test_f05_sensitive_groups_and_the_rules_over_them_are_told(run: Run, lived: Path) -> None:
    told = asked(run, lived, "--section", "groups")["groups"]
    assert [row["attribute"] for row in told["attributes"]] == ["age"]
    (rule,) = told["rules"]
    assert (rule["rule"], rule["because"]) == ("young", "we teach students")
    said = run("--project", lived, "report", "--section", "groups").out
    assert "Rule young of score interest reads age:" in said


def test_f06_how_leads_are_rated_is_told_in_plain_words(run: Run, lived: Path) -> None:
    told = asked(run, lived, "--section", "model")["model"]
    rules = [row["said"] for row in told["scores"][0]["rules"]]
    assert rules == ["for each trial_started", "while age is below 30"]
    said = run("--project", lived, "report", "--section", "model").out
    assert "Score interest: Who is about to book." in said
    assert re.search(r"lifecycle buyer +version 1 +live", said)


def test_f04_contact_pressure_is_told_beside_the_cap(run: Run, lived: Path) -> None:
    said = run("--project", lived, "report", "--section", "templates").out
    assert "1 to one at most; the policy allows 1 mail per 1 day, which withheld 0" in said


def test_period_and_line_of_qualification_are_as_asked(run: Run, lived: Path) -> None:
    words = ("--since", "2026-01-06", "--until", "2026-01-25", "--qualified", "customer")
    told = asked(run, lived, *words)
    assert (told["since"], told["until"]) == ("2026-01-06T00:00:00Z", "2026-01-25T00:00:00Z")
    assert told["data"]["new_contacts"] == 0
    assert told["qualification"]["qualified_means"] == "reached stage customer"
    assert len(told["qualification"]["became"]) == 10


def test_lists_are_short_for_people_and_long_for_programs(run: Run, lived: Path) -> None:
    def rows(*words: object) -> int:
        told = asked(run, lived, "--section", "qualification", *words)
        return len(told["qualification"]["became"])

    assert (rows(), rows("--limit", 3), rows("--limit", 0)) == (20, 3, 20)
    said = run("--project", lived, "report", "--section", "qualification").out
    assert said.count("2026-01-05 12:00") == 10


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--section", "funel"), "no section is called 'funel'; did you mean 'funnel'?"),
        (("--qualified", "sq"), "no stage is called 'sq'; did you mean 'sql'?"),
        (("--since", "2026-03-01"), "what is known ends at the last tick, 2026-02-01"),
        (("--since", "yesterday"), "'yesterday' is no instant"),
    ],
)
def test_what_cannot_be_reported_is_refused_in_a_sentence(
    run: Run, lived: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = run("--project", lived, "report", *words)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err


def test_report_before_the_first_tick_says_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "list.yaml").write_text("list: people\n")
    assert run("--project", tmp_path, "apply").code == 0
    said = run("--project", tmp_path, "report")
    assert said.code == 1
    assert "no tick has run yet, so there is nothing to report: flowscore tick" in said.err


def test_scipy_waits_until_a_share_is_told() -> None:
    rooms = "flowscore.cli.app, flowscore.views.reporting.report"
    program = f"import sys, {rooms}; print('scipy' in sys.modules)"
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
