"""What marketing does with the whole language (ACCEPTANCE C10, D04, D09 to D13, F04, T06, T10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN, EVA = "ana@example.com", "ben@example.com", "eva@example.com"


def people(*rows: str, header: str = "email,created_at,consent,country") -> dict[str, Any]:
    """Contacts created a month ago."""
    return {
        "header": header,
        "rows": tuple(row.replace(",", ",2025-12-01T00:00:00Z,", 1) for row in rows),
    }


def test_c10_lists_by_receptiveness_interest_action_and_demographics(project: Project) -> None:
    project.scenario("""
    score: engagement
    rules: [{name: course, points: 20, on: {page_visited: "/courses/*"}}]
    ---
    list: receptive
    members:
      - email_opened: {times: 2, within: 30 days}
      - not: {email_not_clicked: {template: any, within: 3 days}}
    ---
    list: interested
    members: [{score: {at_least: 40}}]
    ---
    list: bought
    members: [{event: {name: order_completed, sum: {total: {at_least: 100}}}}]
    ---
    list: spanish-companies
    members: [{attribute: {country: ES}}, {company: {employees: {at_least: 50}}}]
    """).mail("hello").apply()
    project.people(**people(f"{ANA},yes,ES", f"{BEN},yes,ES"))
    group = project.track(ANA, "", "2")
    group |= {"type": "group", "groupId": "acme", "traits": {"employees": "60"}}
    said = {"template": "hello", "topic": "news"}
    project.happened(
        group,
        project.track(ANA, "email_sent", "2", message_id="1", **said),
        project.track(ANA, "email_opened", "2 01:00", message_id="1", **said),
        project.track(ANA, "email_opened", "3 01:00", message_id="1", **said),
        project.track(ANA, "email_clicked", "3 02:00", message_id="1", **said),
        project.page(ANA, "/courses/yaml", "3"),
        project.page(ANA, "/courses/sql", "4"),
        project.track(ANA, "order_completed", "4", total=60),
        project.track(ANA, "order_completed", "5", total=40),
        project.track(BEN, "email_sent", "2", message_id="2", **said),
        project.page(BEN, "/courses/yaml", "3"),
        project.track(BEN, "order_completed", "4", total=99.99),
    )
    project.tick("1", "7", every="6h")
    assert set(project.lists(ANA)) == {"receptive", "interested", "bought", "spanish-companies"}
    assert project.lists(BEN) == []


def test_d04_sudden_signal_goes_straight_to_a_senior(project: Project) -> None:
    """Slow reading wins points over weeks; thirty in two days skip the junior conversation."""
    project.scenario("""
    score: engagement
    rules:
      - {name: article, points: 3, on: {page_visited: "/articles/*"}}
      - {name: pricing, points: 15, on: {page_visited: "/pricing*"}}
    ---
    scenario: sudden
    trigger: {score: {gains: 30, within: 2 days}}
    actions:
      - assign_owner: senior@acme.example
      - notify: {to: owner, template: hot-lead}
    ---
    scenario: slow
    trigger: {score: {reaches: 30}}
    actions:
      - if: {attribute: {owner: {exists: false}}}
        then: [{assign_owner: junior@acme.example}]
    """).mail("hot-lead", topic="transactional").apply().people(ANA, BEN)
    reading = [project.page(who, f"/articles/{day}", f"{day}") for who in (ANA, BEN)
               for day in range(2, 10)]  # fmt: skip
    project.happened(
        *reading,
        *(project.page(BEN, f"/articles/{day}", f"{day}") for day in range(12, 20)),
        project.page(ANA, "/pricing", "10 09:00"),
        project.page(ANA, "/pricing/teams", "10 09:05"),
    )
    project.tick("1", "21", every="6h")
    owners = {row["email"]: row["attributes"]["owner"] for row in project.export()["contacts"]}
    assert owners == {ANA: "senior@acme.example", BEN: "junior@acme.example"}
    [note] = project.export()["messages"]
    assert (note["contact"], note["kind"], note["status"]) == (ANA, "notify", "sent")
    eml = next(iter((project.root / "outbox").glob("*.eml"))).read_text("utf-8")
    assert "To: senior@acme.example" in eml
    assert "List-Unsubscribe" not in eml


AFTER_SALE = """
score: interest-photo
rules: [{name: photo, points: 10, on: {page_visited: "/photo/*"}}]
---
list: customers
---
scenario: first-order
trigger: {event: order_completed}
actions: [{add_to_list: customers}, {send_email: thank-you}]
---
scenario: new-area
description: A customer looks at what it has not bought yet.
trigger: {score: {interest-photo: {reaches: 20}}}
conditions:
  - in_list: customers
  - not: {event: {name: order_completed, where: {products.area: photo}}}
actions: [{send_email: photo-offer}]
---
scenario: loyal
trigger: {event: {name: order_completed, times: 3}}
reenroll: every_time
actions: [{send_email: reward}]
"""


def test_d09_a_customers_new_interest_is_answered_at_once(project: Project) -> None:
    project.scenario(AFTER_SALE).mail("thank-you", "photo-offer", "reward").apply()
    project.people(ANA, BEN)
    bought = {"products": [{"area": "sheets"}]}
    project.happened(
        project.track(ANA, "order_completed", "2", **bought),
        project.page(ANA, "/photo/one", "9"),
        project.page(ANA, "/photo/two", "9 10:00"),
        project.page(BEN, "/photo/one", "9"),
        project.page(BEN, "/photo/two", "9 10:00"),
    )
    project.tick("1", "9 10:00")
    assert project.sent(ANA) == ["thank-you", "photo-offer"]
    assert project.sent(BEN) == []


def test_d10_the_same_engine_serves_loyalty_and_cross_selling(project: Project) -> None:
    project.scenario(AFTER_SALE).mail("thank-you", "photo-offer", "reward").apply().people(ANA)
    project.happened(*(project.track(ANA, "order_completed", f"{day}") for day in range(2, 9)))
    project.tick("1", "10", every="6h")
    assert project.sent(ANA) == ["thank-you", "reward", "reward"]


def test_d11_many_triggers_conditions_and_ways(project: Project) -> None:
    project.scenario("""
    list: enterprise
    ---
    list: small
    ---
    list: other
    ---
    scenario: route
    trigger:
      - event: demo_requested
      - page_visited: {path: /pricing, times: 3, within: 7 days}
    conditions:
      - any: [{consent: email}, {attribute: {phone: {exists: true}}}]
    actions:
      - if: {company: {employees: {at_least: 500}}}
        then: [{add_to_list: enterprise}, {assign_owner: {round_robin: [a@x.example, b@x.example]}}]
        else:
          - if: {attribute: {employees: {below: 500}}}
            then: [{add_to_list: small}]
            else: [{add_to_list: other}]
    """).apply()
    header = "email,created_at,consent,employees,phone"
    rows = (f"{ANA},yes,,", f"{BEN},yes,20,", f"{EVA},no,,+34 600", "no@example.com,no,,")
    project.people(**people(*rows, header=header))
    group = project.track(ANA, "", "2")
    group |= {"type": "group", "groupId": "big", "traits": {"employees": 900}}
    project.happened(
        group,
        *(project.track(who, "demo_requested", "3") for who in (ANA, BEN, "no@example.com")),
        *(project.page(EVA, "/pricing", f"{day}") for day in (3, 4, 5)),
    )
    project.tick("1", "6", every="6h")
    found = {who: project.lists(who) for who in (ANA, BEN, EVA, "no@example.com")}
    assert found == {ANA: ["enterprise"], BEN: ["small"], EVA: ["other"], "no@example.com": []}


def test_d12_promising_leads_are_nurtured_before_they_ask(project: Project) -> None:
    project.scenario("""
    list: promising
    members:
      - page_visited: {path: "/guides/*", times: 2, within: 14 days}
      - not: {event: enquiry_sent}
    ---
    scenario: ahead
    trigger: {list_joined: promising}
    goal: {event: enquiry_sent, up_to: 30 days}
    exit_when: {event: {name: call_booked, since: entered}}
    actions: [{send_email: guide}, {wait: 4 days}, {send_email: case-study}]
    """).mail("guide", "case-study").apply().people(ANA, BEN)
    for who in (ANA, BEN):
        project.happened(*(project.page(who, f"/guides/{day}", f"{day}") for day in (2, 3)))
    project.happened(project.track(BEN, "enquiry_sent", "5"))
    project.tick("1", "12", every="6h")
    assert project.sent(ANA) == ["guide", "case-study"]
    assert project.sent(BEN) == ["guide"]
    ends = {row["contact"]: row["outcome"] for row in project.export()["enrollments"]}
    assert ends == {ANA: "finished", BEN: "converted"}


def test_d13_content_is_chosen_by_segment(project: Project) -> None:
    project.scenario("""
    list: customers
    members: [{event: order_completed}]
    ---
    scenario: monthly
    trigger: {schedule: {cron: "0 9 10 * *", timezone: UTC}}
    reenroll: every_time
    actions:
      - if: {in_list: customers}
        then: [{send_email: tips}]
        else:
          - if: {attribute: {role: teacher}}
            then: [{send_email: for-teachers}]
            else: [{send_email: first-offer}]
    """).mail("tips", "for-teachers", "first-offer").apply()
    header = "email,created_at,consent,role"
    project.people(**people(f"{ANA},yes,", f"{BEN},yes,Teacher", f"{EVA},yes,", header=header))
    project.happened(project.track(ANA, "order_completed", "3"))
    project.tick("1", "11", every="1h")
    assert [project.sent(who) for who in (ANA, BEN, EVA)] == [
        ["tips"], ["for-teachers"], ["first-offer"],
    ]  # fmt: skip


def test_f04_how_often_a_person_is_contacted_is_limited(project: Project) -> None:
    project.write("scenarios/policy.yaml", """
    policy: default
    sender: {name: Acme, address: hello@acme.example}
    topics: [news]
    frequency_cap: [{emails: 1, per: 1 day}, {emails: 3, per: 7 days}]
    when_capped: drop
    """)  # fmt: skip
    project.scenario("""
    scenario: each-visit
    trigger: {event: visit}
    reenroll: every_time
    actions: [{send_email: hello}]
    """).mail("hello").apply().people(ANA)
    project.happened(*(project.track(ANA, "visit", f"{day}") for day in range(2, 11)))
    project.happened(project.track(ANA, "visit", "2 06:00"))
    project.tick("1", "11", every="6h")
    told = [(row["queued_at"][8:13], row["status"], row["reason"])
            for row in project.export()["messages"]]  # fmt: skip
    assert [day for day, status, _ in told if status == "sent"] == [
        "02T00", "03T00", "04T00", "09T00", "10T00",
    ]  # fmt: skip
    assert {reason for _, status, reason in told if status == "withheld"} == {"capped"}


def test_t06_goal_and_exit_do_not_wait_for_a_long_delay(project: Project) -> None:
    project.scenario("""
    scenario: slow
    trigger: {event: trial_started}
    goal: {event: paid}
    exit_when: {event: {name: trial_cancelled, since: entered}}
    actions: [{wait: 30 days}, {send_email: hello}]
    """).mail("hello").apply().people(ANA, BEN)
    for who, after in ((ANA, "paid"), (BEN, "trial_cancelled")):
        project.happened(project.track(who, "trial_started", "2"), project.track(who, after, "4"))
    project.tick("1", "5", every="6h")
    ends = [(r["contact"], r["outcome"], r["ended_at"]) for r in project.export()["enrollments"]]
    assert sorted(ends) == [
        (ANA, "converted", "2026-01-04T00:00:00Z"),
        (BEN, "exited", "2026-01-04T00:00:00Z"),
    ]


def test_t10_machine_opens_and_clicks_are_kept_apart(project: Project) -> None:
    project.scenario("""
    score: engagement
    rules:
      - {name: opened, points: 1, on: {email_opened: any}}
      - {name: any-open, points: 10, on: {email_opened: {template: any, machine: true}}}
    ---
    list: humans
    members: [{email_clicked: hello}]
    ---
    list: all-clicks
    members: [{email_clicked: {template: hello, machine: true}}]
    """).mail("hello").apply().people(ANA, BEN)
    said = {"template": "hello", "topic": "news"}
    for who, machine in ((ANA, True), (BEN, False)):
        project.happened(
            project.track(who, "email_opened", "2", machine=machine, **said),
            project.track(who, "email_clicked", "2 01:00", machine=machine, **said),
        )
    project.tick("1", "3", every="6h")
    assert (project.balance(ANA), project.balance(BEN)) == (10, 11)
    assert project.lists(ANA) == ["all-clicks"]
    assert sorted(project.lists(BEN)) == ["all-clicks", "humans"]
