"""What a receiver gets, what its answer means, when it is asked again; on both databases."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from standardwebhooks import WebhookVerificationError

from flowscore.clock import DAY, HOUR, MINUTE, SECOND, clock_now
from flowscore.errors import FlowscoreError
from flowscore.language.variables import OURS
from flowscore.mail import claims
from flowscore.mail.by_hand import queue_again
from flowscore.mail.delivery import DeliveryReport
from flowscore.mail.webhooks import delivery
from flowscore.mail.webhooks.report import WebhookReport
from flowscore.mail.webhooks.settlements import BACKOFF
from mail.conftest import NOW, House
from mail.receivers import SECRET, Receiver, receiving, says
from mail.webhook_house import Webhooks

TOKEN = "tok-3n-secret"


@pytest.fixture
def webhooks(house: House) -> Webhooks:
    """On both databases."""
    return Webhooks(house)


@pytest.fixture
def few(small_house: House) -> Webhooks:
    """On SQLite alone: for what has nothing to do with the database."""
    return Webhooks(small_house)


def test_a_webhook_is_one_signed_post(webhooks):
    body = {
        "type": "lead.hot",
        "data": {"email": "ana@example.com", "name": "José 🎓", "n": 10**20},
    }
    with receiving(Receiver()) as crm:
        webhooks.queue("win-back.7.actions-0", f"{crm.url}/leads?from=flowscore", body=body)
        report = webhooks.deliver()
    (request,) = crm.got
    assert request.verified() == body
    assert request.path == "/leads?from=flowscore"
    assert request.headers["host"] == f"127.0.0.1:{crm.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("flowscore/")
    assert request.headers["webhook-id"] == "win-back.7.actions-0"
    assert report == WebhookReport(sent=1)
    row = webhooks.row("win-back.7.actions-0")
    assert (row["status"], row["sent_at"], row["attempts"]) == ("sent", NOW, 1)
    assert (row["response"], row["reason"]) == ("200 thank you", None)
    assert (row["claimed_by"], row["lease_until"], row["sent_event"]) == (None, None, True)


def test_the_signed_time_is_that_of_the_attempt_whatever_instant_is_delivered(few):
    """Receivers refuse what is five minutes old: a delivery as of 2024 is signed today."""
    with receiving(Receiver()) as crm:
        few.queue("k1", crm.url)
        few.deliver(now=NOW)
    (request,) = crm.got
    assert abs(int(request.headers["webhook-timestamp"]) - clock_now() // SECOND) < 60
    with receiving(Receiver()) as crm:
        few.queue("k2", crm.url)
        few.deliver(clock=lambda: NOW)
    with pytest.raises(WebhookVerificationError, match="too old"):
        crm.got[0].verified()


def test_two_secrets_give_two_signatures_while_one_is_changed(few):
    new = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
    few.secrets = (new, SECRET)
    with receiving(Receiver()) as crm:
        few.queue("k1", crm.url)
        few.deliver()
    assert crm.got[0].verified(SECRET) == crm.got[0].verified(new) == {"type": "lead"}


def test_delivering_twice_sends_once(webhooks):
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", crm.url)
        webhooks.queue("later", crm.url, next_at=NOW + 1)
        webhooks.deliver()
        assert webhooks.deliver() == WebhookReport(waiting=1)
    assert crm.ids == ["k1"]


def test_webhooks_and_mails_leave_each_other_alone(webhooks):
    house = webhooks.house
    with receiving(Receiver()) as crm:
        webhooks.queue("hook", crm.url)
        house.queue(webhooks.contact, "mail")
        assert (house.deliver().sent, house.rows()["hook"]["status"]) == (1, "queued")
        house.queue(webhooks.contact, "mail-2")
        assert (webhooks.deliver().sent, house.rows()["mail-2"]["status"]) == (1, "queued")


def test_neither_consent_nor_bounces_nor_a_missing_address_hold_a_webhook_back(few):
    few.contact = few.house.add_contact(None, consent={"email": False}, suppressed="bounced")
    with receiving(Receiver()) as crm:
        few.queue("k1", crm.url)
        assert few.deliver().sent == 1
    assert crm.ids == ["k1"]


# --- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "becomes", "reason"),
    [
        (200, "sent", None),
        (201, "sent", None),
        (204, "sent", None),
        (299, "sent", None),
        (400, "failed", "answered 400"),
        (401, "failed", "answered 401"),
        (404, "failed", "answered 404"),
        (410, "failed", "answered 410"),
        (422, "failed", "answered 422"),
        (408, "queued", "answered 408"),
        (409, "queued", "answered 409"),
        (425, "queued", "answered 425"),
        (429, "queued", "answered 429"),
        (500, "queued", "answered 500"),
        (502, "queued", "answered 502"),
        (504, "queued", "answered 504"),
    ],
)
def test_each_status_has_its_meaning(few, status, becomes, reason):
    with receiving(Receiver(lambda _: says(status))) as crm:
        few.queue("k1", crm.url)
        few.deliver()
    row = few.row("k1")
    assert (row["status"], row["reason"], row["response"]) == (becomes, reason, str(status))
    assert row["next_at"] == (NOW + MINUTE if becomes == "queued" else NOW)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(few, status):
    with receiving(Receiver()) as inner, receiving(Receiver()) as crm:
        crm.answer = lambda _: says(status, location=f"{inner.url}/elsewhere")
        few.queue("k1", crm.url)
        assert few.deliver().failed == 1
    row = few.row("k1")
    assert row["reason"] == (
        f"answered {status}: redirects to {inner.url}/elsewhere are not followed; name the new url"
    )
    assert inner.got == []


def test_retries_keep_the_id_and_end_after_three_days(webhooks):
    now = NOW
    with receiving(Receiver(lambda _: says(503, "come back"))) as crm:
        webhooks.queue("k1", crm.url)
        for attempt, pause in enumerate(BACKOFF, start=1):
            assert webhooks.deliver(now).retried == 1
            row = webhooks.row("k1")
            assert (row["status"], row["attempts"]) == ("queued", attempt)
            assert (row["response"], row["next_at"]) == ("503 come back", now + pause)
            assert webhooks.deliver(now + pause - 1) == WebhookReport(waiting=1)
            now += pause
        last = webhooks.deliver(now)
    assert (last.failed, last.waiting) == (1, 0)
    assert webhooks.row("k1")["reason"] == "gave up after 10 attempts: answered 503"
    assert crm.ids == ["k1"] * 10
    assert 3 * DAY < now - NOW < 4 * DAY
    assert crm.got[-1].verified()  # signed anew each time


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        ("0", MINUTE),
        ("10", MINUTE),
        ("7200", 2 * HOUR),
        ("9999999999", DAY),
        ("soon", MINUTE),
        ("Wed, 21 Oct 2015 07:28:00 GMT", MINUTE),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("-5", MINUTE),
    ],
)
def test_a_receiver_may_ask_for_a_longer_pause_within_bounds(few, asked, pause):
    with receiving(Receiver(lambda _: says(429, retry_after=asked))) as crm:
        few.queue("k1", crm.url)
        few.deliver()
    assert few.row("k1")["next_at"] == NOW + pause


def test_an_answer_is_kept_cut_and_harmless(webhooks):
    said = "\x1b[31mred\x00 \u202eevil\n" + "x" * 600
    with receiving(Receiver(lambda _: says(200, said))) as crm:
        webhooks.queue("k1", crm.url)
        webhooks.deliver()
    response = webhooks.row("k1")["response"]
    assert response.startswith("200 [31mred evil xxx")
    assert response.isprintable()
    assert len(response) == len("200 ") + 500


def test_a_receiver_that_is_away_is_asked_again(few):
    with receiving(Receiver()) as crm:
        pass
    few.queue("k1", crm.url)
    report = few.deliver()
    assert (report.retried, report.waiting) == (1, 1)
    assert "k1: " in report.problem
    assert few.row("k1")["attempts"] == 1
    with receiving(crm, port=crm.port):
        assert few.deliver(NOW + MINUTE).sent == 1


# --- ${NAME} ----------------------------------------------------------------------------------


def test_variables_are_filled_in_for_the_wire_alone(webhooks):
    with receiving(Receiver(lambda request: says(200, str(request.headers)))) as crm:
        webhooks.variables = {"CRM_URL": crm.url, "CRM_TOKEN": TOKEN, "SITE": "shop"}
        webhooks.queue(
            "k1",
            "${CRM_URL}/leads",
            headers={"Authorization": "Bearer ${CRM_TOKEN}"},
            body={"site": "${SITE}", "key": ["${CRM_TOKEN}"], "price": "$5 or ${}"},
        )
        assert webhooks.deliver().sent == 1
    (request,) = crm.got
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.verified() == {"site": "shop", "key": [TOKEN], "price": "$5 or ${}"}
    row = webhooks.row("k1")
    assert row["payload"]["url"] == "${CRM_URL}/leads"
    assert "Bearer ${CRM_TOKEN}" in row["response"]  # the receiver repeated it
    assert TOKEN not in str(row)


def test_a_doubled_dollar_is_the_text_itself_and_values_are_not_read_again(few):
    with receiving(Receiver()) as crm:
        few.variables = {"CRM_TOKEN": TOKEN, "OWN": "${CRM_TOKEN}"}
        headers = {"X-Name": "$${CRM_TOKEN}", "X-Own": "${OWN}"}
        few.queue("k1", crm.url, headers=headers, body={"a": "$$${CRM_TOKEN}", "b": "$${NONE}"})
        few.deliver()
    (request,) = crm.got
    assert request.headers["x-name"] == request.headers["x-own"] == "${CRM_TOKEN}"
    assert request.verified() == {"a": "$${CRM_TOKEN}", "b": "${NONE}"}


@pytest.mark.parametrize("values", [{}, {"CRM_TOKEN": ""}])
def test_a_variable_that_is_not_set_is_waited_for(few, values):
    with receiving(Receiver()) as crm:
        few.variables = values
        few.queue("k1", crm.url, headers={"X-Token": "${CRM_TOKEN}"})
        report = few.deliver()
        assert report.problem == (
            "k1: it wants ${CRM_TOKEN}, which is not set; set it in the environment or in .env"
        )
        assert (few.row("k1")["status"], few.row("k1")["next_at"]) == ("queued", NOW + MINUTE)
        assert crm.got == []
        few.variables = {"CRM_TOKEN": TOKEN}
        assert few.deliver(NOW + MINUTE).sent == 1


def test_settings_of_our_own_are_given_to_nobody(few):
    with receiving(Receiver()) as crm:
        few.variables = {f"{OURS}SECRET": "s3cret"}
        few.queue("k1", crm.url, headers={"X-Token": "${FLOWSCORE_SECRET}"})
        assert few.deliver().retried == 1
    assert crm.got == []


def test_a_redirect_does_not_tell_the_secret_in_an_address(few):
    """From http to https, as many receivers do."""
    with receiving(Receiver()) as crm:
        secure = crm.url.replace("http:", "https:")
        page = f'<a href="{secure}/services/x9-3n/">Moved</a>'
        crm.answer = lambda _: says(301, page, location=f"{secure}/services/x9-3n/")
        few.variables = {"HOOK": f"{crm.url}/services/x9-3n"}
        few.queue("k1", "${HOOK}/")
        assert few.deliver().failed == 1
    row = few.row("k1")
    assert "redirects to https://${HOOK}/ are not followed" in row["reason"]
    assert "x9-3n" not in str(row)


@pytest.mark.parametrize("payload", [None, {}, [], {"url": None}, {"url": 7}])
def test_a_row_without_a_request_fails_alone(webhooks, payload):
    with receiving(Receiver()) as crm:
        webhooks.queue("good", crm.url)
        webhooks.queue("bad", crm.url, payload=payload)
        report = webhooks.deliver()
    assert (report.sent, report.failed) == (1, 1)
    assert webhooks.row("bad")["reason"] == "its row holds no request"


# --- several ----------------------------------------------------------------------------------


def test_webhooks_go_side_by_side(few):
    def slowly(_):
        time.sleep(0.1)
        return says(200)

    with receiving(Receiver(slowly)) as crm, receiving(Receiver(slowly)) as shop:
        for number in range(12):
            few.queue(f"crm-{number}", crm.url)
            few.queue(f"shop-{number}", shop.url)
        began = time.monotonic()
        assert few.deliver().sent == 24
    assert time.monotonic() - began < 1.5  # 2.4 s one after the other
    assert len(set(crm.ids)) == len(crm.ids) == 12


def test_two_senders_share_the_work(webhooks):
    with receiving(Receiver()) as crm:
        for number in range(40):
            webhooks.queue(f"k{number}", crm.url)
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda _: webhooks.deliver(), range(2)))
    assert sum(report.sent for report in reports) == 40
    assert sorted(crm.ids) == sorted(f"k{number}" for number in range(40))


def test_priority_first_then_the_oldest(few, monkeypatch):
    monkeypatch.setattr(delivery, "OF_ONE_RECEIVER", 1)
    with receiving(Receiver()) as crm:
        few.queue("young", crm.url, queued_at=NOW - 1)
        few.queue("old", crm.url, queued_at=NOW - 2)
        few.queue("first", crm.url, priority=9)
        few.deliver()
    assert crm.ids == ["first", "old", "young"]


def test_asked_to_stop_no_other_is_begun(few):
    with receiving(Receiver()) as crm:
        for number in range(30):
            few.queue(f"k{number}", crm.url)
        report = few.deliver(stop=lambda: len(crm.got) >= 5)
    assert 5 <= report.sent < 12
    assert report.sent + report.waiting == 30
    assert {row["status"] for row in few.house.rows().values()} == {"sent", "queued"}


# --- by hand ----------------------------------------------------------------------------------


def test_a_failed_webhook_goes_again_by_hand_under_the_same_id(webhooks):
    with receiving(Receiver(lambda _: says(404))) as crm:
        webhooks.queue("k1", crm.url)
        webhooks.deliver()
        with webhooks.house.store.transact() as connection:
            assert queue_again(connection, "k1") == "ana@example.com"
        row = webhooks.row("k1")
        assert (row["status"], row["reason"], row["attempts"]) == ("queued", None, 0)
        crm.answer = lambda _: says(200)
        assert webhooks.deliver().sent == 1
        with (
            webhooks.house.store.transact() as connection,
            pytest.raises(FlowscoreError, match="k1 is sent"),
        ):
            queue_again(connection, "k1")
    assert crm.ids == ["k1", "k1"]


# --- the service ------------------------------------------------------------------------------


def test_a_webhook_that_is_due_wakes_the_delivery(webhooks):
    store = webhooks.house.store
    with receiving(Receiver()) as crm, store.read() as connection:
        assert not claims.is_due(connection, NOW)
    webhooks.queue("k1", crm.url)
    with store.read() as connection:
        assert not claims.is_due(connection, NOW - HOUR)
        assert claims.is_due(connection, NOW)
    webhooks.deliver()  # nobody listens any more
    with store.read() as connection:
        assert not claims.is_due(connection, NOW)
        assert claims.is_due(connection, NOW + MINUTE)


def test_what_a_flow_run_says_of_webhooks():
    from flowscore.flows import counts_of

    report = DeliveryReport(sent=2, webhooks=WebhookReport(sent=3, failed=1, problem="k: x"))
    said = counts_of(report)
    assert said == {
        "sent": 2, "webhooks: sent": 3, "webhooks: failed": 1, "webhooks: problem": "k: x",
    }  # fmt: skip
