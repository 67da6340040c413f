"""Rulings 1, 25, 44, 61, 69, 85, 86, 87, 94, 96 and 110: what may be asked of a contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from engine.small import ANA, BEN, EVA
from engine.world import POLICY, START
from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.store.tables import decisions

if TYPE_CHECKING:
    from engine.world import World

MADRID = "Europe/Madrid"


def listed(condition: str) -> str:
    """A dynamic list over this condition."""
    return f"""
    list: l
    members: [{condition}]
    """


def asked(condition: str, trigger: str = "{event: go}") -> str:
    """A scenario that asks this condition when it occurs."""
    return f"""
    list: l
    ---
    scenario: s
    trigger: {trigger}
    conditions: [{condition}]
    reenroll: every_time
    actions: [{{add_to_list: l}}]
    """


def branching(condition: str, trigger: str = "{event: go}", wait: str = "1 hours") -> str:
    """A scenario that asks this condition an hour after it occurred."""
    return f"""
    list: l
    ---
    scenario: s
    trigger: {trigger}
    reenroll: every_time
    actions:
      - wait: {wait}
      - if: {condition}
        then: [{{add_to_list: l}}]
    """


def history(world: World, of: str = "l") -> list[tuple[str, float, float | None]]:
    """Who joined when and left when, in hours after the start."""
    rows = world.rows(f"""
        SELECT email, joined_at, left_at FROM members
        JOIN contacts ON contacts.id = contact_id WHERE list = '{of}' ORDER BY members.id
    """)
    return [
        (who, (joined - START) / HOUR, None if left is None else (left - START) / HOUR)
        for who, joined, left in rows
    ]


def refusals(world: World) -> list[str]:
    """What refused occurrences saw."""
    with world.store.read() as connection:
        rows = connection.execute(select(decisions.c.detail).order_by(decisions.c.id)).scalars()
        return [row["seen"] for row in rows]


# ---------------------------------------------------------------- company


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("{company: {industry: Software}}", [ANA]),
        ("{company: {employees: {at_least: 50}}}", [ANA]),
        ("{company: {industry: {is_not: software}}}", [BEN, EVA]),
        ("{company: {industry: {exists: false}}}", [EVA]),
        ("{company: {industry: {matches: '^soft|farm'}}}", [ANA, BEN]),
        ("{company: {tags: {contains: eu}}}", [ANA]),
        ("{company: {industry: [farming, mining], employees: {below: 10}}}", [BEN]),
        ("{not: {company: {employees: {above: 9}}}}", [BEN, EVA]),
    ],
)
def test_what_the_company_is(world: World, condition: str, wanted: list[str]) -> None:
    """LANGUAGE 2: the attribute tests over the contact's company; without one, no value."""
    world.apply(listed(condition))
    world.group(ANA, "acme", START, industry="software", employees="120", tags=["eu", "b2b"])
    world.group(BEN, "farm", START, industry="Farming", employees=3)
    world.identify(EVA, START, plan="free")
    world.tick(START + HOUR)
    assert world.members("l") == wanted


def test_a_list_follows_the_company(world: World) -> None:
    """Ruling 96: what a company tells changes it for everybody in it; who joins is asked too."""
    world.apply(listed("{company: {plan: pro}}"))
    world.group(ANA, "acme", START, plan="free")
    world.group(BEN, "acme", START)
    world.identify(EVA, START, plan="pro")
    world.group(ANA, "acme", START + HOUR, plan="pro")
    world.group(EVA, "acme", START + 2 * HOUR)
    world.group(BEN, "other", START + 3 * HOUR, plan="free")
    world.group(EVA, "acme", START + 4 * HOUR, plan="free")
    world.tick(START + 5 * HOUR)
    assert sorted(history(world)) == [(ANA, 1, 4), (BEN, 1, 3), (EVA, 2, 4)]


def test_a_list_follows_a_date_of_the_company(world: World) -> None:
    """Ruling 61 over companies: the clock alone brings in and out everybody in it."""
    world.policy = POLICY + f"timezone: {MADRID}\n"
    world.apply(listed("{company: {renewal: {ahead: 2 days}}}"))
    world.group(ANA, "acme", START, renewal="2026-03-06")
    world.group(BEN, "acme", START)
    world.group(EVA, "other", START, renewal="2026-03-05T12:00:00Z")
    report = world.tick(START + 6 * DAY)
    assert sorted(history(world)) == [(ANA, 47, 95), (BEN, 47, 95), (EVA, 36, 84)]
    assert report.worked < 12


def test_a_refusal_says_what_the_company_was(world: World) -> None:
    world.apply(asked("{company: {industry: software, size: {at_least: 2}}}"))
    world.group(ANA, "acme", START, industry="Farming")
    world.track(ANA, "go", START)
    world.tick(START)
    assert refusals(world) == ["company's industry = farming; company's size = not known"]


# ---------------------------------------------------------------- this event


@pytest.mark.parametrize(
    ("test", "wanted"),
    [
        ("{rating: {at_least: 9}}", ["m1"]),
        ("{rating: {is_not: 10}}", ["m2", "m3"]),
        ("{rating: {exists: false}}", ["m3"]),
        ("{guest.mood: {matches: 'hap+y'}}", ["m1"]),
        ("{path: /thanks}", ["m2"]),
    ],
)
def test_the_event_that_enrolled(world: World, test: str, wanted: list[str]) -> None:
    """Ruling 86, with `path` of ruling 63."""
    world.apply(asked(f"{{this_event: {test}}}"))
    world.track(ANA, "go", START, rating=10, guest={"mood": "Happy"})
    world.track(ANA, "go", START + 1, rating="8", url="https://a.example/Thanks/?x=1")
    world.track(ANA, "go", START + 2)
    world.tick(START + HOUR)
    found = world.rows("SELECT key FROM enrollments ORDER BY own_at")
    assert [key for (key,) in found] == wanted


def test_an_occurrence_without_an_event_passes_nothing(world: World) -> None:
    """Ruling 86: where there is none, not even the negative tests."""
    triggers = "[{event: go}, {score: {engagement: {reaches: 10}}}]"
    world.apply(
        asked("{this_event: {rating: {is_not: 10}}}", triggers)
        + """
    ---
    score: engagement
    rules: [{name: r, points: 10, on: {event: buy}}]
    """
    )
    world.track(ANA, "buy", START)
    world.track(BEN, "go", START, rating=1)
    world.tick(START + HOUR)
    assert world.entered("s") == [BEN]


def test_own_events_carry_what_they_are_about(world: World) -> None:
    """Ruling 110: `attribute_changed: {attribute, from, to}`, `list_joined: {list}`."""
    world.apply(
        asked("{this_event: {to: {matches: '^pro'}, from: free}}", "{event: attribute_changed}")
    )
    for hour, plan in enumerate(["free", "pro", "trial", "professional"]):
        world.identify(ANA, START + hour * HOUR, plan=plan)
    world.tick(START + 4 * HOUR)
    assert world.rows("SELECT own_at FROM enrollments") == [(START + HOUR,)]


def test_texts_that_a_step_just_wrote_are_matched(world: World) -> None:
    """Ruling 125: a pattern is tried on what this very tick has changed."""
    world.apply("""
    list: l
    ---
    scenario: first
    trigger: {event: go}
    actions: [{set_attribute: {plan: Professional}}]
    ---
    scenario: s
    trigger: {event: {name: attribute_changed, where: {to: {matches: '^prof'}}}}
    conditions: [{this_event: {to: {matches: 'nal$'}}}]
    actions: [{add_to_list: l}]
    """)
    world.track(ANA, "go", START)
    world.tick(START)
    assert world.members("l") == [ANA]


def test_a_date_of_the_event_lets_out_when_it_has_come(world: World) -> None:
    """`exit_when` over a date of the enrolling event: whoever is inside is asked at every tick."""
    world.apply("""
    list: l
    ---
    scenario: s
    trigger: {event: go}
    exit_when: {this_event: {starts: {older_than: 2 hours}}}
    actions: [{wait: 9 days}]
    """)
    world.track(ANA, "go", START, starts="2026-03-02T03:30:00Z")
    world.track(BEN, "go", START, starts="some day")
    world.tick(START + DAY)
    ended = world.rows("SELECT ended_at, outcome FROM enrollments ORDER BY id")
    assert ended == [(START + 6 * HOUR, "exited"), (None, None)]


def test_the_event_is_known_in_a_branch(world: World) -> None:
    world.apply(branching("{this_event: {rating: {at_least: 9}}}"))
    world.track(ANA, "go", START, rating=9)
    world.track(BEN, "go", START, rating=8)
    world.tick(START + 2 * HOUR)
    assert world.members("l") == [ANA]


# ---------------------------------------------------------------- what happened


def test_a_window_that_ends_in_the_past(world: World) -> None:
    """LANGUAGE 2: (T - within, T - older_than], kept true by the clock alone."""
    world.apply(listed("{event: {name: visit, within: 3 days, older_than: 1 days}}"))
    world.track(ANA, "visit", START)
    report = world.tick(START + 5 * DAY)
    assert history(world) == [(ANA, 24, 72)]
    assert report.worked < 8


def test_something_long_ago(world: World) -> None:
    """`older_than` alone: at or before T - 1 day, forever after."""
    world.apply(listed("{event: {name: visit, older_than: 1 days}}"))
    world.track(ANA, "visit", START + MINUTE)
    world.tick(START + 3 * DAY)
    assert history(world) == [(ANA, 25, None)]


@pytest.mark.parametrize(
    ("asks", "wanted"),
    [
        ("sum: {total: {at_least: 100}}", [ANA]),
        ("sum: {total: {above: 100}}", []),
        ("sum: {total: {below: 100}}", [BEN, EVA]),
        ("sum: {total: {at_most: 0}}", [EVA]),
        ("times: 4, sum: {total: {at_least: 0.3}}", [BEN]),
        ("times: 2, sum: {total: {at_least: 100}}", [ANA]),
        ("times: {at_most: 2}, sum: {total: {at_least: 100}, 'items.n': {at_least: 3}}", [ANA]),
        ("sum: {total: {at_least: 0.3, at_most: 0.3}}", [BEN]),
        ("sum: {total: {at_least: 100}}, within: 30 minutes", []),
    ],
)
def test_what_numbers_add_up_to(world: World, asks: str, wanted: list[str]) -> None:
    """Ruling 94: no demand on the count, elements of lists, non-numbers are nothing, rounding."""
    world.apply(listed(f"{{event: {{name: order, {asks}}}}}"))
    items = [{"n": 1}, {"n": 2}]
    world.track(ANA, "order", START, total="40", items=items)
    world.track(ANA, "order", START + 30 * MINUTE, total=[50, 10, "ten"])
    for number in (1, 2, 3):
        world.track(BEN, "order", START + number, total=0.1)
    world.track(BEN, "order", START + 4, total="free")
    world.track(EVA, "order", START)
    world.tick(START + HOUR)
    assert world.members("l") == wanted


def test_a_refusal_says_what_it_counted(world: World) -> None:
    world.apply(asked("{event: {name: order, times: 3, sum: {total: {at_least: 100}}}}"))
    world.track(ANA, "order", START, total=12.5)
    world.track(ANA, "go", START)
    world.tick(START)
    assert refusals(world) == ["1 times; total adds up to 12.5"]


def test_since_entered_leaves_the_enrolling_event_out(world: World) -> None:
    """Ruling 69: own time in (occurrence, T]; the event that enrolled does not count."""
    world.apply(branching("{event: {name: order, since: entered}}", "{event: order}"))
    world.track(ANA, "order", START)
    world.track(BEN, "order", START)
    world.track(BEN, "order", START + 30 * MINUTE, how=f"late:{5 * MINUTE}")
    world.track(EVA, "order", START)
    world.track(EVA, "order", START, how=f"late:{10 * MINUTE}")  # not after the occurrence
    world.tick(START + 1 * HOUR)
    assert world.members("l") == [BEN]


def test_since_entered_counts_from_the_occurrence(world: World) -> None:
    """Ruling 69: not from the tick that let in."""
    world.apply(branching("{event: {name: order, since: entered}}"))
    world.track(ANA, "go", START - 30 * MINUTE, how=f"late:{25 * MINUTE}")
    world.track(ANA, "order", START - 10 * MINUTE)
    world.tick(START + 2 * HOUR, first=START)
    assert world.members("l") == [ANA]


def test_same_agrees_with_the_enrolling_event(world: World) -> None:
    """Ruling 85: compared like `is`; missing on either side is no match."""
    world.apply(
        branching("{event: {name: order, within: 1 days, same: [cart_id]}}", "{event: cart}")
    )
    for who, cart, ordered in ((ANA, 5, "5.0"), (BEN, 5, 6), (EVA, "Ab", "aB")):
        world.track(who, "cart", START, cart_id=cart)
        world.track(who, "order", START + 10 * MINUTE, cart_id=ordered)
    world.track("no@x.example", "cart", START)
    world.track("no@x.example", "order", START + 10 * MINUTE)
    world.tick(START + 2 * HOUR)
    assert world.members("l") == [ANA, EVA]


def test_counts_of_the_same_product(world: World) -> None:
    """Rulings 85 and 94: `same` and `sum` together, without the others' totals."""
    world.apply(
        branching(
            "{event: {name: order, since: entered, same: [sku], sum: {total: {at_least: 50}}}}",
            "{event: look}",
        )
    )
    for who, more in ((ANA, "a"), (BEN, "b")):
        world.track(who, "look", START, sku="a")
        world.track(who, "order", START + MINUTE, sku="a", total=30)
        world.track(who, "order", START + 2 * MINUTE, sku=more, total=30)
    world.tick(START + 2 * HOUR)
    assert world.members("l") == [ANA]


@pytest.mark.parametrize(
    ("more", "wanted"), [("", [ANA]), (", machine: true", [ANA, BEN]), (", times: 2", [])]
)
def test_a_click_on_this_link(world: World, more: str, wanted: list[str]) -> None:
    """Rulings 34 and 99: people only, unless asked for."""
    world.apply(listed(f"{{email_clicked: {{link: '*/offer'{more}}}}}"))
    click = {"template": "a", "link_url": "https://x.example/Offer?c=1"}
    world.track(ANA, "Email Link Clicked", START, **click)
    world.track(ANA, "email_clicked", START, template="a", link="https://x.example/other")
    world.track(BEN, "email_clicked", START, machine=True, **click)
    world.tick(START)
    assert world.members("l") == wanted


def test_a_mail_that_nobody_clicked(world: World) -> None:
    """Ruling 65 with `email_not_clicked`: an open is no click."""
    world.apply(listed("{email_not_clicked: {template: any, within: 1 hours}}"))
    for who in (ANA, BEN):
        world.track(who, "email_sent", START, template="a", message_id=who)
        world.track(who, "email_opened", START + MINUTE, template="a", message_id=who)
    world.track(BEN, "email_clicked", START + MINUTE, template="a", message_id=BEN)
    world.tick(START + 2 * HOUR)
    assert world.members("l") == [ANA]


# ---------------------------------------------------------------- random


def test_a_share_is_drawn_once_and_for_all(world: World) -> None:
    """Rulings 44 and 131: the same people at every asking, others at another place."""
    world.apply(
        """
    list: a
    members: [{random: 30%}]
    ---
    list: b
    members: [{random: 30%}]
    ---
    list: c
    members: [{not: {random: 30%}}]
    ---
    list: everybody
    members: [{random: 100%}]
    """
    )
    world.people(*(f"p{number}@x.example,2026-01-01" for number in range(400)))
    world.tick(START)
    drawn, other = world.members("a"), world.members("b")
    assert 90 <= len(drawn) <= 150 and 90 <= len(other) <= 150
    assert 15 <= len(set(drawn) & set(other)) <= 60
    assert len(world.members("everybody")) == 400
    for one in drawn:
        world.identify(one, START + HOUR, plan="pro")
    world.tick(START + 2 * HOUR)
    assert world.members("a") == drawn
