"""Apply: what goes live, what is recomputed silently, and who stays on which version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR
from flowscore.engine.registry import apply_project
from flowscore.errors import FlowscoreError
from flowscore.language.project import load_project

if TYPE_CHECKING:
    from engine.world import World
    from flowscore.engine.registry import ApplyReport

ANA, BEN = "ana@x.example", "ben@x.example"
SCORE = """
    score: engagement
    rules:
      - {{name: order, points: {points}, on: {{event: order}}}}
"""
WELCOME = """
    ---
    scenario: hot
    trigger: {{score: {{engagement: {{reaches: {line}}}}}}}
    reenroll: every_time
    actions: [{{add_to_list: hot}}]
    ---
    list: hot
"""


def test_t04_a_changed_score_is_recomputed_in_silence(world: World) -> None:
    """Ruling 128: judged anew, nobody enters, and the next crossing counts from there."""
    world.apply(SCORE.format(points=5) + WELCOME.format(line=20))
    world.track(ANA, "order", START)
    world.tick(START + HOUR)
    report = world.apply(SCORE.format(points=25) + WELCOME.format(line=20))
    assert report.recomputed == ["engagement"]
    assert world.balance(ANA) == 25
    world.tick(START + 2 * HOUR)
    assert world.entered("hot") == []
    world.track(BEN, "order", START + 3 * HOUR)
    world.tick(START + 3 * HOUR)
    assert world.entered("hot") == [BEN]


def test_an_unchanged_project_changes_nothing(world: World) -> None:
    """A comment and another layout are no new version."""
    text = SCORE.format(points=5) + WELCOME.format(line=20)
    world.apply(text)
    report = world.apply(text + "    # a note\n")
    assert (report.added, report.changed, report.removed) == ([], [], [])


def test_what_scenarios_gave_survives_a_recompute(world: World) -> None:
    """Points that scenarios gave are facts; those of rules come from the events."""
    give = """
    ---
    scenario: bonus
    trigger: {event: order}
    actions: [{add_points: {score: engagement, points: 7}}]
    """
    world.apply(SCORE.format(points=5) + give)
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply(SCORE.format(points=10) + give)
    assert world.balance(ANA) == 17


def test_people_inside_finish_on_their_version(world: World) -> None:
    """Ruling 129: actions of the version they entered on; new ones walk the newest."""
    flow = """
    list: a
    ---
    list: b
    ---
    scenario: flow
    trigger: {{event: order}}
    actions: [{{wait: 2 hours}}, {{add_to_list: {name}}}]
    """
    world.apply(flow.format(name="a"))
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply(flow.format(name="b"))
    world.track(BEN, "order", START + HOUR)
    world.tick(START + 5 * HOUR)
    assert (world.members("a"), world.members("b")) == ([ANA], [BEN])


def test_a_list_that_people_inside_still_need_cannot_go(world: World) -> None:
    """Ruling 129: the refusal names the version and how many people are inside."""
    world.apply("""
    list: a
    ---
    scenario: flow
    trigger: {event: order}
    actions: [{wait: 2 hours}, {add_to_list: a}]
    """)
    world.track(ANA, "order", START)
    world.tick(START)
    with pytest.raises(
        FlowscoreError, match=r"list 'a' cannot go: version 1 .* 1 contact is inside"
    ):
        world.apply("list: other")


def test_what_an_older_version_names_cannot_go_either(world: World) -> None:
    """Ruling 129: also when the scenario is there in a newer version, and for conditions."""
    world.apply("""
    list: a
    ---
    scenario: flow
    trigger: {event: order}
    actions: [{wait: 2 hours}, {if: {in_list: a}, then: [{exit: was in a}]}]
    """)
    world.track(ANA, "order", START)
    world.tick(START)
    newer = """
    scenario: flow
    trigger: {event: order}
    actions: [{wait: 3 hours}]
    """
    with pytest.raises(
        FlowscoreError, match=r"list 'a' cannot go: version 1 .* 1 contact is inside"
    ):
        world.apply(newer)
    world.tick(START + 2 * HOUR)
    world.apply(newer)


def test_a_scenario_whose_file_is_gone_stands_still(world: World) -> None:
    """Ruling 129: it acts as disabled; who is inside waits."""
    flow = """
    ---
    scenario: flow
    trigger: {event: order}
    actions: [{wait: 2 hours}, {add_to_list: a}]
    """
    world.apply("    list: a" + flow)
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply("list: a")
    world.tick(START + 5 * HOUR)
    assert world.members("a") == []
    world.apply("    list: a" + flow)
    world.tick(START + 6 * HOUR)
    assert world.members("a") == [ANA]


def test_a_new_scenario_does_not_see_what_was_there_before(world: World) -> None:
    """Ruling 11: what was received up to the apply counts, and fires nothing."""
    world.apply("list: seen")
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply("""
    list: seen
    ---
    scenario: second
    trigger: {event: {name: order, times: 2}}
    actions: [{add_to_list: seen}]
    """)
    world.tick(START + HOUR)
    assert world.members("seen") == []
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("seen") == [ANA]


def test_a_new_dynamic_list_is_filled_without_a_word(world: World) -> None:
    """Ruling 11: contacts who fit already are in it, and nothing is fired for them."""
    world.apply("list: noticed")
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply("""
    list: buyers
    members: [{event: {name: order, within: 30 days}}]
    ---
    list: noticed
    ---
    scenario: greet
    trigger: {list_joined: buyers}
    actions: [{add_to_list: noticed}]
    """)
    assert world.members("buyers") == [ANA]
    world.track(BEN, "order", START + HOUR)
    world.tick(START + HOUR)
    assert world.members("noticed") == [BEN]
    world.tick(START + 31 * DAY)
    assert world.members("buyers") == []


def test_enroll_existing_takes_in_those_who_stand_there(world: World) -> None:
    """Ruling 45: on activation, once, all for whom the trigger's state holds."""
    world.apply(SCORE.format(points=25))
    world.track(ANA, "order", START)
    world.tick(START)
    flow = """
    ---
    list: hot
    ---
    scenario: hot
    trigger: {score: {engagement: {reaches: 20}}}
    enroll_existing: true
    actions: [{add_to_list: hot}]
    """
    world.apply(SCORE.format(points=25) + flow)
    world.track(BEN, "order", START + HOUR)
    world.tick(START + HOUR)
    assert world.members("hot") == [ANA, BEN]
    assert world.rows("SELECT key FROM enrollments ORDER BY id LIMIT 1") != []


def take_in(world: World, *names: str) -> ApplyReport:
    """Apply what is live again, and ask these scenarios to take in who stands there."""
    project, _ = load_project(world.root)
    return apply_project(world.store, project, START, names)


def test_who_stands_there_is_enrolled_on_demand_once_for_each_time(world: World) -> None:
    """Ruling 45: key `existing`, afterwards `existing@` and the watermark; unasked, nobody."""
    world.apply(SCORE.format(points=25))
    world.track(ANA, "order", START)
    world.tick(START)
    world.apply(SCORE.format(points=25) + WELCOME.format(line=20))
    world.tick(START + HOUR)
    assert world.entered("hot") == []
    assert take_in(world, "hot").taken_in == {"hot": 1}
    world.tick(START + 2 * HOUR)
    assert world.entered("hot") == [ANA]
    world.tick(START + 3 * HOUR)
    assert take_in(world, "hot").taken_in == {"hot": 1}
    world.tick(START + 5 * HOUR)
    assert world.entered("hot") == [ANA, ANA]
    keys = world.rows("SELECT key FROM enrollments ORDER BY id")
    assert keys == [("existing",), (f"existing@{START + 3 * HOUR}",)]


def test_who_stands_there_meets_the_gates_like_everybody(world: World) -> None:
    """Who was inside once does not enter a scenario of `never` again, and the record says so."""
    once = WELCOME.format(line=20).replace("    reenroll: every_time\n", "")
    world.apply(SCORE.format(points=25) + once)
    world.track(ANA, "order", START)
    world.tick(START)
    assert take_in(world, "hot").taken_in == {"hot": 1}
    world.tick(START + HOUR)
    assert world.entered("hot") == [ANA]
    assert world.rows("SELECT key, reason FROM decisions") == [("existing", "reenroll")]


def test_history_scores_and_fires_nothing(world: World) -> None:
    """Ruling 88: --historical counts, fills lists and scores; nobody enters."""
    world.apply(
        """
    list: buyers
    members: [{event: order}]
    """
        "---" + SCORE.format(points=30) + WELCOME.format(line=20)
    )
    world.track(ANA, "order", START - DAY, how="historical")
    world.tick(START)
    assert world.balance(ANA) == 30
    assert world.members("buyers") == [ANA]
    assert world.entered("hot") == []


def test_a_deadline_of_history_that_is_still_to_come_fires(world: World) -> None:
    """Ruling 88: it fires if it lies after the watermark that first knew its anchor."""
    world.apply("""
    list: asked
    ---
    scenario: cart
    trigger: {no_event: {name: order, after: {event: cart}, within: 2 hours}}
    reenroll: every_time
    actions: [{add_to_list: asked}]
    """)
    world.track(ANA, "cart", START - HOUR, how="historical")
    world.track(BEN, "cart", START - 3 * HOUR, how="historical")
    world.tick(START + 2 * HOUR)
    assert world.members("asked") == [ANA]


def test_t13_a_scenario_that_feeds_itself_is_stopped_and_named(world: World) -> None:
    """Ruling 20: twenty rounds, then it is refused by name and the rest of the tick lands."""
    world.apply(
        SCORE.format(points=1)
        + """
    ---
    list: spun
    ---
    scenario: spin
    trigger: {attribute: {plan: {}}}
    reenroll: every_time
    actions: [{set_attribute: {plan: "{{ event.to }}x"}}]
    ---
    scenario: calm
    trigger: {event: order}
    actions: [{add_to_list: spun}]
    """
    )
    world.identify(ANA, START, plan="a")
    world.tick(START)
    world.identify(ANA, START + HOUR, plan="b")
    world.track(ANA, "order", START + HOUR)
    report = world.tick(START + HOUR)
    assert report.counts.looped == ["spin"]
    assert world.members("spun") == [ANA]
    assert world.rows("SELECT reason FROM decisions WHERE reason = 'loop'") == [("loop",)]
