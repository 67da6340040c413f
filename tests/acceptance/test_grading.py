"""Points that fade, the matrix of fit and activity, who qualifies (ACCEPTANCE A14 to A19, B)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN, EVA = "ana@example.com", "ben@example.com", "eva@example.com"


def explained(project: Project, email: str, score: str = "engagement") -> dict[str, Any]:
    """One score of a contact, as `explain` tells it; it has to add up, both as points and now."""
    scores = project.ok("explain", email, "--json").json["scores"]
    [told] = [one for one in scores if one["score"] == score]
    for column in ("points", "worth"):
        total = sum(line[column] or 0 for line in told["lines"])
        assert round(total, 4) == told["balance"], column
    return told


def cell(project: Project, email: str) -> str:
    """The cell of the only grade."""
    [grade] = project.ok("explain", email, "--json").json["grades"]
    return grade["cell"]


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


# --- the matrix -------------------------------------------------------------------------------

MATRIX = """
score: fit
range: {min: 0, max: 100}
rules:
  - {name: software, points: 30, when: {company: {industry: software}}}
  - {name: country, points: 20, when: {company: {country: [ES, PT]}}}
  - {name: decides, points: 30, when: {attribute: {job_title: {matches: 'head of|director'}}}}
  - {name: phone, points: 20, when: {attribute: {phone: {exists: true}}}}
---
score: engagement
range: {min: 0, max: 100}
rules:
  - {name: article, points: 10, on: {page_visited: "/blog/*"}, cap: {points: 60}}
  - {name: enquiry, points: 50, on: {event: enquiry_sent}}
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
green: [A4, A3, B4]
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [A2, A3, A4, B2, B3, B4]}, retreat: true}
  - {stage: sql, when: [{grade: [A4, A3, B4]}, {event: enquiry_sent}]}
  - {stage: customer, when: {event: order_completed}}
---
list: green
members: [{grade: [A4, A3, B4]}]
---
scenario: hand-over
trigger: {stage: {enters: sql}}
actions: [{assign_owner: luis@acme.example}, {notify: {to: owner, template: hot-lead}}]
---
scenario: call-now
trigger: {grade: {enters: [A4, A3, B4]}}
actions: [{set_attribute: {call: now}}]
"""
LEGEND = "A = fit from 75, B from 50, C from 25, D below"
IDEAL = {"job_title": "Director", "phone": "+34 600"}


def corner(project: Project) -> Project:
    """Ana fits and asks, Ben reads and is a student, Eva fits and does nothing."""
    project.scenario(MATRIX).mail("hot-lead", topic="transactional").apply().people(ANA, BEN, EVA)
    for who in (ANA, EVA):
        project.happened(
            project.group(who, "2", f"company-of-{who[:3]}", industry="Software", country="ES"),
            project.identify(who, "2", **IDEAL),
        )
    reads = [project.page(who, f"/blog/{n}", f"{n}") for who in (ANA, BEN) for n in range(3, 9)]
    project.happened(
        project.identify(BEN, "2", job_title="Student"),
        *reads,
        project.track(ANA, "enquiry_sent", "9"),
    )
    return project.tick("1", "10", every="6h")


def test_b01_a4_fits_and_is_busy_d1_is_neither(project: Project) -> None:
    corner(project).people("zoe@example.com").tick("10", "11", every="6h")
    cells = {who: cell(project, who) for who in (ANA, BEN, EVA, "zoe@example.com")}
    assert list(cells.values()) == ["A4", "D3", "A1", "D1"]
    for shown in (project.ok("leads").out, project.ok("explain", ANA).out):
        assert LEGEND in shown
        assert "4 = engagement from 75 (the most active)" in shown
    told = project.ok("leads", "--json").json
    assert told["matrix"]["legend"].startswith(LEGEND)
    [a4] = [row for row in told["leads"] if row["contact"] == ANA]
    assert (a4["cell"], a4["scores"]) == ("A4", {"fit": 100, "engagement": 100})


def test_b01_axis_can_be_turned_and_the_legend_says_so(project: Project) -> None:
    turned = MATRIX.replace("score: engagement, 4: 75, 3: 50, 2: 25",
                            "score: engagement, axis: descending, 1: 75, 2: 50, 3: 25")  # fmt: skip
    for old, new in (("A4, A3, B4", "A1, A2, B1"), ("A2, A3, A4, B2, B3, B4", "A1, A2, B1, B2")):
        turned = turned.replace(old, new)
    project.scenario(turned).mail("hot-lead").apply().people(ANA)
    project.happened(
        project.group(ANA, "2", "acme", industry="software", country="ES"),
        project.identify(ANA, "2", **IDEAL),
        *(project.track(ANA, "enquiry_sent", day) for day in ("3", "4")),
    )
    project.tick("1", "5", every="6h")
    assert cell(project, ANA) == "A1"
    assert "1 = engagement from 75 (the most active)" in project.ok("leads").out


def test_b02_green_cells_are_marked_and_addressed_as_a_set(project: Project) -> None:
    corner(project)
    told = project.ok("leads", "--json").json
    assert told["matrix"]["green"] == ["A4", "A3", "B4"]
    assert told["matrix"]["counts"]["A4"] == 1
    assert sum(told["matrix"]["counts"].values()) == 3
    assert len(told["matrix"]["counts"]) == 16
    out = project.ok("leads").out
    assert "A  1*  0*  0   1" in out
    assert "* marks the green cells" in out
    picked = project.ok("leads", "--cell", "green", "--json").json
    assert [row["contact"] for row in picked["leads"]] == [ANA]
    assert project.lists(ANA) == ["green"]
    calls = {row["email"]: row["attributes"].get("call") for row in project.export()["contacts"]}
    assert calls == {ANA: "now", BEN: None, EVA: None}


def test_b03_letters_or_the_teams_own_words(project: Project) -> None:
    project.scenario("""
    score: fit
    rules: [{name: role, points: 80, when: {attribute: {role: buyer}}}]
    ---
    score: interest
    rules: [{name: visit, points: 30, on: {event: visit}}]
    ---
    grade: abcd
    fit: {score: fit, yes: 50, no: below}
    engagement: {score: interest, A: 90, B: 60, C: 30}
    ---
    grade: words
    fit: {score: fit, ideal: 75, possible: 20, poor: below}
    engagement: {score: interest, hot: 60, warm: 30, cold: below}
    green: [ideal-hot, ideal-warm]
    ---
    list: to-call
    members: [{grade: {words: [ideal-hot, ideal-warm]}}]
    """).apply().people(ANA, BEN)
    project.happened(
        project.identify(ANA, "2", role="buyer"),
        *(project.track(ANA, "visit", f"{day}") for day in (2, 3, 4)),
        project.track(BEN, "visit", "2"),
    )
    project.tick("1", "5", every="6h")
    told = {who: {one["grade"]: one["cell"] for one in
                  project.ok("explain", who, "--json").json["grades"]}
            for who in (ANA, BEN)}  # fmt: skip
    assert told[ANA] == {"abcd": "yes-A", "words": "ideal-hot"}
    assert told[BEN] == {"abcd": "no-C", "words": "poor-warm"}
    assert project.lists(ANA) == ["to-call"]
    out = project.ok("leads", "--grade", "words").out
    assert "ideal = fit from 75, possible from 20, poor below" in out
    assert "hot = interest from 60 (the most active), warm from 30, cold below" in out


def test_b04_company_and_person_together_make_the_fit(project: Project) -> None:
    corner(project)
    told = explained(project, ANA, "fit")
    assert {line["rule"] for line in told["lines"]} == {"software", "country", "decides", "phone"}
    means = {line["rule"]: line["means"] for line in told["lines"]}
    assert means["software"] == "+30 while company's industry is software"
    assert means["decides"] == "+30 while job_title matches head of|director"
    assert told["parts"]["explicit"] == told["balance"] == 100


def test_b05_activity_alone_does_not_qualify(project: Project) -> None:
    corner(project)
    project.happened(project.track(BEN, "enquiry_sent", "11")).tick("10", "12", every="6h")
    told = project.ok("explain", BEN, "--json").json
    assert explained(project, BEN)["balance"] == 100
    assert told["grades"][0]["cell"] == "D4"
    assert told["journey"]["stage"] == "lead"
    assert [row["contact"] for row in project.export()["messages"]] == [ANA]
    out = project.ok("explain", BEN).out
    assert "needs 25 more fit for C4" in out
    assert "lead-grade D4" in out


def test_b06_fit_alone_does_not_qualify(project: Project) -> None:
    corner(project)
    told = project.ok("explain", EVA, "--json").json
    assert (told["grades"][0]["cell"], told["journey"]["stage"]) == ("A1", "lead")
    assert [row["contact"] for row in project.export()["messages"]] == [ANA]
    assert "needs 25 more engagement for A2" in project.ok("explain", EVA).out


def test_b07_student_who_reads_everything_and_never_asks_does_not_qualify(
    project: Project,
) -> None:
    corner(project)
    project.happened(*(project.page(BEN, f"/blog/more-{n}", "11") for n in range(30)))
    project.happened(
        project.identify(BEN, "11", **IDEAL),  # even with the right title
        project.group(BEN, "11", "shop", industry="software", country="ES"),
    )
    project.tick("10", "13", every="6h")
    told = project.ok("explain", BEN, "--json").json
    assert explained(project, BEN)["balance"] == 60  # the cap on reading holds
    assert told["grades"][0]["cell"] == "A3"
    assert told["journey"]["stage"] == "mql"
    [step] = [one for one in told["journey"]["next"] if one["stage"] == "sql"]
    unmet = [leaf for leaf in step["condition"]["of"] if not leaf["holds"]]
    assert [leaf["wanted"] for leaf in unmet] == ["enquiry_sent"]
    assert "✗ enquiry_sent; seen: 0 times" in project.ok("explain", BEN).out


# --- several profiles, interests, companies ---------------------------------------------------


def test_b13_one_contact_against_several_ideal_profiles(project: Project) -> None:
    project.scenario("""
    score: fit-schools
    objective: Schools that train their teachers.
    rules:
      - {name: teacher, points: 60, when: {attribute: {job_title: {contains: teacher}}}}
      - {name: school, points: 40, when: {company: {industry: education}}}
    ---
    score: fit-agencies
    objective: Agencies that resell.
    rules:
      - {name: founder, points: 60, when: {attribute: {job_title: {contains: founder}}}}
      - {name: small, points: 40, when: {company: {employees: {below: 20}}}}
    ---
    score: engagement
    rules: [{name: visit, points: 50, on: {event: visit}}]
    ---
    grade: schools
    fit: {score: fit-schools, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
    ---
    grade: agencies
    fit: {score: fit-agencies, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
    ---
    list: resellers
    members: [{grade: {agencies: [C3, B3, A3]}}]
    """).apply().people(ANA)
    project.happened(
        project.identify(ANA, "2", job_title="Head teacher"),
        project.group(ANA, "2", "school", industry="Education", employees=12),
        project.track(ANA, "visit", "3"),
    )
    project.tick("1", "4", every="6h")
    grades = project.ok("explain", ANA, "--json").json["grades"]
    assert {one["grade"]: one["cell"] for one in grades} == {"schools": "A3", "agencies": "C3"}
    assert project.lists(ANA) == ["resellers"]
    queue = project.ok("leads", "--grade", "agencies", "--json").json
    assert queue["leads"][0]["cell"] == "C3"


def test_b14_interest_areas_beside_fit_and_activity(project: Project) -> None:
    project.scenario(
        MATRIX
        + """
---
score: interest-photo
objective: Who would buy a camera course.
rules: [{name: photo, points: 10, on: {page_visited: "/photo/*"}}]
---
score: interest-video
rules: [{name: video, points: 10, on: {page_visited: "/video/*"}}]
---
list: photo-people
members: [{score: {interest-photo: {at_least: 20}, interest-video: {below: 10}}}]
"""
    ).mail("hot-lead").apply().people(ANA, BEN)
    project.happened(
        *(project.page(ANA, f"/photo/{n}", "3") for n in range(3)),
        *(project.page(BEN, f"/video/{n}", "3") for n in range(2)),
    )
    project.tick("1", "4", every="6h")
    for who, photo, video in ((ANA, 30, 0), (BEN, 0, 20)):
        assert explained(project, who, "interest-photo")["balance"] == photo
        assert explained(project, who, "interest-video")["balance"] == video
        assert explained(project, who, "engagement")["balance"] == 0
    assert project.lists(ANA) == ["photo-people"]
    assert project.lists(BEN) == []
    ranked = project.ok("contacts", "--score", "interest-video", "--json").json
    assert ranked[0]["contact"] == BEN


ACCOUNT = """
score: account
of: company
decay: {linear: 100 days}
rules: [{name: pricing, points: 30, on: {page_visited: /pricing}}]
---
score: tier
rules: [{name: strategic, points: 80, when: {company: {tier: strategic}}}]
---
grade: account-grade
fit: {score: tier, A: 75, B: 50, C: 25}
engagement: {score: account, 4: 80, 3: 50, 2: 25}
green: [A4]
---
scenario: call-the-company
trigger: {score: {account: {reaches: 80}}}
actions: [{notify: {to: account@acme.example, template: account}}]
"""


def test_b15_strategic_account_is_scored_as_a_company(project: Project) -> None:
    """No one of the three looks around for long; their company does."""
    project.scenario(ACCOUNT).mail("account", topic="transactional").apply()
    project.people(ANA, BEN, EVA, "zoe@example.com")
    project.happened(
        *(project.group(who, "2", "big", name="Big", tier="strategic") for who in (ANA, BEN, EVA)),
        *(project.page(who, "/pricing", "3") for who in (ANA, BEN, "zoe@example.com")),
        project.page(EVA, "/pricing", "3 12:00"),
    )
    project.tick("1", "4", every="6h")
    told = explained(project, ANA, "account")
    assert told["of"] == "company"
    assert told["balance"] == 89.25
    assert [cell(project, who) for who in (ANA, BEN, EVA)] == ["A4"] * 3
    assert explained(project, "zoe@example.com", "account")["balance"] == 0
    [note] = project.export()["messages"]
    assert note["contact"] == EVA  # hers was the line that tipped it
    out = project.ok("explain", BEN).out
    assert "Big" in out
    assert ANA in out
