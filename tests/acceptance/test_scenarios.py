"""Scenarios, their explanation, consent and the traps (ACCEPTANCE D, F01, T)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN = "ana@example.com", "ben@example.com"

CART = """
score: engagement
objective: Who is about to buy.
rules:
  - {name: cart, points: 10, on: {event: cart_updated}}
  - {name: careers, points: -10, on: {page_visited: /careers}}
bands: {hot: 30, warm: 10}
"""


def carts(project: Project, *days: int, email: str = ANA) -> list:
    """A product into the cart at ten on these days."""
    return [project.track(email, "cart_updated", f"{day} 10:00") for day in days]


def test_d01_scenario_watches_the_score_and_acts_on_the_crossing(project: Project) -> None:
    project.scenario(
        CART
        + """
---
list: hot
---
scenario: hot
trigger: {score: {engagement: {reaches: hot}}}
actions: [{add_to_list: hot}, {send_email: offer}]
"""
    )
    project.mail("offer").apply().people(ANA).happened(*carts(project, 2, 3, 4))
    assert project.tick("1", "4 09:00").lists(ANA) == []
    assert project.tick("4 10:00", "5").lists(ANA) == ["hot"]
    assert project.sent(ANA) == ["offer"]


def test_d02_messages_adapt_to_how_near_the_purchase_is(project: Project) -> None:
    project.scenario(
        CART
        + """
---
scenario: nurture
trigger: {event: newsletter_subscribed}
actions:
  - wait: 3 days
  - if: {score: {engagement: {at_least: warm}}}
    then: [{send_email: near}]
    else: [{send_email: far}]
"""
    )
    project.mail("near", "far").apply().people(ANA, BEN)
    project.happened(
        project.track(ANA, "newsletter_subscribed", "2"),
        project.track(BEN, "newsletter_subscribed", "2"),
        *carts(project, 4),
    )
    project.tick("1", "7")
    assert project.sent(ANA) == ["near"]
    assert project.sent(BEN) == ["far"]


def explained(project: Project) -> Project:
    """Ana with points and a mail, Ben with a refusal."""
    project.scenario(
        CART
        + """
---
scenario: hot
trigger: {event: cart_updated}
conditions: [{attribute: {country: ES}}]
actions: [{send_email: offer}, {wait: 5 days}, {send_email: offer}]
"""
    )
    project.mail("offer").apply()
    rows = (f"{ANA},2025-12-01,yes,ES", f"{BEN},2025-12-01,yes,FR")
    project.people(header="email,created_at,consent,country", rows=rows)
    project.happened(
        project.track(ANA, "cart_updated", "2 10:00", cart_id="c-7"),
        project.page(ANA, "/careers", "2 11:00"),
        project.track(ANA, "cart_updated", "2 12:00", cart_id="c-8"),
        *carts(project, 2, email=BEN),
    )
    return project.tick("1", "3")


def test_d07_explain_shows_what_made_the_score_and_what_it_means(project: Project) -> None:
    explained(project)
    told = project.ok("explain", ANA, "--json").json
    [score] = told["scores"]
    assert [line["points"] for line in score["lines"]] == [10, -10, 10]
    assert sum(line["points"] for line in score["lines"]) == score["balance"] == 10
    assert score["band"] == "warm"
    assert score["objective"] == "Who is about to buy."
    assert [line["where"] for line in score["lines"]] == [
        "scenarios/all.yaml:4:5",
        "scenarios/all.yaml:5:5",
        "scenarios/all.yaml:4:5",
    ]
    assert score["lines"][0]["event"]["properties"]["cart_id"] == "c-7"


def test_d07_explain_shows_where_the_contact_stands(project: Project) -> None:
    explained(project)
    told = project.ok("explain", ANA, "--json").json
    [walk] = told["scenarios"]
    assert walk["state"] == "inside"
    assert walk["next_step"] == "actions/2"
    assert walk["due_at"] == "2026-01-07T10:00:00Z"
    assert [(m["template"], m["status"]) for m in told["mails"]] == [("offer", "sent")]


def test_d07_explain_shows_why_not_with_the_value_seen(project: Project) -> None:
    explained(project)
    [refusal] = project.ok("explain", BEN, "--json").json["refused"]
    assert refusal["scenario"] == "hot"
    assert refusal["reason"] == "conditions"
    assert "country" in refusal["condition"]
    assert refusal["seen"].casefold() == "country = fr"
    assert refusal["where"].startswith("scenarios/all.yaml:11:")


def test_d07_explain_reads_as_text(project: Project) -> None:
    explained(project)
    out = project.ok("explain", ANA).out
    assert "engagement: 10 points ('warm', 20 more to 'hot')" in out
    assert re.search(r"2026-01-02 10:00 +\+10 +cart +cart_updated \(cart_id: c-7\)", out)
    assert "scenarios/all.yaml:4:5" in out
    refused = project.ok("explain", BEN).out
    assert "Did not enroll:" in refused
    assert "country = fr" in refused.casefold()


# --- consent ----------------------------------------------------------------------------------

NEWS = """
scenario: news
trigger: {event: article_published}
reenroll: every_time
actions: [{send_email: weekly}, {add_to_list: reached}]
---
list: reached
"""


def test_f01_no_marketing_mail_without_recorded_consent(project: Project) -> None:
    project.scenario(NEWS).mail("weekly").apply()
    rows = (f"{ANA},2025-12-01,news", f"{BEN},2025-12-01,")
    project.people(header="email,created_at,consent", rows=rows)
    project.happened(*(project.track(who, "article_published", "2") for who in (ANA, BEN)))
    project.tick("1", "3")
    assert project.mails(ANA) == [("weekly", "sent", None)]
    assert project.mails(BEN) == [("weekly", "withheld", "no_consent")]
    [consent] = project.ok("explain", ANA, "--json").json["consent"]
    assert (consent["topic"], consent["granted"]) == ("news", True)
    assert consent["at"] == "2025-12-01T00:00:00Z"
    assert consent["source"]


def test_t11_opted_out_goes_on_without_mail_and_the_log_says_why(project: Project) -> None:
    project.scenario(NEWS).mail("weekly").apply().people(ANA)
    project.happened(
        project.track(ANA, "Unsubscribed", "2"),
        project.track(ANA, "article_published", "3"),
    )
    project.tick("1", "4")
    assert project.mails(ANA) == [("weekly", "withheld", "no_consent")]
    assert project.lists(ANA) == ["reached"]
    assert "no_consent" in project.ok("outbox", "--status", "withheld").out


def test_t18_consent_is_asked_again_at_the_moment_of_sending(project: Project) -> None:
    project.scenario(NEWS).mail("weekly").apply().people(ANA)
    project.happened(project.track(ANA, "article_published", "2"))
    project.tick("1", "2", deliver=False)
    assert project.mails(ANA) == [("weekly", "queued", None)]
    project.happened(project.track(ANA, "Unsubscribed", "2 00:30"))
    project.tick("2 01:00", "2 01:00", deliver=False)
    project.ok("deliver", "--now", "2026-01-02T01:00:00Z")
    assert project.mails(ANA) == [("weekly", "withheld", "no_consent")]


# --- traps ------------------------------------------------------------------------------------


def test_t01_threshold_fires_on_the_crossing_alone(project: Project) -> None:
    project.scenario(
        """
        score: engagement
        rules:
          - {name: up, points: 150, on: {event: up}}
          - {name: one, points: 1, on: {event: one}}
          - {name: down, points: -60, on: {event: down}}
        ---
        scenario: over-150
        trigger: {score: {engagement: {reaches: 150}}}
        reenroll: every_time
        actions: [{send_email: offer}]
        """
    )
    project.mail("offer").apply().people(ANA)
    events = ("up", "one", "one", "one", "down", "one", "up")
    project.happened(*(project.track(ANA, name, f"{n + 2}") for n, name in enumerate(events)))
    project.tick("1", "6")
    assert project.sent(ANA) == ["offer"]  # 150, then 151, 152, 153: once
    project.tick("6", "10")
    assert project.sent(ANA) == ["offer", "offer"]  # below, then 244


def test_t03_fresh_import_without_behaviour_is_not_inactive(project: Project) -> None:
    project.scenario(
        """
        scenario: miss-you
        trigger: {inactive: 10 days}
        reenroll: every_time
        actions: [{send_email: miss-you}]
        """
    )
    project.mail("miss-you").apply().people(ANA)  # created in December
    project.tick("1", "2")
    assert project.sent(ANA) == []


def test_t07_abbreviated_wait_refuses_the_file(project: Project) -> None:
    project.scenario(
        """
        scenario: hasty
        trigger: {event: cart_updated}
        actions:
          - wait: 4 hrs
        """
    )
    result = project.run("apply")
    assert result.code == 1
    assert "scenarios/all.yaml:4:11: " in result.err
    assert "found '4 hrs'" in result.err
    assert "did you mean '4 hours'?" in result.err
    assert "nothing was applied" in result.out


def test_t08_same_value_again_is_no_change(project: Project) -> None:
    project.scenario(
        """
        scenario: moved-to-spain
        trigger: {attribute: {country: {to: ES}}}
        reenroll: every_time
        actions: [{send_email: hola}]
        """
    )
    project.mail("hola").apply().people(ANA)
    project.happened(
        *(
            project.identify(ANA, day, country=land)
            for day, land in (
                ("2", "FR"),
                ("3", "ES"),
                ("4", "ES"),
                ("5", "es"),
                ("6", "PT"),
                ("7", "ES"),
            )
        )
    )
    project.tick("1", "9")
    assert project.sent(ANA) == ["hola", "hola"]


def test_t09_one_message_id_counts_once_and_late_events_stand_at_their_time(
    project: Project,
) -> None:
    project.scenario(CART).apply().people(ANA)
    [cart] = carts(project, 2)
    project.happened(cart, cart, {**cart, "properties": {"other": 1}}).tick("1", "3")
    project.happened(cart)  # again, days later
    [late] = carts(project, 1)
    project.happened({**late, "receivedAt": "2026-01-04T00:00:00Z"})
    project.tick("3", "5")
    rows = project.export()["points"]
    assert [row["at"] for row in rows] == ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"]


def test_t12_the_order_inside_a_tick_is_fixed(project: Project) -> None:
    project.scenario(
        CART
        + """
---
scenario: a-later
trigger: {score: {engagement: {reaches: 20}}}
actions: [{set_attribute: {seen: twenty}}]
---
scenario: b-first
trigger: {score: {engagement: {reaches: 10}}}
actions: [{set_attribute: {seen: ten}}]
---
scenario: c-before-all
priority: 1
trigger: {score: {engagement: {reaches: 20}}}
actions: [{set_attribute: {seen: priority}}]
"""
    )
    project.apply().people(ANA)
    project.happened(*carts(project, 2, 2)).tick("1", "3")
    [contact] = project.export()["contacts"]
    assert contact["attributes"]["seen"] == "twenty"
    changes = [e for e in project.export()["events"] if e["name"] == "attribute_changed"]
    seen = [e["properties"]["to"] for e in changes if e["properties"]["attribute"] == "seen"]
    assert sorted(seen) == ["priority", "ten", "twenty"]


FEEDS_ITSELF = """
scenario: echo
trigger: {list_joined: echoes}
reenroll: every_time
actions: [{remove_from_list: echoes}, {add_to_list: echoes}]
---
list: echoes
---
scenario: start
trigger: {event: cart_updated}
actions: [{add_to_list: echoes}, {send_email: offer}]
"""


def test_t13_scenario_that_feeds_itself_is_found_and_bounded(project: Project) -> None:
    project.scenario(FEEDS_ITSELF).mail("offer")
    warned = project.ok("validate", "--json").json
    assert any("echo" in p["message"] for p in warned["problems"] if p["severity"] == "warning")
    project.apply().people(ANA).happened(*carts(project, 2))
    said = project.ok("tick", "--from", "2026-01-01", "--until", "2026-01-03", "--every", "1h")
    assert "echo keeps firing itself" in said.err
    assert len(project.mails(ANA)) == 1  # the rest of the tick landed
    assert "loop" in {row["reason"] for row in project.export()["decisions"]}


def test_e18_a_new_colleague_reads_the_model_in_plain_words(project: Project) -> None:
    explained(project)
    told = project.ok("explain", BEN).out
    assert "asked: country is ES; seen: country = " in told
    listed = project.ok("scenarios", "--json").json
    assert [(row["scenario"], row["where"]) for row in listed] == [
        ("hot", "scenarios/all.yaml:9:1")
    ]
