"""Rulings 96, 115 and 130: scores of companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.small import ANA, BEN, EVA
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.world import World

ACCOUNT = """
score: account
of: company
rules: [{{name: visit, points: 10, on: {{event: visit}}{more}}}]
---
list: hot
members: [{{score: {{account: {{at_least: 30}}}}}}]
---
list: told
---
scenario: call
trigger: {{score: {{account: {{reaches: 30}}}}}}
reenroll: every_time
actions: [{{add_to_list: told}}]
"""


def account(more: str = "") -> str:
    """A score of a company, a list and a scenario that read it."""
    return ACCOUNT.format(more=more)


def at_acme(world: World, *people: str) -> None:
    """These people are with one company from the start."""
    for who in people:
        world.group(who, "acme", START)


def test_b15_every_contacts_events_count_into_one_balance(world: World) -> None:
    """All members read it; who tipped it enters, alone."""
    world.apply(account())
    at_acme(world, ANA, BEN)
    world.track(ANA, "visit", START)
    world.track(BEN, "visit", START + MINUTE)
    world.track(EVA, "visit", START + MINUTE)
    world.tick(START + HOUR)
    assert world.rows("SELECT balance FROM company_balances") == [(200_000,)]
    world.track(BEN, "visit", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("hot") == [ANA, BEN]
    assert world.entered("call") == [BEN]


def test_the_member_whose_line_came_last_enters(world: World) -> None:
    """Ruling 115: by own time, rule position, then e-mail."""
    world.apply(account())
    at_acme(world, ANA, BEN, EVA)
    for who in (EVA, ANA, BEN):
        world.track(who, "visit", START + 5 * MINUTE)
    world.tick(START + HOUR)
    assert world.entered("call") == [EVA]


def test_who_changes_company_takes_the_points_along(world: World) -> None:
    """Both companies are read anew, and so are all who are with them."""
    world.apply(account())
    at_acme(world, ANA, BEN)
    for minute in range(3):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.track(EVA, "visit", START)
    world.group(EVA, "umbra", START)
    world.tick(START + HOUR)
    assert world.members("hot") == [ANA, BEN]
    world.group(ANA, "umbra", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("hot") == [ANA, EVA]
    assert world.rows("SELECT balance FROM company_balances ORDER BY company_id") == [
        (0,),
        (400_000,),
    ]


def test_who_has_no_company_reads_0(world: World) -> None:
    """Their lines are kept, for the day on which they have one."""
    world.apply(account())
    for minute in range(4):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.members("hot") == []
    world.group(ANA, "acme", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("hot") == [ANA]


def test_caps_look_at_all_of_them(world: World) -> None:
    """Ruling 96: 25 points for the company, whoever earns them."""
    world.apply(account(", cap: {points: 25, per: 1 day}"))
    at_acme(world, ANA, BEN)
    for minute, who in enumerate((ANA, BEN, ANA, BEN)):
        world.track(who, "visit", START + minute * MINUTE)
    world.track(EVA, "visit", START)
    world.tick(START + HOUR)
    world.track(BEN, "visit", START + DAY + MINUTE)
    world.tick(START + DAY + HOUR)
    found = world.rows(
        "SELECT email, points / 100000000 FROM ledger JOIN contacts ON contacts.id = contact_id "
        "ORDER BY ledger.id"
    )
    assert sorted(found) == [(ANA, 5), (ANA, 10), (BEN, 10), (BEN, 10), (EVA, 10)]


def test_gains_look_at_all_of_them(world: World) -> None:
    """The line that completes the sum is its member's."""
    world.apply("""
    score: account
    of: company
    rules: [{name: visit, points: 10, on: {event: visit}}]
    ---
    list: told
    ---
    scenario: sudden
    trigger: {score: {account: {gains: 30, within: 2 hours}}}
    actions: [{add_to_list: told}]
    """)
    at_acme(world, ANA, BEN)
    for minute, who in enumerate((ANA, ANA, BEN)):
        world.track(who, "visit", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.entered("sudden") == [BEN]


def test_a_companys_points_fade(world: World) -> None:
    """Each line by itself; the sum follows, and what reads it."""
    world.apply(account(", decay: {linear: 10 days}"))
    at_acme(world, ANA, BEN)
    for minute in range(3):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.members("hot") == [ANA, BEN]
    world.tick(START + DAY)
    assert world.members("hot") == []
    world.tick(START + 5 * DAY)
    assert world.rows("SELECT balance FROM company_balances") == [(150_021,)]


def test_a_reset_is_the_companys(world: World) -> None:
    """A line for everybody who is with it, each for what was theirs."""
    world.apply(
        account()
        + """---
scenario: wipe
trigger: {event: wipe}
actions: [{reset_score: account}]
"""
    )
    at_acme(world, ANA, BEN)
    for minute, who in enumerate((ANA, ANA, BEN)):
        world.track(who, "visit", START + minute * MINUTE)
    world.track(BEN, "wipe", START + 2 * HOUR)
    world.track(ANA, "wipe", START + 2 * HOUR)
    world.tick(START + 3 * HOUR)
    resets = "SELECT points / 100000000 FROM ledger WHERE kind = 'reset' ORDER BY points"
    assert world.rows(resets) == [(-20,), (-10,)]
    assert world.members("hot") == []
    assert world.rows("SELECT raw FROM company_balances") == [(0,)]


def test_balances_stand_still_while_people_walk(world: World) -> None:
    """Ruling 130: a step's points are the company's from the next phase on."""
    world.apply("""
    score: account
    of: company
    rules: [{name: visit, points: 10, on: {event: visit}}]
    ---
    list: at-once
    ---
    list: later
    ---
    scenario: gift
    trigger: {event: visit}
    actions:
      - add_points: 50
      - if: {score: {at_least: 50}}
        then: [{add_to_list: at-once}]
    ---
    scenario: rich
    trigger: {score: {reaches: 60}}
    actions: [{add_to_list: later}]
    """)
    at_acme(world, ANA)
    world.track(ANA, "visit", START)
    world.tick(START + HOUR)
    assert world.members("at-once") == []
    assert world.members("later") == [ANA]


def test_a_merge_takes_the_visitors_points_to_the_company(world: World) -> None:
    """Who is named brings their lines along (ruling 71)."""
    world.apply(account())
    at_acme(world, ANA, BEN)
    for minute in range(3):
        world.track("visitor", "visit", START + minute * MINUTE)
    world.tick(START + HOUR)
    assert world.members("hot") == []
    world.identify(ANA, START + 2 * HOUR, anonymous="visitor")
    world.tick(START + 2 * HOUR)
    assert world.members("hot") == [ANA, BEN]


def test_a_recompute_counts_companies_anew(world: World) -> None:
    """Silently, with whoever reads it."""
    world.apply(account())
    at_acme(world, ANA, BEN)
    world.track(ANA, "visit", START)
    world.track(BEN, "visit", START)
    world.tick(START + HOUR)
    world.apply(account().replace("points: 10", "points: 20"))
    assert world.rows("SELECT balance FROM company_balances") == [(400_000,)]
    assert world.members("hot") == [ANA, BEN]
    world.tick(START + 5 * HOUR)
    assert world.entered("call") == []
