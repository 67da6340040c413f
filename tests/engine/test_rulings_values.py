"""Rulings 60 to 69, 93 and 125: how values, dates, paths and counts compare, on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

ANA, BEN, EVA = "ana@x.example", "ben@x.example", "eva@x.example"

TESTS: list[tuple[str, Any, bool]] = [
    ("25", "25", True),
    ("25", 25, True),
    ("25", "25.0", True),
    ("'25'", "25.0", False),
    ("'25'", 25, True),
    ("{at_least: 18}", "08001", False),
    ("{at_least: 18}", "-3.5", False),
    ("{below: 0}", "-3.5", True),
    ("{at_least: 18}", "many", False),
    ("{at_least: 18}", True, False),
    ("{above: 1, below: 20}", [0, 5], True),
    ("{at_least: 1000}", "1000", True),
    ("es", "ES", True),
    ("ÉS", "és", True),
    ("strasse", "Straße", True),
    ("'NO'", "no", True),
    ("true", True, True),
    ("true", "TRUE", True),
    ("true", 1, False),
    ("false", False, True),
    ("[ES, MX]", "mx", True),
    ("[ES, 5]", 5.0, True),
    ("{is_not: es}", "ES", False),
    ("{is_not: es}", "MX", True),
    ("{is_not: es}", "", True),
    ("{not_in: [es, mx]}", None, True),
    ("{not_in: [es, mx]}", ["es", "fr"], False),
    ("{exists: true}", "", False),
    ("{exists: true}", [], False),
    ("{exists: true}", False, True),
    ("{exists: false}", None, True),
    ("{exists: true}", 0, True),
    ("{contains: a}", ["x", "bAr"], True),
    ("{contains: 5}", 1.5, True),
    ("{contains: '%'}", "abc", False),
    ("{starts_with: 0}", "08001", True),
    ("{starts_with: 'a_'}", "abc", False),
    ("{ends_with: 'É'}", "café", True),
    ("{matches: '^(e|m)'}", "ES", True),
    ("{matches: 'director|head of'}", "The Head of IT", True),
    ("{matches: '^1[.]5$'}", 1.5, True),
    ("{matches: '^b$'}", ["a", "B"], True),
    ("{matches: straße}", "Große Straße 1", True),
    ("{is: a}", ["A", "b"], True),
    ("{before: 1965-01-01}", "1960-05-01", True),
    ("{before: 1965-01-01}", "1968-05-01", False),
    ("{after: 1900-01-01}", "1905-05-01", True),
    ("{before: 2026-03-02}", "2026-03-02", False),
    ("{after: 2026-03-02}", "2026-03-02", False),
    ("{after: 2026-03-01}", "2026-03-02", True),
    ("{within: 2 days}", "2026-02-28", False),
    ("{within: 2 days}", "2026-03-01", True),
    ("{within: 2 days}", "2026-03-02", True),
    ("{within: 2 days}", "2026-03-03", False),
    ("{older_than: 2 days}", "2026-02-28", True),
    ("{older_than: 2 days}", "2026-03-01", False),
    ("{older_than: 2 days}", "2026-03-03", False),
    ("{ahead: 2 days}", "2026-03-02", False),
    ("{ahead: 2 days}", "2026-03-04", True),
    ("{ahead: 2 days}", "2026-03-05", False),
    ("{within: 2 hours}", "2026-03-01T23:30:00+01:00", True),
    ("{within: 2 hours}", "2026-03-01T23:00:00+01:00", False),
    ("{before: 2026-03-02}", "soon", False),
    ("{older_than: 2 days}", 5, False),
]


def plain(number: int) -> str:
    """A property's name."""
    return f"p{number}"


def test_values_compare_as_a_marketer_expects(world: World) -> None:
    """Rulings 60 to 62 and 125: of attributes, and of events' properties, alike."""
    lists = [
        f"list: {kind}{number}\nmembers: [{ask}]\n"
        for number, (wanted, _, _) in enumerate(TESTS)
        for kind, ask in (
            ("a", f"{{attribute: {{{plain(number)}: {wanted}}}}}"),
            ("e", f"{{event: {{name: look, where: {{{plain(number)}: {wanted}}}}}}}"),
        )
    ]
    world.apply("---\n".join(lists))
    values = {plain(number): value for number, (_, value, _) in enumerate(TESTS)}
    world.identify(ANA, START, **values)
    world.track(ANA, "look", START, **values)
    world.tick(START)
    inside = {row[0] for row in world.rows("SELECT list FROM members WHERE left_at IS NULL")}
    wrong = [
        (kind, wanted, value)
        for number, (wanted, value, passes) in enumerate(TESTS)
        for kind in "ae"
        if (f"{kind}{number}" in inside) is not passes
    ]
    assert wrong == []


def test_bare_dates_are_midnight_in_the_zone(world: World) -> None:
    """Rulings 61 and 69: in Madrid 1 March begins at 23:00Z; windows move with the clock."""
    world.policy += "timezone: Europe/Madrid\n"
    world.apply("""
    list: early
    members: [{attribute: {created_at: {before: 2026-03-03}}}]
    ---
    list: renews
    members: [{attribute: {renewal_on: {ahead: 1 day}}}]
    ---
    list: renewed
    members: [{attribute: {renewal_on: {within: 1 day}}}]
    """)
    header = "email,created_at,renewal_on"
    world.people(
        f"{ANA},2026-03-02T22:59:59Z,2026-03-05",
        f"{BEN},2026-03-02T23:00:00Z,",
        header=header,
    )
    world.tick(START + DAY)
    assert world.members("early") == [ANA]
    world.tick(START + 5 * DAY)
    stays = world.rows("SELECT list, joined_at, left_at FROM members WHERE list LIKE 'renew%'")
    midnight = START + 3 * DAY - HOUR
    assert sorted(stays) == [
        ("renewed", midnight, midnight + DAY),
        ("renews", midnight - DAY, midnight),
    ]


def test_products_in_a_list_are_reached(world: World) -> None:
    """LANGUAGE 2: `products.sku` is any product's."""
    world.apply("""
    list: l
    members: [{event: {name: order, where: {products.sku: B, total: {at_least: 5}}}}]
    """)
    world.track(ANA, "order", START, products=[{"sku": "a"}, {"sku": "b"}], total="7.5")
    world.track(BEN, "order", START, products={"sku": "c"}, total=9)
    world.tick(START)
    assert world.members("l") == [ANA]


COUNTS = [
    ("3", [3, 4]),
    ("{at_most: 0}", [0]),
    ("{at_most: 2}", [0, 1, 2]),
    ("{above: 1, below: 4}", [2, 3]),
    ("{at_least: 0}", [0, 1, 2, 3, 4]),
]


@pytest.mark.parametrize(("times", "fitting"), COUNTS)
def test_counts_may_be_zero(world: World, times: str, fitting: list[int]) -> None:
    """Ruling 66: `at_most: 0` is never; by the clock an event leaves the count."""
    world.apply(f"""
    list: l
    members: [{{event: {{name: order, times: {times}, within: 5 hours}}}}]
    """)
    for count in range(5):
        world.identify(f"c{count}@x.example", START, plan="x")
        for minute in range(count):
            world.track(f"c{count}@x.example", "order", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.members("l") == [f"c{count}@x.example" for count in fitting]
    world.tick(START + 9 * HOUR)
    assert bool(world.members("l")) is (0 in fitting)


def test_the_latest_old_enough_mail_is_asked_for(world: World) -> None:
    """Ruling 65: a newer mail counts when it is old enough; who had none is not in it."""
    world.apply(
        """
    list: cold
    members: [{email_not_opened: {template: hello, within: 2 hours}}]
    """,
        hello="news",
    )
    world.identify(BEN, START, plan="x")
    world.track(ANA, "Email Sent", START, template="hello", message_id="a")
    world.track(ANA, "Email Sent", START + 4 * HOUR, template="hello", message_id="b")
    world.track(ANA, "Email Opened", START + 5 * HOUR, template="hello", message_id="b")
    world.tick(START + 9 * HOUR)
    stays = world.rows("SELECT joined_at, left_at FROM members")
    assert stays == [(START + 2 * HOUR, START + 6 * HOUR)]


def test_an_open_has_the_topic_of_its_template(world: World) -> None:
    """Ruling 118: where the import names none."""
    world.apply(
        """
    list: l
    members: [{email_opened: {topic: news}}]
    ---
    list: t
    members: [{email_clicked: {topic: transactional}}]
    """,
        hello="news",
        receipt="transactional",
    )
    world.track(ANA, "Email Opened", START, template="hello")
    world.track(BEN, "Email Opened", START, template="receipt", topic="news")
    world.track(EVA, "Email Link Clicked", START, template="receipt")
    world.tick(START)
    assert (world.members("l"), world.members("t")) == ([ANA, BEN], [EVA])


def test_scores_and_attributes_may_be_several(world: World) -> None:
    """Ruling 93: in one condition both must pass; 67: without a line the balance is 0."""
    world.apply("""
    score: a
    rules: [{name: r, points: 10, on: {event: order}}]
    ---
    score: b
    rules: [{name: r, points: 10, on: {event: cart}}]
    ---
    list: both
    members: [{score: {a: {at_least: 10}, b: {at_most: 0}}}]
    ---
    list: none
    members: [{score: {a: {at_most: 0}}}]
    """)
    world.track(ANA, "order", START)
    world.track(BEN, "order", START)
    world.track(BEN, "cart", START)
    world.identify(EVA, START, plan="x")
    world.tick(START)
    assert (world.members("both"), world.members("none")) == ([ANA], [EVA])


def test_names_of_events_are_slugs(world: World) -> None:
    """Ruling 64: in the file and in the call alike."""
    world.apply("""
    list: l
    members: [{event: {name: Order Completed!}}]
    ---
    list: p
    members: [{event: page_viewed}, {event: screen_viewed}]
    """)
    world.track(ANA, "order-completed", START)
    for kind in ("page", "screen"):
        world._call(BEN, json.loads(json.dumps({"type": kind, "properties": {}})), START, "live")
    world.tick(START)
    assert (world.members("l"), world.members("p")) == ([ANA], [BEN])


def test_lists_may_name_lists_in_any_order_of_the_file(world: World) -> None:
    """Ruling 68: own kinds in dependency order, all in one refresh."""
    world.apply("""
    list: a
    members: [{in_list: b}, {not: {in_list: d}}]
    ---
    list: b
    members: [{in_list: c}]
    ---
    list: c
    members: [{event: order}]
    ---
    list: d
    members: [{event: cart}]
    """)
    world.track(ANA, "order", START)
    world.track(BEN, "order", START)
    world.track(BEN, "cart", START)
    report = world.tick(START)
    assert (world.members("a"), report.counts.joined) == ([ANA], 6)
    assert world.rows("SELECT name FROM events WHERE message_id LIKE '%/2'") == []
