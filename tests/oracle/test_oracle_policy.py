"""The oracle, ruling by ruling: what the policy withholds and what it keeps waiting."""

from __future__ import annotations

import pytest

from .small import flow, mails, play, stamp, track

SEND = "[{send_email: hello}]"
AGAIN = "reenroll: every_time"


def policy(text: str) -> str:
    """A policy with the topic of the mail, and more."""
    return f"policy: default\ntopics: [news]\n{text}\n---\n"


def sent(found: dict[str, list[dict[str, str]]]) -> list[str]:
    """Time of day of each mail sent."""
    return sorted(row["sent_at"][11:16] for row in found["messages"] if row["sent_at"])


def test_the_suppressed_are_never_mailed() -> None:
    """Rulings 76, 83 and 84: at queueing and at sending, transactional mail too."""
    text = policy("suppress: {event: z}\nsend_window: {from: 05:00, to: 20:00}")
    text += flow("{event: x}", "[{send_email: [hello, bill]}]", AGAIN)
    bill = {"bill": "---\nsubject: Bill\ntopic: transactional\n---\nBill"}
    calls = [track("x", "01:00"), track("z", "03:00"), track("x", "04:00")]
    found = play(text, *calls, templates=bill)
    rows = [(row["template"], row["status"], row["reason"]) for row in found["messages"]]
    assert sorted(rows, key=str) == [
        ("bill", "sent", None),
        ("bill", "withheld", "suppressed"),
        ("hello", "withheld", "suppressed"),
        ("hello", "withheld", "suppressed"),
    ]


def test_a_cap_is_free_again_exactly_later() -> None:
    """Rulings 73 and 74: sent in (T - per, T] < n; what waits is tried at every tick."""
    text = policy("frequency_cap: {emails: 1, per: 3 hours}") + flow("{event: x}", SEND, AGAIN)
    found = play(text, *(track("x", f"0{n}:00") for n in (1, 2, 3)))
    assert sent(found) == ["01:00", "04:00", "07:00"]


def test_several_caps_hold_together() -> None:
    """Ruling 73: each of them."""
    caps = "frequency_cap: [{emails: 2, per: 9 hours}, {emails: 1, per: 1 hour}]"
    found = play(
        policy(caps) + flow("{event: x}", SEND, AGAIN), *(track("x", f"01:0{n}") for n in range(3))
    )
    assert sent(found) == ["01:00", "02:00", "10:00"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("drop", [("01:00", "sent", None), ("02:00", "withheld", "capped")]),
        ("{wait_up_to: 2 hours}", [("01:00", "sent", None), ("02:00", "withheld", "capped")]),
        ("{wait_up_to: 5 hours}", [("01:00", "sent", None), ("02:00", "sent", None)]),
    ],
)
def test_when_capped(when: str, expected: list[tuple[str, str, str | None]]) -> None:
    """Ruling 74: an attempt that is capped at T >= queued_at + d withholds it."""
    text = policy(f"frequency_cap: {{emails: 1, per: 5 hours}}\nwhen_capped: {when}")
    found = play(text + flow("{event: x}", SEND, AGAIN), track("x", "01:00"), track("x", "02:00"))
    assert mails(found) == expected


def test_transactional_mail_is_neither_counted_nor_capped() -> None:
    """Ruling 73, and 83: nor kept by the window."""
    text = policy("frequency_cap: {emails: 1, per: 9 hours}\nsend_window: {from: 03:00, to: 04:00}")
    text += flow("{event: x}", "[{send_email: [bill, bill, hello]}]")
    bill = {"bill": "---\nsubject: Bill\ntopic: transactional\n---\nBill"}
    assert sent(play(text, track("x", "01:00"), templates=bill)) == ["01:00", "01:00", "03:00"]


@pytest.mark.parametrize(
    ("window", "queued", "expected"),
    [
        ("from: 03:00, to: 05:00", "02 01:00", "02T03:00"),
        ("from: 03:00, to: 05:00", "02 03:00", "02T03:00"),
        ("from: 03:00, to: 05:00", "02 05:00", "03T03:00"),
        ("from: 22:00, to: 02:00", "02 01:00", "02T01:00"),
        ("from: 22:00, to: 02:00", "02 02:00", "02T22:00"),
        ("from: 22:00, to: 02:00, days: [fri]", "02 01:00", "02T22:00"),
        ("from: 22:00, to: 02:00, days: [thu]", "02 01:00", "02T01:00"),
        ("from: 22:00, to: 02:00, days: [fri]", "03 01:00", "03T01:00"),
        ("from: 09:00, to: 10:00, days: [mon]", "02 01:00", "05T09:00"),
        ("from: 09:00, to: 10:00, timezone: contact", "02 01:00", "02T15:00"),
        ("from: 09:00, to: 10:00, timezone: Europe/Madrid", "02 01:00", "02T08:00"),
    ],
)
def test_send_window(window: str, queued: str, expected: str) -> None:
    """Ruling 77: from <= local < to; over midnight the weekday is the opening one."""
    text = policy(f"send_window: {{{window}}}") + flow("{event: x}", SEND)
    ana = {"timezone": "America/Mexico_City"}
    found = play(text, track("x", queued), ana=ana, until=stamp("06 00:00"))
    assert [row["sent_at"][8:16] for row in found["messages"]] == [expected]


@pytest.mark.parametrize(
    ("opens", "closes", "day", "first", "last"),
    [
        ("02:30", "04:00", "2026-03-29", "01:00", "01:30"),  # 02:30 is skipped: opens at 03:00
        ("01:00", "02:30", "2026-03-29", "00:00", "00:30"),  # and closes at 03:00
        ("02:30", "04:00", "2026-10-25", "00:30", "02:30"),  # 02:30 comes twice: from the first
        ("01:00", "02:30", "2026-10-25", "23:00", "00:00"),  # and up to the first
    ],
)
def test_send_window_when_the_clocks_change(
    opens: str, closes: str, day: str, first: str, last: str
) -> None:
    """Ruling 32: a skipped time is the first instant after the gap, a doubled the first of two."""
    window = f"send_window: {{from: {opens}, to: {closes}, timezone: Europe/Madrid}}"
    text = policy(window) + "scenario: f\ntrigger: {schedule: {cron: '*/30 * * * *'}}\n"
    text += "reenroll: every_time\nactions: [{send_email: {template: hello, "
    text += "unless_late_by: 1 minutes}}]"
    night = f"{day[:8]}{int(day[8:]) - 1:02d}T20:00:00Z"
    found = play(text, since=night, until=f"{day}T06:00:00Z", every="30 minutes")
    assert (sent_times := [row["sent_at"][11:16] for row in rows_by_time(found)])
    assert (sent_times[0], sent_times[-1]) == (first, last)


def rows_by_time(found: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    """The mails that were sent, in order."""
    rows = [row for row in found["messages"] if row["sent_at"]]
    return sorted(rows, key=lambda row: row["sent_at"])


def test_late_comes_before_the_window() -> None:
    """Ruling 84: suppressed, consent, late, window, cap."""
    text = policy("send_window: {from: 05:00, to: 06:00}")
    steps = "[{send_email: {template: hello, unless_late_by: 1 hour}}]"
    found = play(text + flow("{event: x}", steps), track("x", "01:00"))
    assert mails(found) == [("01:00", "withheld", "late")]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("50%", ["01:00", "02:00"]), ("51%", ["01:00", "02:00", "05:00"])],
)
def test_sending_stops_when_too_many_bounced(limit: str, expected: list[str]) -> None:
    """Ruling 79: over the last N sent, once N were sent; the share that reaches it stops all."""
    text = policy(f"pause_when: {{bounces: {limit}, of_last: 2}}")
    text += flow("{event: x}", SEND, AGAIN)
    bob = {"email": "bob@example.com", "created_at": stamp("00:00"), "consent": "yes"}
    ana = {"email": "ana@example.com", "created_at": stamp("00:00"), "consent": "yes"}
    calls = [track("x", "01:00"), track("x", "02:00") | {"userId": "bob@example.com"}]
    calls += [track("Email Bounced", "03:00", template="hello")]
    calls += [track("x", "05:00") | {"userId": "bob@example.com"}]
    found = play(text, *calls, people=[ana, bob])
    assert sent(found) == expected


def test_priority_goes_first_under_a_cap() -> None:
    """Ruling 73: scenario priority, then queued_at."""
    text = policy("frequency_cap: {emails: 1, per: 5 hours}\nwhen_capped: drop")
    text += flow("{event: x}", SEND)
    text += "scenario: a\ntrigger: {event: x}\npriority: 1\nactions: [{send_email: late}]\n"
    late = {"late": "---\nsubject: Late\ntopic: news\n---\nLate"}
    found = play(text, track("x", "01:00"), templates=late)
    assert {row["template"]: row["status"] for row in found["messages"]} == {
        "late": "sent",
        "hello": "withheld",
    }
