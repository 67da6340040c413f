"""ACCEPTANCE A09, A19, E16 and T09 by the web door: what clients post becomes points, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from acceptance.test_scores import BEHAVIOUR
from cli.conftest import Run, run
from flowscore.clock import HOUR, MINUTE, clock_now, rfc3339
from web.conftest import House, Serve
from web.intake_door import ANA, SHOP, Intake, basic, open_intake, packed

__all__ = ["run"]  # a fixture

MAIL = "---\nsubject: Hello\ntopic: {topic}\n---\n<p>Hello.</p>\n"
MAILS = {
    "scenarios/policy.yaml": "policy: house\ntopics: [news]\nsender: {address: a@a.example}\n",
    "templates/email/weekly.html": MAIL.format(topic="news"),
    "templates/email/receipt.html": MAIL.format(topic="transactional"),
}


def points(house: House) -> list[tuple[str, str, int]]:
    """Who won by which rule, in whole points."""
    rows = house.rows(
        "SELECT c.email, l.rule, l.points FROM ledger l JOIN contacts c ON c.id = l.contact_id"
        " WHERE c.email IS NOT NULL ORDER BY l.id"
    )
    return [(row["email"], row["rule"], row["points"] // 10**8) for row in rows]


@pytest.fixture
def tick(run: Run) -> Any:
    def ahead(house: House, minutes: int) -> None:
        until = rfc3339(clock_now() + minutes * MINUTE)
        said = run("--project", house.workspace.root, "tick", "--until", until)
        assert said.code == 0, said.err

    return ahead


def test_a09_every_kind_of_behaviour_is_posted_and_scores(serve: Serve) -> None:
    rules = [
        f"  - {{name: rule-{n}, points: 1, on: {on}}}"
        for n, (on, _, _) in enumerate(BEHAVIOUR.values())
    ]
    score = "score: engagement\nrules:\n" + "\n".join(rules)
    door = open_intake(serve({"scenarios/score.yaml": score, **MAILS}))
    calls: list[dict[str, Any]] = []
    for n, (_, event, properties) in enumerate(BEHAVIOUR.values()):
        kind = {"type": "page"} if event == "page" else {"type": "track", "event": event}
        calls.append({**kind, "userId": f"c{n}@example.com", "properties": properties})
    assert door.batch(*calls).status_code == 200
    assert door.rejects() == []
    door.house.tick()
    won = {(email, rule) for email, rule, _ in points(door.house)}
    missing = [
        kind for n, kind in enumerate(BEHAVIOUR) if (f"c{n}@example.com", f"rule-{n}") not in won
    ]
    assert missing == []


CHANNELS = """
score: engagement
rules:
  - {name: page, points: 1, on: {page_visited: "/blog/*"}}
  - {name: app, points: 2, on: {event: screen_viewed}}
  - {name: mail, points: 4, on: {email_clicked: any}}
  - {name: shop, points: 8, on: {event: order_completed}}
  - {name: call-centre, points: 16, on: {event: call_answered}}
  - {name: crm, points: 32, on: {event: sales_feedback}}
"""


def browse(page: Intake) -> list[httpx.Response]:
    """A visitor reads, then says who she is."""
    headers = {"Origin": SHOP, "Content-Type": "text/plain"}
    visitor = {"anonymousId": "visitor-1", "writeKey": page.key}
    read = {**visitor, "properties": {"path": "/blog/one"}}
    named = {**visitor, "userId": ANA}
    return [
        page.post("/v1/p", read, headers=headers),
        page.post("/v1/i", named, headers=headers),
    ]


def report(door: dict[str, Intake]) -> list[httpx.Response]:
    """An app, a mail provider, a shop, a call centre and a CRM, each in its way."""
    with_key = {"X-Write-Key": door["app"].key}
    order = {"type": "track", "event": "Order Completed", "userId": ANA}
    gzipped = {**basic(door["shop"].key), "Content-Encoding": "gzip"}
    weekly = {"template": "weekly"}
    return [
        door["app"].post("/api/s/screen", {"userId": ANA, "name": "Home"}, headers=with_key),
        door["mail"].track("Email Link Clicked", userId=ANA, properties=weekly),
        door["shop"].post("/v1/batch", content=packed({"batch": [order]}), headers=gzipped),
        door["call-centre"].track("Call Answered", userId=ANA),
        door["crm"].track("Sales Feedback", userId=ANA, properties={"verdict": "qualified"}),
    ]


def test_a19_every_channel_posts_to_one_score(serve: Serve) -> None:
    house = serve({"scenarios/score.yaml": CHANNELS, **MAILS})
    others = ("app", "mail", "shop", "call-centre", "crm")
    door = {name: open_intake(house, name) for name in others}
    page = open_intake(house, "page", [SHOP])
    answers = [*browse(page), *report(door)]
    assert [answer.status_code for answer in answers] == [200] * 7
    house.tick()
    assert sorted(won for _, _, won in points(house)) == [1, 2, 4, 8, 16, 32]
    [balance] = house.rows("SELECT raw FROM balances WHERE score = 'engagement'")
    assert balance["raw"] == 63 * 10**8
    sources = house.rows("SELECT DISTINCT source FROM events WHERE source IS NOT NULL ORDER BY 1")
    assert [row["source"] for row in sources] == [
        "app", "call-centre", "crm", "mail", "page", "shop",
    ]  # fmt: skip


TO_CRM = """
score: engagement
rules: [{name: demo, points: 50, on: {event: demo_requested}}]
---
lifecycle: buyer
stages:
  - lead
  - {stage: sql, when: {score: {at_least: 50}}}
  - {stage: customer, when: {event: {name: sales_feedback, where: {verdict: won}}}}
---
scenario: to-crm
trigger: {stage: {enters: sql}}
actions:
  - webhook: {url: "https://crm.example/leads", body: {id: "{{ contact.crm_id }}"}}
"""


def test_e16_a_crm_brings_people_takes_leads_and_posts_its_verdict(
    serve: Serve, run: Run, tick: Any, tmp_path: Path
) -> None:
    """Import, hand-over and export beside one another; the two ways in name the same person."""
    house = serve({"scenarios/crm.yaml": TO_CRM})
    root = house.workspace.root
    file = tmp_path / "people.csv"
    file.write_text(f"email,crm_id,created_at\n{ANA},77,2026-01-02\n")
    assert run("--project", root, "import", "contacts", file).code == 0
    site, crm = open_intake(house, "site"), open_intake(house, "crm")
    site.post("/v1/t", {"event": "Demo Requested", "userId": ANA.upper()})
    tick(house, 2)
    house.deliver(clock_now() + 3 * MINUTE)
    [sent] = (root / "outbox").glob("*.json")
    assert json.loads(sent.read_text("utf-8"))["body"] == {"id": "77"}
    for _ in range(3):  # a CRM that sends its verdict again and again
        crm.track("Sales Feedback", userId=ANA, messageId="deal-17", properties={"verdict": "won"})
    tick(house, 4)
    assert run("--project", root, "export", tmp_path / "out").code == 0
    [contact] = read(tmp_path / "out/contacts.jsonl")
    assert (contact["attributes"]["crm_id"], contact["stage"]) == ("77", "customer")
    verdicts = [e for e in read(tmp_path / "out/events.jsonl") if e["name"] == "sales_feedback"]
    assert [one["source"] for one in verdicts] == ["crm"]


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


ONCE = "score: engagement\nrules: [{name: order, points: 5, on: {event: order_completed}}]\n"


def test_t09_46_times_and_late_is_once_at_its_own_time(serve: Serve, store_url: str) -> None:
    """By several paths, alone and in batches, before a tick and after it."""
    door = open_intake(serve({"scenarios/score.yaml": ONCE}, url=store_url))
    happened = clock_now() - 50 * HOUR
    late = order(happened)
    send(door, late, 23)
    door.house.tick()
    send(door, late, 23)
    door.house.tick(clock_now() + 10 * MINUTE)
    [event] = door.house.rows("SELECT own_at FROM events WHERE name = 'order_completed'")
    assert event["own_at"] == happened
    assert points(door.house) == [(ANA, "order", 5)]


def order(at: int) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "userId": ANA, "messageId": "once",
            "timestamp": rfc3339(at)}  # fmt: skip


def send(door: Intake, one: dict[str, Any], times: int) -> None:
    for n in range(times):
        ways = (("/v1/t", one), ("/v1/batch", {"batch": [one, one]}), ("/api/s/track", one))
        path, body = ways[n % 3]
        assert door.post(path, body).status_code == 200


def test_f02_a_person_is_told_through_which_door_each_datum_came(serve: Serve, run: Run) -> None:
    house = serve(MAILS)
    page, server = open_intake(house, "page", [SHOP]), open_intake(house, "shop")
    asked = {"type": "track", "event": "Demo Requested", "userId": ANA}
    assert page.batch(asked).status_code == 200
    agreed = {"type": "track", "event": "Subscribed", "userId": ANA}
    assert server.batch({**agreed, "properties": {"topic": "news"}}).status_code == 200
    house.tick()
    told = run("--project", house.workspace.root, "export", "--contact", ANA)
    assert told.code == 0, told.err
    came = {line.split(":")[0].strip(): line for line in told.out.splitlines()}
    assert came["demo_requested"].endswith("through page")
    assert came["subscribed"].endswith("through shop")
    assert "news: granted" in told.out
