"""Webhooks of SendGrid, Mailgun and Postmark, over HTTP: what proves them, what becomes of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from flowscore.clock import HOUR, MINUTE, clock_now
from flowscore.errors import FlowscoreError
from flowscore.settings import read_settings
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from flowscore.web.providers import mailgun, postmark, sendgrid
from flowscore.web.providers.mailgun import OLDEST, Tokens
from flowscore.web.providers.posts import ForgedError
from web.conftest import House, Serve
from web.mailed import (
    ANA,
    BEN,
    counted,
    header_of,
    message_id,
    refused,
    rejects,
    returned,
    serve_mailed,
    suppressed,
    tick,
)
from web.provider_posts import (
    MAILGUN_KEY,
    PASSWORD,
    mailgun_body,
    post_mailgun,
    post_postmark,
    post_sendgrid,
    public_key,
)

NOTHING = {"taken": 0, "rejected": 0, "ignored": 1}
NAME = "<welcome@academy.example>"
ONE = {"taken": 1, "rejected": 0, "ignored": 0}


@pytest.fixture
def mailed(serve: Serve) -> House:
    """Ana and Ben were written to, and each provider may tell of it."""
    return serve_mailed(
        serve,
        SENDGRID_PUBLIC_KEY=public_key(),
        MAILGUN_SIGNING_KEY=MAILGUN_KEY,
        POSTMARK_WEBHOOK_PASSWORD=PASSWORD,
    )


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


# --- SendGrid -------------------------------------------------------------------------------------


def bounce(house: House | None, **given: Any) -> dict[str, Any]:
    """As SendGrid tells of a bounce of Ana's mail."""
    name = message_id(house, ANA) if house else NAME
    return {
        "email": ANA, "timestamp": clock_now() // 10**6, "event": "bounce", "type": "bounce",
        "smtp-id": name, "sg_event_id": "VzcPxPv7SdWvUugt-xKymw",
        "sg_message_id": "142d9f3f351.7618.254f56.filter-147.22649.52A663508.0",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "status": "5.1.1", "ip": "192.0.2.1", "tls": 1, **given,
    }  # fmt: skip


def test_sendgrid_tells_of_a_hard_bounce(mailed: House) -> None:
    assert post_sendgrid(mailed.client, [bounce(mailed)]).json() == ONE
    assert suppressed(mailed) == {ANA: "bounced"}
    (event,) = returned(mailed)
    assert (event["name"], event["source"]) == ("email_bounced", "sendgrid")
    assert event["mail_key"] and event["mail_key"] in message_id(mailed, ANA)
    said = json.loads(event["properties"])
    assert (said["type"], said["kind"], said["code"]) == ("hard", "no_such_address", "5.1.1")
    assert said["template"] == "welcome" and said["text"].startswith("550 5.1.1")


def test_what_sendgrid_sends_again_counts_once(mailed: House) -> None:
    stray = bounce(mailed, email="nobody@example.com", **{"smtp-id": "<x@y>"})
    for minutes in (30, 20, 0):
        at = clock_now() - minutes * MINUTE
        assert post_sendgrid(mailed.client, [bounce(mailed), stray], at=at).status_code == 200
    assert len(returned(mailed)) == 1
    post_sendgrid(mailed.client, [bounce(mailed), stray])
    assert len(returned(mailed)) == 1 and len(rejects(mailed)) == 1


SENDGRID = [
    ({"type": "blocked", "status": "5.7.1"}, "soft", "refused"),
    ({"type": "expired"}, "soft", "unreachable"),
    ({"event": "deferred", "type": "", "response": "450 4.2.0 try later"}, "soft", "delayed"),
    ({"event": "dropped", "type": "", "reason": "Bounced Address"}, "hard", "no_such_address"),
    ({"event": "dropped", "type": "", "reason": "Spam Content"}, "soft", "refused"),
]


@pytest.mark.parametrize(("given", "type_", "kind"), SENDGRID)
def test_sendgrid_has_hard_and_soft_ones(given: dict[str, Any], type_: str, kind: str) -> None:
    (report,) = sendgrid.read(bounce(None, **given), clock_now())
    assert (report.what, report.message_id) == ("bounced", NAME)
    assert ("hard" if report.hard else "soft", report.kind) == (type_, kind)


def test_sendgrid_tells_of_complaints_and_unsubscriptions(mailed: House) -> None:
    events = [
        bounce(mailed, event="spamreport", sg_event_id="1"),
        bounce(mailed, event="group_unsubscribe", email=BEN, sg_event_id="2", **{"smtp-id": ""}),
        bounce(mailed, event="open", sg_event_id="3"),
        bounce(mailed, event="click", sg_event_id="4"),
        bounce(mailed, event="delivered", sg_event_id="5"),
    ]
    answer = post_sendgrid(mailed.client, events).json()
    assert answer == {"taken": 2, "rejected": 0, "ignored": 3}
    assert suppressed(mailed) == {ANA: "complained"} and refused(mailed) == {BEN}
    assert counted(mailed, "sendgrid", "ignored") == 3


def test_what_sendgrid_did_not_sign_is_refused(mailed: House) -> None:
    events = [bounce(mailed)]
    stranger = ec.generate_private_key(ec.SECP256R1())
    changed = json.dumps(events).replace("bounce", "spamreport").encode()
    answers = [
        post_sendgrid(mailed.client, events, key=stranger),
        post_sendgrid(mailed.client, events, sent=changed),
        post_sendgrid(mailed.client, events, at=clock_now() - 26 * HOUR),
        post_sendgrid(mailed.client, events, at=clock_now() + HOUR),
    ]
    assert [one.status_code for one in answers] == [401] * 4
    codes = [one.json()["code"] for one in answers]
    assert codes == ["bad_signature", "bad_signature", "untimely", "untimely"]
    assert returned(mailed) == []


def test_two_keys_hold_while_one_is_changed(serve: Serve) -> None:
    old, new = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    house = serve(SENDGRID_PUBLIC_KEY=f"{public_key(old)} {public_key(new)}")
    for key in (old, new):
        assert post_sendgrid(house.client, [], key=key).status_code == 200


# --- Mailgun --------------------------------------------------------------------------------------


def failed(house: House | None, **given: Any) -> dict[str, Any]:
    """As Mailgun tells of a mail of Ana's that it gave up."""
    name = (message_id(house, ANA) if house else NAME).strip("<>")
    return {
        "event": "failed", "severity": "permanent", "reason": "bounce", "id": "G9Bn5sl1TC6nu7",
        "timestamp": clock_now() / 10**6, "recipient": ANA, "log-level": "error",
        "message": {"headers": {"to": ANA, "message-id": name}},
        "delivery-status": {
            "code": 550, "enhanced-code": "5.1.1", "attempt-no": 1, "description": "",
            "message": "5.1.1 The email account that you tried to reach does not exist.",
        },
        "user-variables": {}, "tags": [], **given,
    }  # fmt: skip


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


# --- Postmark -------------------------------------------------------------------------------------


def record(**given: Any) -> dict[str, Any]:
    """As Postmark tells of a bounce of Ana's mail."""
    return {
        "RecordType": "Bounce", "ID": 901542550, "Type": "HardBounce", "TypeCode": 1,
        "Name": "Hard bounce", "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": ANA, "From": "hello@academy.example", "MessageStream": "outbound",
        "BouncedAt": "2026-04-27T16:28:50.3963933-04:00", "Inactive": True, **given,
    }  # fmt: skip


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
