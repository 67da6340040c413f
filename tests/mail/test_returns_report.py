"""What is told of a mail: whose it was, what counts once, and when it suppresses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, update

from flowscore.clock import DAY, MINUTE
from flowscore.mail.returns.report import Report
from flowscore.mail.returns.verp import envelope_sender, make_token, prove, tokens_in
from flowscore.store.bounces import TABLE
from flowscore.store.tables import contacts, identities
from mail.conftest import NOW, House
from mail.returning import (
    SECRET,
    add_person,
    log_of,
    name_of,
    send_mail,
    suppressed,
    tell,
    tick,
)

HARD = Report("bounced", NOW, "notice-1", hard=True, kind="no_such_address", code="5.1.1")
SOFT = Report("bounced", NOW, "notice-1", kind="mailbox_full", code="4.2.2")


@pytest.fixture
def home(house: House) -> House:
    """Ana and Ben, and a mail to Ana."""
    ana = add_person(house, "Ana@example.com")
    add_person(house, "ben@example.com")
    send_mail(house, ana, "welcome.1.hello")
    return house


def number_of(house: House, key: str) -> int:
    return int(house.rows()[key]["id"])


def test_a_hard_bounce_suppresses_and_says_which_mail_it_was(home: House) -> None:
    report = replace(HARD, number=number_of(home, "welcome.1.hello"), text="no such user")
    assert tell(home, report) == []
    tick(home)
    assert suppressed(home) == {"Ana@example.com": "bounced", "ben@example.com": None}
    (event,) = log_of(home)
    assert event["name"] == "email_bounced" and event["message_id"] == "welcome.1.hello:bounced"
    assert event["mail_key"] == "welcome.1.hello" and event["subject"] == "page"
    assert event["topic"] == "news" and event["source"] == "mailbox"
    assert event["properties"] == {
        "template": "page", "topic": "news", "scenario": "welcome",
        "message_id": "welcome.1.hello", "type": "hard", "kind": "no_such_address",
        "code": "5.1.1", "text": "no such user",
    }  # fmt: skip


def test_the_same_bounce_told_by_several_counts_once(home: House) -> None:
    number = number_of(home, "welcome.1.hello")
    mail = name_of(home, "welcome.1.hello", "Ana@example.com")
    tell(home, replace(HARD, number=number))
    tell(home, replace(HARD, number=number))
    tick(home)
    tell(home, replace(HARD, id="other", message_id=mail, recipient="ana@example.com"))
    tick(home, NOW + 2 * DAY)
    assert len(log_of(home)) == 1


def test_found_by_message_id_and_by_address_where_who_tells_it_has_signed(home: House) -> None:
    mail = name_of(home, "welcome.1.hello", "Ana@example.com")
    tell(home, Report("complained", NOW, "c1", message_id=mail))
    tell(home, Report("bounced", NOW, "b1", recipient="BEN@example.com", hard=True))
    tick(home)
    assert suppressed(home) == {"Ana@example.com": "complained", "ben@example.com": "bounced"}
    assert {e["message_id"] for e in log_of(home)} == {"welcome.1.hello:complained", "bounced:b1"}


def test_without_a_signature_an_address_alone_proves_nothing(home: House) -> None:
    mail = name_of(home, "welcome.1.hello", "Ana@example.com")
    forged = [
        replace(HARD, recipient="ben@example.com", signed=False),
        replace(HARD, recipient="ben@example.com", message_id=mail, signed=False),
        replace(HARD, message_id=mail, signed=False),
        replace(HARD, recipient="ana@example.com", signed=False,
                message_id="<welcome.1.hello.0123456789abcdef@acme.example>"),
    ]  # fmt: skip
    assert tell(home, *forged) == forged
    true = replace(HARD, message_id=mail, recipient="ana@EXAMPLE.com", signed=False)
    assert tell(home, true) == []
    tick(home)
    assert suppressed(home) == {"Ana@example.com": "bounced", "ben@example.com": None}


def test_unsubscribing_by_a_mail_twice_counts_twice(home: House) -> None:
    """They may have subscribed in between."""
    number = number_of(home, "welcome.1.hello")
    tell(home, Report("unsubscribed", NOW, "u1", number=number))
    tell(home, Report("unsubscribed", NOW, "u1", number=number))
    tick(home)
    from flowscore.store.tables import consents

    with home.store.read() as connection:
        rows = connection.execute(consents.select().where(~consents.c.granted)).all()
    assert {row.topic for row in rows} == {"all", "email", "news", "offers"}
    assert {row.at for row in rows} == {NOW}


def test_of_whom_nobody_knows_and_of_whom_was_erased(home: House) -> None:
    number = number_of(home, "welcome.1.hello")
    unknown = replace(HARD, recipient="nobody@example.com")
    assert tell(home, unknown, replace(HARD, number=9_999)) == [
        unknown,
        replace(HARD, number=9_999),
    ]
    with home.store.transact() as connection:
        connection.execute(delete(contacts).where(contacts.c.email == "Ana@example.com"))
    assert tell(home, replace(HARD, number=number)) == []
    tick(home)
    assert log_of(home) == []


def test_mail_to_a_colleague_suppresses_nobody(home: House) -> None:
    ana = home.rows()["welcome.1.hello"]["contact_id"]
    number = send_mail(home, ana, "notify.1", kind="notify", recipients=["sales@acme.example"])
    report = replace(HARD, number=number, recipient="sales@acme.example")
    assert tell(home, report) == [report]


@pytest.mark.parametrize("told", ["ana@example.com", "hidden@forwarder.example", None])
def test_an_address_that_was_changed_since_is_no_reason_to_stay_silent(
    home: House, told: str | None
) -> None:
    """Its Message-ID is made of the address that the mail went to."""
    number = number_of(home, "welcome.1.hello")
    mail = name_of(home, "welcome.1.hello", "Ana@example.com")
    new = {"email": "new@example.com", "email_folded": "new@example.com"}
    with home.store.transact() as connection:
        connection.execute(update(contacts).where(contacts.c.id == 1).values(new))
        values = {"kind": "email", "value": "new@example.com", "contact_id": 1}
        connection.execute(insert(identities).values(values))
    tell(home, replace(HARD, number=number, message_id=mail, recipient=told))
    tick(home)
    assert suppressed(home)["new@example.com"] is None
    assert log_of(home)[0]["properties"]["kind"] == "old_address"


@pytest.mark.parametrize("told", ["friend@forwarder.example", None])
def test_mail_that_was_forwarded_is_their_own(home: House, told: str | None) -> None:
    """Of their address nothing was told, but it is the mail to it that came back."""
    number = number_of(home, "welcome.1.hello")
    mail = name_of(home, "welcome.1.hello", "Ana@example.com")
    with home.store.transact() as connection:
        connection.execute(update(contacts).values(email_at=NOW + DAY))  # said again since
    tell(home, replace(HARD, number=number, message_id=mail, recipient=told))
    tick(home)
    assert suppressed(home)["Ana@example.com"] == "bounced"


@pytest.mark.parametrize("known_mail", [True, False])
def test_an_address_that_is_known_as_a_former_one(home: House, known_mail: bool) -> None:
    """By the mail, or by what a provider says of the address alone."""
    former = {"kind": "email", "value": "anna@example.com", "contact_id": 1}
    with home.store.transact() as connection:
        connection.execute(insert(identities).values(former))
    number = number_of(home, "welcome.1.hello") if known_mail else None
    tell(home, replace(HARD, number=number, recipient="Anna@example.com"))
    tick(home)
    assert suppressed(home)["Ana@example.com"] is None
    assert log_of(home)[0]["properties"]["kind"] == "old_address"


def test_of_several_addresses_in_a_notice_the_contacts_own_counts(home: House) -> None:
    number = number_of(home, "welcome.1.hello")
    tell(
        home,
        replace(HARD, number=number, recipient="list-member@example.com"),
        replace(SOFT, number=number, recipient="ana@example.com"),
    )
    tick(home)
    assert suppressed(home)["Ana@example.com"] is None
    assert [e["properties"]["kind"] for e in log_of(home)] == ["mailbox_full"]


def test_of_a_forwarders_several_addresses_the_mildest_counts(home: House) -> None:
    number = number_of(home, "welcome.1.hello")
    tell(
        home,
        replace(HARD, number=number, recipient="one@example.com"),
        replace(SOFT, number=number, recipient="two@example.com"),
    )
    tick(home)
    assert suppressed(home)["Ana@example.com"] is None


# --- soft ones --------------------------------------------------------------------------------


def soft_bounces(house: House, kind: str, days: list[float], per_tick: bool) -> None:
    """Mails to Ben that came back softly on these days."""
    ben = 2
    for number, day in enumerate(days):
        at = NOW + round(day * DAY)
        sent = send_mail(house, ben, f"letter.{number}", sent_at=at - MINUTE)
        tell(house, replace(SOFT, kind=kind, number=sent, at=at), at=at)
        if per_tick:
            tick(house, at)
    tick(house, NOW + 200 * DAY)


@pytest.mark.parametrize("per_tick", [True, False])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_soft_bounces_suppress_by_the_table(home: House, row, per_tick: bool) -> None:
    if row.count == 1:
        return
    enough = row.count or 20
    span = row.days or 30
    soft_bounces(home, row.kind, [i * span / enough for i in range(enough)], per_tick)
    assert suppressed(home)["ben@example.com"] == ("bounced" if row.count else None)
    assert len(log_of(home)) == enough


@pytest.mark.parametrize("row", [row for row in TABLE if row.count > 1], ids=lambda row: row.kind)
def test_too_few_or_too_far_apart_do_not(home: House, row) -> None:
    step = row.days / (row.count - 1)
    soft_bounces(home, row.kind, [i * step for i in range(row.count)], True)
    assert suppressed(home)["ben@example.com"] is None


def test_the_same_mail_told_again_is_no_second_soft_bounce(home: House) -> None:
    number = number_of(home, "welcome.1.hello")
    for one in range(5):
        tell(home, replace(SOFT, number=number, id=f"n{one}"), at=NOW + one)
    tick(home)
    assert suppressed(home)["Ana@example.com"] is None
    assert len(log_of(home)) == 1


# --- the envelope sender ----------------------------------------------------------------------


def test_a_token_survives_any_case_and_no_change(home: House) -> None:
    number = number_of(home, "welcome.1.hello")
    token = make_token(SECRET, number, "welcome.1.hello")
    address = envelope_sender("bounces@mail.example.com", token)
    assert address == f"bounces+{token}@mail.example.com" and token == token.lower()
    assert len(address.rpartition("@")[0]) <= 64
    assert tokens_in(f"<{address.upper()}>", "bounces@mail.example.com") == [token]
    changed = token[:-4] + ("a" if token[-4] != "a" else "b") + token[-3:]
    other = make_token("other", number, "welcome.1.hello")
    with home.store.read() as connection:
        known = prove(connection, SECRET, [token, token.upper(), changed, other, "x", "ä" * 30])
    assert known == {token: number, token.upper(): number}


@pytest.mark.parametrize(
    "address",
    [
        "bounces@mail.example.com",
        "bounces+x@example.com",
        "x@mail.example.com",
        "",
        "@",
        "my-bounces+x@mail.example.com",
        "bounces+x@mail.example.com-other.example",
    ],
)
def test_no_address_of_ours(address: str) -> None:
    assert tokens_in(address, "bounces@mail.example.com") == []
