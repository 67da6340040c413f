"""Rulings 44, 46, 54, 81, 86, 102, 103 and 130: what the steps of a scenario do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.small import ANA, BEN, EVA
from engine.world import POLICY, START
from flowscore.clock import HOUR

if TYPE_CHECKING:
    from engine.world import World


def doing(*steps: str, more: str = "") -> str:
    """A scenario of these steps, over a score."""
    lines = "\n".join(f"      - {step}" for step in steps)
    return f"""
    score: engagement
    rules: [{{name: r, points: 5, on: {{event: visit}}}}]
    ---
    list: a
    ---
    list: b
    ---
    scenario: s
    trigger: {{event: order}}
    reenroll: every_time
    {more}
    actions:
{lines}
"""


def ledger(world: World) -> list[tuple[str, float]]:
    """Kind and points of each line, in the order of writing."""
    rows = world.rows("SELECT kind, points FROM ledger ORDER BY id")
    return [(kind, points / 10**8) for kind, points in rows]


def own(world: World, *names: str) -> list[tuple[str, str]]:
    """Name and subject of flowscore's own events of these names, in order."""
    listed = ", ".join(f"'{name}'" for name in names)
    return world.rows(f"SELECT name, subject FROM events WHERE name IN ({listed}) ORDER BY id")


# ---------------------------------------------------------------- reset


def test_a_reset_voids_what_is_dated_before_it(world: World) -> None:
    """Ruling 54: a late event from before is void, what comes after counts."""
    world.apply(doing("reset_score: engagement"))
    world.track(ANA, "visit", START)
    world.track(ANA, "visit", START + HOUR)
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "visit", START + HOUR // 2, how=f"late:{3 * HOUR}")
    world.track(ANA, "visit", START + 2 * HOUR)
    world.tick(START + 5 * HOUR)
    assert world.balance(ANA) == 5
    assert sum(points for _, points in ledger(world)) == 5
    assert ("reset", -10) in ledger(world)


def test_a_reset_survives_recomputing(world: World) -> None:
    world.apply(doing("reset_score: engagement"))
    for at in (0, 1, 3):
        world.track(ANA, "visit", START + at * HOUR)
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "order", START + 4 * HOUR)
    world.track(ANA, "visit", START + 5 * HOUR)
    world.track(ANA, "visit", START + 3 * HOUR + 1, how=f"late:{4 * HOUR}")
    world.tick(START + 9 * HOUR)
    assert world.balance(ANA) == 5
    world.apply(doing("reset_score: engagement").replace("points: 5", "points: 7"))
    assert world.balance(ANA) == 7
    assert sorted(points for kind, points in ledger(world) if kind == "reset") == [-14, -14]
    assert sum(points for _, points in ledger(world)) == 7


# ---------------------------------------------------------------- consent


CONSENTS = """
    scenario: s
    trigger: {event: order}
    reenroll: every_time
    actions: [%s]
    ---
    scenario: news-off
    trigger: {unsubscribed: news}
    reenroll: every_time
    actions: [{set_attribute: {news: off}}]
    ---
    scenario: all-off
    trigger: {unsubscribed: all}
    reenroll: every_time
    actions: [{set_attribute: {everything: off}}]
    ---
    scenario: news-on
    trigger: {subscribed: news}
    reenroll: every_time
    actions: [{set_attribute: {news: on}}]
"""


def test_subscribe_is_an_event_once(world: World) -> None:
    """Ruling 81: what is already so is no event."""
    world.apply(CONSENTS % "{subscribe: news}")
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 3 * HOUR)
    assert own(world, "subscribed") == [("subscribed", "news")]
    source = world.rows("SELECT topic, granted, source FROM consents")
    assert [(topic, bool(granted), said) for topic, granted, said in source] == [
        ("news", True, "scenario/s#actions/0")
    ]
    assert world.entered("news-on") == [ANA]


def test_unsubscribe_all_refuses_everything_as_one_event(world: World) -> None:
    world.apply(CONSENTS % "{unsubscribe: all}")
    world.track(ANA, "Subscribed", START, topic="news")
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 3 * HOUR)
    assert own(world, "unsubscribed") == [("unsubscribed", "all")]
    assert world.entered("news-off") == [ANA]
    assert world.entered("all-off") == [ANA]
    rows = world.rows("SELECT topic, granted FROM consents ORDER BY topic")
    assert {topic for topic, granted in rows if not granted} >= {"email", "news"}


# ---------------------------------------------------------------- owners, branches


def test_round_robin_takes_turns_over_ticks(world: World) -> None:
    """Ruling 130: a counter per scenario and step; oldest enrollment first."""
    world.apply(doing("assign_owner: {round_robin: [x@o.example, y@o.example]}"))
    for place, who in enumerate((BEN, ANA, EVA)):
        world.track(who, "order", START + HOUR + place // 2 * HOUR)
    world.tick(START + 3 * HOUR)
    rows = world.rows(
        "SELECT email, text FROM attributes JOIN contacts ON contacts.id = contact_id "
        "WHERE name = 'owner' ORDER BY email"
    )
    assert rows == [(ANA, "x@o.example"), (BEN, "y@o.example"), (EVA, "x@o.example")]


def test_split_is_stable_and_by_running_sums(world: World) -> None:
    """Ruling 44."""
    ways = "split: [{name: x, share: 30%, actions: [{add_to_list: a}]}, {name: y, share: 70%}]"
    world.apply(doing(ways))
    people = [f"p{n:03}@x.example" for n in range(150)]
    for who in people:
        world.track(who, "order", START + HOUR)
    world.tick(START + HOUR)
    first = world.members("a")
    assert 30 <= len(first) <= 62
    drawn = world.rows("SELECT DISTINCT outcome FROM steps WHERE step = 'actions/0'")
    assert {name for (name,) in drawn} == {"x", "y"}
    for who in people:
        world.track(who, "order", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("a") == first


def test_enroll_is_an_occurrence_by_hand_in_the_next_round(world: World) -> None:
    """Rulings 46 and 86: the target's conditions and reenroll apply; it has this event."""
    world.apply(
        doing("enroll: target")
        + """
    ---
    scenario: target
    trigger: [manual, {event: never}]
    conditions: [{this_event: {total: {at_least: 10}}}]
    actions: [{set_attribute: {total: "{{ event.total }}"}}]
    """
    )
    for who, at, total in ((ANA, 1, 20), (BEN, 1, 5), (ANA, 2, 30)):
        world.track(who, "order", START + at * HOUR, total=total)
    world.tick(START + 3 * HOUR)
    assert world.entered("target") == [ANA]
    refused = world.rows("SELECT reason FROM decisions WHERE scenario = 'target' ORDER BY id")
    assert refused == [("conditions",), ("reenroll",)]
    assert world.rows("SELECT number FROM attributes WHERE name = 'total'") == [(20.0,)]


def test_a_step_that_is_switched_off_is_passed_over(world: World) -> None:
    world.apply(
        doing(
            "{wait_for: {event: paid, up_to: 2 days}, enabled: false, then: [{add_to_list: a}]}",
            "{add_to_list: b, id: last}",
        )
    )
    world.track(ANA, "order", START + HOUR)
    world.tick(START + HOUR)
    assert (world.members("a"), world.members("b")) == ([], [ANA])
    assert world.rows("SELECT step FROM steps") == [("last",)]


# ---------------------------------------------------------------- notices, webhooks


def loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def test_notify_tells_each_address_and_the_owner(world: World) -> None:
    """Ruling 102: without an owner the policy's reply_to, and the record says so."""
    policy = f"{POLICY}sender: {{address: a@acme.example, reply_to: boss@acme.example}}\n"
    world.policy = policy
    world.apply(doing("notify: {to: [owner, sales@acme.example], template: lead}"), lead="news")
    world.identify(ANA, START, owner="Rep@acme.example")
    world.track(ANA, "order", START + HOUR)
    world.track(BEN, "order", START + HOUR)
    world.tick(START + HOUR)
    rows = world.rows(
        "SELECT email, kind, status, recipients, response FROM messages "
        "JOIN contacts ON contacts.id = contact_id ORDER BY email, step"
    )
    assert [(who, kind, status, loaded(to), said) for who, kind, status, to, said in rows] == [
        (ANA, "notify", "queued", ["Rep@acme.example"], None),
        (ANA, "notify", "queued", ["sales@acme.example"], None),
        (BEN, "notify", "queued", ["boss@acme.example"], "no owner: to the policy's reply_to"),
        (BEN, "notify", "queued", ["sales@acme.example"], None),
    ]


def test_a_webhook_carries_what_the_expressions_give(world: World) -> None:
    """Ruling 103: a lone expression keeps its type; nothing is filled into the address."""
    body = '{who: "{{ contact.email }}", total: "{{ event.total }}", gone: "{{ event.no }}", n: 3}'
    hook = 'webhook: {url: "${CRM}/x", headers: {X-Plan: "{{ contact.plan }}"}, body: BODY}'
    world.apply(doing(hook.replace("BODY", body)))
    world.identify(ANA, START, plan="pro")
    world.track(ANA, "order", START + HOUR, total=9.5)
    world.tick(START + HOUR)
    [(kind, status, carried)] = world.rows("SELECT kind, status, payload FROM messages")
    assert (kind, status) == ("webhook", "queued")
    assert loaded(carried) == {
        "url": "${CRM}/x",
        "headers": {"X-Plan": "pro"},
        "body": {"who": ANA, "total": 9.5, "gone": None, "n": 3},
    }


def test_a_merge_after_a_reset_brings_nothing_from_before(world: World) -> None:
    """Ruling 54: what a visitor did before the reset is void once the visitor is known."""
    world.apply(doing("reset_score: engagement"))
    world.track("visitor", "visit", START)
    world.track(ANA, "visit", START)
    world.track(ANA, "order", START + HOUR)
    world.track("visitor", "visit", START + 2 * HOUR)
    world.identify(ANA, START + 3 * HOUR, anonymous="visitor")
    world.tick(START + 4 * HOUR)
    assert world.balance(ANA) == 5
    assert sum(points for _, points in ledger(world)) == 5


def test_expressions_read_the_contacts_company(world: World) -> None:
    world.apply(doing('set_attribute: {branch: "{{ company.industry }}"}'))
    world.group(ANA, "acme", START, industry="software")
    for who in (ANA, BEN):
        world.track(who, "order", START + HOUR)
    world.tick(START + HOUR)
    assert world.rows("SELECT text FROM attributes WHERE name = 'branch'") == [("software",)]


def test_turns_go_oldest_first_also_to_who_is_inside_twice(world: World) -> None:
    """Ruling 130: Ana's second enrollment is younger than Ben's, and takes its turn after his."""
    world.apply("""
    scenario: s
    trigger: {event: ask}
    reenroll: every_time
    actions:
      - wait: {until: "23:00"}
      - assign_owner: {round_robin: [a@x.example, b@x.example, c@x.example, d@x.example]}
    """)
    for hour, who in ((1, ANA), (2, ANA), (3, BEN), (4, EVA), (5, BEN)):
        world.track(who, "ask", START + hour * HOUR)
    world.tick(START + 24 * HOUR)
    assert owners_of(world) == [(ANA, "b@x.example"), (BEN, "a@x.example"), (EVA, "d@x.example")]


def owners_of(world: World) -> list[tuple[str, str]]:
    """Each contact's owner."""
    return world.rows(
        "SELECT email, attributes.text FROM attributes JOIN contacts ON contacts.id = contact_id "
        "WHERE name = 'owner' ORDER BY email"
    )
