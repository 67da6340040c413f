"""What is read of returned mails: of the great servers, of the odd ones, and garbage."""

from __future__ import annotations

import random
import time

import pytest

from flowscore.mail.returns.kinds import judge
from flowscore.mail.returns.notice import Ignored, Notice, Unread
from flowscore.mail.returns.reading import read_notice
from flowscore.store.bounces import TABLE
from mail.returned_mails import EXIM, NOTHING_TO_DO, POSTFIX, QMAIL, REPLY, SAMPLES, Sample

OURS = "bounces@mail.example.com"
TOKEN = "abcdefghijklmnopqrstuvwxyz234567"
NAME = "<welcome.1.hello.0123456789abcdef@acme.example>"
GIVEN = {"verp": f"bounces+{TOKEN}@mail.example.com", "mark": TOKEN, "name": NAME}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_shape_is_read(sample: Sample) -> None:
    notice = read_notice(sample.content(**GIVEN), OURS)
    assert isinstance(notice, Notice), notice
    (said,) = notice.said
    assert (said.what, said.kind, said.code, said.hard) == (
        sample.what, sample.kind, sample.code, sample.hard,
    )  # fmt: skip
    assert said.recipient == sample.recipient
    assert notice.addressed == (TOKEN,)
    if "{name}" in sample.text:
        assert notice.message_id == NAME and TOKEN in notice.carried


@pytest.mark.parametrize("text", NOTHING_TO_DO.values(), ids=NOTHING_TO_DO)
def test_answers_that_nobody_wrote_are_no_bounces(text: str) -> None:
    content = Sample("", text, "").content(**GIVEN)
    assert isinstance(read_notice(content, OURS), Ignored)


def test_what_a_person_wrote_is_for_a_person() -> None:
    found = read_notice(Sample("", REPLY, "").content(**GIVEN), OURS)
    assert isinstance(found, Unread) and "somebody wrote" in found.why


def test_the_address_the_server_delivered_to_goes_first() -> None:
    content = Sample("", POSTFIX, "").content(**GIVEN | {"verp": "somebody@acme.example"})
    notice = read_notice(content, OURS, (f"Bounces+{TOKEN.upper()}@Mail.Example.com",))
    assert isinstance(notice, Notice) and notice.addressed == (TOKEN,)


def test_several_recipients_in_one_notice() -> None:
    more = (
        "Final-Recipient: rfc822; ben@example.com\nAction: failed\nStatus: 4.2.2\n\n"
        "Final-Recipient: rfc822; cem@example.com\nAction: relayed\nStatus: 2.1.5\n\n"
        "Final-Recipient: rfc822; ana@example.com\n"
    )
    text = POSTFIX.replace("Final-Recipient: rfc822; ana@example.com\n", more)
    notice = read_notice(Sample("", text, "").content(**GIVEN), OURS)
    assert isinstance(notice, Notice)
    assert [(one.recipient, one.kind) for one in notice.said] == [
        ("ben@example.com", "mailbox_full"), ("ana@example.com", "no_such_address"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text", "kind", "exact"),
    [
        ("5.1.1", "", "no_such_address", "5.1.1"),
        ("5.1.1 (bad destination)", "550 no", "no_such_address", "5.1.1"),
        ("5.4.4", "Host or domain name not found", "no_route", "5.4.4"),
        ("5.4.1", "550 5.4.1 Recipient rejected: Access denied", "mailbox_disabled", "5.4.1"),
        ("5.2.1", "550 5.2.1 The account is disabled", "mailbox_disabled", "5.2.1"),
        ("4.2.2", "452 4.2.2 over quota", "mailbox_full", "4.2.2"),
        ("4.7.1", "450 4.7.1 Greylisted, come back", "refused", "4.7.1"),
        ("5.7.1", "550 5.7.1 unable to relay, user unknown", "refused", "5.7.1"),
        ("5.1.8", "553 5.1.8 sender address rejected", "refused", "5.1.8"),
        ("5.6.0", "", "refused", "5.6.0"),
        ("4.1.1", "450 4.1.1 unverified address: user unknown", "unreachable", "4.1.1"),
        ("4.0.0", "450 user unknown", "unreachable", "4.0.0"),
        ("5.0.0", "550 No such user here", "no_such_address", "5.0.0"),
        ("5.5.0", "550 5.5.0 Requested action not taken", "mailbox_disabled", "5.5.0"),
        ("5.0.0", "550 message looks like spam to this user unknown", "refused", "5.0.0"),
        ("", "550 Benutzer unbekannt", "no_such_address", "5.0.0"),
        ("", "550 L'utilisateur inconnu", "no_such_address", "5.0.0"),
        ("", "The server at 5.1.1.7 (version 5.1.1.2) said nothing", "undelivered", "5.0.0"),
        ("9.9.9", "", "undelivered", "5.0.0"),
        ("5.999.1", "", "undelivered", "5.999.1"),
    ],
)  # fmt: skip
def test_codes_and_words(code: str, text: str, kind: str, exact: str) -> None:
    assert judge(code, text) == (kind, exact)


def test_every_code_of_the_standard_has_a_row() -> None:
    rows = {row.kind for row in TABLE}
    for kind in (f"{c}.{s}.{d}" for c in "45" for s in range(8) for d in range(31)):
        assert judge(kind, "").name in rows


def test_nothing_that_strangers_write_raises() -> None:
    """Mutations of every sample: cut, doubled, turned round, with bytes of any kind."""
    dice = random.Random(5)
    for _ in range(60):
        for sample in SAMPLES:
            content = bytearray(sample.content(**GIVEN))
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(len(content))
                upto = min(len(content), at + dice.randint(1, 200))
                chance = dice.random()
                if chance < 0.3:
                    del content[at:upto]
                elif chance < 0.6:
                    content[at:at] = content[upto : upto + 200]
                else:
                    content[at:upto] = dice.randbytes(upto - at)
                content = content or bytearray(b"x")
            assert isinstance(read_notice(bytes(content), OURS), Notice | Ignored | Unread)


def _nested(depth: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth)
    )
    return b"From: x@y\n" + head + b"a\n" * 300_000


BOMBS = {
    "empty": b"",
    "nul": b"\0" * 1000,
    "deep": _nested(50),
    "too deep": _nested(1000),
    "one long line": b"From: mailer-daemon@x\n\n" + b"a@b " * 300_000,
    "long header": b"From: " + b"<a@b>, " * 100_000 + b"\n\nx",
    "many failed": b"X-Failed-Recipients: " + b"a@b.example, " * 20_000 + b"\n\n550 5.1.1",
    "many headers": b"X-A: b\n" * 100_000 + b"\n",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\n",
    "quotes": b"From: " + b'"\\' * 200_000 + b"\n\n" + b"(" * 100_000,
    "statuses": b"Content-Type: message/delivery-status\n\n" + b"Status: 5.1.1\n\n" * 60_000,
    "unknown users": b"From: mailer-daemon@x\n\n550 5.0.0 " + b"user " * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_no_mail_keeps_the_reader_busy(content: bytes) -> None:
    began = time.process_time()
    read_notice(content, OURS)
    assert time.process_time() - began < 5


def test_the_quoted_copy_is_not_what_the_server_says() -> None:
    """Codes in our own mail are ours."""
    for text in (EXIM, QMAIL):
        clean = text.replace("550 5.1.1 <ana@example.com>... User unknown", "it is so")
        clean = clean.replace("no mailbox here by that name. (#5.1.1)", "it is so.")
        clean = clean.replace("Hi, this is the news.", "Our price is 5.1.1: user unknown")
        notice = read_notice(Sample("", clean, "").content(**GIVEN), OURS)
        assert isinstance(notice, Notice) and notice.said[0].kind == "undelivered"
