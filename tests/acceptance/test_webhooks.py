"""Webhooks by the real commands: a hot lead reaches the CRM, and a secret only the CRM."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from flowscore import scheduler
from flowscore.surroundings import HOW_TO_SIGN
from mail.receivers import SECRET, Receiver, receiving, says

if TYPE_CHECKING:
    from acceptance.conftest import Project

TOKEN = "tok-3n-secret"
HOT = """
    scenario: hot-lead
    trigger: {event: order_completed}
    reenroll: every_time
    actions:
      - webhook:
          url: "${CRM_URL}/leads"
          headers: {Authorization: "Bearer ${CRM_TOKEN}", X-Name: "{{ contact.first_name }}"}
          body: {type: lead.hot, data: {email: "{{ contact.email }}", total: "{{ event.total }}"}}
      - send_email: welcome
"""
PEOPLE = {
    "header": "email,created_at,consent,first_name",
    "rows": (
        "ana@example.com,2025-12-01,yes,Ana",
        "eve@example.com,2025-12-01,yes,${CRM_TOKEN}",
    ),
}


@pytest.fixture
def shop(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Ana and Eve, who calls herself `${CRM_TOKEN}`."""
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1")
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("CRM_TOKEN", TOKEN)
    return project.scenario(HOT).mail("welcome").people(**PEOPLE)


def order(shop: Project, email: str, at: str) -> Project:
    """An order of 9.50 and the ticks up to the evening."""
    shop.happened(shop.track(email, "Order Completed", at, total=9.5))
    return shop.tick("2026-01-01", at[:10] + "T20:00:00Z")


def test_a_hot_lead_reaches_the_crm_signed(shop, monkeypatch):
    with receiving(Receiver()) as crm:
        monkeypatch.setenv("CRM_URL", crm.url)
        order(shop.apply(), "ana@example.com", "2026-01-01T09:00:00Z")
    (request,) = crm.got
    data = {"email": "ana@example.com", "total": 9.5}
    assert request.verified() == {"type": "lead.hot", "data": data}
    assert (request.path, request.headers["x-name"]) == ("/leads", "Ana")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    [row] = [row for row in shop.export()["messages"] if row["kind"] == "webhook"]
    assert (row["contact"], row["status"]) == ("ana@example.com", "sent")
    assert row["sent_at"] == "2026-01-01T09:00:00Z"
    assert len(shop.sent("ana@example.com")) == 2  # the mail went too


def test_secrets_are_neither_kept_nor_shown_nor_given_to_who_asks_for_them(shop, monkeypatch):
    with receiving(Receiver(lambda request: says(200, str(request.headers)))) as crm:
        monkeypatch.setenv("CRM_URL", crm.url)
        order(shop.apply(), "eve@example.com", "2026-01-01T09:00:00Z")
        listed = shop.ok("outbox", "--json")
    assert crm.got[0].headers["x-name"] == "${CRM_TOKEN}"
    [row] = [row for row in listed.json if row["kind"] == "webhook"]
    assert row["url"] == "${CRM_URL}/leads"
    assert "Bearer ${CRM_TOKEN}" in row["response"]
    said = [listed.out, shop.ok("outbox").out, shop.ok("explain", "eve@example.com").out]
    stored = b"".join(file.read_bytes() for file in shop.root.glob("*.db*"))
    assert TOKEN not in "".join(said)
    assert TOKEN.encode() not in stored
    assert "POST ${CRM_URL}/leads" in said[1]
    assert "POST ${CRM_URL}/leads by hot-lead, queued 2026-01-01 09:00; sent 2026-01-01" in said[2]


def test_mails_do_not_wait_for_a_receiver(shop, monkeypatch):
    """The mail of the same step is out before the first webhook is sent."""
    out: list[int] = []

    def look(_):
        out.append(len(list((shop.root / "outbox").glob("*.eml"))))
        return says(200)

    with receiving(Receiver(look)) as crm:
        monkeypatch.setenv("CRM_URL", crm.url)
        order(shop.apply(), "ana@example.com", "2026-01-01T09:00:00Z")
    assert out == [1]


def test_a_pause_of_sending_does_not_stop_webhooks(shop, monkeypatch):
    shop.scenario(
        """
        policy: default
        sender: {name: Acme, address: hello@acme.example}
        topics: [news]
        pause_when: {bounces: 5%, of_last: 1}
        """,
        name="policy",
    )
    with receiving(Receiver()) as crm:
        monkeypatch.setenv("CRM_URL", crm.url)
        order(shop.apply(), "ana@example.com", "2026-01-01T09:00:00Z")
        bounced = shop.track("ana@example.com", "email_bounced", "2026-01-01T21:00:00Z")
        shop.happened({**bounced, "properties": {"type": "hard", "template": "welcome"}})
        shop.tick("2026-01-01", "2026-01-01T22:00:00Z")
        shop.happened(shop.track("eve@example.com", "Order Completed", "2026-01-02T09:00:00Z"))
        grid = ("--from", "2026-01-01", "--until", "2026-01-02T20:00:00Z", "--every", "1h")
        said = shop.run("tick", *grid, "--deliver")
        assert "1 webhook sent." in said.out and "sending is paused" in said.err
    assert len(crm.got) == 2
    mails = [mail for mail in shop.mails("eve@example.com") if mail[0] == "welcome"]
    assert [status for _, status, _ in mails] == ["queued"]


def test_a_receiver_that_is_away_is_tried_again_and_told(shop, monkeypatch):
    with receiving(Receiver(lambda _: says(500))) as crm:
        monkeypatch.setenv("CRM_URL", crm.url)
        shop.apply()
        shop.happened(shop.track("ana@example.com", "Order Completed", "2026-01-01T09:00:00Z"))
        grid = ("--from", "2026-01-01T00:00:00Z", "--every", "1h")
        said = shop.ok("tick", *grid, "--until", "2026-01-01T09:00:00Z", "--deliver")
        assert "0 webhooks sent, 1 retried, 1 waiting." in said.out
        assert "answered 500; flowscore outbox shows them all" in said.err
        crm.answer = lambda _: says(410)
        said = shop.ok("tick", *grid, "--until", "2026-01-01T10:00:00Z", "--deliver")
        assert "0 webhooks sent, 1 failed." in said.out
        [row] = shop.ok("outbox", "--status", "failed", "--json").json
        assert (row["reason"], row["attempts"]) == ("answered 410", 2)
        crm.answer = lambda _: says(200)
        assert "queued again" in shop.ok("outbox", "resend", row["key"]).out
        assert "1 webhook sent." in shop.ok("deliver").out
    assert crm.ids == [row["key"]] * 3


def test_private_addresses_are_refused_unless_allowed(shop, monkeypatch):
    monkeypatch.delenv("FLOWSCORE_WEBHOOK_ALLOW_PRIVATE")
    with receiving(Receiver()) as crm:
        monkeypatch.setenv("CRM_URL", crm.url)
        order(shop.apply(), "ana@example.com", "2026-01-01T09:00:00Z")
        assert crm.got == []
    [row] = shop.ok("outbox", "--status", "failed", "--json").json
    assert row["reason"].startswith("its host is inside: 127.0.0.1 is loopback")
    assert "FLOWSCORE_WEBHOOK_ALLOW_PRIVATE" in row["reason"]


def test_the_service_does_not_start_without_what_webhooks_want(shop, monkeypatch):
    """Ruling 103: a warning at `validate`, a refusal at the start; the scenario, line and name."""
    monkeypatch.delenv("CRM_TOKEN")
    warned = shop.run("validate")
    assert warned.code == 0
    assert "${CRM_URL} is not set" in warned.out + warned.err
    refused = shop.apply().run("run")
    assert refused.code == 1
    line = "scenarios/all.yaml:5:5: scenario hot-lead wants ${%s}, which is not set; set it in"
    for name in ("CRM_URL", "CRM_TOKEN"):
        assert line % name in refused.err, refused.err
    (shop.root / ".env").write_text("CRM_TOKEN=x\n")
    assert "CRM_TOKEN" not in shop.run("run").err


# --- until a secret is set --------------------------------------------------------------------


def refuse(*_: object) -> None:
    """Whoever looks up a name, or connects, wants to leave the machine."""
    raise AssertionError("it wants to leave the machine")


def test_by_default_a_webhook_is_a_file_and_nothing_leaves_the_machine(shop, monkeypatch):
    """As a newcomer tries it: no secret, no value for what stands in the url."""
    for name in ("FLOWSCORE_WEBHOOK_SECRET", "FLOWSCORE_WEBHOOK_ALLOW_PRIVATE", "CRM_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    order(shop.apply(), "ana@example.com", "2026-01-01T09:00:00Z")
    [row] = [row for row in shop.ok("outbox", "--json").json if row["kind"] == "webhook"]
    [file] = (shop.root / "outbox").glob("*.json")
    assert (row["status"], row["response"]) == ("sent", f"written to outbox/{row['key']}.json")
    assert file.name == f"{row['key']}.json"
    assert json.loads(file.read_text("utf-8")) == {
        "url": "${CRM_URL}/leads",
        "headers": {"Authorization": "Bearer ${CRM_TOKEN}", "X-Name": "Ana"},
        "body": {"type": "lead.hot", "data": {"email": "ana@example.com", "total": 9.5}},
        "webhook-id": row["key"],
        "at": "2026-01-01T09:00:00Z",
    }
    assert not (shop.root / ".env").exists()
    assert len(shop.sent("ana@example.com")) == 2


def test_the_service_says_that_webhooks_stay_here(shop, monkeypatch):
    monkeypatch.delenv("FLOWSCORE_WEBHOOK_SECRET")
    monkeypatch.delenv("CRM_TOKEN")
    monkeypatch.setattr(scheduler, "serve", lambda workspace: None)
    said = shop.apply().ok("run").out
    assert "Webhooks are written to outbox/ until FLOWSCORE_WEBHOOK_SECRET is set." in said
    assert HOW_TO_SIGN in said
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("CRM_URL", "https://crm.example")
    monkeypatch.setenv("CRM_TOKEN", TOKEN)
    assert shop.ok("run").out == ""
    monkeypatch.delenv("FLOWSCORE_WEBHOOK_SECRET")
    shop.scenario("list: known\nmembers: [{attribute: {first_name: Ana}}]\n").apply()
    assert shop.ok("run").out == ""  # there is no webhook any more
