"""Whoever refuses gets no mail from that moment on, whether or not a tick has taken it yet."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import Envelope
from sqlalchemy import insert

from flowscore.clock import HOUR, MINUTE, rfc3339
from flowscore.mail.smtp import SmtpTransport
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.imports import Source, import_contacts
from flowscore.store.inbox import InboxRow, receive
from flowscore.store.intake import forget_taken, take_in
from flowscore.store.tables import consents, identities
from mail.conftest import NOW, House
from mail.smtp_server import Script, serve

ANA = "ana@example.com"


def person(house: House, email: str = ANA, consent: dict[str, bool] | None = None) -> int:
    """A contact as intake leaves it: with the identity by which lines name it."""
    number = house.add_contact(email, consent)
    with house.store.transact() as connection:
        name = {"kind": "email", "value": email.casefold(), "contact_id": number}
        connection.execute(insert(identities).values(name))
    return number


def line(event: str, when: int = NOW, who: str = ANA, **properties: Any) -> InboxRow:
    call = {"type": "track", "event": event, "userId": who, "timestamp": rfc3339(when)}
    row = read_call({**call, "messageId": f"{event}{when}{who}{properties}",
                     "properties": properties}, Reading(NOW))  # fmt: skip
    assert isinstance(row, InboxRow)
    return row


def say(house: House, event: str, when: int = NOW, who: str = ANA, **properties: Any) -> None:
    receive(house.store, [line(event, when, who, **properties)])


def grant(house: House, contact: int, topic: str, when: int) -> None:
    word = {"contact_id": contact, "topic": topic, "granted": True, "at": when, "source": "form"}
    with house.store.transact() as connection:
        connection.execute(insert(consents).values(word))


@pytest.mark.parametrize("said", [{"topic": "news"}, {"topic": "all"}, {}])
def test_t18_a_refusal_that_no_tick_has_taken_holds_a_mail_back(house, said):
    house.queue(person(house), "a")
    house.queue(person(house, "bo@example.com"), "b")
    say(house, "Unsubscribed", **said)
    report = house.deliver()
    assert (report.sent, report.withheld) == (1, {"no_consent": 1})
    assert house.rows()["a"]["reason"] == "no_consent"


def test_a_refusal_of_another_topic_holds_nothing_back(house):
    house.queue(person(house), "a")
    say(house, "Unsubscribed", topic="offers")
    assert house.deliver().sent == 1


def test_a_refusal_of_mail_in_general_leaves_the_topics_own_word(house):
    house.queue(person(house, consent={"email": True, "news": True}), "a")
    say(house, "Unsubscribed")
    assert house.deliver().sent == 1


def test_t18_transactional_mail_goes_on(house):
    house.queue(person(house), "a", topic="transactional")
    say(house, "Unsubscribed", topic="all")
    assert house.deliver().sent == 1


def test_t18_a_complaint_that_no_tick_has_taken_holds_every_mail_back(house):
    house.queue(person(house), "a", topic="transactional")
    say(house, "Email Marked as Spam")
    assert house.deliver().withheld == {"suppressed": 1}


def test_an_old_refusal_that_comes_late_changes_nothing(house):
    """What was granted after it holds, as it will when a tick takes it."""
    ana = person(house, consent={})
    grant(house, ana, "news", NOW - HOUR)
    house.queue(ana, "a")
    say(house, "Unsubscribed", NOW - 2 * HOUR, topic="all")
    assert house.deliver().sent == 1


def test_a_refusal_that_a_tick_has_taken_counts_by_what_it_came_to(house):
    """Taken lines may lie in the inbox for a while; what was said since then holds."""
    ana = person(house)
    say(house, "Unsubscribed", NOW - 2 * HOUR, topic="news")
    with house.store.transact() as connection:
        take_in(connection, house.store.dialect, house.project, NOW - HOUR, False)
        take_in(connection, house.store.dialect, house.project, NOW, False)
    say(house, "Subscribed", NOW - MINUTE, topic="news")
    with house.store.transact() as connection:
        take_in(connection, house.store.dialect, house.project, NOW, False)
    house.queue(ana, "a")
    assert house.deliver().sent == 1
    forget_taken(house.store)


def test_t18_a_mail_that_waits_is_held_back_too(house):
    house.queue(person(house), "a", next_at=NOW + HOUR, waits="window", waits_in="UTC")
    say(house, "Unsubscribed", topic="news")
    house.queue(person(house, "bo@example.com"), "b")
    report = house.deliver()
    assert report.withheld == {"no_consent": 1}


def test_t18_a_refusal_between_claim_and_hand_over_holds_the_mail_back(house):
    """A batch is claimed and asked at once, and each mail again when its turn comes."""
    house.queue(person(house), "a")
    house.queue(person(house, "bo@example.com"), "b")
    script = Script()

    def refuse_next(_: Envelope) -> None:
        say(house, "Unsubscribed", NOW, "bo@example.com", topic="news")

    script.content = refuse_next
    with serve(script) as url:
        report = house.deliver(SmtpTransport(url, lanes=1))
    assert (report.sent, report.withheld) == (1, {"no_consent": 1})
    assert script.recipients == [ANA]
    row = house.rows()["b"]
    assert (row["status"], row["reason"], row["handed_at"]) == ("withheld", "no_consent", None)


@pytest.mark.parametrize(("consent", "sent"), [("no", 0), ("yes", 1)])
def test_t18_a_refusal_in_an_imported_file_holds_a_mail_back(house, tmp_path, consent, sent):
    house.queue(person(house), "a")
    file = tmp_path / "people.csv"
    file.write_text(f"email,consent,created_at\n{ANA},{consent},2020-01-01\n")
    import_contacts(house.store, Source(file, zone=ZoneInfo("UTC")), NOW, as_live=False)
    assert house.deliver().sent == sent
