"""Why somebody is in a scenario or a list, and why not: each gate, each leaf, seen and wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.errors import FlowscoreError
from flowscore.language import triggers
from flowscore.views.explain_states import standing

from .explained import ANA, BEN, Explained

Row = dict[str, Any]
PROJECT = """
score: engagement
rules: [{name: e, points: 10, on: {event: hello}}]
---
list: hot
members:
  - score: {engagement: {at_least: 20}}
  - any: [{page_visited: /pricing}, {attribute: {plan: pro, country: ES}}]
  - not: {in_list: customers}
---
list: customers
---
scenario: offer
trigger: [{score: {engagement: {reaches: 20}}}, {event: order}]
conditions: [{attribute: {country: ES}}, {not: {in_list: customers}}, {this_event: {size: big}}]
actions: [{wait: 2 days}, {add_to_list: customers}]
---
scenario: ordered
trigger: {event: order}
reenroll: when_finished
conditions: [{this_event: {size: big}}]
exit_when: {event: closed}
actions: [{wait: 30 days}]
"""


def leaves(tree: Row) -> Iterator[Row]:
    if tree["is"] == "leaf":
        yield tree
    for one in tree["of"]:
        yield from leaves(one)


@pytest.fixture
def shop(world: Explained) -> Explained:
    world.apply(PROJECT)
    world.identify(ANA, START, country="ES")
    world.identify(BEN, START, country="FR", plan="pro")
    for minute in range(2):
        world.track(ANA, "hello", START + minute * MINUTE)
    world.track(BEN, "hello", START)
    world.tick(START + HOUR)
    return world


def test_d07_a_list_shows_each_leaf_with_what_was_seen(shop: Explained) -> None:
    told = shop.list("hot", BEN)
    assert (told["member"], told["members"]["holds"]) == (False, False)
    assert [(leaf["holds"], leaf["wanted"], leaf["seen"]) for leaf in leaves(told["members"])] == [
        (False, "score engagement at least 20", "engagement 10"),
        (False, "page_viewed /pricing", "0 times"),
        (True, "plan is pro", "plan = pro"),
        (False, "country is ES", "country = fr"),
        (False, "in list customers", "not in customers"),
    ]
    all_, any_, not_ = told["members"], told["members"]["of"][1], told["members"]["of"][2]
    assert [one["is"] for one in (all_, any_, not_)] == ["all", "any", "not"]
    assert [one["holds"] for one in (all_, any_, not_)] == [False, False, True]
    assert any_["of"][1]["is"] == "all"
    assert any_["where"] == "scenarios/all.yaml:12:5"


def test_d07_a_member_is_told_since_when(shop: Explained) -> None:
    shop.track(ANA, "page_viewed", START + 2 * HOUR, path="/pricing")
    shop.tick(START + 3 * HOUR)
    told = shop.list("hot")
    assert (told["member"], told["since"]) == (True, "2026-03-02T02:00:00Z")
    assert told["members"]["holds"]
    [page] = [leaf for leaf in leaves(told["members"]) if leaf["wanted"].startswith("page")]
    assert page["seen"] == "once"


def test_d07_a_static_list_names_its_stays_and_the_steps(shop: Explained) -> None:
    shop.identify(ANA, START + 2 * HOUR, country="ES")
    told = shop.list("customers")
    assert (told["kind"], told["members"], told["member"]) == ("static", None, False)
    [step] = told["steps"]
    assert (step["scenario"], step["step"], step["does"]) == ("offer", "actions/1", "adds")
    assert step["where"] == "scenarios/all.yaml:20:27"


def test_d07_a_scenario_shows_its_gates_and_why_not(shop: Explained) -> None:
    told = shop.scenario("offer", BEN)
    trigger, order = told["triggers"]
    assert trigger["says"] == "score engagement reaches 20"
    assert (order["state"]["wanted"], order["state"]["seen"]) == ("order", "0 times")
    assert (trigger["state"]["holds"], trigger["state"]["seen"]) == (False, "engagement 10")
    assert told["reenroll"]["open"]
    assert told["would_enter"] == {
        "holds": False,
        "because": [
            "asked: country is ES; seen: country = fr",
            "asked: this event's size is big; seen: no event",
        ],
    }


def test_d07_the_refusal_says_what_the_tree_says(shop: Explained) -> None:
    """At the tick that refused, the first leaf that fails is the one that was written down."""
    told = shop.scenario("offer")
    [refusal] = told["refused"]
    failing = [one for one in told["conditions"]["of"] if not one["holds"]]
    assert refusal["condition"] == "this event's size is big" == failing[-1]["wanted"]
    assert len(failing) == 1


def test_d07_conditions_are_asked_with_the_event_of_the_last_occurrence(shop: Explained) -> None:
    shop.track(ANA, "order", START + 2 * HOUR, size="small")
    shop.tick(START + 3 * HOUR)
    told = shop.scenario("ordered")
    assert told["asked_with"]["properties"] == {"size": "small"}
    assert (told["conditions"]["holds"], told["conditions"]["seen"]) == (False, "size = small")
    shop.track(ANA, "order", START + 4 * HOUR, size="big")
    shop.tick(START + 5 * HOUR)
    told = shop.scenario("ordered")
    assert told["conditions"]["holds"]
    assert told["would_enter"]["because"] == [
        "reenroll (again once it has ended): entered 2026-03-02 04:00, still inside"
    ]
    assert told["exit_when"]["seen"] == "0 times"
    assert [len(told[key]) for key in ("enrollments", "refused")] == [1, 1]


@pytest.mark.parametrize(
    ("mode", "first", "later"),
    [
        ("never", (False, "entered 2026-03-02 00:00, still inside"), False),
        ("when_finished", (False, "entered 2026-03-02 00:00, still inside"), True),
        ("every_time", (True, "entered 2026-03-02 00:00, still inside"), True),
        ("{after: 10 days}", (False, "entered 2026-03-02 00:00, still inside"), False),
    ],
)
def test_d07_the_reenroll_gate_says_whether_it_is_open(
    world: Explained, mode: str, first: tuple[bool, str], later: bool
) -> None:
    world.apply(
        f"scenario: s\ntrigger: {{event: hello}}\nreenroll: {mode}\nactions: [{{wait: 1 day}}]\n"
    )
    world.track(ANA, "hello", START)
    world.tick(START + HOUR)
    gate = world.scenario("s")["reenroll"]
    assert (gate["open"], gate["seen"]) == first
    world.tick(START + 2 * DAY)
    assert world.scenario("s")["reenroll"]["open"] is later


def test_a_scenario_that_is_switched_off_says_so(world: Explained) -> None:
    world.apply("scenario: s\ntrigger: {event: hello}\nenabled: false\nactions: [{exit: x}]\n")
    world.track(ANA, "hello", START)
    world.tick(START)
    told = world.scenario("s")
    assert told["would_enter"]["because"] == ["it is switched off (enabled: false)"]


TRIGGERS = """
list: l
---
list: m
members: [{score: {engagement: {at_least: 20}}}]
---
score: engagement
rules: [{name: e, points: 10, on: {event: hello}}]
---
scenario: s
trigger: TRIGGER
reenroll: never
actions: [{exit: x}]
"""


@pytest.mark.parametrize(
    ("trigger", "holds", "seen"),
    [
        ("{event: {name: hello, times: 3, within: 1 day}}", False, "2 times"),
        ("{list_joined: l}", False, "not in l"),
        ("{list_joined: [l, m]}", True, "not in l; in m"),
        ("{list_left: l}", True, None),
        ("{attribute: {plan: {to: pro}}}", True, "plan = pro"),
        ("{inactive: 2 days}", False, "last active 2026-03-02 00:01 UTC"),
        ("{subscribed: news}", True, "news not on record; email not on record"),
        ("{score: {engagement: {gains: 15, within: 1 day}}}", True, "gained 20 within 1 day"),
        ("{date: {attribute: renewal}}", False, "renewal = not known"),
        ("{no_event: {name: order, within: 1 day, after: {event: hello}}}", True, None),
    ],
)
def test_d07_each_trigger_says_how_near_it_is(
    world: Explained, trigger: str, holds: bool, seen: str | None
) -> None:
    world.apply(TRIGGERS.replace("TRIGGER", trigger))
    world.identify(ANA, START, plan="pro")
    for minute in range(2):
        world.track(ANA, "hello", START + minute * MINUTE)
    world.tick(START + HOUR)
    [told] = world.scenario("s")["triggers"]
    assert told["state"]["holds"] is holds
    assert seen is None or seen in told["state"]["seen"]


@pytest.mark.parametrize(
    "trigger", ["{schedule: {cron: '0 9 * * *'}}", "manual", "contact_created"]
)
def test_a_trigger_without_a_state_has_no_tree(world: Explained, trigger: str) -> None:
    world.apply(TRIGGERS.replace("TRIGGER", trigger))
    world.identify(ANA, START)
    world.tick(START)
    [told] = world.scenario("s")["triggers"]
    assert told["state"] is None


def test_every_trigger_has_a_standing() -> None:
    words = [one for one in vars(triggers).values() if isinstance(one, type)]
    for word in words:
        if issubclass(word, triggers.Trigger) and word is not triggers.Trigger:
            assert standing.dispatch(word) is not standing.dispatch(object), word


def test_all_leaves_are_asked_in_one_statement(shop: Explained) -> None:
    asked: list[str] = []
    event.listen(shop.store.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    shop.list("hot")
    assert len([one for one in asked if "balances" in one and "members" in one]) == 1


@pytest.mark.parametrize(("ask", "name"), [("scenario", "offr"), ("list", "hott")])
def test_unknown_names_are_asked_for_what_was_meant(shop: Explained, ask: str, name: str) -> None:
    with pytest.raises(FlowscoreError, match=f"no {ask} is called '{name}'; did you mean"):
        getattr(shop, ask)(name)
