"""Points that fade, and what a score looks like (ACCEPTANCE A14 to A19, T02, T05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .vendor import ANA, BEN, EVA, explained

if TYPE_CHECKING:
    from .conftest import Project

# --- decay ------------------------------------------------------------------------------------

FADES = """
score: engagement
rules:
  - {name: guide, points: 10, on: {event: guide}, decay: {linear: 60 days}}
  - {name: webinar, points: 9, on: {event: webinar}, decay: {linear: 90 days}}
  - {name: visit, points: 8, on: {event: visit}, decay: {half_life: 30 days}}
  - {name: call, points: 20, on: {event: call}, decay: {expire: 14 days}}
  - {name: trial, points: 100, on: {event: trial}, decay: {step: {lose: 15%, every: 45 days}}}
  - {name: order, points: 50, on: {event: order}, decay: none}
"""


@pytest.mark.parametrize(
    ("event", "until", "left"),
    [
        ("guide", "2026-01-31", 5),
        ("guide", "2026-03-02", 0),
        ("webinar", "2026-01-04", 8.7),
        ("visit", "2026-04-01", 1),
        ("call", "2026-01-14", 20),
        ("call", "2026-01-15", 0),
        ("trial", "2026-04-01", 72.25),
        ("order", "2026-04-01", 50),
    ],
)
def test_a14_lead_that_stands_still_loses_points(
    project: Project, event: str, until: str, left: float
) -> None:
    project.scenario(FADES).apply().people(ANA)
    project.happened(project.track(ANA, event, "1"))
    project.tick("1", until, every="1d")
    told = explained(project, ANA)
    assert told["balance"] == left
    [line] = [line for line in told["lines"] if line["kind"] == "rule"]
    faded = [line["points"] for line in told["lines"] if line["kind"] == "decay"]
    assert line["worth"] == left
    assert sum(faded) == round(left - line["points"], 4)


def test_a14_what_faded_is_a_line_that_sales_can_read(project: Project) -> None:
    project.scenario(FADES).apply().people(ANA)
    project.happened(project.track(ANA, "guide", "1")).tick("1", "31", every="1d")
    out = project.ok("explain", ANA).out
    assert "engagement: 5 points" in out
    assert "what has faded of the points above" in out
    assert "fades to nothing over 60 days" in out
    [contact] = project.ok("contacts", "--json").json
    assert contact["scores"] == {"engagement": 5}


def test_a14_fading_moves_leads_out_of_lists_and_starts_scenarios(project: Project) -> None:
    project.scenario("""
    score: engagement
    decay: {linear: 10 days}
    rules: [{name: demo, points: 100, on: {event: demo}}]
    bands: {hot: 50}
    ---
    list: hot-leads
    members: [{score: {at_least: hot}}]
    ---
    scenario: cooled-down
    trigger: {score: {falls_to: 20}}
    actions: [{send_email: still-there}]
    """).mail("still-there").apply().people(ANA)
    project.happened(project.track(ANA, "demo", "1"))
    assert project.tick("1", "6").lists(ANA) == ["hot-leads"]
    assert project.tick("6", "7").lists(ANA) == []
    assert project.sent(ANA) == []
    assert project.tick("7", "10").sent(ANA) == ["still-there"]


def test_a14_lead_that_does_nothing_loses_without_an_event(project: Project) -> None:
    project.scenario("""
    score: engagement
    decay: {idle: {after: 5 days, lose: 10, every: 2 days}}
    rules: [{name: demo, points: 25, on: {event: demo}}]
    """).apply().people(ANA)
    project.happened(project.track(ANA, "demo", "1"))
    balances = [project.tick("1", day, every="1d").balance(ANA) for day in ("5", "6", "8", "20")]
    assert balances == [25, 15, 5, 0]
    assert [row["kind"] for row in project.export()["points"]] == ["rule"] + ["decay"] * 3
    assert "-10  decay" in project.ok("explain", ANA).out


def test_t02_decay_is_never_activity(project: Project) -> None:
    """Points fade every day, and Ana is inactive all the same: from her last visit."""
    project.scenario("""
    score: engagement
    decay: {linear: 90 days}
    rules: [{name: visit, points: 30, on: {event: visit}}]
    ---
    score: standing
    decay: {idle: {after: 3 days, lose: 1, every: 1 day}}
    rules: [{name: visit, points: 30, on: {event: visit}}]
    ---
    scenario: miss-you
    trigger: {inactive: 10 days}
    reenroll: every_time
    actions: [{send_email: miss-you}]
    ---
    list: quiet
    members: [{inactive: 10 days}]
    """).mail("miss-you").apply().people(ANA)
    project.happened(project.track(ANA, "visit", "2"))
    assert project.tick("1", "11 23:00", every="1h").sent(ANA) == []
    project.tick("12", "31", every="6h")
    assert project.sent(ANA) == ["miss-you"]
    [walk] = project.export()["enrollments"]
    assert walk["entered_at"] == "2026-01-12T00:00:00Z"
    assert project.lists(ANA) == ["quiet"]
    assert project.balance(ANA) < 30
    assert project.balance(ANA, "standing") < 30


def test_t05_reset_survives_every_recompute(project: Project) -> None:
    scores = """
    score: engagement
    decay: {half_life: 30 days}
    rules: [{name: visit, points: POINTS, on: {event: visit}}]
    """
    project.scenario(scores.replace("POINTS", "30"), name="scores").scenario("""
    scenario: no-lead
    trigger: {event: sales_feedback}
    conditions: [{this_event: {verdict: not_qualified}}]
    actions: [{reset_score: engagement}]
    """).apply().people(ANA)
    project.happened(project.track(ANA, "visit", "2"), project.track(ANA, "visit", "3"))
    project.tick("1", "4", every="6h")
    project.ok("feedback", ANA, "--not-qualified", "student", "--at", "2026-01-04T06:00:00Z")
    told = project.tick("4 06:00", "2027-01-01", every="90d")
    [reset] = [row for row in told.export()["points"] if row["kind"] == "reset"]
    assert told.balance(ANA) == 0
    assert "judged anew: engagement" in project.ok("rescore", "engagement").out
    assert project.balance(ANA) == 0
    project.scenario(scores.replace("POINTS", "90"), name="scores").apply()
    assert project.balance(ANA) == 0
    assert reset["contact"] == ANA
    assert explained(project, ANA)["balance"] == 0


# --- what a score looks like ------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "shown"), [("1-10", [1, 6, 10]), ("1-100", [1, 51, 100])])
def test_a15_score_on_a_scale_beside_its_points(
    project: Project, scale: str, shown: list[int]
) -> None:
    project.scenario(f"""
    score: engagement
    range: {{min: 0, max: 200}}
    scale: {scale}
    rules: [{{name: demo, points: 100, on: {{event: demo}}}}]
    """).apply().people(ANA, BEN, EVA)
    project.happened(
        *(project.track(who, "demo", "2", n=n) for who, n in ((BEN, 1), (EVA, 1), (EVA, 2)))
    )
    project.tick("1", "3", every="6h")
    told = {who: explained(project, who) for who in (ANA, BEN, EVA)}
    assert [one["balance"] for one in told.values()] == [0, 100, 200]
    assert [one["scale"]["value"] for one in told.values()] == shown
    low, high = scale.split("-")
    assert f"{shown[2]} of {high} on its scale" in project.ok("explain", EVA).out
    assert [told[ANA]["scale"][end] for end in ("from", "to")] == [int(low), int(high)]


BOTH_PARTS = """
score: lead
rules:
  - {name: decides, points: 25, when: {attribute: {job_title: {matches: 'head of|director'}}}}
  - {name: software, points: 30, when: {company: {industry: software}}}
  - {name: pricing, points: 20, on: {page_visited: /pricing}}
  - {name: unsubscribed, points: -5, on: {event: unsubscribed}}
---
scenario: met
trigger: {event: met_at_fair}
actions: [{add_points: {score: lead, points: 7, reason: talked at the fair}}]
"""


def both_parts(project: Project) -> Project:
    """Ana told who she is and did something; sales added what it knew."""
    project.scenario(BOTH_PARTS).apply().people(ANA)
    project.happened(
        project.identify(ANA, "2", job_title="Head of IT"),
        project.group(ANA, "2", "acme", industry="software"),
        project.page(ANA, "/pricing", "3"),
        project.track(ANA, "Unsubscribed", "3"),
        project.track(ANA, "met_at_fair", "4"),
    )
    return project.tick("1", "5", every="6h")


def test_a16_what_they_told_and_what_they_did_are_kept_apart(project: Project) -> None:
    both_parts(project)
    told = explained(project, ANA, "lead")
    assert told["parts"] == {"explicit": 55, "implicit": 15, "given": 7, "cut": 0}
    assert {line["rule"]: line["part"] for line in told["lines"] if line["kind"] == "rule"} == {
        "decides": "explicit", "software": "explicit",
        "pricing": "implicit", "unsubscribed": "implicit",
    }  # fmt: skip
    out = project.ok("explain", ANA).out
    assert "what they told us: 55, what they did: 15" in out


def test_a17_total_combines_both_parts(project: Project) -> None:
    both_parts(project)
    told = explained(project, ANA, "lead")
    assert told["balance"] == sum(told["parts"].values()) == 77
    assert "lead: 77 points" in project.ok("explain", ANA).out
    assert project.balance(ANA, "lead") == 77


def test_a19_every_channel_feeds_one_score(project: Project) -> None:
    project.scenario("""
    score: engagement
    rules:
      - {name: page, points: 1, on: {page_visited: "/blog/*"}}
      - {name: app, points: 2, on: {event: screen_viewed}}
      - {name: mail, points: 4, on: {email_clicked: any}}
      - {name: shop, points: 8, on: {event: order_completed}}
      - {name: call-centre, points: 16, on: {event: call_answered}}
      - {name: fair, points: 32, when: {attribute: {met_at: fair}}}
      - {name: sales, points: 64, on: {event: sales_feedback}}
    """).mail("hello").apply()
    project.people(header="email,created_at,met_at", rows=(f"{ANA},2025-12-01,fair",))
    project.happened(
        project.page(ANA, "/blog/one", "2"),
        {**project.track(ANA, "", "2"), "type": "screen", "name": "Home"},
        project.track(ANA, "Email Link Clicked", "2", template="hello"),
        project.track(ANA, "Order Completed", "2"),
    )
    calls = project.write("calls.csv", f"""
    email,event,timestamp
    {ANA},Call Answered,2026-01-02T10:00:00Z
    """)  # fmt: skip
    project.ok("import", "events", str(calls), "--as-live")
    project.tick("1", "3", every="6h")
    project.ok("feedback", ANA, "--qualified", "--at", "2026-01-02T11:00:00Z")
    project.tick("2027-01-01", "2027-01-01")  # it came in by the clock, long after January
    told = explained(project, ANA)
    assert told["balance"] == 127
    assert sorted(line["points"] for line in told["lines"]) == [1, 2, 4, 8, 16, 32, 64]
