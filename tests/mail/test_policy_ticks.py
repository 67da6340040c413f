"""The policy from its YAML through ticks and deliveries: what goes at which tick (ruling 72)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.world import START, World
from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.engine.registry import live_project
from flowscore.engine.tick import run_ticks
from flowscore.mail.delivery import deliver
from flowscore.mail.settings import MailSettings
from flowscore.mail.templates import load_templates
from flowscore.mail.transport import FolderTransport

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.store.database import Store

POLICY = """
policy: default
consent: implied
topics: [news]
sender: {address: hello@acme.example}
"""
ANA, BO = "ana@example.com", "bo@example.com"


class Post(World):
    """A world whose mail goes out after each tick."""

    every_instant = False

    def send(self, until: int, first: int = START) -> None:
        """Ticks on the hour with a delivery after each that did something."""
        with self.store.read() as connection:
            project = live_project(connection)
        templates, _ = load_templates(self.root)
        folder = FolderTransport(self.root / "outbox", sync=False)

        def after(now: int) -> None:
            deliver(self.store, project, templates, folder, now, settings=MailSettings())

        run_ticks(self.store, from_=first, until=until, step=HOUR, after_tick=after,
                  every_instant=self.every_instant)  # fmt: skip

    def hours(self) -> list[tuple[str, str, float | None, str | None]]:
        """Each mail: template, status, hour of sending, reason."""
        rows = self.rows("SELECT template, status, sent_at, reason FROM messages ORDER BY id")
        return [(t, s, at and (at - START) / HOUR, why) for t, s, at, why in rows]


@pytest.fixture
def post(tmp_path: Path, store: Store) -> Post:
    """One database walks every instant, the other jumps over the empty ones: with one outcome."""
    made = Post(tmp_path, store, policy=POLICY)
    made.every_instant = store.dialect == "sqlite"
    return made


def test_the_first_tick_that_window_and_caps_allow(post):
    """Hour 3 is at night; the window opens at 9; the cap leaves room a day later, at 9 again."""
    post.policy += """
send_window: {from: 09:00, to: 20:00}
frequency_cap: {emails: 1, per: 1 day}
"""
    post.apply(
        """
        scenario: one
        trigger: {event: sign_up}
        actions: [{send_email: [first, second]}]
        """,
        first="news",
        second="news",
    )
    post.track(ANA, "sign_up", START + 3 * HOUR - MINUTE)
    post.send(START + 2 * DAY)
    assert post.hours() == [("first", "sent", 9.0, None), ("second", "sent", 33.0, None)]
    sent = post.rows("SELECT own_at, seen_at FROM events WHERE name = 'email_sent' ORDER BY own_at")
    assert sent == [(START + h * HOUR, START + (h + 1) * HOUR) for h in (9, 33)]


def test_a_mail_that_waits_too_long_is_withheld_at_its_tick(post):
    post.policy += "frequency_cap: {emails: 1, per: 7 days}\nwhen_capped: {wait_up_to: 36 hours}\n"
    post.apply(
        """
        scenario: one
        trigger: {event: sign_up}
        actions: [{send_email: first}, {wait: 1 day}, {send_email: second}]
        """,
        first="news",
        second="news",
    )
    post.track(ANA, "sign_up", START + MINUTE)
    post.send(START + 3 * DAY)
    assert post.hours() == [("first", "sent", 1.0, None), ("second", "withheld", None, "capped")]
    assert post.rows("SELECT settled_at FROM messages WHERE template = 'second'") == [
        (START + (1 + 24 + 36) * HOUR,)
    ]


def test_drop(post):
    post.policy += "frequency_cap: {emails: 1, per: 7 days}\nwhen_capped: drop\n"
    post.apply(
        "scenario: one\ntrigger: {event: sign_up}\nactions: [{send_email: [first, second]}]\n",
        first="news",
        second="news",
    )
    post.track(ANA, "sign_up", START + MINUTE)
    post.send(START + DAY)
    assert [(t, s, why) for t, s, _, why in post.hours()] == [
        ("first", "sent", None), ("second", "withheld", "capped"),
    ]  # fmt: skip


def test_scenarios_use_the_room_by_priority_then_by_their_order(post):
    post.policy += "frequency_cap: {emails: 1, per: 1 day}\n"
    post.apply(
        """
        scenario: a-plain
        trigger: {event: sign_up}
        actions: [{send_email: plain}]
        ---
        scenario: z-important
        priority: 1
        trigger: {event: sign_up}
        actions: [{send_email: important}]
        """,
        plain="news",
        important="news",
    )
    post.track(ANA, "sign_up", START + MINUTE)
    post.send(START + 2 * DAY)
    assert sorted(post.hours()) == [
        ("important", "sent", 1.0, None), ("plain", "sent", 25.0, None),
    ]  # fmt: skip


def test_suppress_is_asked_at_queueing_and_at_sending(post):
    """Bo is kept out from the start, Ana only once her mail waits for the morning."""
    post.policy += "suppress: {in_list: do-not-mail}\nsend_window: {from: 09:00, to: 20:00}\n"
    post.apply(
        """
        list: do-not-mail
        members: [{event: asked_for_silence}]
        ---
        scenario: one
        trigger: {event: sign_up}
        actions: [{send_email: first}, {send_email: receipt}]
        """,
        first="news",
        receipt="transactional",
    )
    post.track(BO, "asked_for_silence", START + MINUTE)
    for who in (ANA, BO):
        post.track(who, "sign_up", START + 2 * HOUR)
    post.track(ANA, "asked_for_silence", START + 4 * HOUR)
    post.send(START + DAY)
    assert sorted(post.hours()) == [
        ("first", "withheld", None, "suppressed"), ("first", "withheld", None, "suppressed"),
        ("receipt", "sent", 2.0, None), ("receipt", "withheld", None, "suppressed"),
    ]  # fmt: skip
    withheld = post.rows("SELECT settled_at FROM messages WHERE reason = 'suppressed' ORDER BY 1")
    assert (START + 4 * HOUR,) in withheld  # not only in the morning


def test_the_clock_may_keep_somebody_out_while_a_mail_waits(post):
    """Five hours after her last order she is left alone, also by the mail that waits already."""
    post.policy += """
suppress: {not: {event: {name: ordered, within: 5 hours}}}
send_window: {from: 09:00, to: 20:00}
"""
    post.apply(
        "scenario: one\ntrigger: {event: ordered}\nactions: [{send_email: first}]\n", first="news"
    )
    post.track(ANA, "ordered", START + HOUR)
    post.send(START + 8 * HOUR)
    assert post.hours() == [("first", "withheld", None, "suppressed")]
    assert post.rows("SELECT settled_at FROM messages") == [(START + 6 * HOUR,)]


def test_who_moves_overnight_gets_the_mail_in_the_morning_of_the_new_place(post):
    post.policy += "send_window: {from: 09:00, to: 20:00, timezone: contact}\n"
    post.apply(
        "scenario: one\ntrigger: {event: sign_up}\nactions: [{send_email: first}]\n", first="news"
    )
    post.identify(ANA, START + MINUTE, timezone="Europe/Madrid")
    post.track(ANA, "sign_up", START + MINUTE)
    post.identify(ANA, START + 2 * HOUR, timezone="Asia/Dubai")  # four hours ahead of UTC
    post.send(START + DAY)
    assert post.hours() == [("first", "sent", 5.0, None)]


def test_a_new_policy_lets_waiting_mail_go(post):
    scenario = "scenario: one\ntrigger: {event: sign_up}\nactions: [{send_email: first}]\n"
    post.policy += "send_window: {days: [fri], from: 09:00, to: 20:00}\n"
    post.apply(scenario, first="news")
    post.track(ANA, "sign_up", START + MINUTE)
    post.send(START + DAY)
    assert post.hours() == [("first", "queued", None, None)]
    post.policy = POLICY
    post.apply(scenario, first="news")
    post.send(START + 2 * DAY, START)
    assert post.hours() == [("first", "sent", 25.0, None)]


def test_f04_nobody_gets_more_than_the_policy_says_whatever_the_scenarios_do(post):
    post.policy += "frequency_cap: [{emails: 1, per: 1 day}, {emails: 3, per: 7 days}]\n"
    scenarios = [
        f"scenario: s{n}\ntrigger: {{event: viewed}}\nreenroll: every_time\n"
        f"actions: [{{send_email: first}}, {{wait: {n} hours}}, {{send_email: second}}]\n"
        for n in range(1, 4)
    ]
    post.apply("---\n".join(scenarios), first="news", second="news")
    for hour in range(0, 24 * 8, 15):
        post.track(ANA, "viewed", START + hour * HOUR + MINUTE)
    post.send(START + 8 * DAY)
    sent = sorted(at for _, status, at, _ in post.hours() if status == "sent" and at is not None)
    assert len(sent) == 4
    for emails, hours in ((1, 24), (3, 7 * 24)):
        between = [later - sooner for sooner, later in zip(sent, sent[emails:], strict=False)]
        assert min(between) >= hours
