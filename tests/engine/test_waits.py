"""Rulings 32, 37 to 39, 92 and 117: pauses by the clock, and for something to happen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, EVA
from engine.world import START
from flowscore.clock import DAY, HOUR, instant_of, rfc3339

if TYPE_CHECKING:
    from engine.world import World

WAITING = """
    list: yes
    ---
    list: no
    ---
    list: after
    ---
    scenario: s
    {more}
    trigger: {{event: order}}
    reenroll: every_time
    actions:
      - wait_for: {{{what}, up_to: {up_to}}}
        then: [{{add_to_list: yes}}]
        else: [{{add_to_list: no}}]
      - add_to_list: after
"""


def joined(world: World) -> dict[str, list[tuple[str, int]]]:
    """By list, who joined it at which hour."""
    rows = world.rows(
        "SELECT list, email, joined_at FROM members JOIN contacts c ON c.id = contact_id "
        "ORDER BY joined_at, email"
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for name, who, at in rows:
        found.setdefault(name, []).append((who, (at - START) // HOUR))
    return found


def test_the_awaited_comes_or_not(world: World) -> None:
    """Ruling 38; exactly at the deadline is in time, and both ways go on behind the step."""
    world.apply(WAITING.format(more="", what="event: paid", up_to="5 hours"))
    for who in (ANA, BEN, EVA):
        world.track(who, "order", START + HOUR)
    world.track(ANA, "paid", START + 3 * HOUR)
    world.track(BEN, "paid", START + 6 * HOUR)
    world.track(EVA, "paid", START + 6 * HOUR + 1)
    world.tick(START + 9 * HOUR)
    assert joined(world) == {
        "yes": [(ANA, 3), (BEN, 6)],
        "no": [(EVA, 6)],
        "after": [(ANA, 3), (BEN, 6), (EVA, 6)],
    }


def test_it_looks_forward_only(world: World) -> None:
    """Ruling 37: what came before, or is noticed in the same round, does not count."""
    world.apply(WAITING.format(more="", what="event: order", up_to="5 hours"))
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + HOUR)
    assert joined(world) == {"yes": [(ANA, 1)], "after": [(ANA, 1)]}
    world.tick(START + 9 * HOUR)
    assert joined(world)["no"] == [(ANA, 6)]


def test_what_an_earlier_step_of_the_walk_did_counts(world: World) -> None:
    """Ruling 37: it is noticed in the next round."""
    world.apply("""
    list: l
    ---
    list: yes
    ---
    scenario: s
    trigger: {event: order}
    actions:
      - add_to_list: l
      - wait_for: {list_joined: l, up_to: 5 hours}
        then: [{add_to_list: yes}]
    """)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("yes") == [ANA]


def test_a_late_event_known_at_the_deadline_counts(world: World) -> None:
    """Ruling 38: own time at or before the deadline, known at the first tick after it."""
    world.apply(WAITING.format(more="", what="event: paid", up_to="90 minutes"))
    for who, late in ((ANA, 30), (BEN, 31)):
        world.track(who, "order", START + HOUR)
        at = START + 2 * HOUR + HOUR // 2
        world.track(who, "paid", at, how=f"late:{late * HOUR // 60}")
    world.tick(START + 5 * HOUR)
    assert joined(world)["yes"] == [(ANA, 3)]
    assert joined(world)["no"] == [(BEN, 3)]


def test_each_enrollment_waits_for_itself(world: World) -> None:
    """Two walks of one contact in one scenario wait from their own starts."""
    world.apply(WAITING.format(more="", what="event: {name: paid, times: 2}", up_to="5 hours"))
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 2 * HOUR)
    world.track(ANA, "order", START + 3 * HOUR)
    world.track(ANA, "paid", START + 5 * HOUR)
    world.tick(START + 9 * HOUR)
    rows = world.rows("SELECT step, outcome, at FROM steps WHERE step = 'actions/0' ORDER BY at")
    said = [(outcome, (at - START) // HOUR) for _, outcome, at in rows]
    assert said == [("then", 5), ("else", 8)]


def test_same_in_a_wait_is_the_enrolling_event(world: World) -> None:
    what = "event: {name: paid, same: [cart]}"
    world.apply(WAITING.format(more="", what=what, up_to="5 hours"))
    world.track(ANA, "order", START + HOUR, cart=5)
    world.track(ANA, "paid", START + 2 * HOUR, cart=6)
    world.track(ANA, "paid", START + 3 * HOUR, cart="5.0")
    world.tick(START + 9 * HOUR)
    assert joined(world)["yes"] == [(ANA, 3)]


def test_waiting_for_a_deadline_and_for_silence(world: World) -> None:
    """`no_event` in a wait: the anchor may be older (ruling 37)."""
    what = "no_event: {name: paid, after: {event: bill}, within: 4 hours}"
    world.apply(WAITING.format(more="", what=what, up_to="5 hours"))
    world.track(ANA, "bill", START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 9 * HOUR)
    assert joined(world)["yes"] == [(ANA, 4)]


def test_waiting_for_points(world: World) -> None:
    scored = "score: engagement\n    rules: [{name: r, points: 5, on: {event: visit}}]\n    ---"
    flow = WAITING.format(more="", what="score: {reaches: 10}", up_to="5 hours")
    world.apply("    " + scored + flow)
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "visit", START + 2 * HOUR)
    world.track(ANA, "visit", START + 4 * HOUR)
    world.tick(START + 9 * HOUR)
    assert joined(world)["yes"] == [(ANA, 4)]


def test_disabled_people_wait_on_and_what_came_is_known(world: World) -> None:
    """Ruling 42: no step while disabled; what came in time is not lost."""
    waits = {"what": "event: paid", "up_to": "5 hours"}
    world.apply(WAITING.format(more="", **waits))
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(WAITING.format(more="enabled: false", **waits))
    world.track(ANA, "paid", START + 3 * HOUR)
    world.tick(START + 20 * HOUR)
    assert joined(world) == {}
    world.apply(WAITING.format(more="", **waits))
    world.track(BEN, "visit", START + 21 * HOUR)
    world.tick(START + 22 * HOUR)
    assert joined(world)["yes"] == [(ANA, 21)]


def test_a_date_of_the_event_is_waited_for(world: World) -> None:
    """Ruling 92: an hour before the webinar; past it is `else` at once, exactly now `then`."""
    what = "date: {property: starts_at, offset: -1 hours}"
    world.apply(WAITING.format(more="", what=what, up_to="20 hours"))
    dates = {ANA: 5, BEN: 1, EVA: 2}
    for who, at in dates.items():
        world.track(who, "order", START + HOUR, starts_at=rfc3339(START + at * HOUR))
    world.track("absent@x.example", "order", START + HOUR)
    world.track("far@x.example", "order", START + HOUR, starts_at=rfc3339(START + 40 * HOUR))
    world.tick(START + 22 * HOUR)
    assert joined(world)["yes"] == [(EVA, 1), (ANA, 4)]
    assert joined(world)["no"] == [(BEN, 1), ("absent@x.example", 21), ("far@x.example", 21)]


def test_a_date_of_the_contact_is_waited_for(world: World) -> None:
    """Also one that is told only while the walk waits."""
    what = "date: {attribute: renewal, at: 09:00}"
    world.apply(WAITING.format(more="", what=what, up_to="5 days"))
    world.identify(ANA, START, renewal="2026-03-03")
    world.identify(BEN, START, renewal="2026-03-01")
    world.identify(EVA, START, plan="pro")
    for who in (ANA, BEN, EVA):
        world.track(who, "order", START + HOUR)
    world.identify(EVA, START + 4 * HOUR, renewal="2026-03-04")
    world.tick(START + 9 * DAY)
    assert joined(world)["yes"] == [(ANA, 33), (EVA, 57)]
    assert joined(world)["no"] == [(BEN, 1)]


UNTIL = """
    policy: default
    timezone: Europe/Madrid
    ---
    list: l
    ---
    scenario: s
    trigger: {{event: order}}
    actions:
      - wait: {{{wait}}}
      - add_to_list: l
"""


@pytest.mark.parametrize(
    ("wait", "begins", "ends"),
    [
        ("until: 09:00", "2026-03-02T07:30Z", "2026-03-02T08:00Z"),
        ("until: 09:00", "2026-03-02T08:00Z", "2026-03-02T08:00Z"),  # sharp: no wait
        ("until: 09:00", "2026-03-02T09:00Z", "2026-03-03T08:00Z"),
        ("until: 09:00, days: [wed]", "2026-03-02T07:00Z", "2026-03-04T08:00Z"),
        ("until: 09:00, days: [mon]", "2026-03-02T09:00Z", "2026-03-09T08:00Z"),
        ("until: 09:00, timezone: UTC", "2026-03-02T07:00Z", "2026-03-02T09:00Z"),
        ("days: [mon, tue]", "2026-03-02T07:00Z", "2026-03-02T07:00Z"),  # ruling 117
        ("days: [sat]", "2026-03-02T07:00Z", "2026-03-06T23:00Z"),
        # 02:30 is skipped on 29 March: the first instant after the gap (ruling 32)
        ("until: 02:30", "2026-03-28T22:00Z", "2026-03-29T01:00Z"),
        # 02:30 comes twice on 25 October: the first of the two; after it, the next day's
        ("until: 02:30", "2026-10-24T22:00Z", "2026-10-25T00:30Z"),
        ("until: 02:30", "2026-10-25T01:00Z", "2026-10-26T01:30Z"),
    ],
)
def test_t17_a_wait_until_a_time_of_day(wait: str, begins: str, ends: str, madrid: World) -> None:
    start, end = (instant_of(datetime.fromisoformat(one).astimezone(UTC)) for one in (begins, ends))
    madrid.apply(UNTIL.format(wait=wait).split("---", 1)[1])
    madrid.track(ANA, "order", start)
    madrid.tick(end + DAY, first=start, step=HOUR // 2)
    assert madrid.rows("SELECT joined_at FROM members") == [(end,)]


@pytest.fixture
def madrid(world: World) -> World:
    """A world whose policy lies in Madrid."""
    world.policy = "policy: default\nconsent: implied\ntimezone: Europe/Madrid\n"
    return world


def test_t17_a_wait_in_the_contacts_zone(madrid: World) -> None:
    """An unknown zone reads as the policy's (ruling 117)."""
    madrid.apply(UNTIL.format(wait="until: 09:00, timezone: contact").split("---", 1)[1])
    zones = {ANA: "America/New_York", BEN: "Nowhere/At_All", EVA: "Asia/Tokyo"}
    for who, zone in zones.items():
        madrid.identify(who, START, timezone=zone)
        madrid.track(who, "order", START + HOUR)
    madrid.track("none@x.example", "order", START + HOUR)
    madrid.tick(START + 2 * DAY)
    assert joined(madrid)["l"] == [(BEN, 8), ("none@x.example", 8), (ANA, 14), (EVA, 24)]
