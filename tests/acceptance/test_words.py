"""Every row of the language's tables, through the real commands: what holds, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flowscore.language.grammar.actions import ACTIONS
from flowscore.language.grammar.conditions import CONDITIONS
from flowscore.language.grammar.triggers import TRIGGERS

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN = "ana@example.com", "ben@example.com"
TOMORROW = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT00:00:00Z")
SCORED = """
score: engagement
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
---
score: fit
rules: [{name: form, points: 7, on: {event: form}}]
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 2: 10, 1: below}
---
lifecycle: buyer
stages: [lead, {stage: mql, when: {event: vip_card}}, {stage: sql, when: {event: demo_asked}}]
---
list: vip
---
scenario: vips
trigger: {event: vip_card}
actions: [{add_to_list: vip}]
"""


def flow(word: str, trigger: str, more: str = "") -> str:
    """A scenario that puts whom it enrolls on the list of its word."""
    name = word.replace("_", "-")
    return f"""
---
list: l-{name}
---
scenario: s-{name}
trigger: {trigger}
reenroll: every_time
{more}
actions: [{{add_to_list: l-{name}}}]
"""


def on_lists(project: Project, email: str) -> set[str]:
    """The words on whose lists the contact is."""
    return {
        name.removeprefix("l-").replace("-", "_")
        for name in project.lists(email)
        if name.startswith("l-")
    }


def mail(project: Project, event: str, at: str, **properties: Any) -> dict[str, Any]:
    """An imported mail event of Ana's."""
    return project.track(ANA, event, at, **{"template": "hello", "topic": "news", **properties})


# ---------------------------------------------------------------- conditions

ASKED = {
    "all": "all: [{attribute: {country: ES}}, {in_list: vip}]",
    "any": "any: [{attribute: {country: FR}}, {in_list: vip}]",
    "not": "not: {attribute: {country: FR}}",
    "score": "score: {engagement: {at_least: 10}}",
    "grade": "grade: [A2, D2]",
    "stage": "stage: {at_least: mql}",
    "attribute": "attribute: {country: ES, age: {at_least: 18}, job: {matches: 'head of|chief'}}",
    "company": "company: {industry: software, employees: {at_least: 50}}",
    "in_list": "in_list: vip",
    "event": "event: {name: order_completed, where: {products.sku: B}, sum: {total: {above: 90}}}",
    "this_event": "this_event: {rating: {at_least: 9}}",
    "page_visited": 'page_visited: {path: "/blog/*", times: 2, within: 30 days}',
    "email_sent": "email_sent: hello",
    "email_opened": "email_opened: {template: any, topic: news}",
    "email_clicked": 'email_clicked: {link: "https://acme.example/offer*"}',
    "email_replied": "email_replied: any",
    "email_bounced": "email_bounced: hello",
    "email_not_opened": "email_not_opened: {template: cold, within: 3 days}",
    "email_not_clicked": "email_not_clicked: {template: cold, within: 3 days}",
    "consent": "consent: offers",
    "random": "random: 100%",
}
ONLY_QUIET = {"inactive"}  # nobody who does something now: asked by a list
HOLDS_FOR_BEN = {"not", "random"}


def test_every_condition_holds_for_whom_it_should(project: Project) -> None:
    assert set(ASKED) | ONLY_QUIET == set(CONDITIONS.keys)
    flows = [flow(word, "{event: ask}", f"conditions: [{{{one}}}]") for word, one in ASKED.items()]
    project.scenario(SCORED + "".join(flows) + "---\nlist: quiet\nmembers: [{inactive: 5 days}]\n")
    project.mail("hello", "cold").apply()
    project.people(
        header="email,created_at,consent",
        rows=(f"{ANA},2025-12-01T00:00:00Z,news;offers", f"{BEN},2025-12-01T00:00:00Z,no"),
    )
    group = project.track(ANA, "", "2")
    group |= {"type": "group", "groupId": "acme"}
    group["traits"] = {"industry": "Software", "employees": 60}
    project.happened(
        group,
        project.identify(ANA, "2", country="ES", age="21", job="Head of Sales"),
        project.identify(BEN, "2", country="PT"),
        project.track(ANA, "vip_card", "2"),
        project.track(ANA, "cart_updated", "2"),
        project.track(ANA, "order_completed", "3", total=60, products=[{"sku": "A"}, {"sku": "B"}]),
        project.track(ANA, "order_completed", "4", total="31", products=[{"sku": "b"}]),
        project.page(ANA, "/blog/one", "3"),
        project.page(ANA, "/blog/two?utm=x", "4"),
        mail(project, "email_sent", "3", message_id="1"),
        mail(project, "email_opened", "3 01:00", message_id="1"),
        mail(project, "email_clicked", "3 02:00", link="https://acme.example/offer/1?x=y"),
        mail(project, "email_replied", "3 03:00"),
        mail(project, "email_bounced", "3 04:00", type="soft"),
        mail(project, "email_sent", "5", template="cold", message_id="2"),
        project.track(ANA, "ask", "10 10:00", rating=9),
        project.track(BEN, "ask", "10 10:00", rating=8),
    )
    project.tick("1", "12", every="1d").tick("12", "17", every="1d")
    assert on_lists(project, ANA) == set(ASKED)
    assert on_lists(project, BEN) == HOLDS_FOR_BEN
    assert {ANA, BEN} == {row["contact"] for row in project.export()["members"]
                          if row["list"] == "quiet" and row["left_at"] is None}  # fmt: skip


# ---------------------------------------------------------------- triggers

OCCURS = {
    "score": "[{score: {engagement: {reaches: 10}}}, {score: {fit: {gains: 9, within: 1 day}}}]",
    "grade": "{grade: {enters: [D2, C2]}}",
    "stage": "{stage: {enters: mql}}",
    "event": "{event: {name: search, times: 2, within: 3 days, same: [term]}}",
    "page_visited": "{page_visited: {path: /pricing, times: 2}}",
    "email_sent": "{email_sent: hello}",
    "email_opened": "{email_opened: hello}",
    "email_clicked": "{email_clicked: {topic: news}}",
    "email_replied": "{email_replied: hello}",
    "email_bounced": "{email_bounced: any}",
    "no_event": "{no_event: {name: [paid, cart_updated], after: {event: cart_updated}, "
    "within: 2 hours, same: [cart]}}",
    "email_not_opened": "{email_not_opened: {template: cold, within: 2 days}}",
    "email_not_clicked": "{email_not_clicked: {template: cold, within: 2 days}}",
    "inactive": "{inactive: 5 days}",
    "contact_created": "contact_created",
    "attribute": "{attribute: {plan: {from: free, to: pro}}}",
    "list_joined": "{list_joined: vip}",
    "list_left": "{list_left: vip}",
    "subscribed": "{subscribed: offers}",
    "unsubscribed": "{unsubscribed: news}",
    "date": "{date: {attribute: renewal_on, offset: -14 days, at: 09:00, timezone: contact}}",
    "schedule": '{schedule: {cron: "0 9 * * MON", timezone: Europe/Madrid}}',
    "manual": "manual",
}


def test_every_trigger_occurs(project: Project) -> None:
    assert set(OCCURS) == set(TRIGGERS.keys)
    leaves = """
---
scenario: leaves
trigger: {event: card_lost}
actions: [{remove_from_list: vip}]
"""
    flows = [flow(word, trigger) for word, trigger in OCCURS.items()]
    project.scenario(SCORED + leaves + "".join(flows)).mail("hello", "cold").apply()
    project.people(BEN)
    project.happened(
        project.identify(ANA, "1 01:00", plan="free", renewal_on="2026-01-19"),
        project.identify(ANA, "1 02:00", plan="pro"),
        project.track(ANA, "vip_card", "2"),
        project.track(ANA, "card_lost", "2 05:00"),
        project.track(ANA, "cart_updated", "2", cart="a"),
        project.track(ANA, "search", "2", term="ads"),
        project.track(ANA, "search", "2 01:00", term="Ads"),
        project.page(ANA, "/pricing", "2"),
        project.page(ANA, "/pricing/", "2 01:00"),
        mail(project, "email_sent", "2", message_id="1"),
        mail(project, "email_opened", "2 01:00"),
        mail(project, "email_clicked", "2 02:00"),
        mail(project, "email_replied", "2 03:00"),
        mail(project, "email_bounced", "2 03:00", type="soft"),
        mail(project, "email_sent", "2", template="cold", message_id="2"),
        project.track(ANA, "Subscribed", "2", topic="offers"),
        project.track(ANA, "Unsubscribed", "2 01:00", topic="all"),
    )
    project.tick("1", "4")
    project.ok("scenarios", "enroll", "s-manual", ANA)
    project.tick("4", "9").tick("9", TOMORROW, every="1d")
    assert on_lists(project, ANA) == set(OCCURS)
    assert on_lists(project, BEN) == {"schedule"}


# ---------------------------------------------------------------- actions

DOES = """
score: engagement
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
---
score: fit
rules: [{name: form, points: 7, on: {event: form}}]
---
lifecycle: buyer
stages: [lead, mql, sql]
---
list: a
---
list: b
---
list: c
---
scenario: other
trigger: manual
actions: [{set_attribute: {other: been}}]
---
scenario: does
trigger: {event: go}
actions:
  - {id: more, add_points: {score: engagement, points: 5, reason: asked}}
  - subtract_points: {score: engagement, points: 1}
  - reset_score: fit
  - add_to_list: [a, c]
  - move_to_list: {from: [a], to: b}
  - remove_from_list: c
  - set_attribute: {plan: trial, seats: "{{ event.seats }}"}
  - set_stage: sql
  - assign_owner: rep@acme.example
  - subscribe: offers
  - unsubscribe: news
  - send_email: {template: hello, once_per: 30 days}
  - notify: {to: owner, template: note}
  - webhook: {url: "https://crm.example/leads", body: {seats: "{{ event.seats }}"}}
  - {add_points: {score: fit, points: 100}, enabled: false}
  - split: [{name: only, share: 100%, actions: [{set_attribute: {way: only}}]}]
  - if: {attribute: {plan: trial}}
    then: [{set_attribute: {branch: then}}]
    else: [{set_attribute: {branch: else}}]
  - enroll: other
  - wait: 1 day
  - wait: {until: 09:00, days: [mon], timezone: Europe/Madrid}
  - wait_for: {event: paid, up_to: 3 days}
    then: [{set_attribute: {paid: yes}}, {exit: has paid}]
  - set_attribute: {end: reached}
"""


def test_every_action_does_what_it_says(project: Project) -> None:
    named = {word for word in ACTIONS.keys if f"{word}:" in DOES}
    assert named == set(ACTIONS.keys)
    project.scenario(DOES).mail("hello", topic="offers").mail("note").apply().people(ANA)
    project.happened(
        project.track(ANA, "cart_updated", "2"),
        project.track(ANA, "form", "2"),
        project.track(ANA, "go", "2 10:00", seats=3),
        project.track(ANA, "paid", "6"),
    )
    project.tick("1", "7")
    told = project.export()
    [contact] = [row for row in told["contacts"] if row["email"] == ANA]
    assert contact["attributes"] == {
        "plan": "trial", "seats": 3, "owner": "rep@acme.example", "way": "only",
        "branch": "then", "other": "been", "paid": "yes",
    }  # fmt: skip
    assert contact["stage"] == "sql"
    assert (project.balance(ANA), project.balance(ANA, "fit")) == (14, 0)
    assert project.points(ANA, "fit") == [7, -7]
    assert project.lists(ANA) == ["b"]
    names = [row["name"] for row in told["events"] if row["contact"] == ANA]
    assert names.count("subscribed") == names.count("unsubscribed") == 1
    assert {(row["kind"], row["template"]) for row in told["messages"]} == {
        ("email", "hello"), ("notify", "note"), ("webhook", ""),
    }  # fmt: skip
    [walk] = [row for row in told["enrollments"] if row["scenario"] == "does"]
    assert (walk["outcome"], walk["ended_at"]) == ("exited", "2026-01-06T00:00:00Z")
