"""Every key of a scenario, and of the policy as far as mail is held back, through the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN = "ana@example.com", "ben@example.com"

KEYS = """
list: first
---
list: second
---
scenario: off
enabled: false
trigger: {event: go}
actions: [{send_email: hello}]
---
scenario: existing
trigger: {attribute: {plan: {to: pro}}}
enroll_existing: true
actions: [{set_attribute: {existing: taken}}]
---
scenario: later
priority: 0
trigger: {event: go}
conditions: [{consent: email}]
reenroll: {after: 2 days}
actions: [{if: {in_list: first}, then: [{add_to_list: second}]}]
---
scenario: sooner
priority: 5
trigger: {event: go}
reenroll: when_finished
goal: {event: paid, up_to: 5 days}
exit_when: {event: {name: gone, since: entered}}
actions: [{add_to_list: first}, {wait: 3 days}]
---
scenario: held
trigger: {event: go}
holdout: 100%
reenroll: every_time
actions: [{send_email: hello}]
"""


def test_every_key_of_a_scenario_does_what_it_says(project: Project) -> None:
    project.scenario(KEYS).mail("hello")
    project.people(
        header="email,created_at,consent,plan",
        rows=(f"{ANA},2025-12-01T00:00:00Z,yes,pro", f"{BEN},2025-12-01T00:00:00Z,no,free"),
    )
    project.apply()
    project.happened(
        *(project.track(who, "go", f"{day}") for who in (ANA, BEN) for day in (2, 3, 5)),
        project.track(ANA, "paid", "7"),
        project.track(BEN, "gone", "3 12:00"),
    )
    told = project.tick("1", "9", every="6h").export()
    walks = [(row["scenario"], row["contact"], row["outcome"], row["entered_at"][8:10])
             for row in told["enrollments"]]  # fmt: skip
    assert [walk for walk in walks if walk[0] == "existing"] == [
        ("existing", ANA, "finished", "01"),
    ]  # fmt: skip
    assert sorted(walk for walk in walks if walk[0] == "later") == [
        ("later", ANA, "finished", "02"), ("later", ANA, "finished", "05"),
    ]  # fmt: skip
    assert sorted(walk for walk in walks if walk[0] == "sooner") == [
        ("sooner", ANA, "converted", "02"), ("sooner", BEN, "exited", "02"),
        ("sooner", BEN, "finished", "05"),
    ]  # fmt: skip
    assert project.lists(ANA) == ["first", "second"]
    assert len([walk for walk in walks if walk[0] == "held"]) == 6
    assert [walk for walk in walks if walk[0] == "off"] == []
    assert told["messages"] == []


POLICY = """
policy: default
timezone: Europe/Madrid
sender: {name: Acme, address: hello@acme.example}
topics: [news]
suppress: {in_list: do-not-mail}
frequency_cap: {emails: 1, per: 2 days}
when_capped: {wait_up_to: 1 day}
send_window: {days: [mon, tue, wed, thu, fri, sat, sun], from: 09:00, to: 20:00}
pause_when: {bounces: 50%, of_last: 4}
"""


def test_every_key_of_the_policy_holds_mail_back(project: Project) -> None:
    """Suppressed, capped, waiting for the window, then paused until a person lifts it."""
    project.write("scenarios/policy.yaml", POLICY)
    project.scenario("""
    list: do-not-mail
    ---
    scenario: never
    trigger: {event: never}
    actions: [{add_to_list: do-not-mail}]
    ---
    scenario: mail
    trigger: {event: go}
    reenroll: every_time
    actions: [{send_email: hello}]
    """).mail("hello").apply()
    people = [f"p{n}@example.com" for n in range(4)]
    project.people(ANA, BEN, *people)
    project.happened(
        project.track(BEN, "never", "2"),
        *(project.track(who, "go", "2 03:00") for who in (ANA, BEN, *people)),
        project.track(ANA, "go", "2 12:00"),
    )
    told = project.tick("1", "4").export()["messages"]
    assert {row["sent_at"] for row in told if row["contact"] in people} == {"2026-01-02T08:00:00Z"}
    assert [(row["status"], row["reason"]) for row in told if row["contact"] == BEN] == [
        ("withheld", "suppressed")
    ]
    assert [(row["status"], row["reason"]) for row in told if row["contact"] == ANA] == [
        ("sent", None), ("withheld", "capped"),
    ]  # fmt: skip
    bounced = {"template": "hello", "type": "hard"}
    project.happened(*(project.track(who, "email_bounced", "4 10:00", **bounced) for who in people))
    project.happened(project.track(ANA, "go", "6 10:00"))
    grid = ("--from", "2026-01-04T00:00:00Z", "--until", "2026-01-07T00:00:00Z", "--every", "1h")
    assert "sending is paused" in project.run("tick", *grid, "--deliver").err
    assert "paused" in project.ok("outbox").err
    assert project.sent(ANA) == ["hello"]
    project.ok("outbox", "resume")
    project.tick("7", "8")
    assert project.sent(ANA) == ["hello", "hello"]
