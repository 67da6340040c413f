"""The matrix of fit and activity, and who qualifies (ACCEPTANCE B)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .vendor import ANA, BEN, EVA, IDEAL, LEGEND, MATRIX, cell, corner, explained

if TYPE_CHECKING:
    from .conftest import Project

# --- the matrix -------------------------------------------------------------------------------


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
