"""Bounces that a real Postfix returns: from the mail that goes out to who gets no more."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from flowscore.clock import HOUR, clock_now
from flowscore.mail.returns.lmtp import receiving
from flowscore.mail.returns.mailbox import read_mailbox
from flowscore.mail.returns.maildir import Maildir
from flowscore.mail.returns.taking import Desk, Taken
from flowscore.mail.smtp import SmtpTransport
from mail.conftest import House
from mail.postfix_server import Postfix, running
from mail.returned_mails import POSTFIX, Sample
from mail.returning import SECRET, add_person, log_of, rejects_of, suppressed, tick
from mail.smtp_server import Script, serve
from required import DEMANDED, required

pytestmark = required("postfix")

OURS = "bounces@mail.here.example"


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """One for all tests of this module; each returned mail is taken out of its mailbox."""
    if os.geteuid() != 0 and not DEMANDED:
        pytest.skip("Postfix is started by root alone")
    with running() as started:
        yield started


def send(house: House, postfix: Postfix, email: str, ours: str = OURS) -> None:
    """A mail to a new contact, by way of Postfix."""
    house.queue(add_person(house, email), f"letter.{email.partition('@')[0]}")
    settings = replace(house.settings, bounce_address=ours)
    report = house.deliver(SmtpTransport(postfix.url, 1), settings=settings)
    assert report.sent == 1, report


def await_return(house: House, postfix: Postfix, there: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not there():
        assert time.monotonic() < until, postfix.log
        time.sleep(0.05)


def read_returned(house: House, postfix: Postfix) -> Taken:
    """Wait for the mail to come back, read the mailbox, tick."""
    await_return(house, postfix, lambda: any((postfix.maildir / "new").glob("*")))
    desk = Desk(house.store, SECRET, OURS)
    taken = read_mailbox(desk, Maildir(postfix.maildir))
    tick(house, clock_now() + HOUR)
    return taken


def told(house: House) -> list[tuple[str, str, str]]:
    """Of each bounce type, kind and code."""
    bounces = [event["properties"] for event in log_of(house)]
    return [(said["type"], said["kind"], said["code"]) for said in bounces]


def test_a_mailbox_that_does_not_exist(house: House, postfix: Postfix) -> None:
    send(house, postfix, "nobody@here.example")
    taken = read_returned(house, postfix)
    assert (taken.mails, taken.aside) == (1, 0)
    assert told(house) == [("hard", "no_such_address", "5.1.1")]
    assert suppressed(house) == {"nobody@here.example": "bounced"}


@pytest.mark.parametrize(
    ("answer", "said", "harm"),
    [
        ("550 5.1.1 no such user here", ("hard", "no_such_address", "5.1.1"), "bounced"),
        ("550 sorry, user unknown", ("hard", "no_such_address", "5.0.0"), "bounced"),
        ("550 5.2.1 mailbox disabled", ("soft", "mailbox_disabled", "5.2.1"), None),
        ("452 4.2.2 mailbox full", ("soft", "mailbox_full", "4.2.2"), None),
        ("451 4.3.0 try later", ("soft", "unreachable", "4.3.0"), None),
        ("554 5.7.1 we do not like you", ("soft", "refused", "5.7.1"), None),
    ],
)
def test_a_server_further_on_refuses_the_recipient(
    house: House, postfix: Postfix, answer: str, said: tuple[str, str, str], harm: str | None
) -> None:
    script = Script()
    script.recipient = lambda _: answer
    with serve(script, postfix.next_port):
        send(house, postfix, "ana+shop@elsewhere.example")
        read_returned(house, postfix)
    assert told(house) == [said]
    assert suppressed(house) == {"ana+shop@elsewhere.example": harm}


def test_a_server_further_on_refuses_the_content(small_house: House, postfix: Postfix) -> None:
    script = Script()
    script.content = lambda _: "554 5.6.0 looks like spam"
    with serve(script, postfix.next_port):
        send(small_house, postfix, "ana@elsewhere.example")
        read_returned(small_house, postfix)
    assert told(small_house) == [("soft", "refused", "5.6.0")]
    assert suppressed(small_house) == {"ana@elsewhere.example": None}


def test_no_server_further_on(small_house: House, postfix: Postfix) -> None:
    send(small_house, postfix, "ana@elsewhere.example")
    read_returned(small_house, postfix)
    assert told(small_house) == [("soft", "unreachable", "4.4.1")]


def test_what_arrives_does_not_come_back(small_house: House, postfix: Postfix) -> None:
    script = Script()
    with serve(script, postfix.next_port):
        send(small_house, postfix, "ana@elsewhere.example")
        await_return(small_house, postfix, lambda: postfix.is_idle)
    (envelope,) = script.taken
    assert envelope.mail_from.startswith("bounces+") and envelope.mail_from.endswith("@" + OURS[8:])
    assert list((postfix.maildir / "new").glob("*")) == []


def test_a_forged_return_is_set_aside(small_house: House, postfix: Postfix) -> None:
    """Anybody may write to the bounce address."""
    add_person(small_house, "ana@example.com")
    forged = "bounces+aaaaaaaaaaaaaaaaaaaaaaaaaaaa@mail.here.example"
    content = Sample("", POSTFIX, "").content(verp=forged, mark="x", name="<y@z.test>")
    with smtplib.SMTP("127.0.0.1", postfix.port) as server:
        server.sendmail("", [forged], content)
    assert read_returned(small_house, postfix).aside == 1
    assert suppressed(small_house) == {"ana@example.com": None}
    assert "signature does not fit" in rejects_of(small_house)[0]["reason"]


def test_postfix_hands_returned_mail_over_by_lmtp(house: House, postfix: Postfix) -> None:
    ours, taken = "bounces@lmtp.example", "status=sent (250 2.0.0 taken)"
    before = postfix.log.count(taken)
    desk = Desk(house.store, SECRET, ours)
    with receiving(desk, "127.0.0.1", postfix.lmtp_port):
        send(house, postfix, "nobody@here.example", ours)
        await_return(house, postfix, lambda: postfix.log.count(taken) > before)
    tick(house, clock_now() + HOUR)
    assert suppressed(house) == {"nobody@here.example": "bounced"}
