"""SendGrid's event webhook, over HTTP: its signature, and what each event becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from flowscore.clock import HOUR, MINUTE, clock_now
from flowscore.web.providers import sendgrid
from web.conftest import House, Serve
from web.mailed import (
    ANA,
    BEN,
    counted,
    message_id,
    refused,
    rejects,
    returned,
    serve_mailed,
    suppressed,
)
from web.provider_posts import (
    NAME,
    ONE,
    bounce,
    post_sendgrid,
    public_key,
)


@pytest.fixture
def mailed(serve: Serve) -> House:
    """Ana and Ben were written to, and SendGrid may tell of it."""
    return serve_mailed(serve, SENDGRID_PUBLIC_KEY=public_key())


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


def test_a_mail_that_is_late_is_no_bounce(mailed: House) -> None:
    late = bounce(mailed, event="deferred", response="450 4.2.0 try later", reason="")
    assert post_sendgrid(mailed.client, [late]).json() == ONE
    assert returned(mailed) == []
    words = "SELECT mail_key FROM events WHERE name = 'email_delayed'"
    assert len(mailed.rows(words)) == 1


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
