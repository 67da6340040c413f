"""Frequency caps: how much a contact gets, what waits, and for how long (rulings 73, 74)."""

from __future__ import annotations

import pytest

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.language.policy import FrequencyCap, Policy
from mail.conftest import NOW, SENDER, House

DAILY = FrequencyCap(emails=1, per=DAY)
WEEKLY = FrequencyCap(emails=3, per=7 * DAY)


def limit(house: House, *caps: FrequencyCap, **given: object) -> House:
    house.policy = Policy(sender=SENDER, topics=("news", "offers"), frequency_caps=caps, **given)
    return house


def had(house: House, contact: int, key: str, sent_at: int, **given: object) -> None:
    """A mail that went before."""
    house.queue(
        contact, key, **{"status": "sent", "sent_at": sent_at, "settled_at": sent_at} | given
    )


def states(house: House) -> dict[str, tuple[str, str | None]]:
    return {key: (row["status"], row["reason"]) for key, row in house.rows().items()}


@pytest.mark.parametrize(("ago", "sent"), [(DAY - 1, 0), (DAY, 1), (DAY + 1, 1), (0, 0)])
def test_f04_a_cap_is_rolling_and_free_again_exactly_after_its_time(house, ago, sent):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW - ago)
    house.queue(ana, "k1")
    assert limit(house, DAILY).deliver().sent == sent


def test_f04_no_more_than_the_cap_however_many_are_queued(house):
    ana, bo = house.add_contact("ana@example.com"), house.add_contact("bo@example.com")
    for number in range(5):
        house.queue(ana, f"a{number}", queued_at=NOW - HOUR + number)
    house.queue(bo, "b0")
    report = limit(house, FrequencyCap(emails=2, per=DAY)).deliver()
    assert (report.sent, report.waiting, report.waits) == (3, 3, {"capped": 3})
    sent = {key for key, (status, _) in states(house).items() if status == "sent"}
    assert sent == {"a0", "a1", "b0"}


def test_f04_every_cap_has_to_have_room(house):
    ana = house.add_contact("ana@example.com")
    for days in (6, 4, 2):
        had(house, ana, f"before-{days}", NOW - days * DAY)
    house.queue(ana, "k1")
    assert limit(house, DAILY, WEEKLY).deliver().sent == 0
    assert house.rows()["k1"]["next_at"] == NOW + DAY  # when the oldest of three is a week old
    assert house.deliver(now=NOW + DAY - 1).sent == 0
    assert house.deliver(now=NOW + DAY).sent == 1


def test_a_capped_mail_waits_for_the_instant_at_which_there_is_room(house):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW - HOUR)
    house.queue(ana, "k1", queued_at=NOW)
    limit(house, DAILY).deliver()
    row = house.rows()["k1"]
    assert (row["status"], row["reason"], row["waits"]) == ("queued", None, "capped")
    assert (row["next_at"], row["attempts"]) == (NOW + 23 * HOUR, 0)
    assert house.deliver(now=NOW + 23 * HOUR).sent == 1
    assert house.rows()["k1"]["waits"] is None


def test_the_mails_of_highest_priority_use_the_room(house):
    ana = house.add_contact("ana@example.com")
    same = {"queued_at": NOW - HOUR}
    house.queue(ana, "first-in-the-file", **same, place=0)
    house.queue(ana, "second-in-the-file", **same, place=1)
    house.queue(ana, "earlier", queued_at=NOW - 2 * HOUR, place=2)
    house.queue(ana, "important", queued_at=NOW - MINUTE, place=3, priority=5)
    limit(house, DAILY)
    order = []
    for hours in range(3 * 24 + 1):
        house.deliver(now=NOW + hours * HOUR)
        order += [k for k, (s, _) in states(house).items() if s == "sent" and k not in order]
    # The fourth turn would come an hour after its three days of waiting.
    assert order == ["important", "earlier", "first-in-the-file"]
    assert states(house)["second-in-the-file"] == ("withheld", "capped")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (2 * HOUR - 1, ("queued", None)),
        (2 * HOUR, ("withheld", "capped")),
        (3 * HOUR, ("withheld", "capped")),
    ],
)
def test_wait_up_to_ends_at_the_first_capped_attempt_after_it(house, after, expected):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW)
    house.queue(ana, "k1", queued_at=NOW)
    limit(house, DAILY, capped_wait=2 * HOUR).deliver()
    report = house.deliver(now=NOW + after)
    assert states(house)["k1"] == expected
    assert report.withheld == ({"capped": 1} if expected[1] else {})


def test_room_at_the_very_end_of_the_wait_is_used(house):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW)
    house.queue(ana, "k1", queued_at=NOW)
    limit(house, DAILY, capped_wait=DAY).deliver()
    assert house.deliver(now=NOW + DAY).sent == 1


def test_drop_withholds_at_the_first_capped_attempt(house):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW - HOUR)
    house.queue(ana, "k1", queued_at=NOW)
    report = limit(house, DAILY, capped_wait=None).deliver()
    assert report.withheld == {"capped": 1}
    assert states(house)["k1"] == ("withheld", "capped")


def test_the_second_mail_of_one_delivery_sees_the_first(house):
    ana = house.add_contact("ana@example.com")
    for number in range(3):
        house.queue(ana, f"k{number}", queued_at=NOW - HOUR + number)
    report = limit(house, DAILY, capped_wait=None).deliver()
    assert (report.sent, report.withheld) == (1, {"capped": 2})
    assert states(house)["k0"] == ("sent", None)


def test_transactional_and_internal_mail_is_neither_capped_nor_counted(house):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "receipt-before", NOW - HOUR, topic="transactional")
    had(house, ana, "notice-before", NOW - HOUR, kind="notify", recipients=["luis@acme.example"])
    house.queue(ana, "news", queued_at=NOW - HOUR)
    house.queue(ana, "receipt", topic="transactional")
    house.queue(ana, "notice", kind="notify", recipients=["luis@acme.example"])
    house.queue(ana, "more-news")
    report = limit(house, DAILY).deliver()
    assert report.sent == 3
    assert states(house)["more-news"] == ("queued", None)


@pytest.mark.parametrize("status", ["uncertain", "sending"])
def test_what_may_have_arrived_counts(house, status):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "unknown", status=status, handed_at=NOW - HOUR, claimed_by="elsewhere:1:x",
                lease_until=NOW + DAY)  # fmt: skip
    house.queue(ana, "k1")
    assert limit(house, DAILY).deliver().sent == 0
    assert states(house)["k1"] == ("queued", None)


@pytest.mark.parametrize("status", ["withheld", "failed"])
def test_what_did_not_arrive_does_not_count(house, status):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "no", status=status, settled_at=NOW - HOUR, handed_at=NOW - HOUR)
    house.queue(ana, "k1")
    assert limit(house, DAILY).deliver().sent == 1


def test_a_mail_sent_again_by_hand_makes_room_for_another(house):
    from flowscore.mail.by_hand import queue_again

    ana = house.add_contact("ana@example.com")
    house.queue(ana, "unknown", status="uncertain", handed_at=NOW - HOUR)
    house.queue(ana, "k1", priority=1)
    limit(house, DAILY).deliver()
    with house.store.transact() as connection:
        queue_again(connection, "unknown")
    house.deliver(now=NOW + MINUTE)
    assert states(house) == {"unknown": ("queued", None), "k1": ("sent", None)}


def test_a_capped_mail_that_gets_late_is_late_at_its_own_instant(house):
    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW)
    house.queue(ana, "k1", queued_at=NOW, due_at=NOW, unless_late_by=HOUR)
    limit(house, DAILY).deliver()
    assert house.rows()["k1"]["next_at"] == NOW + HOUR + 1
    assert house.deliver(now=NOW + HOUR).withheld == {}
    assert house.deliver(now=NOW + HOUR + MINUTE).withheld == {"late": 1}


def test_who_withdraws_consent_while_a_mail_waits_is_asked_at_once(house):
    from sqlalchemy import update

    from flowscore.store.tables import consents

    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW)
    house.queue(ana, "k1", queued_at=NOW)
    limit(house, DAILY).deliver()
    with house.store.transact() as connection:
        connection.execute(update(consents).values(granted=False))
    assert house.deliver(now=NOW + MINUTE).withheld == {"no_consent": 1}
    assert states(house)["k1"] == ("withheld", "no_consent")


def test_a_new_policy_asks_waiting_mails_again(house):
    from flowscore.engine.outbox import ask_again

    ana = house.add_contact("ana@example.com")
    had(house, ana, "before", NOW)
    house.queue(ana, "k1", queued_at=NOW)
    limit(house, DAILY).deliver()
    with house.store.transact() as connection:
        ask_again(connection)
    assert limit(house, FrequencyCap(emails=2, per=DAY)).deliver(now=NOW + MINUTE).sent == 1
