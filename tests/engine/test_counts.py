"""Rulings 22, 85, 87, 94, 99, 116, 120 and 127: sums, combinations, links; consent (81, 121)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.small import ANA, BEN, flow, hours, lines, score
from engine.world import START
from flowscore.clock import HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

SPENT = "{event: {name: order, sum: {total: {at_least: 100}}, within: 2 hours}}"
SAME_CART = "{event: {name: cart, times: 2, same: [cart_id]}}"


def keys(world: World) -> list[str]:
    """The keys of the enrollments, by own time."""
    return [key for (key,) in world.rows("SELECT key FROM enrollments ORDER BY own_at, key")]


def orders(world: World, *totals: object, every: int = 30, name: str = "order") -> None:
    """Orders of Ana, so many minutes apart from the start on."""
    for place, total in enumerate(totals):
        world.track(ANA, name, START + place * every * MINUTE, total=total)


# ---------------------------------------------------------------- sums


def test_the_order_that_completes_the_sum_uses_up(world: World) -> None:
    """Rulings 22 and 94: no demand on the count, the window rolls, the sum starts again."""
    world.apply(flow(SPENT))
    orders(world, 60, 30, 30, 90, 9, 1, 10)
    world.tick(START + 4 * HOUR)
    assert keys(world) == ["m3", "m6"]


def test_what_left_the_window_is_not_in_the_sum(world: World) -> None:
    """Ruling 1: an order exactly two hours old is out."""
    world.apply(flow(SPENT))
    orders(world, 90, 1, 1, 1, 10, 90)
    world.tick(START + 4 * HOUR)
    assert keys(world) == ["m6"]


def test_every_element_counts_and_what_is_no_number_is_nothing(world: World) -> None:
    """Ruling 94: lists, numbers written as text, texts, missing ones, negative ones."""
    world.apply(flow("{event: {name: order, sum: {'items.price': {at_least: 100}}}}"))
    for minute, prices in enumerate([["40", 30.5], ["free"], [-0.5], [29.99], [0.01]]):
        items = [{"price": one} for one in prices]
        world.track(ANA, "order", START + minute * MINUTE, items=items)
        world.track(ANA, "order", START + minute * MINUTE, other=500)
    world.tick(START + HOUR)
    assert keys(world) == ["m9"]


@pytest.mark.parametrize(("third", "wanted"), [(0.1, ["m3"]), (0.0999, [])])
def test_sums_are_rounded_to_four_decimals(world: World, third: float, wanted: list[str]) -> None:
    """Ruling 94: 0.1 + 0.1 + 0.1 is 0.3."""
    world.apply(flow("{event: {name: order, sum: {total: {at_least: 0.3}}}}"))
    orders(world, 0.1, 0.1, third)
    world.tick(START + 2 * HOUR)
    assert keys(world) == wanted


def test_count_and_sum_have_to_hold_together(world: World) -> None:
    """Ruling 94: at the first event at which both hold over the window's events."""
    both = "{event: {name: order, times: 3, sum: {total: {above: 50}}, within: 2 hours}}"
    world.apply(flow(both))
    orders(world, 60, 0, 0, 0, 0, 60)
    world.tick(START + 4 * HOUR)
    assert keys(world) == ["m3", "m6"]


def test_two_sums_have_to_hold_together(world: World) -> None:
    world.apply(flow("{event: {name: order, sum: {total: {at_least: 10}, weight: {at_least: 5}}}}"))
    for minute, (total, weight) in enumerate([(10, 1), (1, 1), (1, 3), (10, 5)]):
        world.track(ANA, "order", START + minute * MINUTE, total=total, weight=weight)
    world.tick(START + HOUR)
    assert keys(world) == ["m3", "m4"]


def test_history_adds_up_but_does_not_complete(world: World) -> None:
    """Ruling 127 with sums."""
    world.apply(flow("{event: {name: order, sum: {total: {at_least: 100}}}}"))
    for hour in (3, 2, 1):
        world.track(ANA, "order", START - hour * HOUR, total=60, how="historical")
    world.tick(START)
    assert keys(world) == []
    orders(world, 1)
    world.tick(START + HOUR)
    assert keys(world) == ["m4"]


def test_a_late_order_makes_an_earlier_one_complete_the_sum(world: World) -> None:
    """Ruling 116 with sums."""
    world.apply(flow(SPENT))
    orders(world, 60, 20)
    world.track(ANA, "order", START - MINUTE, total=25, how=f"late:{3 * HOUR}")
    world.tick(START + 4 * HOUR)
    assert keys(world) == ["m2"] and hours(world) == [(0.5, 3)]


def test_a_rule_gives_points_for_every_hundred_spent(world: World) -> None:
    """Rulings 87 and 127: in rules the walk covers history."""
    world.apply(score("points: 5, on: {event: {name: order, sum: {total: {at_least: 100}}}}"))
    world.track(ANA, "order", START - HOUR, total=130, how="historical")
    orders(world, 60, 60, 99)
    world.tick(START + 2 * HOUR)
    assert lines(world) == [(-60, 5), (30, 5)]


# ---------------------------------------------------------------- same


def carts(world: World, *ids: object) -> None:
    """Events with these cart ids, a minute apart; None has none."""
    for minute, one in enumerate(ids):
        more = {} if one is None else {"cart_id": one}
        world.track(ANA, "cart", START + minute * MINUTE, **more)


def test_each_combination_is_counted_by_itself(world: World) -> None:
    """Rulings 22 and 85: one walk for each cart; each starts again after it completed."""
    world.apply(flow(SAME_CART))
    carts(world, "a", "b", "a", "a", "b", "a")
    world.tick(START + HOUR)
    assert keys(world) == ["m3", "m5", "m6"]


def test_events_that_lack_the_property_belong_to_no_walk(world: World) -> None:
    """Ruling 85: missing or empty is no match."""
    world.apply(flow(SAME_CART))
    carts(world, None, None, "", "", [], {"x": 1})
    world.tick(START + HOUR)
    assert keys(world) == []


def test_values_are_compared_like_is(world: World) -> None:
    """Ruling 85: 5 is 5.0 is "5"; letters' case does not matter; 08 is text."""
    world.apply(flow(SAME_CART))
    carts(world, 5, "5.0", "Ab", "aB", "8", "08", 7.25, "7.250")
    world.tick(START + HOUR)
    assert keys(world) == ["m2", "m4", "m8"]


def test_marks_are_kept_for_each_combination(world: World) -> None:
    """Ruling 127: over several ticks, and what was used up stays so."""
    world.apply(flow(SAME_CART))
    for hour, one in enumerate(["a", "b", "a", "b", "a", "a"]):
        world.track(ANA, "cart", START + hour * HOUR, cart_id=one)
    world.track(ANA, "cart", START + HOUR, how=f"late:{6 * HOUR}", cart_id="b")
    world.tick(START + 8 * HOUR)
    assert keys(world) == ["m3", "m4", "m6"]
    assert len(world.rows("SELECT same FROM marks")) == 2


@pytest.mark.parametrize("points", [5, 6])
def test_a_recompute_walks_every_combination_anew(world: World, points: int) -> None:
    """Ruling 128: by own time, a late event counted in its place."""
    rule = "points: %d, on: {event: {name: cart, times: 2, same: [cart_id]}}"
    world.apply(score(rule % 5))
    for hour, one in ((2, "a"), (3, "b"), (4, "a"), (5, "a")):
        world.track(ANA, "cart", START + hour * HOUR, cart_id=one)
    world.track(ANA, "cart", START + HOUR, how=f"late:{5 * HOUR}", cart_id="a")
    world.tick(START + 6 * HOUR)
    assert lines(world) == [(240, 5)]
    world.apply(score(rule % points, more="objective: buyers"))
    found = [(240, 5)] if points == 5 else [(120, 6), (300, 6)]
    assert lines(world) == found


def test_same_with_two_properties_and_a_window(world: World) -> None:
    trigger = "{event: {name: look, times: 2, within: 1 hours, same: [kind, product.id]}}"
    world.apply(flow(trigger))
    for minute, kind, number in (
        (0, "x", 1),
        (10, "y", 1),
        (20, "x", 2),
        (60, "x", 1),
        (61, "y", 1),
    ):
        product = {"id": number}
        world.track(ANA, "look", START + minute * MINUTE, kind=kind, product=product)
    world.tick(START + 2 * HOUR)
    assert keys(world) == ["m5"]


def test_one_event_with_same_has_to_carry_it(world: World) -> None:
    """A count of one has nobody to agree with, but the property is asked for."""
    world.apply(flow("{event: {name: cart, same: [cart_id]}}"))
    carts(world, None, "a", "", "a")
    world.tick(START + HOUR)
    assert keys(world) == ["m2", "m4"]


def test_the_same_page_several_times(world: World) -> None:
    """Ruling 85 and 63: `path` is the path of a page, however its address is written."""
    world.apply(flow("{page_visited: {path: '/blog/*', times: 2, same: [path]}}"))
    for minute, url in enumerate(["/blog/a", "/blog/b", "/Blog/A/", "/blog/b?x=1"]):
        call = {"type": "page", "properties": {"path": url}}
        world._call(ANA, call, START + minute * MINUTE, "live")
    world.tick(START + HOUR)
    assert keys(world) == ["m3", "m4"]


def test_anchors_after_a_sum(world: World) -> None:
    """Rulings 87 and 120: the completing event is the anchor."""
    world.apply(
        flow(
            "{no_event: {name: call, within: 1 hours, "
            "after: {event: {name: order, sum: {total: {at_least: 100}}}}}}"
        )
    )
    orders(world, 60, 60, 60, 60, every=10)
    world.track(ANA, "call", START + 90 * MINUTE)
    world.tick(START + 3 * HOUR)
    assert hours(world) == [(70 / 60, 2)]


def test_answers_have_to_agree_like_is(world: World) -> None:
    """Rulings 24 and 85: cart 5 is answered by "5.0", not by another or by none."""
    world.apply(
        flow("{no_event: {name: order, within: 1 hours, same: [cart_id], after: {event: cart}}}")
    )
    carts(world, 5, "b", "c")
    world.track(ANA, "order", START + 10 * MINUTE, cart_id="5.0")
    world.track(ANA, "order", START + 10 * MINUTE, cart_id="B")
    world.track(ANA, "order", START + 10 * MINUTE)
    world.tick(START + 3 * HOUR)
    assert keys(world) == [f"m3@{START + HOUR + 2 * MINUTE}"]


# ---------------------------------------------------------------- links


CLICKS = (
    "https://Shop.example/pricing?utm=1#top",
    "https://shop.example/pricing/enterprise",
    "https://shop.example/blog?page=/pricing",
    None,
)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("https://shop.example/pricing", ["m1"]),
        ("*/PRICING*", ["m1", "m2"]),
        ("*/pricing?utm=*", ["m1"]),
        ("*?page=*", ["m3"]),
        ("*pricing?enterprise", []),
        ("http://shop.example/pricing", []),
        ("*", ["m1", "m2", "m3"]),
    ],
)
def test_a_click_on_a_link(world: World, pattern: str, wanted: list[str]) -> None:
    """Rulings 99 and 120: the whole address without query and fragment, unless asked for."""
    world.apply(flow(f"{{email_clicked: {{link: '{pattern}'}}}}"))
    for minute, link in enumerate(CLICKS):
        more = {} if link is None else {"link": link}
        world.track(ANA, "Email Link Clicked", START + minute * MINUTE, template="a", **more)
    world.tick(START + HOUR)
    assert keys(world) == wanted


# ---------------------------------------------------------------- consent


def told(world: World, name: str, hour: int, topic: str | None = None) -> None:
    """A call about consent."""
    more = {} if topic is None else {"topic": topic}
    world.track(ANA, name, START + hour * HOUR, **more)


@pytest.mark.parametrize(
    ("trigger", "wanted"),
    [
        ("{unsubscribed: news}", [2, 5]),
        ("{unsubscribed: email}", [3]),
        ("{unsubscribed: all}", [5]),
        ("{unsubscribed: [all, email]}", [3, 5]),
        ("{subscribed: news}", [1, 4]),
        ("{subscribed: email}", [6]),
    ],
)
def test_a_change_of_consent(world: World, trigger: str, wanted: list[int]) -> None:
    """Rulings 81 and 121: real changes alone; `all` refuses every topic not refused before."""
    world.apply(flow(trigger))
    told(world, "Subscribed", 1, "news")
    told(world, "Subscribed", 1, "news")  # what is already so is no event
    told(world, "Unsubscribed", 2, "news")
    told(world, "Unsubscribed", 3)  # mail in general
    told(world, "Subscribed", 4, "news")
    told(world, "Unsubscribed", 5, "all")
    told(world, "Subscribed", 6)
    world.tick(START + 8 * HOUR)
    assert [own for own, _ in hours(world)] == wanted


def test_a_step_that_refuses_everything_is_heard(world: World) -> None:
    """Ruling 121: one event with topic `all`, which every topic not refused before hears."""
    world.apply("""
    list: l
    ---
    scenario: leave
    trigger: {event: bye}
    actions: [{unsubscribe: all}]
    ---
    list: refused-news
    ---
    scenario: s
    trigger: {unsubscribed: news}
    reenroll: every_time
    actions: [{add_to_list: l}]
    ---
    scenario: everything
    trigger: {unsubscribed: all}
    conditions: [{this_event: {topic: all}}]
    actions: [{add_to_list: refused-news}]
    """)
    told(world, "Unsubscribed", 0, "news")
    world.track(ANA, "bye", START + HOUR)
    world.track(BEN, "bye", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert world.entered("s") == [ANA, BEN]
    assert world.rows("SELECT own_at FROM enrollments WHERE scenario = 's' ORDER BY id") == [
        (START,),
        (START + HOUR,),
    ]
    assert world.members("refused-news") == [ANA, BEN]


def test_points_for_leaving(world: World) -> None:
    """A rule on a change of consent; over history too."""
    world.apply(score("points: -20, on: {unsubscribed: news}"))
    world.track(ANA, "Unsubscribed", START - HOUR, topic="all", how="historical")
    told(world, "Subscribed", 1, "news")
    told(world, "Unsubscribed", 2, "news")
    world.tick(START + 3 * HOUR)
    assert lines(world) == [(-60, -20), (120, -20)]
