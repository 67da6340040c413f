"""Returned mail is taken: what proves a mail was ours, what is set aside, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from flowscore.mail.returns.taking import FORGED, KEPT, UNKNOWN, Desk, Mail, Taken, take
from flowscore.mail.returns.verp import envelope_sender, make_token
from flowscore.mail.smtp import SmtpTransport
from mail.conftest import NOW, House
from mail.returned_mails import (
    ARF_REDACTED,
    EXIM,
    NOTHING_TO_DO,
    POSTFIX,
    REPLY,
    SAMPLES,
    SENDMAIL,
    Sample,
)
from mail.returning import (
    SECRET,
    add_person,
    log_of,
    name_of,
    rejects_of,
    send_mail,
    suppressed,
    tick,
)
from mail.smtp_server import Script, serve

OURS = "bounces@mail.example.com"
KEY = "welcome.1.hello"
NOBODY = {"ana@example.com": None, "eve@example.com": None}


@pytest.fixture
def home(house: House) -> House:
    """Ana got a mail; Eve did too, and would harm her."""
    for name in ("ana", "eve"):
        number = add_person(house, f"{name}@example.com")
        send_mail(house, number, KEY if name == "ana" else "welcome.2.hello")
    return house


def given(house: House, key: str = KEY, recipient: str = "ana@example.com") -> dict[str, str]:
    """What a mail of ours carries."""
    token = make_token(SECRET, house.rows()[key]["id"], key)
    verp = envelope_sender(OURS, token)
    return {"verp": verp, "mark": token, "name": name_of(house, key, recipient)}


def bring(house: House, *contents: bytes, at: int = NOW) -> Taken:
    """Take these mails, then tick."""
    desk = Desk(house.store, SECRET, OURS, lambda: at)
    taken = take(desk, [Mail(content) for content in contents])
    tick(house)
    return taken


def mail_of(written: str, **words: str) -> bytes:
    return Sample("", written, "").content(**words)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_shape_reaches_the_contact_and_once(small_house: House, sample: Sample) -> None:
    add_person(small_house, "ana@example.com")
    send_mail(small_house, 1, KEY)
    content = sample.content(**given(small_house))
    bring(small_house, content, content)
    bring(small_house, content)
    harm = {"bounced": "bounced" if sample.hard else None, "complained": "complained"}
    assert suppressed(small_house) == {"ana@example.com": harm.get(sample.what)}
    names = [event["name"] for event in log_of(small_house)]
    expected = {"bounced": "email_bounced", "complained": "email_complained"}
    expected |= {"bounced": "email_delayed"} if sample.kind == "delayed" else {}
    assert names == [expected.get(sample.what, "unsubscribed")]
    assert rejects_of(small_house) == []


def test_a_mail_of_which_headers_alone_tell(home: House) -> None:
    """A provider's complaint goes to an address of ours that is no envelope sender."""
    words = given(home) | {"verp": "fbl@acme.example"}
    bring(home, mail_of(ARF_REDACTED, **words))
    assert suppressed(home) == NOBODY | {"ana@example.com": "complained"}


def test_a_message_id_counts_with_the_address_it_went_to(home: House) -> None:
    words = given(home) | {"verp": "hello@acme.example", "mark": "x"}
    bring(home, mail_of(POSTFIX, **words))
    assert suppressed(home) == NOBODY | {"ana@example.com": "bounced"}


FORGERIES: dict[str, Callable[[dict[str, str], dict[str, str]], bytes]] = {
    "no trace of a mail": lambda ana, eve: mail_of(
        POSTFIX, verp="bounces@mail.example.com", mark="x", name="<y@z>"
    ),
    "free form": lambda ana, eve: mail_of(EXIM, verp="b@c.example", mark="x", name="<y@z>"),
    "a token of no secret": lambda ana, eve: mail_of(
        POSTFIX, **ana | {"verp": envelope_sender(OURS, "a" * 28), "mark": "a" * 28}
    ),
    "the number of another mail": lambda ana, eve: mail_of(
        POSTFIX, verp="x@y.example", mark=_exchanged(ana["mark"], eve["mark"]), name="<y@z>"
    ),
    "a guessed Message-ID": lambda ana, eve: mail_of(
        EXIM, verp="x@y.example", mark="x", name=f"<{KEY}.0123456789abcdef@acme.example>"
    ),
    "the attacker's own Message-ID": lambda ana, eve: mail_of(
        POSTFIX, verp="x@y.example", mark="x", name=eve["name"]
    ),
    "a broken address, though the rest is true": lambda ana, eve: mail_of(
        POSTFIX, **ana | {"verp": envelope_sender(OURS, "nonsense")}
    ),
}


def _exchanged(mine: str, theirs: str) -> str:
    """The beginning, where the number stands, of one token, the rest of another."""
    return mine[:2] + theirs[2:]


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_nobody_can_suppress_a_stranger(
    home: House, forge: Callable[[dict[str, str], dict[str, str]], bytes]
) -> None:
    eve = given(home, "welcome.2.hello", "eve@example.com")
    taken = bring(home, forge(given(home), eve))
    assert suppressed(home) == NOBODY and log_of(home) == []
    assert taken.aside == 1 and len(rejects_of(home)) == 1


def test_who_bounces_a_mail_of_their_own_harms_themselves_alone(home: House) -> None:
    """Eve knows her own address of return; in it Ana's name says nothing."""
    eve = given(home, "welcome.2.hello", "eve@example.com")
    bring(home, mail_of(POSTFIX, **eve))
    assert suppressed(home) == NOBODY | {"eve@example.com": "bounced"}


def test_a_secret_that_is_none_proves_nothing(home: House) -> None:
    token = make_token("", home.rows()[KEY]["id"], KEY)
    content = mail_of(POSTFIX, verp=envelope_sender(OURS, token), mark=token, name="<y@z>")
    take(Desk(home.store, "", OURS, lambda: NOW), [Mail(content)])
    tick(home)
    assert suppressed(home) == NOBODY


@pytest.mark.parametrize("written", NOTHING_TO_DO.values(), ids=NOTHING_TO_DO)
def test_automatic_answers_are_counted_and_forgotten(small_house: House, written: str) -> None:
    add_person(small_house, "ana@example.com")
    send_mail(small_house, 1, KEY)
    taken = bring(small_house, mail_of(written, **given(small_house)))
    assert (taken.mails, taken.ignored, taken.aside) == (1, 1, 0)
    assert log_of(small_house) == [] and rejects_of(small_house) == []


def test_a_persons_words_are_kept_whole_and_once(home: House) -> None:
    content = mail_of(REPLY, **given(home))
    for _ in range(2):
        taken = bring(home, content)
    assert taken.aside == 1
    (reject,) = rejects_of(home)
    assert "somebody wrote" in reject["reason"] and reject["source"] == "bounces"
    assert "who are you?" in reject["content"]


def test_reasons_are_told_and_what_is_kept_is_bounded(home: House) -> None:
    words = given(home)
    forged = mail_of(POSTFIX, **words | {"verp": envelope_sender(OURS, "b" * 30)})
    unknown = mail_of(POSTFIX, verp="x@y.example", mark="", name="<y@z>")
    taken = bring(home, forged, b"\0\xff" * 500_000, unknown)
    assert taken.reasons[0] == FORGED and taken.reasons[2] == UNKNOWN and taken.reasons[1]
    assert all(len(one["content"]) <= KEPT for one in rejects_of(home))
    assert len(rejects_of(home)) == 3


def test_one_mail_of_several_that_says_nothing_stops_no_other(home: House) -> None:
    words = given(home)
    bring(home, b"", mail_of(POSTFIX, **words), b"\xff")
    assert suppressed(home)["ana@example.com"] == "bounced"


def test_text_that_databases_dislike_is_tamed(home: House) -> None:
    broken = POSTFIX.replace("Recipient address rejected:", "no \x00 \x1b[31m \ud800 \ufffe:")
    content = broken.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    words = given(home)
    bring(home, mail_of(content, **words).replace(b"\xef\xbf\xbd", b"\xed\xa0\x80"))
    assert suppressed(home)["ana@example.com"] == "bounced"
    assert "\x00" not in log_of(home)[0]["properties"]["text"]


def test_an_own_time_before_the_mail_or_in_the_future_is_not_believed(home: House) -> None:
    words = given(home)
    early = mail_of(POSTFIX.replace("4 Oct 2024", "4 Oct 1994"), **words)
    late = mail_of(SENDMAIL.replace("Subject:", "Date: Fri, 4 Oct 2054 00:00:00 +0000\nSubject:"),
                   **words)  # fmt: skip
    bring(home, early, late)
    sent = home.rows()[KEY]["sent_at"]
    assert [event["own_at"] for event in log_of(home)] == [sent, NOW]


def test_a_store_that_cannot_be_written_takes_nothing(home: House) -> None:
    """What a mail says and what is set aside are written together or not at all."""
    contents = (mail_of(POSTFIX, **given(home)), mail_of(REPLY, **given(home)))
    _run(home, "ALTER TABLE rejects RENAME TO elsewhere")
    with pytest.raises(SQLAlchemyError):
        bring(home, *contents)
    _run(home, "ALTER TABLE elsewhere RENAME TO rejects")
    tick(home)
    assert suppressed(home) == NOBODY and rejects_of(home) == []
    bring(home, *contents)
    assert suppressed(home)["ana@example.com"] == "bounced" and len(rejects_of(home)) == 1


def _run(house: House, words: str) -> None:
    with house.store.receive() as connection:
        connection.execute(text(words))


def test_mail_goes_out_with_its_token_and_its_address(home: House) -> None:
    """The envelope sender is the mail's own, the From stays; both name the same mail."""
    settings = replace(home.settings, bounce_address=OURS)
    number = home.queue(1, "welcome.3.hello")
    script = Script()
    with serve(script) as url:
        home.deliver(SmtpTransport(url, 1), settings=settings)
    (envelope,) = script.taken
    token = make_token(SECRET, number, "welcome.3.hello")
    assert envelope.mail_from == envelope_sender(OURS, token)
    content = envelope.content.decode()
    assert f"X-Flowscore-Message: {token}\r\n" in content
    assert "From: " in content and "<hello@acme.example>" in content and OURS not in content
