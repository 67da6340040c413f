"""Webhooks of mail providers, over HTTP: what holds for all, and the settings."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import Postgres
from flowscore.clock import MINUTE, clock_now
from flowscore.errors import FlowscoreError
from flowscore.settings import read_settings
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from web.conftest import House, Serve
from web.mailed import (
    ANA,
    BEN,
    counted,
    rejects,
    returned,
    serve_mailed,
    suppressed,
    tick,
)
from web.provider_posts import (
    EVERY,
    ONE,
    PASSWORD,
    bounce,
    failed,
    post_mailgun,
    post_postmark,
    post_sendgrid,
    public_key,
    record,
    twisted,
)


@pytest.fixture
def mailed(serve: Serve) -> House:
    """Ana and Ben were written to, and each provider may tell of it."""
    return serve_mailed(serve, **EVERY)


# --- the doors ------------------------------------------------------------------------------------


def test_a_provider_without_its_secret_has_no_door(house: House) -> None:
    for name in ("ses", "sendgrid", "mailgun", "postmark"):
        answer = house.client.post(f"/hooks/{name}", json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_is_not_signed_is_refused(mailed: House) -> None:
    for name in ("sendgrid", "mailgun", "postmark"):
        answer = mailed.client.post(f"/hooks/{name}", json={})
        assert answer.status_code == 401 and set(answer.json()) == {"code", "message"}
    assert mailed.inbox() == [] and rejects(mailed) == []
    assert "requests_refused_total{code=" in mailed.client.get("/metrics").text


DEEP = b"[" * 1000 + b"]" * 1000
BODIES = [DEEP, b"", b"{", b"[[[", b'"x"', b"\xff", b"[1, null, {}]", b"{}"]


def test_no_body_is_a_fault_of_ours(mailed: House) -> None:
    for body in BODIES:
        login = ("flowscore", PASSWORD)
        answer = mailed.client.post("/hooks/postmark", content=body, auth=login)
        assert answer.status_code in (200, 400)
        for name in ("sendgrid", "mailgun"):
            assert mailed.client.post(f"/hooks/{name}", content=body).status_code in (400, 401)
    deep = json.loads(DEEP[700:-700])  # it could be read, and not be kept
    assert post_mailgun(mailed.client, {"event": "complained", "x": deep}).status_code == 400
    answer = post_sendgrid(mailed.client, [{"event": "bounce", "email": deep}])
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_that_an_event_may_be_is_a_fault_of_ours(
    serve: Serve, database: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    house = serve_mailed(serve, url, **EVERY)
    chance = random.Random(7)
    events = [twisted(bounce(house), chance) for _ in range(300)]
    assert post_sendgrid(house.client, events).status_code == 200
    for _ in range(60):
        assert post_mailgun(house.client, twisted(failed(house), chance)).status_code == 200
        answer = post_postmark(house.client, twisted(record(), chance))
        assert answer.status_code in (200, 400)  # what is no object is none of Postmark's
    tick(house)
    assert {row["email"] for row in house.rows("SELECT email FROM contacts")} == {ANA, BEN}


def test_a_post_is_bounded(mailed: House) -> None:
    large = record(Content="x" * 2_200_000)
    answer = post_postmark(mailed.client, large)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = post_sendgrid(mailed.client, [{}] * 20_001)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert post_sendgrid(mailed.client, [{}] * 20_000).json()["ignored"] == 20_000


STRANGE: list[Any] = [
    None, 1, "x", [], {}, {"event": 1}, {"event": "bounce"}, {"event": "bounce", "email": {}},
    {"event": "bounce", "email": "a\u0000b@example.com", "timestamp": 1e300, "sg_event_id": []},
    {"event": "spamreport", "email": ANA, "timestamp": "soon", "smtp-id": "<>@"},
    {"event": "deferred", "email": "x" * 5000, "timestamp": -1},
]  # fmt: skip


def test_an_event_that_cannot_be_read_does_not_lose_the_others(mailed: House) -> None:
    answer = post_sendgrid(mailed.client, STRANGE)
    assert answer.json() == {"taken": 1, "rejected": 4, "ignored": 6}
    assert suppressed(mailed) == {ANA: "complained"}
    reasons = {one["reason"] for one in rejects(mailed)}
    assert reasons == {
        "email: found nothing, expected an address",
        "neither this mail nor this address is known here",
    }
    assert counted(mailed, "sendgrid", "rejected") == 4


def test_who_unsubscribes_at_a_provider_leaves_every_topic(mailed: House) -> None:
    """A word of their own for a topic would outlast a refusal of mail in general."""
    granted = {"type": "track", "event": "subscribed", "userId": BEN, "messageId": "yes",
               "properties": {"topic": "news"}}  # fmt: skip
    row = read_call(granted, Reading(clock_now() - MINUTE))
    assert isinstance(row, InboxRow)
    receive(mailed.workspace.store, [row])
    tick(mailed)
    told = bounce(None, event="unsubscribe", email=BEN)
    assert post_sendgrid(mailed.client, [told]).json() == ONE
    tick(mailed)
    words = "SELECT topic, granted FROM consents ORDER BY topic"
    assert {row["topic"]: bool(row["granted"]) for row in mailed.rows(words)} == {
        "all": False, "email": False, "news": False,
    }  # fmt: skip


# --- whom it is about -----------------------------------------------------------------------------


def test_whom_nobody_knows_is_kept_as_a_reject_and_changes_nothing(mailed: House) -> None:
    stranger = record(Email="stranger@example.net")
    assert post_postmark(mailed.client, stranger).json() == {
        "taken": 0, "rejected": 1, "ignored": 0,
    }  # fmt: skip
    (kept,) = rejects(mailed)
    assert kept["source"] == "postmark" and json.loads(kept["content"]) == stranger
    tick(mailed)
    assert {row["email"] for row in mailed.rows("SELECT email FROM contacts")} == {ANA, BEN}


def test_on_postgresql_too(serve: Serve, postgres_url: str) -> None:
    house = serve_mailed(serve, postgres_url, SENDGRID_PUBLIC_KEY=public_key())
    events = [*STRANGE, bounce(house)]
    for _ in range(2):
        assert post_sendgrid(house.client, events).json() == {
            "taken": 2, "rejected": 4, "ignored": 6,
        }  # fmt: skip
    assert [one["name"] for one in returned(house)] == ["email_complained", "email_bounced"]
    assert len(rejects(house)) == 4


def test_told_before_the_next_tick_stands_in_the_inbox(mailed: House) -> None:
    """200 means on the disk: a process that dies now loses nothing."""
    post_mailgun(mailed.client, failed(mailed))
    (line,) = mailed.inbox()
    assert (line["name"], line["source"]) == ("email_bounced", "mailgun")


def test_while_the_store_is_away_it_is_to_come_again(
    serve: Serve, postgres: Postgres, postgres_url: str
) -> None:
    house = serve_mailed(serve, postgres_url, **EVERY)
    with postgres.unreachable(postgres_url):
        answer = post_mailgun(house.client, failed(house))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]
    assert post_mailgun(house.client, failed(house)).json() == ONE
    assert len(returned(house)) == 1


# --- settings -------------------------------------------------------------------------------------

P384 = public_key(ec.generate_private_key(ec.SECP384R1()))
BAD = [
    ("SENDGRID_PUBLIC_KEY", "nonsense", "the verification key that SendGrid shows"),
    ("SENDGRID_PUBLIC_KEY", base64.b64encode(b"nonsense").decode(), "verification key"),
    ("SENDGRID_PUBLIC_KEY", P384, "verification key"),
    ("MAILGUN_SIGNING_KEY", "short", "at least 16 letters and digits"),
    ("POSTMARK_WEBHOOK_PASSWORD", "secret", "at least 16 letters and digits"),
    ("SES_TOPICS", "mail", "the ARNs of SNS topics"),
    ("SES_TOPICS", "arn:aws:sns:s3-us-west-2:123456789012:mail", "the ARNs of SNS topics"),
]


@pytest.mark.parametrize(("name", "value", "wanted"), BAD)
def test_a_setting_that_cannot_be_says_what_it_may_be(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str, wanted: str
) -> None:
    monkeypatch.setenv(f"FLOWSCORE_{name}", value)
    with pytest.raises(FlowscoreError, match=wanted) as raised:
        read_settings(tmp_path)
    assert f"FLOWSCORE_{name}" in str(raised.value)
    assert ("secret" in str(raised.value)) is False
