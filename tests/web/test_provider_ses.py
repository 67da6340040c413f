"""Amazon SES through SNS, over HTTP: its signature, whose certificates are read, what it tells."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flowscore.clock import DAY, HOUR, MINUTE, SECOND, clock_now, rfc3339
from flowscore.web import app
from flowscore.web.providers import certificates, routes
from flowscore.web.providers.certificates import Certificates, UnreachableError, fetch
from flowscore.web.providers.ses import read
from flowscore.web.providers.sns import BarredError, certificate_url, confirmation_url, host_of
from flowscore.web.refusals import RefusedError
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
    tick,
)
from web.provider_posts import AMAZON, NOTHING, ONE, TOPIC, Amazon, post_ses, twisted


class Publisher:
    """Stands where Amazon stands, on loopback: what it has at each path, and who asked."""

    def __init__(self) -> None:
        self.has: dict[str, bytes] = {}
        self.asked: list[str] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked.append(self.path)
                found = publisher.has.get(self.path.partition("?")[0])
                self.send_response(404 if found is None else 302 if found == b"away" else 200)
                self.send_header("Location", "/SimpleNotificationService-0123abcd.pem")
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    async def fetch(self, url: str) -> bytes:
        """The real fetch, from here in place of Amazon."""
        assert url.startswith(AMAZON)
        return await fetch(url.replace(AMAZON, self.url))


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def amazon() -> Amazon:
    return Amazon.made()


@pytest.fixture
def mailed(
    serve: Serve, publisher: Publisher, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> House:
    """Ana and Ben were written to, and a topic of ours may tell of it."""
    publisher.has["/SimpleNotificationService-0123abcd.pem"] = amazon.certificate
    publisher.has["/"] = b"<ConfirmSubscriptionResponse/>"
    rooms = [room for room in app.ROOMS if room is not routes.router]
    rooms.append(lambda desk: routes.router(desk, publisher.fetch))
    monkeypatch.setattr(app, "ROOMS", tuple(rooms))
    return serve_mailed(serve, SES_TOPICS=f"{TOPIC}, arn:aws:sns:us-east-1:123456789012:other")


def notice(house: House | None, word: str = "notificationType", **given: Any) -> dict[str, Any]:
    """As SES tells of a bounce of Ana's mail; `bounce` takes what is different in there."""
    name = message_id(house, ANA) if house else "<welcome@academy.example>"
    bounce = {
        "bounceType": "Permanent", "bounceSubType": "General",
        "feedbackId": "00000138111222aa-44455566-cccc-cccc-cccc-ddddaaaa068a-000000",
        "timestamp": rfc3339(clock_now()), "reportingMTA": "dns; email.example.com",
        "bouncedRecipients": [
            {"emailAddress": ANA, "status": "5.1.1", "action": "failed",
             "diagnosticCode": "smtp; 550 5.1.1 <ana@example.com>... User unknown"},
        ],
    }  # fmt: skip
    mail = {
        "timestamp": "2026-01-27T14:59:38.237Z", "source": "hello@academy.example",
        "messageId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
        "destination": [ANA], "headersTruncated": False,
        "headers": [{"name": "Message-ID", "value": name}],
        "commonHeaders": {"messageId": name, "subject": "Welcome"},
    }  # fmt: skip
    return {word: "Bounce", "mail": mail, **given, "bounce": {**bounce, **given.get("bounce", {})}}


# --- what it tells --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("word", ["notificationType", "eventType"])
def test_ses_tells_of_a_hard_bounce(mailed: House, amazon: Amazon, version: str, word: str) -> None:
    message = amazon.notification(notice(mailed, word), SignatureVersion=version)
    for _ in range(2):
        answer = post_ses(mailed.client, message)
        assert (answer.status_code, answer.json()) == (200, ONE)
    assert suppressed(mailed) == {ANA: "bounced"}
    (event,) = returned(mailed)
    assert event["source"] == "ses" and event["mail_key"] in message_id(mailed, ANA)
    said = json.loads(event["properties"])
    assert (said["code"], said["kind"]) == ("5.1.1", "no_such_address")


SOFT = [
    ("Transient", "General", "unreachable"),
    ("Transient", "MailboxFull", "mailbox_full"),
    ("Transient", "MessageTooLarge", "too_large"),
    ("Transient", "ContentRejected", "refused"),
    ("Undetermined", "Undetermined", "undelivered"),
]


@pytest.mark.parametrize(("type_", "closer", "kind"), SOFT)
def test_ses_has_soft_ones(type_: str, closer: str, kind: str) -> None:
    told = notice(None, bounce={"bounceType": type_, "bounceSubType": closer})
    (report,) = read(told, clock_now())
    assert (report.what, report.hard, report.kind) == ("bounced", False, kind)
    assert report.message_id == "<welcome@academy.example>" and report.code == "5.1.1"


def complaint(house: House | None, *whom: str, **given: Any) -> dict[str, Any]:
    recipients = [{"emailAddress": one} for one in whom]
    told = {"complainedRecipients": recipients, "feedbackId": "f-1", **given}
    return {**notice(house), "notificationType": "Complaint", "complaint": told}


def test_ses_tells_of_complaints(mailed: House, amazon: Amazon) -> None:
    told = complaint(mailed, ANA, complaintFeedbackType="abuse")
    assert post_ses(mailed.client, amazon.notification(told)).json() == ONE
    assert suppressed(mailed) == {ANA: "complained"}


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_not_spam_is_no_complaint(kind: str) -> None:
    told = complaint(None, ANA, complaintFeedbackType=kind)
    assert list(read(told, clock_now())) == []


def test_without_our_headers_it_goes_by_the_addresses(mailed: House, amazon: Amazon) -> None:
    told = complaint(mailed, ANA, BEN, "stranger@example.net")
    told["mail"] = {"messageId": "0000-1", "destination": [ANA, BEN]}
    answer = post_ses(mailed.client, amazon.notification(told))
    assert answer.json() == {"taken": 2, "rejected": 1, "ignored": 0}
    assert suppressed(mailed) == {ANA: "complained", BEN: "complained"}


def test_the_same_bounce_by_two_topics_counts_once(mailed: House, amazon: Amazon) -> None:
    for word in ("notificationType", "eventType"):
        told = notice(mailed, word)
        told["mail"] = {}
        post_ses(mailed.client, amazon.notification(told))
    assert len(returned(mailed)) == 1


def test_who_left_a_list_at_amazon_is_unsubscribed(mailed: House, amazon: Amazon) -> None:
    told = notice(mailed, bounce={"bounceSubType": "UnsubscribedRecipient"})
    post_ses(mailed.client, amazon.notification(told))
    assert refused(mailed) == {ANA} and suppressed(mailed) == {}


def test_nothing_that_a_notice_may_be_is_a_fault_of_ours(mailed: House, amazon: Amazon) -> None:
    chance = random.Random(5)
    for number in range(60):
        told = twisted(notice(mailed) if number % 2 else complaint(mailed, ANA), chance)
        assert post_ses(mailed.client, amazon.notification(told)).status_code == 200
    tick(mailed)


OTHERS: list[Any] = [
    "Successfully validated SNS topic for Amazon SES event publishing.",
    {"eventType": "Delivery", "mail": {}},
    {"eventType": "Open"},
    {},
    [],
    {"notificationType": 7},
]


def test_what_ses_tells_besides_is_counted_only(mailed: House, amazon: Amazon) -> None:
    for told in OTHERS:
        answer = post_ses(mailed.client, amazon.notification(told))
        assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert counted(mailed, "ses", "ignored") == len(OTHERS)


def test_a_bounce_of_nobody_is_kept_as_a_reject(mailed: House, amazon: Amazon) -> None:
    post_ses(mailed.client, amazon.notification({"notificationType": "Bounce", "bounce": []}))
    (kept,) = rejects(mailed)
    assert kept["reason"].startswith("bouncedRecipients: found nothing")


# --- what proves it -------------------------------------------------------------------------------


def test_what_amazon_did_not_sign_is_refused(mailed: House, amazon: Amazon) -> None:
    message = amazon.notification(notice(mailed))
    stranger = Amazon.made().notification(notice(mailed))
    forged = [
        {**message, "Message": message["Message"].replace("Permanent", "Transient")},
        {**message, "Subject": "one more"},
        {**message, "Signature": "AAAA"},
        {**message, "Signature": "%"},
        {**message, "SignatureVersion": "1"},
        stranger,
    ]
    for one in forged:
        answer = post_ses(mailed.client, one)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert returned(mailed) == []


def test_a_signed_subject_is_part_of_what_is_signed(mailed: House, amazon: Amazon) -> None:
    message = amazon.notification(notice(mailed), Subject="Amazon SES Email Event Notification")
    assert post_ses(mailed.client, message).status_code == 200


def test_an_old_message_is_refused(mailed: House, amazon: Amazon) -> None:
    """Amazon tries again for an hour."""
    for late in (-HOUR, 3 * HOUR):
        message = amazon.notification(notice(mailed), Timestamp=rfc3339(clock_now() - late))
        answer = post_ses(mailed.client, message)
        assert (answer.status_code, answer.json()["code"]) == (401, "untimely")
    late = rfc3339(clock_now() - HOUR - 10 * MINUTE)
    assert post_ses(mailed.client, amazon.notification({}, Timestamp=late)).status_code == 200


STRANGE: list[Any] = [
    {"Type": "Other"}, {"Type": 1}, {"MessageId": 7}, {"SignatureVersion": "3"}, {"Message": None},
    {"Timestamp": "soon"}, {"Signature": None}, {"SigningCertURL": None}, {"TopicArn": ["x"]},
]  # fmt: skip


def test_no_message_is_a_fault_of_ours(mailed: House, amazon: Amazon) -> None:
    for given in STRANGE:
        answer = post_ses(mailed.client, {**amazon.notification(notice(mailed)), **given})
        assert answer.status_code in (400, 401, 403) and set(answer.json()) == {"code", "message"}


def test_raw_delivery_is_explained(mailed: House) -> None:
    answer = post_ses(mailed.client, notice(mailed), **{"x-amz-sns-rawdelivery": "true"})
    assert answer.status_code == 400 and "raw message delivery" in answer.json()["message"]


def test_another_topic_is_refused(mailed: House, amazon: Amazon, publisher: Publisher) -> None:
    """Amazon signs for everybody: whose topic it is decides."""
    other = amazon.notification(notice(mailed), TopicArn=f"{TOPIC}2")
    answer = post_ses(mailed.client, other)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert "FLOWSCORE_SES_TOPICS" in answer.json()["message"] and publisher.asked == []


# --- where Amazon is asked ------------------------------------------------------------------------

ELSEWHERE = [
    "http://sns.eu-west-1.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
    "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
    "https://sns.us-east-1.amazonaws.com/a.pem",
    "https://sns.s3-us-west-2.amazonaws.com/a.pem",
    "https://SNS.eu-west-1.amazonaws.com/a.pem",
    f"{AMAZON}a.pem?x=1",
    f"{AMAZON}a.pem#x",
    f"{AMAZON}a/../b.pem",
    f"{AMAZON}%2e%2e/b.pem",
    f"{AMAZON}a.pem\n",
    f"{AMAZON}a.txt",
    "https://127.0.0.1/a.pem",
    "https://169.254.169.254/a.pem",
    "file:///etc/ssl/a.pem",
    "",
    None,
    7,
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_certificates_come_from_the_topics_region_only(url: Any) -> None:
    with pytest.raises(BarredError):
        certificate_url({"SigningCertURL": url}, TOPIC)


def test_a_forged_address_is_not_asked(mailed: House, amazon: Amazon, publisher: Publisher) -> None:
    for url in ELSEWHERE[:9]:
        answer = post_ses(mailed.client, amazon.notification(notice(mailed), SigningCertURL=url))
        assert answer.status_code == 403 and publisher.asked == []


def test_each_region_has_its_host() -> None:
    assert host_of(TOPIC) == "sns.eu-west-1.amazonaws.com"
    assert host_of("arn:aws-cn:sns:cn-north-1:1:x") == "sns.cn-north-1.amazonaws.com.cn"
    gov = "arn:aws-us-gov:sns:us-gov-west-1:1:x"
    assert host_of(gov) == "sns.us-gov-west-1.amazonaws.com"
    url = f"{AMAZON}SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"
    assert certificate_url({"SigningCertURL": url}, TOPIC) == url


def test_a_certificate_is_fetched_once(mailed: House, amazon: Amazon, publisher: Publisher) -> None:
    for _ in range(3):
        assert post_ses(mailed.client, amazon.notification({})).status_code == 200
    assert publisher.asked == ["/SimpleNotificationService-0123abcd.pem"]


def test_a_certificate_of_another_time_proves_nothing(mailed: House, publisher: Publisher) -> None:
    for name, valid_from in (("past", -40 * DAY), ("future", DAY)):
        other = Amazon.made(clock_now() + valid_from)
        publisher.has[f"/{name}.pem"] = other.certificate
        message = other.notification({}, SigningCertURL=f"{AMAZON}{name}.pem")
        answer = post_ses(mailed.client, message)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_certificate")


def test_what_is_no_certificate_proves_nothing(
    mailed: House, amazon: Amazon, publisher: Publisher
) -> None:
    publisher.has["/other.pem"] = b"-----BEGIN CERTIFICATE-----\nnonsense"
    answer = post_ses(mailed.client, amazon.notification({}, SigningCertURL=f"{AMAZON}other.pem"))
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_certificate")


def test_when_amazon_cannot_be_asked_it_is_to_come_again(
    mailed: House, amazon: Amazon, publisher: Publisher
) -> None:
    """A 4xx would be its last attempt."""
    answer = post_ses(mailed.client, amazon.notification({}, SigningCertURL=f"{AMAZON}gone.pem"))
    assert answer.status_code == 503 and answer.headers["retry-after"]
    publisher.has["/gone.pem"] = amazon.certificate
    answer = post_ses(mailed.client, amazon.notification({}, SigningCertURL=f"{AMAZON}gone.pem"))
    assert answer.status_code == 200


def test_a_fetch_is_small_short_and_goes_nowhere_else(
    publisher: Publisher, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.has |= {"/a.pem": amazon.certificate, "/large": b"x" * 70_000, "/away": b"away"}
    assert asyncio.run(fetch(f"{publisher.url}a.pem")) == amazon.certificate
    for path in ("large", "away", "missing"):
        with pytest.raises(UnreachableError):
            asyncio.run(fetch(f"{publisher.url}{path}"))
    assert publisher.asked == ["/a.pem", "/large", "/away", "/missing"]
    monkeypatch.setattr(certificates, "TOTAL", 0.2)
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # accepts, says nothing
    with silent, pytest.raises(UnreachableError):
        asyncio.run(fetch(f"http://127.0.0.1:{silent.server_port}/"))


def test_strangers_make_us_ask_a_few_times_only(amazon: Amazon) -> None:
    asked: list[str] = []

    async def publish(url: str) -> bytes:
        asked.append(url)
        return b"nonsense"

    async def ask() -> None:
        kept = Certificates(publish)
        for number in range(50):
            with pytest.raises(RefusedError):
                await kept.at(f"{AMAZON}{number}.pem", HOUR + number * SECOND)
        with pytest.raises(RefusedError):
            await kept.at(f"{AMAZON}later.pem", 3 * HOUR)

    asyncio.run(ask())
    assert len(asked) == certificates.MOST_FETCHES + 1


# --- subscriptions --------------------------------------------------------------------------------


def test_a_subscription_of_our_topic_is_confirmed(
    mailed: House, amazon: Amazon, publisher: Publisher
) -> None:
    answer = post_ses(mailed.client, amazon.confirmation())
    assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert publisher.asked[-1].startswith("/?Action=ConfirmSubscription&TopicArn=")


def test_no_other_subscription_is_confirmed(
    mailed: House, amazon: Amazon, publisher: Publisher
) -> None:
    evil = f"{AMAZON}?Action=ConfirmSubscription&TopicArn=x".replace("eu-west-1", "s3-eu-west-1")
    forged = [
        amazon.confirmation(TopicArn="arn:aws:sns:eu-west-1:210987654321:theirs"),
        amazon.confirmation(SubscribeURL=evil),
        amazon.confirmation(SubscribeURL=f"{AMAZON}?Action=DeleteTopic&TopicArn={TOPIC}"),
        {**amazon.confirmation(), "Token": "another"},
    ]
    for message in forged:
        assert post_ses(mailed.client, message).status_code in (401, 403)
    assert [one for one in publisher.asked if "Action" in one] == []


def test_a_subscription_that_cannot_be_confirmed_now_is_offered_again(
    mailed: House, amazon: Amazon, publisher: Publisher
) -> None:
    del publisher.has["/"]
    assert post_ses(mailed.client, amazon.confirmation()).status_code == 503


def test_the_address_that_confirms() -> None:
    token = "2336412f37fb687f5d51e6e2425dacbbaf5"
    url = f"{AMAZON}?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}"
    assert confirmation_url({"SubscribeURL": url}, TOPIC) == url
    for other in (url.replace("eu-west-1.ama", "eu-west-2.ama"), f"{url} x", f"{url}#x", ""):
        with pytest.raises(BarredError):
            confirmation_url({"SubscribeURL": other}, TOPIC)


def test_the_end_of_a_subscription_is_taken_note_of(mailed: House, amazon: Amazon) -> None:
    message = amazon.confirmation(Type="UnsubscribeConfirmation")
    assert post_ses(mailed.client, message).json() == NOTHING
