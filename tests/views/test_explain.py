"""explain: every point with its event and its place in the file, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flowscore.clock import DAY, HOUR
from flowscore.errors import FlowscoreError
from flowscore.language.project import load_project
from flowscore.orders import enrollment_request
from flowscore.store import tables
from flowscore.store.inbox import receive
from flowscore.views.explain import explain
from flowscore.views.sentences import mail_words

from .conftest import NOW, Put, balance, definition, line, mail, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flowscore.store.database import Store

YAML = """
score: engagement
objective: Who is about to buy.
range: {max: 100}
rules:
  - {name: cart, points: 10, on: {event: cart_updated}}
bands: {hot: 80, warm: 20}
---
list: readers
members: [{page_visited: /blog}]
---
scenario: welcome
trigger: {event: signed_up}
actions:
  - send_email: hello
  - if: {in_list: readers}
    then: [{wait: 2 days}, {exit: done}]
    else: [{wait: 3 days}]
"""


@pytest.fixture
def told(
    store: Store, people: Put, write_project: Callable[[dict[str, str]], Path]
) -> Callable[[str], dict[str, Any]]:
    """`told(EMAIL)`, with the project of YAML live."""
    folder = write_project(
        {
            "scenarios/all.yaml": YAML,
            "templates/email/hello.html": "---\nsubject: Hi\ntopic: transactional\n---\nHi\n",
        }
    )
    project, problems = load_project(folder)
    assert not [one for one in problems if one.severity == "error"], problems
    people(
        tables.definitions,
        definition(1, "scenario", "welcome", line=10),
        definition(2, "score", "engagement", version=1, line=3, retired_at=NOW),
        definition(3, "score", "engagement", version=2),
    )

    def tell(email: str) -> dict[str, Any]:
        with store.read() as connection:
            return explain(connection, project, email)

    return tell


def test_explain_shows_each_point_with_its_event_place_and_version(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(
        tables.events,
        {
            "id": 7,
            "message_id": "m7",
            "contact_id": 1,
            "name": "cart_updated",
            "machine": False,
            "behaviour": True,
            "own_at": NOW - HOUR,
            "received_at": NOW,
            "seen_at": NOW,
            "historical": False,
            "properties": {"cart_id": "c-1"},
        },
    )
    people(
        tables.ledger,
        line(1, 8, NOW - DAY, definition_id=2),
        line(1, 10, NOW - HOUR, definition_id=3, event_id=7),
        line(1, 100, NOW, kind="scenario", rule="welcome", definition_id=1, reason="a gift"),
    )
    people(tables.balances, balance(1, 118, 100))
    [score] = told("ben@example.com")["scores"]
    old, new, gift, cut = score["lines"]
    assert (old["where"], old["version"]) == ("scenarios/all.yaml:3", 1)
    assert (new["where"], new["version"]) == ("scenarios/all.yaml:5:5", 2)
    assert new["event"]["name"] == "cart_updated"
    assert new["event"]["properties"] == {"cart_id": "c-1"}
    assert (gift["kind"], gift["rule"], gift["reason"]) == ("scenario", "welcome", "a gift")
    assert gift["where"] == "scenarios/all.yaml:10"
    assert (cut["kind"], cut["points"], cut["where"]) == ("cut", -18, "scenarios/all.yaml:3:1")
    assert sum(one["points"] for one in score["lines"]) == score["balance"] == 100
    assert (score["band"], score["next_band"]) == ("hot", None)


def test_explain_says_what_a_score_means(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(tables.balances, balance(2, 20, 20))
    [score] = told("ana@example.com")["scores"]
    assert score["objective"] == "Who is about to buy."
    assert (score["band"], score["next_band"]) == ("warm", {"band": "hot", "missing": 60})
    [score] = told("ben@example.com")["scores"]
    assert (score["balance"], score["band"], score["lines"]) == (0, None, [])


def test_explain_says_since_when_and_why_in_a_list(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(
        tables.members,
        {"contact_id": 1, "list": "gone", "joined_at": 1, "left_at": 2, "cause": "scenario/x#0"},
        {"contact_id": 1, "list": "readers", "joined_at": NOW, "left_at": None, "cause": ""},
    )
    now, before = told("ben@example.com")["lists"]
    assert now["list"] == "readers"
    assert "/blog" in now["why"]
    assert (before["list"], before["cause"]) == ("gone", "scenario/x#0")


@pytest.mark.parametrize(
    ("position", "step"),
    [(0, "actions/0"), (1, "actions/1"), (2, "actions/1/then/0"), (5, "actions/1/else/0")],
)
def test_explain_says_at_which_step_the_contact_waits(
    told: Callable[[str], dict[str, Any]], people: Put, position: int, step: str
) -> None:
    people(tables.enrollments, walk(1, 1, position=position))
    people(tables.steps, {"enrollment_id": 1, "step": "actions/0", "at": NOW, "outcome": "queued"})
    [inside] = told("ben@example.com")["scenarios"]
    assert (inside["state"], inside["next_step"]) == ("inside", step)
    assert inside["due_at"] == "2024-10-05T00:00:00Z"
    assert inside["done"] == [
        {"step": "actions/0", "at": "2024-10-04T00:00:00Z", "outcome": "queued"}
    ]


def test_explain_shows_mails_and_refusals(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(tables.messages, mail(1, 1, status="withheld", reason="no_consent"))
    detail = {
        "sentence": "country is ES",
        "seen": "FR",
        "path": "conditions/0",
        "mark": "scenarios/all.yaml:9:3",
    }
    refused = {
        "contact_id": 1,
        "scenario": "welcome",
        "definition_id": 1,
        "key": "k",
        "at": NOW,
        "own_at": NOW,
        "reason": "conditions",
        "detail": detail,
    }
    people(tables.decisions, refused)
    document = told("ben@example.com")
    assert [(m["status"], m["reason"]) for m in document["mails"]] == [("withheld", "no_consent")]
    [refusal] = document["refused"]
    assert (refusal["condition"], refusal["seen"]) == ("country is ES", "FR")
    assert refusal["where"] == "scenarios/all.yaml:9:3"


def test_explain_shows_what_came_back_of_a_mail(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(tables.messages, mail(1, 1, status="sent", key="hello.1"))
    said = {"type": "hard", "kind": "no_such_address", "code": "5.1.1", "text": "no such user"}
    times = {"own_at": NOW, "received_at": NOW, "seen_at": NOW}
    bounce = {"message_id": "hello.1:bounced", "contact_id": 1, "name": "email_bounced", **times}
    people(tables.events, {**bounce, "mail_key": "hello.1", "properties": said})
    [shown] = told("ben@example.com")["mails"]
    assert shown["returned"] == [{"what": "bounced", "at": "2024-10-04T00:00:00Z", **said}]
    words = "; bounced 2024-10-04 00:00, hard: no_such_address 5.1.1 (no such user)"
    assert mail_words(shown).endswith(words)


def test_explain_tells_opens_and_clicks_of_a_mail_machines_apart(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(tables.messages, mail(1, 1, status="sent", key="hello.1"))
    times = {"own_at": NOW, "received_at": NOW, "seen_at": NOW}
    hits = [("email_opened", True), ("email_opened", False), ("email_clicked", True)]
    hits.append(("email_clicked", True))
    rows = [
        {"message_id": f"hit-{n}", "contact_id": 1, "name": name, "machine": machine, **times}
        for n, (name, machine) in enumerate(hits)
    ]
    people(tables.events, *({**row, "mail_key": "hello.1"} for row in rows))
    [shown] = told("ben@example.com")["mails"]
    words = "; opened 1 time; by machines: opened 1 time, clicked 2 times"
    assert mail_words(shown).endswith(words)


@pytest.mark.parametrize("email", ["BEN@EXAMPLE.COM", " ben@example.com "])
def test_explain_finds_an_address_however_written(
    told: Callable[[str], dict[str, Any]], email: str
) -> None:
    assert told(email)["contact"] == "Ben@example.com"


def test_explain_finds_the_address_from_before_a_merge(
    told: Callable[[str], dict[str, Any]], people: Put
) -> None:
    people(tables.identities, {"kind": "email", "value": "old@example.com", "contact_id": 1})
    assert told("old@example.com")["contact"] == "Ben@example.com"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("bne@example.com", "ben@example.com"), ("ana@exmaple.com", "ana@example.com")],
)
def test_unknown_address_asks_did_you_mean(
    told: Callable[[str], dict[str, Any]], typed: str, meant: str
) -> None:
    with pytest.raises(FlowscoreError, match=f"did you mean '{meant}'"):
        told(typed)


def test_unknown_address_without_a_near_one_says_where_to_look(
    told: Callable[[str], dict[str, Any]],
) -> None:
    with pytest.raises(FlowscoreError, match="contacts --search"):
        told("nobody@nowhere.test")


def test_address_that_no_tick_has_taken_in_is_told_so(
    told: Callable[[str], dict[str, Any]], store: Store
) -> None:
    receive(store, [enrollment_request("welcome", "new@example.com", NOW)])
    with pytest.raises(FlowscoreError, match="run `flowscore tick`"):
        told("New@example.com")
