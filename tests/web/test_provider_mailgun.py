"""Mailgun's webhooks, over HTTP: signatures that hold for one event, and what each becomes."""

from __future__ import annotations

from typing import Any

import pytest

from flowscore.clock import HOUR, clock_now
from flowscore.web.providers import mailgun
from flowscore.web.providers.mailgun import OLDEST, Tokens
from flowscore.web.providers.posts import ForgedError
from web.conftest import House, Serve
from web.mailed import (
    ANA,
    BEN,
    message_id,
    refused,
    returned,
    serve_mailed,
    suppressed,
)
from web.provider_posts import (
    MAILGUN_KEY,
    NAME,
    NOTHING,
    ONE,
    failed,
    mailgun_body,
    post_mailgun,
)


@pytest.fixture
def mailed(serve: Serve) -> House:
    """Ana and Ben were written to, and Mailgun may tell of it."""
    return serve_mailed(serve, MAILGUN_SIGNING_KEY=MAILGUN_KEY)


def test_mailgun_tells_of_a_hard_bounce(mailed: House) -> None:
    assert post_mailgun(mailed.client, failed(mailed)).json() == ONE
    assert suppressed(mailed) == {ANA: "bounced"}
    (event,) = returned(mailed)
    assert event["source"] == "mailgun" and event["mail_key"] in message_id(mailed, ANA)


def status(code: int, text: str, enhanced: str = "") -> dict[str, Any]:
    return {"delivery-status": {"code": code, "message": text, "enhanced-code": enhanced}}


MAILGUN = [
    ({"severity": "temporary", "reason": "greylisted"}, "soft", "delayed"),
    ({"reason": "old"}, "soft", "unreachable"),
    ({"reason": "espblock"}, "soft", "refused"),
    ({"reason": "suppress-bounce", **status(605, "Not delivering")}, "hard", "no_such_address"),
    (status(550, "no such user"), "hard", "no_such_address"),
    (status(550, "no"), "soft", "undelivered"),
    (status(552, "5.2.2 mailbox full"), "soft", "mailbox_full"),
    (status(550, "spam, says 192.0.2.5", "5.7.1"), "soft", "refused"),
]


@pytest.mark.parametrize(("given", "type_", "kind"), MAILGUN)
def test_mailgun_has_hard_and_soft_ones(given: dict[str, Any], type_: str, kind: str) -> None:
    (report,) = mailgun.read(failed(None, **given), clock_now())
    assert (report.what, report.message_id) == ("bounced", NAME.strip("<>"))
    assert ("hard" if report.hard else "soft", report.kind) == (type_, kind)


def test_mailgun_tells_of_complaints_and_unsubscriptions(mailed: House) -> None:
    post_mailgun(mailed.client, failed(mailed, event="complained"))
    post_mailgun(mailed.client, failed(mailed, event="unsubscribed", recipient=BEN, message={}))
    assert suppressed(mailed) == {ANA: "complained"} and refused(mailed) == {BEN}
    assert post_mailgun(mailed.client, failed(mailed, event="opened")).json() == NOTHING


def test_mailgun_tries_again_with_the_signature_of_the_first_time(mailed: House) -> None:
    body = mailgun_body(failed(mailed), at=clock_now() - 8 * HOUR)
    for _ in range(3):
        assert mailed.client.post("/hooks/mailgun", json=body).status_code == 200
    assert len(returned(mailed)) == 1


def test_a_signature_of_mailgun_holds_for_one_event_only(mailed: House) -> None:
    """It does not cover the event, so whoever saw one could put any event beside it."""
    body = mailgun_body(failed(mailed, event="opened"))
    assert mailed.client.post("/hooks/mailgun", json=body).json() == NOTHING
    body["event-data"] = failed(mailed)
    answer = mailed.client.post("/hooks/mailgun", json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_used")
    assert returned(mailed) == []


def test_tokens_are_few_and_forgotten_when_they_are_void() -> None:
    tokens = Tokens(most=3)
    for number in range(10):
        tokens.bind(f"t{number}", "said", signed_at=HOUR, now=HOUR)
    assert len(tokens.seen) == 3
    with pytest.raises(ForgedError):
        tokens.bind("t9", "other", signed_at=HOUR, now=HOUR)
    tokens.bind("new", "said", signed_at=HOUR + OLDEST, now=HOUR + OLDEST + 1)
    assert list(tokens.seen) == ["new"]


def test_what_mailgun_did_not_sign_is_refused(mailed: House) -> None:
    event = failed(mailed)
    answers = [
        post_mailgun(mailed.client, event, key="another-key-of-the-tests"),
        post_mailgun(mailed.client, event, at=clock_now() - 10 * HOUR),
        mailed.client.post("/hooks/mailgun", json={"event-data": event}),
        mailed.client.post("/hooks/mailgun", json={"signature": {"token": 1}, "event-data": event}),
    ]
    assert [one.status_code for one in answers] == [401] * 4
    assert "FLOWSCORE_MAILGUN_SIGNING_KEY" in answers[0].json()["message"]
    assert returned(mailed) == []
