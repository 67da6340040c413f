"""What sales gets: the funnel, the hand-over, the queue, the reasons (ACCEPTANCE B08 to B12, D)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from .vendor import ANA, BEN, EVA, MATRIX, corner, explained

if TYPE_CHECKING:
    from .conftest import Project


def journey(project: Project, email: str) -> dict[str, Any]:
    """Where a contact stands in the funnel."""
    return project.ok("explain", email, "--json").json["journey"]


# --- qualification ----------------------------------------------------------------------------


def test_b10_mql_and_sql_are_definitions_in_a_file(project: Project) -> None:
    """MQL has come back several times; SQL asks and fits. Other words in the file, other leads."""
    project.scenario(
        """
    score: engagement
    rules: [{name: visit, points: 10, on: {page_visited: any}}]
    ---
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {page_visited: {path: "*", times: 3, within: 14 days}}}
      - stage: sql
        when:
          - event: {name: offer_asked, within: 30 days}
          - attribute: {budget: {at_least: 1000}}
      - {stage: customer, when: {event: order_completed}}
    """.replace("page_visited: any", 'page_visited: "*"')
    ).apply().people(ANA, BEN, EVA)
    project.happened(
        *(project.page(ANA, "/courses", f"{day}") for day in (2, 3, 4)),
        project.track(BEN, "offer_asked", "3"),
        project.identify(BEN, "3", budget=5000),
        project.page(EVA, "/courses", "3"),
    )
    project.tick("1", "5", every="6h")
    assert [journey(project, who)["stage"] for who in (ANA, BEN, EVA)] == ["mql", "sql", "lead"]
    model = project.ok("report", "--section", "model").out
    assert "mql: as soon as" in model
    assert "sql: as soon as offer_asked" in model


def test_b11_report_tells_who_has_become_sql_and_who_has_not(project: Project) -> None:
    corner(project)
    told = project.ok("report", "--json").json
    stages = {row["stage"]: row["inside"] for row in told["funnel"]["stages"]}
    assert {name: stages[name] for name in ("lead", "mql", "sql", "customer")} == {
        "lead": 2, "mql": 0, "sql": 1, "customer": 0,
    }  # fmt: skip
    assert [row["contact"] for row in told["qualification"]["became"]] == [ANA]
    assert {row["contact"] for row in told["qualification"]["not_yet"]["furthest"]} == {BEN, EVA}
    out = project.ok("report", "--section", "qualification").out
    assert "Not yet qualified: 2" in out
    [only] = project.ok("leads", "--stage", "sql", "--json").json["leads"]
    assert only["contact"] == ANA


def test_b12_qualification_is_a_verdict_apart_from_the_score(project: Project) -> None:
    """The same points, and sales says no to one: the score stays, the verdict stands beside it."""
    corner(project)
    before = explained(project, ANA)["balance"]
    project.ok("feedback", ANA, "--not-qualified", "no budget until 2028", "--at",
               "2026-01-10T01:00:00Z")  # fmt: skip
    project.tick("2027-01-01", "2027-01-01")
    assert explained(project, ANA)["balance"] == before
    [lead] = project.ok("leads", "--all", "--cell", "A4", "--json").json["leads"]
    assert lead["feedback"]["verdict"] == "not_qualified"
    assert lead["feedback"]["reason"] == "no budget until 2028"
    assert "not qualified (no budget until 2028)" in project.ok("leads", "--all").out
    assert journey(project, ANA)["stage"] == "sql"


# --- hand-over --------------------------------------------------------------------------------


def test_d05_stages_are_skipped_and_the_skip_says_why(project: Project) -> None:
    project.scenario(
        MATRIX
        + """
---
scenario: met-the-boss
trigger: {event: met_at_fair}
actions: [{set_stage: sql}]
"""
    ).mail("hot-lead", topic="transactional").apply().people(ANA, BEN)
    project.happened(
        project.track(ANA, "order_completed", "3"), project.track(BEN, "met_at_fair", "3")
    )
    project.tick("1", "4", every="6h")
    [ana, ben] = [journey(project, who) for who in (ANA, BEN)]
    assert (ana["stage"], ben["stage"]) == ("customer", "sql")
    skipped = [row for row in ana["history"] if row["skipped"]]
    assert [row["stage"] for row in skipped] == ["mql", "sql"]
    assert all("customer" in row["why"] or "order_completed" in row["why"] for row in skipped)
    [passed] = [row for row in ben["history"] if row["skipped"]]
    assert (passed["stage"], "met-the-boss" in passed["why"]) == ("mql", True)
    out = project.ok("explain", BEN).out
    assert "mql" in out
    assert "met-the-boss" in out
    assert [row["contact"] for row in project.export()["messages"]] == [
        BEN
    ]  # skipped fires nothing


QUEUE = ("ana@example.com", "ben@example.com", "eva@example.com", "leo@example.com")


def queue(project: Project) -> Project:
    """All fit; Ana and Ben are as active, Ben of late; Eva is less so, Leo came and asked."""
    project.scenario(MATRIX).mail("hot-lead", topic="transactional").apply().people(*QUEUE)
    for who in QUEUE:
        project.happened(
            project.identify(who, "2", job_title="Director", phone="+34 600"),
            project.group(who, "2", who[:3], industry="software", country="ES"),
        )
    ana, ben, eva, leo = QUEUE
    project.happened(
        *(project.track(ana, "enquiry_sent", day) for day in ("2", "3")),
        *(project.track(ben, "enquiry_sent", day) for day in ("18", "19")),
        project.track(eva, "enquiry_sent", "19"),
        project.page(leo, "/blog/one", "19"),
    )
    return project.tick("1", "20", every="1d")


def test_d06_sales_gets_a_queue_ordered_by_whom_to_follow_first(project: Project) -> None:
    queue(project)
    ana, ben, eva, leo = QUEUE
    told = project.ok("leads", "--json").json["leads"]
    assert [(row["contact"], row["cell"], row["won_in_7_days"]) for row in told] == [
        (ben, "A4", 100), (ana, "A4", 0), (eva, "A3", 50), (leo, "A1", 10),
    ]  # fmt: skip
    notes = [(row["contact"], row["kind"]) for row in project.export()["messages"]]
    assert sorted(notes) == [(who, "notify") for who in (ana, ben, eva)]
    assert {row["owner"] for row in told[:3]} == {"luis@acme.example"}
    mine = project.ok("leads", "--stage", "sql", "--owner", "luis@acme.example", "--json").json
    assert [row["contact"] for row in mine["leads"]] == [ben, ana, eva]


def test_d06_queue_reads_as_a_table_and_opens_in_a_spreadsheet(project: Project) -> None:
    queue(project)
    out = project.ok("leads", "--cell", "green").out
    told = [line for line in out.splitlines() if "@example.com" in line]
    assert [line.split()[:3] for line in told] == [
        ["A4*", "ben@example.com", "sql"],
        ["A4*", "ana@example.com", "sql"],
        ["A3*", "eva@example.com", "sql"],
    ]
    assert "because enquiry +100 (2 times), decides +30, software +30" in out
    assert "last became sql, 2026-01-19 00:00" in out
    sheet = project.root / "queue.csv"
    project.happened(project.identify(QUEUE[1], "20", owner='=HYPERLINK("http://x","y")'))
    project.tick("21", "21").ok("leads", "--csv", str(sheet))
    rows = list(csv.DictReader(sheet.read_text("utf-8-sig").splitlines()))
    assert [row["cell"] for row in rows] == ["A4", "A4", "A3", "A1"]
    assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())


# --- what the rep sees ------------------------------------------------------------------------


def test_d07_every_point_has_its_event_its_rule_and_its_meaning(project: Project) -> None:
    corner(project)
    told = explained(project, ANA)
    lines = [line for line in told["lines"] if line["kind"] == "rule"]
    assert [(line["rule"], line["points"]) for line in lines] == [
        *[("article", 10)] * 6, ("enquiry", 50),
    ]  # fmt: skip
    assert [line["event"]["subject"] for line in lines[:2]] == ["/blog/3", "/blog/4"]
    assert lines[-1]["means"] == "+50 for each enquiry_sent"
    assert {line["version"] for line in lines} == {1}
    assert told["lines"][-1]["kind"] == "cut"
    [grade] = project.ok("explain", ANA, "--json").json["grades"]
    assert grade["legend"].startswith("A = fit from 75")
    page = project.root / "ana.html"
    project.ok("explain", ANA, "--html", str(page))
    html = page.read_text("utf-8")
    assert "enquiry_sent" in html
    assert "scenarios/all.yaml" in html


def test_d07_what_is_missing_for_the_next_cell_and_stage(project: Project) -> None:
    corner(project)
    out = project.ok("explain", EVA).out
    assert "needs 25 more engagement for A2" in out
    assert "✗ grade lead-grade is A2 or A3 or A4 or B2 or B3 or B4; seen: lead-grade A1" in out
    why = project.ok("explain", EVA, "--list", "green").out
    assert "✗ grade lead-grade is A4 or A3 or B4; seen: lead-grade A1" in why
    not_in = project.ok("explain", EVA, "--scenario", "hand-over").out
    assert "enters stage sql" in not_in


def test_d08_rep_sees_where_the_buyer_is_in_the_journey(project: Project) -> None:
    corner(project)
    told = journey(project, ANA)
    assert (told["stages"], told["stage"]) == (["lead", "mql", "sql", "customer"], "sql")
    assert [(row["stage"], row["entered_at"][8:10]) for row in told["history"]] == [
        ("lead", "01"), ("mql", "05"), ("sql", "09"),
    ]  # fmt: skip
    assert [step["stage"] for step in told["next"]] == ["customer"]
    out = project.ok("explain", ANA).out
    assert "Journey (buyer): sql since 2026-01-09 00:00" in out
    assert "✗ order_completed; seen: 0 times" in out
    [lead] = project.ok("leads", "--cell", "A4", "--json").json["leads"]
    assert lead["stage"] == "sql"
    assert (lead["last_step"]["kind"], lead["last_step"]["what"]) == ("stage", "sql")


def test_d07_points_below_the_range_have_to_be_won_back_first(project: Project) -> None:
    """Fifty below what is read: 25 points more are not enough for the next letter, 75 are."""
    project.scenario("""
    score: fit
    range: {min: 0}
    bands: {possible: 25}
    rules:
      - {name: student, points: -50, when: {attribute: {job: student}}}
      - {name: phone, points: 25, when: {attribute: {phone: {exists: true}}}}
    ---
    score: engagement
    rules: [{name: visit, points: 10, on: {event: visit}}]
    ---
    grade: lead-grade
    fit: {score: fit, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 2: 10, 1: below}
    """).apply().people(ANA)
    project.happened(project.identify(ANA, "2", job="student")).tick("1", "3", every="6h")
    out = project.ok("explain", ANA).out
    assert "needs 75 more fit for C1 (it is 50 below its range)" in out
    assert "fit: 0 points (75 more to 'possible')" in out
    project.happened(project.identify(ANA, "3", phone="+34 600")).tick("3", "4", every="6h")
    assert "needs 50 more fit for C1 (it is 25 below its range)" in project.ok("explain", ANA).out
