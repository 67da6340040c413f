"""`pause_when`: sending stops when too much of what was sent did harm; a person lifts it (79)."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.language.policy import PauseWhen, Policy
from flowscore.mail import claims, pause
from flowscore.mail.smtp import SmtpTransport
from flowscore.store.tables import events
from mail.conftest import NOW, SENDER, House
from mail.smtp_server import Script, serve

TEN_PERCENT, FIVE_PERCENT = 100_000, 50_000


def watch(house: House, **limits: int) -> House:
    wanted = {"of_last": 10} | limits
    house.policy = Policy(sender=SENDER, topics=("news",), pause_when=PauseWhen(**wanted))
    return house


def fill(house: House, count: int = 10, start: int = NOW - DAY, word: str = "old") -> list[int]:
    """So many mails that went, one to each of as many people, a minute apart."""
    people = []
    for number in range(count):
        people.append(house.add_contact(f"{word}{number}@example.com"))
        sent_at = start + number * MINUTE
        house.queue(people[-1], f"{word}{number}", status="sent", sent_at=sent_at,
                    settled_at=sent_at, sent_event=True)  # fmt: skip
    return people


def came(house: House, name: str, contact: int, **given: object) -> None:
    """An event about a mail."""
    kind = given.pop("type", None)
    row = {
        "message_id": f"{name}-{contact}-{given}", "contact_id": contact, "name": name,
        "machine": False, "behaviour": False, "own_at": NOW - HOUR, "received_at": NOW - HOUR,
        "seen_at": NOW - HOUR, "historical": False, "properties": {},
        "forms": {"type": [[kind]]} if kind else {},
    }  # fmt: skip
    with house.store.transact() as connection:
        connection.execute(insert(events).values(row | given))


def try_one(house: House, key: str = "next", now: int = NOW) -> str:
    """Deliver one more mail; gives what stopped it."""
    house.queue(house.add_contact(f"{key}@example.com"), key, topic="news")
    return house.deliver(now=now).stopped


def test_the_share_that_reaches_the_limit_pauses(house):
    people = fill(house)
    came(house, "email_bounced", people[3], mail_key="old3")
    stopped = try_one(watch(house, bounces=TEN_PERCENT))
    assert stopped == (
        "sending is paused since 2024-10-04T00:00:00Z: 1 of the last 10 mails bounced, and the "
        "policy stops at 10%. Look into it with `flowscore outbox --status failed`, then let it "
        "go on with `flowscore outbox resume`"
    )
    assert house.rows()["next"]["status"] == "queued"


def test_a_smaller_share_does_not(house):
    people = fill(house)
    came(house, "email_bounced", people[3], mail_key="old3")
    assert try_one(watch(house, bounces=TEN_PERCENT + 1)) == ""
    assert house.rows()["next"]["status"] == "sent"


def test_complaints_have_a_limit_of_their_own(house):
    people = fill(house)
    came(house, "email_complained", people[0], mail_key="old0")
    assert "1 of the last 10 mails brought complaints" in try_one(
        watch(house, bounces=FIVE_PERCENT, complaints=1_000)
    )


def test_too_few_mails_say_nothing(house):
    people = fill(house, 9)
    for contact in people:
        came(house, "email_bounced", contact)
    assert try_one(watch(house, bounces=FIVE_PERCENT)) == ""
    assert "9 of the last 10 mails bounced" in try_one(house, "another", now=NOW + MINUTE)


def test_only_the_last_mails_count(house):
    people = fill(house, 1, start=NOW - 2 * DAY, word="bad")
    came(house, "email_bounced", people[0], own_at=NOW - 2 * DAY + 1)
    fill(house, 10)
    assert try_one(watch(house, bounces=FIVE_PERCENT)) == ""


@pytest.mark.parametrize(
    ("given", "paused"),
    [
        ({"mail_key": "old3"}, True),
        ({"mail_key": "of-another-program", "subject": "page"}, True),
        ({"subject": "page"}, True),
        ({}, True),
        ({"subject": "another-template"}, False),
        ({"own_at": NOW - 2 * DAY}, False),  # before the mail went
        ({"type": "hard"}, True),
        ({"type": "permanent"}, True),
        ({"type": "soft"}, False),
        ({"type": "soft", "mail_key": "old3"}, False),
    ],
)
def test_which_bounces_are_about_a_mail(house, given, paused):
    people = fill(house)
    came(house, "email_bounced", people[3], **given)
    assert bool(try_one(watch(house, bounces=TEN_PERCENT))) is paused


def test_one_bounce_without_a_key_counts_once(house):
    (ana,) = fill(house, 1)
    for number in range(1, 10):
        house.queue(ana, f"more{number}", status="sent", sent_at=NOW - DAY + number * MINUTE,
                    settled_at=NOW, sent_event=True)  # fmt: skip
    came(house, "email_bounced", ana)
    assert try_one(watch(house, bounces=TEN_PERCENT + 1)) == ""


def test_addresses_refused_at_the_door_stop_a_long_delivery(small_house, monkeypatch):
    """Each batch is judged anew: the second is not sent."""
    house = watch(small_house, bounces=FIVE_PERCENT)
    monkeypatch.setattr("flowscore.mail.delivery.BATCH", 10)
    for number in range(30):
        house.queue(house.add_contact(f"c{number:02}@example.com"), f"k{number}")
    script = Script()
    unknown = ("c03@example.com", "c07@example.com")
    script.recipient = lambda address: "550 5.1.1 no such user" if address in unknown else None
    with serve(script) as url:
        report = house.deliver(SmtpTransport(url, 1))
    assert (report.sent, report.failed, report.waiting) == (8, 2, 20)
    assert "2 of the last 10 mails bounced" in report.stopped


def test_everything_waits_while_it_is_paused(house):
    people = fill(house)
    came(house, "email_bounced", people[3])
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "receipt", topic="transactional")
    house.queue(ana, "notice", kind="notify", recipients=["luis@acme.example"])
    watch(house, bounces=TEN_PERCENT).deliver()
    report = house.deliver(now=NOW + DAY)
    assert (report.sent, report.waiting) == (0, 2)
    assert report.stopped.startswith("sending is paused since 2024-10-04T00:00:00Z")
    with house.store.read() as connection:
        assert not claims.is_due(connection, NOW + DAY)  # nothing that a run would do


def test_a_pause_stands_until_somebody_lifts_it(house):
    people = fill(house)
    came(house, "email_bounced", people[3])
    watch(house, bounces=TEN_PERCENT)
    try_one(house)
    house.policy = Policy(sender=SENDER, topics=("news",))
    assert house.deliver(now=NOW + HOUR).stopped.startswith("sending is paused")
    with house.store.transact() as connection:
        lifted = pause.resume(connection)
    assert lifted == pause.Pause(NOW, "1 of the last 10 mails bounced, and the policy stops at 10%")
    assert house.deliver(now=NOW + HOUR).sent == 1


def test_after_a_resume_only_mails_sent_since_count(house):
    people = fill(house)
    came(house, "email_bounced", people[3])
    watch(house, bounces=TEN_PERCENT)
    try_one(house)
    with house.store.transact() as connection:
        pause.resume(connection)
    assert house.deliver(now=NOW + MINUTE).sent == 1
    came(house, "email_bounced", people[9])  # of a mail sent before: it was known to be bad
    people = fill(house, 8, start=NOW + HOUR, word="new")
    came(house, "email_bounced", people[0], own_at=NOW + 2 * HOUR)
    assert try_one(house, "tenth", now=NOW + 3 * HOUR) == ""
    assert "1 of the last 10 mails bounced" in try_one(house, "late", now=NOW + 4 * HOUR)


def test_nothing_to_resume(house):
    with house.store.transact() as connection:
        assert pause.resume(connection) is None
