"""The send window: over midnight, through both changes of the clock, in the contact's zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from flowscore.clock import HOUR, MINUTE, datetime_of, find_zone, instant_of
from flowscore.language.policy import FrequencyCap, Policy, SendWindow
from flowscore.mail.windows import opening
from flowscore.store.tables import attributes
from mail.conftest import SENDER, House

DAYTIME = SendWindow(opens=9 * HOUR, closes=20 * HOUR)
NIGHT = SendWindow(opens=22 * HOUR, closes=6 * HOUR)
MON, FRI, SUN = 0, 4, 6


def at(text: str) -> int:
    """`2026-11-27 10:00` UTC."""
    return instant_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


def opens(window: SendWindow, when: str, zone: str = "UTC") -> str:
    """When a mail that is tried at `when` (UTC) could go (UTC)."""
    known = find_zone(zone)
    assert known
    return f"{datetime_of(opening(window, known, at(when))):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-27 08:59", "2026-11-27 09:00"),
        ("2026-11-27 09:00", "2026-11-27 09:00"),
        ("2026-11-27 19:59", "2026-11-27 19:59"),
        ("2026-11-27 20:00", "2026-11-28 09:00"),
    ],
)
def test_from_is_inside_and_to_is_outside(when, expected):
    assert opens(DAYTIME, when) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-27 12:00", "2026-11-27 12:00"),  # a Friday
        ("2026-11-28 12:00", "2026-11-30 09:00"),
        ("2026-11-27 21:00", "2026-11-30 09:00"),
    ],
)
def test_only_the_days_named(when, expected):
    assert opens(DAYTIME.model_copy(update={"days": (MON, FRI)}), when) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-27 21:59", "2026-11-27 22:00"),
        ("2026-11-27 23:30", "2026-11-27 23:30"),
        ("2026-11-28 05:59", "2026-11-28 05:59"),  # Saturday morning belongs to Friday's window
        ("2026-11-28 06:00", "2026-12-04 22:00"),
        ("2026-11-27 05:00", "2026-11-27 22:00"),  # Friday morning would belong to Thursday's
    ],
)
def test_t17_over_midnight_the_weekday_is_the_opening_one(when, expected):
    assert opens(NIGHT.model_copy(update={"days": (FRI,)}), when) == expected


def test_t17_from_and_to_alike_is_a_whole_day_from_there():
    whole = SendWindow(days=(FRI,), opens=9 * HOUR, closes=9 * HOUR)
    assert opens(whole, "2026-11-28 08:59") == "2026-11-28 08:59"
    assert opens(whole, "2026-11-28 09:00") == "2026-12-04 09:00"


# In Madrid the clock jumps from 02:00 to 03:00 on 2026-03-29 (at 01:00 UTC) and back from 03:00
# to 02:00 on 2026-10-25 (at 01:00 UTC).


@pytest.mark.parametrize(
    ("window", "when", "expected"),
    [
        # Opens at 02:30, which is skipped: at 03:00, the first instant after the gap.
        ((2.5, 5), "2026-03-29 00:30", "2026-03-29 01:00"),
        # Closes at 02:30, which is skipped: at 03:00.
        ((1, 2.5), "2026-03-29 00:59", "2026-03-29 00:59"),
        ((1, 2.5), "2026-03-29 01:00", "2026-03-29 23:00"),
        # All of it is skipped: that day has none.
        ((2.25, 2.75), "2026-03-29 00:00", "2026-03-30 00:15"),
        # Over midnight into the changed day.
        ((22, 6), "2026-03-29 03:59", "2026-03-29 03:59"),
        ((22, 6), "2026-03-29 04:00", "2026-03-29 20:00"),
    ],
)
def test_t17_the_skipped_hour(window, when, expected):
    hours = SendWindow(opens=int(window[0] * HOUR), closes=int(window[1] * HOUR))
    assert opens(hours, when, "Europe/Madrid") == expected


@pytest.mark.parametrize(
    ("window", "when", "expected"),
    [
        # Opens at 02:30, which comes twice: at the first (00:30 UTC), and stays open.
        ((2.5, 5), "2026-10-25 00:29", "2026-10-25 00:30"),
        ((2.5, 5), "2026-10-25 01:10", "2026-10-25 01:10"),  # 02:10 for the second time
        # Closes at 02:30, which comes twice: at the first.
        ((1, 2.5), "2026-10-25 00:29", "2026-10-25 00:29"),
        ((1, 2.5), "2026-10-25 00:30", "2026-10-26 00:00"),
        ((1, 2.5), "2026-10-25 01:10", "2026-10-26 00:00"),  # 02:10 again: it is over
        # 22:00 to 06:00 lasts nine hours in that night.
        ((22, 6), "2026-10-25 04:59", "2026-10-25 04:59"),
        ((22, 6), "2026-10-25 05:00", "2026-10-25 21:00"),
    ],
)
def test_t17_the_doubled_hour(window, when, expected):
    hours = SendWindow(opens=int(window[0] * HOUR), closes=int(window[1] * HOUR))
    assert opens(hours, when, "Europe/Madrid") == expected


def test_t17_a_week_whose_only_window_is_skipped_waits_for_the_next():
    gone = SendWindow(days=(SUN,), opens=int(2.25 * HOUR), closes=int(2.75 * HOUR))
    assert opens(gone, "2026-03-29 00:00", "Europe/Madrid") == "2026-04-05 00:15"


# --- at delivery ----------------------------------------------------------------------------------

FRIDAY = at("2026-11-27 00:00")


def keep_to(house: House, window: SendWindow, **given: object) -> House:
    house.policy = Policy(
        timezone="Europe/Madrid", sender=SENDER, topics=("news", "offers"), send_window=window,
        **given,
    )  # fmt: skip
    return house


def queue(house: House, key: str, **contact: object) -> int:
    number = house.add_contact(f"{key}@example.com", **contact)
    house.queue(number, key, queued_at=FRIDAY, due_at=FRIDAY, next_at=FRIDAY)
    return number


def test_a_mail_waits_until_the_window_opens(house):
    queue(house, "k1")
    report = keep_to(house, DAYTIME).deliver(now=FRIDAY)
    assert (report.sent, report.waiting, report.waits) == (0, 1, {"window": 1})
    row = house.rows()["k1"]
    assert (row["status"], row["reason"], row["waits"]) == ("queued", None, "window")
    assert (row["next_at"], row["attempts"]) == (at("2026-11-27 08:00"), 0)  # 09:00 in Madrid
    assert house.deliver(now=row["next_at"] - 1).sent == 0
    assert house.deliver(now=row["next_at"]).sent == 1
    assert house.rows()["k1"]["waits"] is None


def test_t17_each_contact_in_its_own_zone_and_an_unknown_one_is_the_policys(house):
    queue(house, "tokyo", timezone="Asia/Tokyo")
    queue(house, "sao-paulo", timezone="America/Sao_Paulo")
    queue(house, "none")
    queue(house, "unknown", timezone="Mars/Olympus")
    queue(house, "misspelt", timezone="asia/tokyo")
    queue(house, "number", timezone=7)
    keep_to(house, DAYTIME.model_copy(update={"timezone": "contact"})).deliver(now=FRIDAY)
    rows = house.rows()
    assert rows.pop("tokyo")["status"] == "sent"  # 09:00 there
    assert rows.pop("sao-paulo")["next_at"] == at("2026-11-27 12:00")
    assert {row["next_at"] for row in rows.values()} == {at("2026-11-27 08:00")}


def test_the_windows_own_zone(house):
    queue(house, "k1", timezone="Asia/Tokyo")
    keep_to(house, DAYTIME.model_copy(update={"timezone": "America/Sao_Paulo"})).deliver(now=FRIDAY)
    assert house.rows()["k1"]["next_at"] == at("2026-11-27 12:00")


def test_who_moves_while_a_mail_waits_is_asked_anew(house):
    queue(house, "k1", timezone="Europe/Madrid")
    keep_to(house, DAYTIME.model_copy(update={"timezone": "contact"})).deliver(now=FRIDAY)
    with house.store.transact() as connection:
        connection.execute(update(attributes).values(value="Asia/Tokyo", text="asia/tokyo"))
    assert house.deliver(now=FRIDAY + MINUTE).sent == 1  # 09:01 in Tokyo


def test_who_moves_to_where_it_opens_later_waits_longer(house):
    queue(house, "k1")
    keep_to(house, DAYTIME.model_copy(update={"timezone": "contact"})).deliver(now=FRIDAY)
    with house.store.transact() as connection:
        connection.execute(
            attributes.insert().values(
                contact_id=1, name="timezone", element=0, value="America/Sao_Paulo", set_at=FRIDAY
            )
        )
    house.deliver(now=FRIDAY + MINUTE)
    assert house.rows()["k1"]["next_at"] == at("2026-11-27 12:00")


def test_transactional_and_internal_mail_go_at_any_hour(house):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "receipt", topic="transactional")
    house.queue(ana, "notice", kind="notify", recipients=["luis@acme.example"])
    keep_to(house, SendWindow(opens=9 * HOUR, closes=10 * HOUR))
    assert house.deliver(now=at("2026-11-27 03:00")).sent == 2


def test_waiting_for_the_window_is_no_attempt_and_has_no_end(house):
    """Capped for longer than `wait_up_to` already, when the window opens: that is the attempt."""
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "before", status="sent", sent_at=FRIDAY - HOUR, settled_at=FRIDAY - HOUR)
    house.queue(ana, "k1", queued_at=FRIDAY, due_at=FRIDAY, next_at=FRIDAY)
    cap = FrequencyCap(emails=1, per=7 * 24 * HOUR)
    keep_to(house, DAYTIME.model_copy(update={"days": (MON,)}), frequency_caps=(cap,),
            capped_wait=HOUR)  # fmt: skip
    assert house.deliver(now=FRIDAY + 2 * HOUR).withheld == {}
    monday = at("2026-11-30 08:00")
    assert house.rows()["k1"]["next_at"] == monday
    assert house.deliver(now=monday).withheld == {"capped": 1}


def test_room_that_comes_at_night_is_used_in_the_morning(house):
    ana = house.add_contact("ana@example.com")
    evening = at("2026-11-26 18:59")  # 19:59 in Madrid
    house.queue(ana, "before", status="sent", sent_at=evening - 20 * HOUR, settled_at=evening)
    house.queue(ana, "k1", queued_at=evening, due_at=evening, next_at=evening)
    keep_to(house, DAYTIME, frequency_caps=(FrequencyCap(emails=1, per=24 * HOUR),))
    house.deliver(now=evening)
    assert house.rows()["k1"]["waits"] == "capped"
    house.deliver(now=evening + 4 * HOUR)
    assert house.rows()["k1"]["waits"] == "window"
    assert house.deliver(now=at("2026-11-27 08:00")).sent == 1


def test_a_mail_may_get_late_while_the_window_is_shut(house):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "k1", queued_at=FRIDAY, due_at=FRIDAY, next_at=FRIDAY, unless_late_by=HOUR)
    keep_to(house, DAYTIME).deliver(now=FRIDAY)
    assert house.rows()["k1"]["next_at"] == FRIDAY + HOUR + 1
    assert house.deliver(now=FRIDAY + HOUR).withheld == {}
    assert house.deliver(now=FRIDAY + HOUR + MINUTE).withheld == {"late": 1}


def test_who_bounces_or_withdraws_while_the_window_is_shut_is_withheld_at_once(house):
    from flowscore.store.tables import contacts

    queue(house, "k1")
    keep_to(house, DAYTIME).deliver(now=FRIDAY)
    with house.store.transact() as connection:
        connection.execute(update(contacts).values(suppressed="complained"))
    assert house.deliver(now=FRIDAY + MINUTE).withheld == {"suppressed": 1}
