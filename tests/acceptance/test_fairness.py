"""Consent, fairness, transparency (ACCEPTANCE F02, F03, F05, F06)."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from .vendor import ANA, BEN, corner

if TYPE_CHECKING:
    from .conftest import Project


def test_f02_a_person_is_told_what_is_held_and_how_it_is_used(project: Project) -> None:
    corner(project)
    words = project.ok("export", "--contact", ANA).out
    for held in ("Director", "+34 600", "Software", "enquiry_sent", "granted 2025-12-01"):
        assert held in words
    for use in ("+50 for each enquiry_sent", "+30 while company's industry is software",
                "lead-grade: A4", "sql since 2026-01-09", "hand-over", "hot-lead"):  # fmt: skip
        assert use in words
    assert BEN not in words
    told = project.ok("export", "--contact", ANA, "--json")
    assert told.json
    assert BEN not in told.out
    nobody = project.run("export", "--contact", "zoe@example.com")
    assert nobody.code == 1
    assert "no contact has the address 'zoe@example.com'" in nobody.err


def test_f03_every_mail_says_who_writes_and_how_to_leave(project: Project) -> None:
    """A template that leaves it out gets it; what is named transactional is no way round a no."""
    project.scenario("""
    scenario: offer
    trigger: {event: visit}
    reenroll: every_time
    actions: [{send_email: offer}]
    """).mail("offer").apply().people(ANA, BEN)
    project.happened(
        project.track(ANA, "visit", "2"),
        project.track(BEN, "Email Marked as Spam", "1 12:00", template="offer"),
        project.track(BEN, "visit", "2"),
    )
    project.tick("1", "3", every="6h")
    assert (project.sent(ANA), project.sent(BEN)) == (["offer"], [])
    [file] = (project.root / "outbox").glob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert "hello@acme.example" in mail["From"]
    assert "List-Unsubscribe" in mail
    body = mail.get_body(("html",)).get_content()
    assert "nsubscribe" in body


def test_f03_a_rating_over_what_must_not_decide_is_refused(project: Project) -> None:
    for name in ("gender", "age", "country_of_origin", "religion", "health_risk"):
        project.scenario(f"""
        score: fit
        rules: [{{name: rule, points: -5, when: {{attribute: {{{name}: x}}}}}}]
        """)
        said = project.run("apply")
        assert said.code == 1
        assert f"reads '{name}', a sensitive attribute" in said.err
        assert "because:" in said.err


def test_f05_score_and_qualification_by_group(sold: Project) -> None:
    told = sold.ok("report", "--section", "groups", "--json").json["groups"]
    [gender] = told["attributes"]
    groups = {row["value"]: row for row in gender["groups"]}
    assert {name: row["contacts"] for name, row in groups.items()} == {"female": 200, "male": 200}
    assert {name: row["qualified"]["count"] for name, row in groups.items()} == {
        "female": 48, "male": 40,
    }  # fmt: skip
    means = {name: row["mean_scores"]["engagement"] for name, row in groups.items()}
    assert means["female"] > means["male"]
    assert "may be chance" in gender["largest_gap"]["said"]
    out = sold.ok("report", "--section", "groups").out
    assert "Largest gap in qualification, female over male" in out


def test_f05_justified_rule_is_named_with_its_reason(sold: Project) -> None:
    because = "the grant pays half of the course for women"
    [rule] = sold.ok("report", "--section", "groups", "--json").json["groups"]["rules"]
    assert (rule["rule"], rule["because"]) == ("grant", because)
    out = sold.ok("report", "--section", "groups").out
    assert "Rule grant of score engagement reads gender" in out
    assert because in out


def test_f05_small_groups_are_not_shown(project: Project) -> None:
    corner(project)
    project.happened(project.identify(ANA, "10", religion="none")).tick("10", "11", every="6h")
    told = project.ok("report", "--section", "groups").out
    assert "religion: 1 group of fewer than 10 contacts is not shown" in told
    assert "none  " not in told


def test_f06_how_leads_are_rated_is_published_in_plain_words(project: Project) -> None:
    corner(project)
    out = project.ok("report", "--section", "model").out
    for words in (
        "How leads are rated",
        "+50 for each enquiry_sent",
        "+30 while company's industry is software",
        "fit by score fit: A from 75, B from 50, C from 25, D below",
        "green, worth a call: A4, A3, B4",
        "mql: as soon as grade lead-grade is",
        "customer: as soon as order_completed",
    ):
        assert words in out


def test_f06_feedback_is_accepted_and_adjustments_are_traceable(project: Project) -> None:
    """What sales said stands in the log, and each change of the model with its date and version."""
    corner(project)
    project.ok("feedback", ANA, "--not-qualified", "student", "--by", "luis@acme.example",
               "--at", "2026-01-09T12:00:00Z")  # fmt: skip
    project.tick("2027-01-01", "2027-01-01")
    [said] = [row for row in project.export()["events"] if row["name"] == "sales_feedback"]
    assert said["properties"]["reason"] == "student"
    assert said["properties"]["by"] == "luis@acme.example"
    file = project.root / "scenarios" / "all.yaml"
    file.write_text(file.read_text("utf-8").replace("points: 50", "points: 40"), encoding="utf-8")
    assert "rule enquiry: points 50 → 40" in project.ok("plan").out
    project.ok("apply")
    changes = project.ok("report", "--section", "model", "--json").json["model"]["changes"]
    versions = {(one["version"], one["is"]) for one in changes if one["name"] == "engagement"}
    assert (2, "live") in versions
    assert 1 in {version for version, _ in versions}
    points = project.ok("explain", ANA, "--json").json["scores"]
    lines = [line for score in points for line in score["lines"] if line["rule"] == "enquiry"]
    assert [(line["points"], line["version"]) for line in lines] == [(40, 2)]
