"""Postmark's webhooks, over HTTP: their password, and what each record becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowscore.clock import clock_now
from flowscore.web.providers import postmark
from web.conftest import House, Serve
from web.mailed import (
    ANA,
    BEN,
    counted,
    header_of,
    message_id,
    refused,
    returned,
    serve_mailed,
    suppressed,
)
from web.provider_posts import (
    MAILGUN_KEY,
    NOTHING,
    ONE,
    PASSWORD,
    post_postmark,
    record,
)


@pytest.fixture
def mailed(serve: Serve) -> House:
    """Ana and Ben were written to, and Postmark may tell of it."""
    return serve_mailed(serve, POSTMARK_WEBHOOK_PASSWORD=PASSWORD)


def test_postmark_tells_of_a_hard_bounce(mailed: House) -> None:
    for _ in range(2):
        assert post_postmark(mailed.client, record()).json() == ONE
    assert suppressed(mailed) == {ANA: "bounced"}
    (event,) = returned(mailed)
    assert event["source"] == "postmark" and json.loads(event["properties"])["code"] == "5.1.1"


def test_which_mail_postmark_speaks_of_a_token_says(mailed: House) -> None:
    """Postmark has a number of its own for each mail, and replaces the Message-ID."""
    token = header_of(mailed, ANA, "X-PM-Metadata-flowscore")
    forged = {"Metadata": {"flowscore": "a" * len(token)}, "ID": 2, "Email": BEN}
    assert post_postmark(mailed.client, record(Metadata={"flowscore": token})).json() == ONE
    assert post_postmark(mailed.client, record(**forged)).json() == ONE
    unnamed, named = sorted(event["mail_key"] or "" for event in returned(mailed))
    assert unnamed == "" and named and named in message_id(mailed, ANA)
    assert suppressed(mailed) == {ANA: "bounced", BEN: "bounced"}


def test_mails_say_nothing_to_postmark_where_it_is_not_set(serve: Serve) -> None:
    house = serve_mailed(serve, MAILGUN_SIGNING_KEY=MAILGUN_KEY)
    assert header_of(house, ANA, "X-Flowscore-Message")
    assert header_of(house, ANA, "X-PM-Metadata-flowscore") == ""


POSTMARK = [
    ({"Type": "SoftBounce"}, "mailbox_full"),
    ({"Type": "Blocked"}, "refused"),
    ({"Type": "SpamNotification"}, "refused"),
    ({"Type": "Transient"}, "unreachable"),
    ({"Type": "A New Word"}, "undelivered"),
]


@pytest.mark.parametrize(("given", "kind"), POSTMARK)
def test_postmark_has_soft_ones(given: dict[str, Any], kind: str) -> None:
    (report,) = postmark.read(record(**given), clock_now())
    assert (report.what, report.hard, report.kind) == ("bounced", False, kind)


CHANGE = {
    "RecordType": "SubscriptionChange", "Recipient": BEN, "Origin": "Recipient", "Email": "",
    "SuppressSending": True, "SuppressionReason": "ManualSuppression", "ID": None,
    "ChangedAt": "2026-02-01T10:53:34Z",
}  # fmt: skip


def test_postmark_tells_of_complaints_and_unsubscriptions(mailed: House) -> None:
    complaint = record(RecordType="SpamComplaint", Type="SpamComplaint", ID=42)
    assert post_postmark(mailed.client, complaint).json() == ONE
    assert post_postmark(mailed.client, record(**CHANGE)).json() == ONE
    assert suppressed(mailed) == {ANA: "complained"} and refused(mailed) == {BEN}


IGNORED: list[dict[str, Any]] = [
    {"Type": "AutoResponder"},
    {"RecordType": "Open"},
    {"RecordType": "Delivery"},
    {**CHANGE, "SuppressSending": False},
    {**CHANGE, "SuppressionReason": "HardBounce"},
]


def test_what_postmark_tells_besides_is_counted_only(mailed: House) -> None:
    for given in IGNORED:
        assert post_postmark(mailed.client, record(**given)).json() == NOTHING
    assert returned(mailed) == [] and refused(mailed) == set()
    assert counted(mailed, "postmark", "ignored") == len(IGNORED)


def test_postmark_needs_its_password(mailed: House) -> None:
    answer = post_postmark(mailed.client, record(), password="guessed")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    for header in ("Basic", "Basic %%%", "Bearer " + PASSWORD, "Basic " + "A" * 9000):
        headers = {"Authorization": header}
        given = mailed.client.post("/hooks/postmark", json=record(), headers=headers)
        assert given.status_code == 401
    assert returned(mailed) == []
