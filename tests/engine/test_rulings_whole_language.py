"""Rulings 20, 37 to 46, 54, 92, 129 and 130 at their bounds: what meets, what comes and goes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from engine.small import ANA, BEN, EVA
from engine.world import START, World
from flowscore.clock import HOUR, rfc3339
from flowscore.engine import registry
from flowscore.engine.registry import apply_project
from flowscore.engine.scratch import awards, happened, walking
from flowscore.language.project import load_project
from flowscore.store.imports import Source, import_events

if TYPE_CHECKING:
    from sqlalchemy import Table

WAITING = """
    list: yes
    ---
    list: no
    ---
    scenario: s
    {more}
    trigger: {{event: order}}
    reenroll: every_time
    actions:
      - wait_for: {{{what}, up_to: 5 hours}}
        then: [{{add_to_list: yes}}]
        else: [{{add_to_list: no}}]
"""
LISTS = """
    list: yes
    ---
    list: no
"""


def ends(world: World) -> list[tuple[str, str | None, int | None]]:
    """Who, how it ended, and at which hour."""
    rows = world.rows(
        "SELECT email, outcome, ended_at FROM enrollments e JOIN contacts c ON c.id = contact_id "
        "ORDER BY e.id"
    )
    return [(who, how, None if at is None else (at - START) // HOUR) for who, how, at in rows]


# ---------------------------------------------------------------- waits, goals, exits


def test_people_of_a_gone_scenario_convert_and_go_on_when_it_is_back(world: World) -> None:
    """Rulings 42 and 129: gone is disabled; what came in time is known when steps run again."""
    flow = WAITING.format(more="goal: {event: bought}", what="event: paid")
    world.apply(flow)
    for who in (ANA, BEN, EVA):
        world.track(who, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(LISTS)
    world.track(ANA, "paid", START + 3 * HOUR)
    world.track(BEN, "bought", START + 3 * HOUR)
    world.tick(START + 20 * HOUR)
    assert ends(world) == [(ANA, None, None), (BEN, "converted", 3), (EVA, None, None)]
    world.apply(flow)
    world.tick(START + 21 * HOUR)
    assert (world.members("yes"), world.members("no")) == ([ANA], [EVA])


def test_an_exit_wins_over_the_answer_of_the_same_round(world: World) -> None:
    """Rulings 13 and 40: exits are asked before any step, also the one that was waited for."""
    exits = "exit_when: {event: {name: paid, since: entered}}"
    world.apply(WAITING.format(more=exits, what="event: paid"))
    world.track(ANA, "order", START + HOUR)
    world.track(ANA, "paid", START + 2 * HOUR)
    world.tick(START + 9 * HOUR)
    assert (ends(world), world.members("yes")) == ([(ANA, "exited", 2)], [])


def test_one_goal_converts_every_enrollment_inside(world: World) -> None:
    """Rulings 37 and 47: each counts from its own entry, and each is its own walk."""
    goal = "goal: {event: {name: paid, times: 2}, up_to: 9 hours}"
    world.apply(WAITING.format(more=goal, what="event: never"))
    for hour, name in ((1, "order"), (2, "paid"), (3, "order"), (4, "paid"), (5, "paid")):
        world.track(ANA, name, START + hour * HOUR)
    world.tick(START + 5 * HOUR)
    assert ends(world) == [(ANA, "converted", 4), (ANA, "converted", 5)]


def test_a_date_that_moves_is_waited_for_where_it_stands(world: World) -> None:
    """Rulings 31 and 92: each wait is for the date as it is; past when it begins is `else`."""
    what = "date: {attribute: renewal_on, offset: -1 hours}"
    world.apply(WAITING.format(more="", what=what))
    for who, before, after in ((ANA, 6, 30), (BEN, 30, 5), (EVA, 1, 4)):
        world.identify(who, START, renewal_on=rfc3339(START + before * HOUR))
        world.track(who, "order", START + HOUR)
        world.identify(who, START + 2 * HOUR, renewal_on=rfc3339(START + after * HOUR))
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(ANA, "finished", 6), (BEN, "finished", 4), (EVA, "finished", 1)]
    assert (world.members("yes"), world.members("no")) == ([BEN], [ANA, EVA])


def test_what_a_visitor_did_lets_out_and_counts_but_answers_nothing_by_itself(world: World) -> None:
    """Rulings 37 and 71: it was noticed when it came in, as what enrolls nobody after a merge."""
    more = """goal: {event: {name: bought, times: 2}}
    exit_when: {event: {name: left, since: entered}}"""
    world.apply(WAITING.format(more=more, what="event: paid"))
    did = {ANA: "paid", BEN: "bought", EVA: "left"}
    for who, name in did.items():
        world.track(who, "order", START + HOUR)
        world.track(f"visitor of {who}".replace("@", " "), name, START + 2 * HOUR)
        world.track(f"visitor of {who}".replace("@", " "), name, START + 2 * HOUR)
        world.identify(who, START + 3 * HOUR, anonymous=f"visitor of {who}".replace("@", " "))
    world.track(BEN, "bought", START + 4 * HOUR)
    world.tick(START + 9 * HOUR)
    assert ends(world) == [(ANA, "finished", 6), (BEN, "converted", 4), (EVA, "exited", 3)]
    assert world.members("no") == [ANA]


# ---------------------------------------------------------------- entering


STANDING = """
    scenario: s
    trigger: {attribute: {plan: {to: pro}}}
    enroll_existing: true
    reenroll: every_time
    actions: [{wait: 1 hour}]
"""


def test_switching_on_takes_in_who_stands_there(world: World) -> None:
    """Ruling 45: a scenario that was never on has taken in nobody yet; later ones do not again."""
    world.identify(ANA, START, plan="pro")
    world.apply(STANDING + "    enabled: false\n")
    world.tick(START + HOUR)
    assert world.entered("s") == []
    world.apply(STANDING)
    world.tick(START + 2 * HOUR)
    assert world.entered("s") == [ANA]
    for more in ("    enabled: false\n", ""):
        world.apply(STANDING + more)
        world.identify(BEN, START + 3 * HOUR, plan="pro")
        world.tick(START + 4 * HOUR)
    assert world.entered("s") == [ANA]


def test_versions_that_never_ticked_take_nobody_in_again(world: World) -> None:
    """Ruling 45: whom their own change enrolled has no `existing` to hold a second one off."""
    world.apply(STANDING)
    world.identify(ANA, START, plan="free")
    world.identify(ANA, START + HOUR, plan="pro")
    world.tick(START + HOUR)
    for said in ("once", "twice"):
        world.apply(STANDING + f"    description: {said}\n")
        world.apply(STANDING + f"    description: {said}\n    priority: 1\n")
    world.tick(START + 4 * HOUR)
    assert world.entered("s") == [ANA]


def test_scenarios_that_enroll_each_other_are_stopped_and_named(world: World) -> None:
    """Rulings 20 and 46: the one whose turn it was is refused; the rest of the tick lands."""
    world.apply("""
    list: l
    ---
    scenario: a
    trigger: {event: order}
    reenroll: every_time
    actions: [{enroll: b}]
    ---
    scenario: b
    trigger: manual
    reenroll: every_time
    actions: [{enroll: a}]
    ---
    scenario: c
    trigger: {event: order}
    actions: [{add_to_list: l}]
    """)
    world.track(ANA, "order", START + HOUR)
    report = world.tick(START + 3 * HOUR)
    assert (report.counts.looped, world.members("l")) == (["a", "b"], [ANA])
    assert len(world.entered("a")) == len(world.entered("b")) == 10
    assert world.rows("SELECT scenario, reason FROM decisions") == [("a", "loop")]


# ---------------------------------------------------------------- effects


def test_what_took_a_late_line_back_is_no_reset(world: World) -> None:
    """Ruling 54: only what is dated before the step itself is void."""
    world.apply("""
    score: engagement
    rules: [{name: r, points: 10, on: {event: visit}}]
    ---
    scenario: s
    trigger: {event: order}
    actions: [{reset_score: engagement}]
    """)
    world.track(ANA, "order", START + 5 * HOUR)
    world.track(ANA, "visit", START + HOUR, how=f"late:{7 * HOUR}")
    world.track(ANA, "visit", START + 6 * HOUR, how=f"late:{4 * HOUR}")
    world.tick(START + 12 * HOUR)
    assert world.balance(ANA) == 10


TURNS = """
    scenario: s
    trigger: {event: order}
    actions: [{assign_owner: {round_robin: [first@o.example, second@o.example]}}]
"""


def _owners(world: World) -> list[str]:
    rows = "SELECT email FROM attributes JOIN contacts ON contacts.id = contact_id "
    return [who for (who,) in world.rows(rows + "WHERE name = 'owner' ORDER BY text")]


def test_who_has_no_address_takes_the_first_turn_on_both_databases(world: World) -> None:
    """Ruling 130: where the address orders, none stands before any."""
    world.apply(TURNS)
    world.track(ANA, "order", START)
    file = world.root / "call.jsonl"
    call = {"type": "track", "event": "order", "userId": "u7", "messageId": "u", "timestamp": 0}
    file.write_text(json.dumps(call | {"timestamp": rfc3339(START)}) + "\n")
    import_events(world.store, Source(file), START, as_live=True)
    world.tick(START)
    assert _owners(world) == [None, ANA]


@pytest.mark.parametrize("table", [walking, happened, awards], ids=str)
def test_texts_that_order_are_bytewise_whatever_the_database_sorts_by(table: Table) -> None:
    """Rulings 19, 125 and 130: else a PostgreSQL of another language gave turns in its order."""
    made = str(CreateTable(table).compile(dialect=postgresql.dialect()))
    texts = [line for line in made.splitlines() if line.split()[:1] in (["key"], ["email"])]
    assert texts and all('COLLATE "C"' in line for line in texts)


def test_mails_that_wait_are_of_the_newest_topic(world: World) -> None:
    """Ruling 129: templates are always the live ones; what was sent or withheld stays as it was."""
    world.policy = "policy: default\nconsent: implied\ntopics: [news, offers]\n"
    flow = """
    scenario: s
    trigger: {event: order}
    reenroll: every_time
    actions: [{send_email: {template: t, once_per: 3 hours}}, {send_email: other}]
    """
    world.apply(flow, t="news", other="news")
    for hour in (1, 2):
        world.track(ANA, "order", START + hour * HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(flow, t="offers", other="news")
    found = world.rows("SELECT template, status, topic FROM messages ORDER BY template, id")
    other = ("other", "queued", "news")
    assert found == [other, other, ("t", "queued", "offers"), ("t", "withheld", "news")]


def test_of_several_owners_the_first_is_told(world: World) -> None:
    """Ruling 102: an owner that is no address is none, and the record says so."""
    world.policy += "sender: {name: A, address: a@a.example, reply_to: r@a.example}\n"
    world.apply("""
    scenario: s
    trigger: {event: order}
    actions: [{notify: {to: owner, template: t}}]
    """, t="news")  # fmt: skip
    owners = {ANA: ["x@o.example", "y@o.example"], BEN: "", EVA: {"a": "z@o.example"}}
    for who, owner in owners.items():
        world.identify(who, START, owner=owner)
        world.track(who, "order", START + HOUR)
    world.tick(START + HOUR)
    rows = world.rows("SELECT recipients, response FROM messages ORDER BY contact_id")
    told = [(json.loads(to) if isinstance(to, str) else to, said) for to, said in rows]
    none = (["r@a.example"], "no owner: to the policy's reply_to")
    assert told == [(["x@o.example"], None), none, none]


EFFECTS = """
    score: engagement
    rules: [{name: r, points: 4, on: {event: order}}]
    ---
    scenario: other
    trigger: manual
    actions: [{wait: 1 day}]
    ---
    scenario: s
    trigger: {subscribed: news}
    reenroll: every_time
    actions:
      - reset_score: engagement
      - unsubscribe: news
      - notify: {to: sales@acme.example, template: t}
      - webhook: {url: "https://crm.example/x"}
      - assign_owner: {round_robin: [first@o.example, second@o.example]}
      - enroll: other
"""
KEPT = """
    SELECT 'message', kind FROM messages UNION ALL SELECT 'line', kind FROM ledger
    UNION ALL SELECT 'entered', scenario || ' ' || key FROM enrollments
    UNION ALL SELECT 'happened', name FROM events UNION ALL SELECT 'owner', text FROM attributes
    ORDER BY 1, 2
"""


def test_a_tick_that_dies_has_done_nothing_and_then_all_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T15: every effect, and whose turn it is, lands in the one commit of the tick."""
    world.track(ANA, "Subscribed", START, topic="news")
    world.track(ANA, "order", START)
    world.apply(EFFECTS.replace("4,", "5,"), t="news")
    world.apply(EFFECTS, t="news")
    project, _ = load_project(world.root)
    with monkeypatch.context() as dying:
        dying.setattr(registry, "set_watermark", _die)
        with pytest.raises(ZeroDivisionError):
            world.tick(START)
    assert world.rows(KEPT) == []
    world.tick(START)
    apply_project(world.store, project, START, enroll_existing=["s"])
    once = world.rows(KEPT)
    assert [one for one in once if one[0] in ("message", "owner")] == [
        ("message", "notify"), ("message", "webhook"), ("owner", "first@o.example"),
    ]  # fmt: skip
    world.track(BEN, "Subscribed", START + HOUR, topic="offers")
    with monkeypatch.context() as dying:
        dying.setattr(registry, "set_watermark", _die)
        with pytest.raises(ZeroDivisionError):
            world.tick(START + HOUR)
    assert world.rows(KEPT) == once
    world.track(BEN, "Subscribed", START + HOUR, topic="news")
    world.tick(START + HOUR)
    assert [one for one in world.rows(KEPT) if one[0] == "owner"] == [
        ("owner", "first@o.example"), ("owner", "second@o.example"),
    ]  # fmt: skip


def _die(*_: object) -> None:
    raise ZeroDivisionError
