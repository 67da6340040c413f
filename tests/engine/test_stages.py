"""The lifecycle: rulings 13, 14, 17, 20, 21, 28, 43, 45, 49, 58, 68, 71, 88, 107, 110, 129."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from engine.small import ANA, BEN, EVA, entries
from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.errors import FlowscoreError

if TYPE_CHECKING:
    from engine.world import World

FUNNEL = """
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {attribute: {warm: true}}, retreat: true}
      - demo
      - {stage: sql, when: {attribute: {hot: true}}, retreat: true}
      - {stage: customer, when: {event: order}}
    ---
    list: l
    ---
    list: m
"""


def scenario(trigger: str, actions: str = "[{add_to_list: l}]", name: str = "s") -> str:
    """A scenario that may be entered every time."""
    return f"""
    ---
    scenario: {name}
    trigger: {trigger}
    reenroll: every_time
    actions: {actions}
"""


def setting(action: str, name: str = "sets", event: str = "go") -> str:
    """A scenario that sets a stage at an event."""
    return scenario(f"{{event: {event}}}", f"[{{set_stage: {action}}}]", name)


def stays(world: World, who: str = ANA) -> list[tuple[str, float, float | None, str]]:
    """Each stay: the stage, hours of entering and leaving, and what put them there.

    A stage that was passed over has its name in brackets.
    """
    rows = world.rows(
        "SELECT stage, entered_at, left_at, cause, skipped FROM stages "
        f"JOIN contacts ON contacts.id = contact_id WHERE email = '{who}' ORDER BY stages.id"
    )

    def hour(at: int | None) -> float | None:
        return None if at is None else (at - START) / HOUR

    return [
        (f"({stage})" if skipped else stage, hour(entered), hour(left), cause)
        for stage, entered, left, cause, skipped in rows
    ]


def stage(world: World, who: str = ANA) -> str:
    """The contact's stage now."""
    now = [name for name, _, left, _ in stays(world, who) if left is None]
    return now[0] if now else "lead"


def changes(world: World) -> list[tuple[str, object]]:
    """The hour and the subject of every `stage_changed`."""
    rows = world.rows("SELECT own_at, subject FROM events WHERE name = 'stage_changed' ORDER BY id")
    return [((at - START) / HOUR, subject) for at, subject in rows]


# ---------------------------------------------------------------- forward


def test_the_first_stage_is_given_without_firing_and_without_a_row(world: World) -> None:
    """Ruling 28."""
    world.apply(
        FUNNEL
        + scenario("{stage: {enters: lead}}")
        + scenario("{event: visit}", name="asks").replace(
            "reenroll", "conditions: [{stage: lead}, {not: {stage: {at_least: mql}}}]\n    reenroll"
        )
    )
    world.identify(ANA, START)
    world.track(ANA, "visit", START)
    world.tick(START)
    assert (stays(world), changes(world)) == ([], [])
    assert (world.entered("s"), world.entered("asks")) == ([], [ANA])


def test_forward_by_the_condition_with_an_event_of_from_and_to(world: World) -> None:
    """Rulings 21 and 110."""
    triggered = scenario("{stage: {enters: mql}}").replace(
        "reenroll", "conditions: [{this_event: {from: lead, to: mql}}]\n    reenroll"
    )
    world.apply(FUNNEL + triggered)
    world.identify(ANA, START)
    world.identify(ANA, START + HOUR, warm=True)
    world.tick(START + HOUR)
    assert stays(world) == [("mql", 1, None, "lifecycle")]
    assert changes(world) == [(1, "mql")]
    assert entries(world) == [(1, 1)]


def test_d05_skipped_stages_are_recorded_and_fire_nothing(world: World) -> None:
    """Rulings 28 and 49: to the furthest stage that holds; a bare one is passed over too."""
    world.apply(
        FUNNEL
        + scenario("{stage: {enters: [mql, demo]}}")
        + scenario("{stage: {enters: sql}}", name="t")
    )
    world.identify(ANA, START, warm=True, hot=True)
    world.tick(START)
    assert stays(world) == [
        ("(mql)", 0, 0, "lifecycle"),
        ("(demo)", 0, 0, "lifecycle"),
        ("sql", 0, None, "lifecycle"),
    ]
    assert (world.entered("s"), world.entered("t")) == ([], [ANA])


def test_the_furthest_counts_whatever_lies_between(world: World) -> None:
    world.apply(FUNNEL)
    world.track(ANA, "order", START)
    world.tick(START)
    assert stage(world) == "customer"
    assert [name for name, *_ in stays(world)] == ["(mql)", "(demo)", "(sql)", "customer"]


def test_a_bare_stage_is_reached_by_set_stage_alone(world: World) -> None:
    world.apply(FUNNEL + setting("demo"))
    world.identify(ANA, START, warm=True)
    world.tick(START)
    world.track(ANA, "go", START + HOUR)
    world.tick(START + HOUR)
    assert stays(world) == [
        ("mql", 0, 1, "lifecycle"),
        ("demo", 1, None, "scenario/sets#actions/0"),
    ]


# ---------------------------------------------------------------- back


def test_who_holds_no_more_falls_to_the_nearest_stage_that_holds(world: World) -> None:
    """Ruling 49: bare stages between are passed over; nothing is recorded as skipped."""
    world.apply(FUNNEL + scenario("{stage: {enters: mql}}"))
    world.identify(ANA, START, warm=True, hot=True)
    world.identify(ANA, START + HOUR, hot=False)
    world.tick(START + HOUR)
    assert stays(world)[2:] == [("sql", 0, 1, "lifecycle"), ("mql", 1, None, "retreat")]
    assert entries(world) == [(1, 1)]  # by retreat is entering too (28)


def test_at_last_to_the_first(world: World) -> None:
    """Ruling 49; entering the first stage again is an entering (28)."""
    world.apply(FUNNEL + scenario("{stage: {enters: lead}}"))
    world.identify(ANA, START, hot=True)
    world.identify(ANA, START + HOUR, hot=False)
    world.tick(START + HOUR)
    assert stays(world)[-1] == ("lead", 1, None, "retreat")
    assert entries(world) == [(1, 1)]


def test_retreat_is_a_chain_of_single_looks(world: World) -> None:
    world.apply(FUNNEL)
    world.identify(ANA, START, warm=True, hot=True)
    world.identify(ANA, START + HOUR, hot=False)
    world.identify(ANA, START + 2 * HOUR, warm=False)
    world.identify(ANA, START + 3 * HOUR, hot=True)
    world.tick(START + 3 * HOUR)
    assert [name for name, *_ in stays(world)] == [
        "(mql)", "(demo)", "sql", "mql", "lead", "(mql)", "(demo)", "sql",
    ]  # fmt: skip


def test_a_stage_that_does_not_say_so_is_kept(world: World) -> None:
    world.apply(FUNNEL.replace("hot: true}}, retreat: true", "hot: true}}"))
    world.identify(ANA, START, hot=True)
    world.identify(ANA, START + HOUR, hot=False)
    world.tick(START + HOUR)
    assert stage(world) == "sql"


def test_the_clock_alone_moves_back(world: World) -> None:
    """The stages' conditions have edges as those of lists have."""
    world.apply(
        """
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {event: {name: visit, within: 2 hours}}, retreat: true}
"""
    )
    world.track(ANA, "visit", START)
    world.tick(START + 5 * HOUR)
    assert stays(world) == [("mql", 0, 2, "lifecycle"), ("lead", 2, None, "retreat")]


def test_a_stage_set_by_a_scenario_does_not_retreat(world: World) -> None:
    """Ruling 49; forward it goes as ever, and falls from there as any."""
    world.apply(FUNNEL + setting("mql"))
    world.track(ANA, "go", START)
    world.identify(ANA, START + HOUR, warm=True)
    world.identify(ANA, START + 2 * HOUR, warm=False)
    world.tick(START + 2 * HOUR)
    assert stays(world) == [("mql", 0, None, "scenario/sets#actions/0")]
    world.identify(ANA, START + 3 * HOUR, hot=True)
    world.identify(ANA, START + 4 * HOUR, hot=False)
    world.tick(START + 4 * HOUR)
    assert stage(world) == "lead"


# ---------------------------------------------------------------- set_stage


def test_set_stage_goes_forward_only_and_records_what_it_skips(world: World) -> None:
    """Ruling 49: the skipped stages have the scenario as their reason."""
    world.apply(FUNNEL + setting("sql") + setting("mql", "lower", "down"))
    world.track(ANA, "go", START)
    world.track(ANA, "down", START + HOUR)
    world.tick(START + HOUR)
    why = "scenario/sets#actions/0"
    assert stays(world) == [("(mql)", 0, 0, why), ("(demo)", 0, 0, why), ("sql", 0, None, why)]


def test_set_stage_back_goes_back(world: World) -> None:
    world.apply(
        FUNNEL
        + setting("sql")
        + setting("{stage: lead, back: true}", "lower", "down")
        + scenario("{stage: {enters: lead}}")
    )
    world.track(ANA, "go", START)
    world.track(ANA, "down", START + HOUR)
    world.tick(START + HOUR)
    assert stays(world)[2:] == [
        ("sql", 0, 1, "scenario/sets#actions/0"),
        ("lead", 1, None, "scenario/lower#actions/0"),
    ]
    assert world.entered("s") == [ANA]


def test_back_skips_forward_as_well(world: World) -> None:
    world.apply(FUNNEL + setting("{stage: demo, back: true}"))
    world.track(ANA, "go", START)
    world.tick(START)
    assert [name for name, *_ in stays(world)] == ["(mql)", "demo"]


def test_whose_condition_still_holds_comes_forward_again(world: World) -> None:
    """Phase 2 of the next round: what holds, holds; so «back» needs a condition that ends."""
    world.apply(FUNNEL + setting("{stage: lead, back: true}"))
    world.identify(ANA, START, warm=True)
    world.track(ANA, "go", START + HOUR)
    world.tick(START + HOUR)
    assert [name for name, *_ in stays(world)] == ["mql", "lead", "mql"]


def test_the_same_stage_is_no_effect_and_no_event(world: World) -> None:
    """Ruling 48."""
    world.apply(FUNNEL + setting("mql") + setting("{stage: mql, back: true}", "again", "again"))
    world.identify(ANA, START, warm=True)
    world.track(ANA, "go", START + HOUR)
    world.track(ANA, "again", START + HOUR)
    world.tick(START + HOUR)
    assert stays(world) == [("mql", 0, None, "lifecycle")]
    assert changes(world) == [(0, "mql")]


def test_the_next_step_sees_it_and_the_event_comes_in_the_next_round(world: World) -> None:
    """Rulings 13 and 17."""
    steps = (
        "[{set_stage: sql}, {if: {stage: {at_least: demo}}, then: [{add_to_list: l}]}, "
        "{wait_for: {stage: {enters: sql}, up_to: 1 day}, then: [{add_to_list: m}]}]"
    )
    world.apply(FUNNEL + scenario("{event: go}", steps))
    world.track(ANA, "go", START)
    world.tick(START)
    assert world.members("l") == [ANA]
    assert world.members("m") == [ANA]  # an earlier step of the walk is noticed later (37)


def test_each_change_is_an_event_and_fires(world: World) -> None:
    """Ruling 21: entered and left inside one tick fires both."""
    steps = "[{set_stage: sql}, {set_stage: {stage: demo, back: true}}]"
    world.apply(
        FUNNEL
        + scenario("{event: go}", steps)
        + scenario("{stage: {enters: sql}}", name="a")
        + scenario("{stage: {enters: demo}}", name="b")
    )
    world.track(ANA, "go", START)
    world.tick(START)
    assert changes(world) == [(0, "sql"), (0, "demo")]
    assert (world.entered("a"), world.entered("b")) == ([ANA], [ANA])


def test_the_holdout_is_not_moved(world: World) -> None:
    """Ruling 43."""
    world.apply(FUNNEL + setting("sql").replace("reenroll:", "holdout: 99%\n    reenroll:"))
    for number in range(20):
        world.track(f"p{number}@x.example", "go", START)
    world.tick(START)
    held = world.rows("SELECT count(*) FROM enrollments WHERE held")[0][0]
    moved = world.rows("SELECT count(DISTINCT contact_id) FROM stages")[0][0]
    assert (held + moved, held > 10) == (20, True)


def test_a_scenario_that_keeps_setting_back_is_stopped(world: World) -> None:
    """Ruling 20."""
    world.apply(
        FUNNEL + scenario("{stage: {enters: mql}}", "[{set_stage: {stage: lead, back: true}}]")
    )
    world.identify(ANA, START, warm=True)
    assert world.tick(START).counts.looped == ["s"]


# ---------------------------------------------------------------- order inside a tick


def test_stages_see_the_grade_of_this_round_and_lists_of_the_round_before(world: World) -> None:
    """Rulings 13 and 68."""
    world.apply(
        """
    score: fit
    rules: [{name: f, points: 80, when: {attribute: {fits: true}}}]
    ---
    score: engagement
    rules: [{name: v, points: 50, on: {event: visit}}]
    ---
    grade: g
    fit: {score: fit, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
    ---
    list: seen
    members: [{grade: A3}]
    ---
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {grade: A3}}
      - {stage: sql, when: {in_list: seen}}
    ---
    list: l
    ---
    scenario: s
    trigger: {stage: {enters: mql}}
    actions: [{wait: 1 day}]
    ---
    scenario: t
    trigger: {list_joined: seen}
    actions: [{wait: 1 day}]
"""
    )
    world.identify(ANA, START, fits=True)
    world.track(ANA, "visit", START)
    world.tick(START)
    assert [name for name, *_ in stays(world)] == ["mql", "sql"]
    assert (world.entered("s"), world.entered("t")) == ([ANA], [ANA])
    assert world.members("seen") == [ANA]


STUDENT = """
    score: fit
    rules:
      - {name: chief, points: 80, when: {attribute: {title: chief}}}
    ---
    score: engagement
    rules: [{name: v, points: 50, on: {event: visit}}]
    ---
    grade: g
    fit: {score: fit, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
    ---
    list: sales
    ---
    lifecycle: buyer
    stages:
      - lead
      - {stage: mql, when: {grade: [A3, A4, B4]}}
      - {stage: sql, when: [{grade: [A3, A4, B4]}, {event: enquiry}]}
    ---
    scenario: hand-over
    trigger: {stage: {enters: sql}}
    actions: [{add_to_list: sales}]
"""


def test_b05_b06_b07_d06_only_fit_activity_and_an_enquiry_qualify(world: World) -> None:
    """Activity alone, fit alone, and reading without ever asking are not handed to sales."""
    world.apply(STUDENT)
    world.identify(ANA, START, title="chief")
    world.identify(BEN, START, title="student")
    world.identify(EVA, START, title="chief")
    for number in range(4):
        world.track(ANA, "visit", START + number * MINUTE)
        world.track(BEN, "visit", START + number * MINUTE)
    world.track(BEN, "enquiry", START)
    world.tick(START + HOUR)
    assert [stage(world, who) for who in (ANA, BEN, EVA)] == ["mql", "lead", "lead"]
    world.track(ANA, "enquiry", START + 2 * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.members("sales") == [ANA]


def test_rules_on_stages_and_while_in_a_stage(world: World) -> None:
    """Rulings 58 and 68: both in the round after, in the same tick, dated T."""
    world.apply(
        FUNNEL
        + """
    ---
    score: points
    rules:
      - {name: entered, points: 3, on: {stage: {enters: mql}}}
      - {name: stands, points: 10, when: {stage: {at_least: mql}}}
"""
    )
    world.identify(ANA, START, warm=True)
    world.identify(ANA, START + HOUR, warm=False)
    world.tick(START)
    assert world.balance(ANA, "points") == 13
    world.tick(START + HOUR)
    assert world.balance(ANA, "points") == 3


def test_lists_goals_and_exits_read_stages(world: World) -> None:
    world.apply(
        FUNNEL
        + """
    ---
    list: leads
    members: [{stage: lead}]
    ---
    list: beyond
    members: [{stage: {at_least: mql}}]
    ---
    scenario: nurture
    trigger: {event: signup}
    goal: {stage: {enters: sql}}
    exit_when: {stage: {at_least: mql}}
    actions: [{wait: 9 days}]
"""
    )
    for who in (ANA, BEN):
        world.track(who, "signup", START)
    world.identify(ANA, START + HOUR, warm=True)
    world.identify(BEN, START + HOUR, hot=True)
    world.tick(START)
    assert (world.members("leads"), world.members("beyond")) == ([ANA, BEN], [])
    world.tick(START + HOUR)
    assert (world.members("leads"), world.members("beyond")) == ([], [ANA, BEN])
    outcomes = "SELECT outcome FROM enrollments JOIN contacts ON contacts.id = contact_id "
    assert world.rows(outcomes + "ORDER BY email") == [("exited",), ("converted",)]


def test_a_refusal_says_what_stage_was_seen(world: World) -> None:
    world.apply(
        FUNNEL
        + scenario("{event: go}").replace("reenroll", "conditions: [{stage: sql}]\n    reenroll")
    )
    world.track(ANA, "go", START)
    world.tick(START)
    ((detail,),) = world.rows("SELECT detail FROM decisions")
    assert "stage is sql" in str(detail)
    assert "stage lead" in str(detail)


# ---------------------------------------------------------------- history, applies, merges


def test_history_places_silently(world: World) -> None:
    """Ruling 88."""
    world.apply(FUNNEL + scenario("{stage: {enters: [mql, customer]}}"))
    world.tick(START)
    world.track(ANA, "order", START + MINUTE, how="historical")
    world.tick(START + HOUR)
    assert (stage(world), changes(world), entries(world)) == ("customer", [], [])


def test_a_new_lifecycle_places_everybody_silently(world: World) -> None:
    """Ruling 128."""
    world.apply("list: x\n")
    world.identify(ANA, START, warm=True)
    world.track(BEN, "order", START)
    world.identify(EVA, START)
    world.tick(START)
    world.apply(FUNNEL + scenario("{stage: {enters: [mql, customer]}}"))
    assert [stage(world, who) for who in (ANA, BEN, EVA)] == ["mql", "customer", "lead"]
    world.tick(START + HOUR)
    assert (changes(world), entries(world)) == ([], [])


def test_a_changed_lifecycle_moves_forward_and_back_silently(world: World) -> None:
    """A stage that is gone is left; what no longer holds retreats where the stage says so."""
    world.apply(FUNNEL)
    world.identify(ANA, START, warm=True)
    world.identify(BEN, START, hot=True)
    world.track(EVA, "order", START)
    world.tick(START)
    world.apply(
        FUNNEL.replace("{warm: true}", "{warm: very}").replace(
            "- {stage: sql, when: {attribute: {hot: true}}, retreat: true}",
            "- {stage: offer, when: {attribute: {hot: true}}}",
        )
    )
    assert [stage(world, who) for who in (ANA, BEN, EVA)] == ["lead", "offer", "customer"]
    assert stays(world)[-1] == ("lead", 0, None, "retreat")
    assert [one for one in stays(world, BEN) if one[0] == "sql"] == [("sql", 0, 0, "lifecycle")]
    assert len(changes(world)) == 3


def test_who_stood_in_a_stage_that_is_gone_is_asked_again_by_lists(world: World) -> None:
    world.apply(
        FUNNEL + setting("demo") + "    ---\n    list: fresh\n    members: [{stage: lead}]\n"
    )
    world.track(ANA, "go", START)
    world.tick(START)
    assert world.members("fresh") == []
    world.apply(
        FUNNEL.replace("      - demo\n", "")
        + "    ---\n    list: fresh\n    members: [{stage: lead}]\n"
    )
    assert (stage(world), world.members("fresh")) == ("lead", [ANA])


def test_changed_points_move_cells_then_stages_then_lists_silently(world: World) -> None:
    world.apply(STUDENT + "    ---\n    list: mqls\n    members: [{stage: mql}]\n")
    world.identify(ANA, START, title="chief")
    world.track(ANA, "visit", START)
    world.tick(START)
    assert world.members("mqls") == [ANA]
    world.apply(
        STUDENT.replace("name: v, points: 50", "name: v, points: 5").replace(
            "[A3, A4, B4]}}", "[A3, A4, B4]}, retreat: true}"
        )
        + "    ---\n    list: mqls\n    members: [{stage: mql}]\n"
    )
    assert (stage(world), world.members("mqls")) == ("lead", [])


def test_a_lifecycle_that_is_gone_closes_the_stays(world: World) -> None:
    world.apply(FUNNEL)
    world.identify(ANA, START, warm=True)
    world.tick(START)
    world.apply("list: x\n")
    assert stays(world) == [("mql", 0, 0, "lifecycle")]


def test_enroll_existing_takes_in_who_is_in_that_stage(world: World) -> None:
    """Rulings 45 and 107: exactly that stage, the first one too."""
    world.apply(FUNNEL)
    world.identify(ANA, START)
    world.identify(BEN, START, warm=True)
    world.identify(EVA, START, hot=True)
    world.tick(START)
    taking = [
        scenario(f"{{stage: {{enters: {name}}}}}", name=f"takes-{name}").replace(
            "reenroll: every_time", "enroll_existing: true"
        )
        for name in ("lead", "mql")
    ]
    world.apply(FUNNEL + "".join(taking))
    world.tick(START + HOUR)
    assert (world.entered("takes-lead"), world.entered("takes-mql")) == ([ANA], [BEN])


def test_a_stage_that_people_inside_still_need_cannot_go(world: World) -> None:
    """Ruling 129."""
    world.apply(FUNNEL + scenario("{event: go}", "[{wait: 1 day}, {set_stage: demo}]"))
    world.track(ANA, "go", START)
    world.tick(START)
    with pytest.raises(FlowscoreError, match=r"^stage 'demo' cannot go: .*1 contact is inside"):
        world.apply(FUNNEL.replace("      - demo\n", ""))


def test_a_merge_keeps_the_named_contacts_stage(world: World) -> None:
    """Ruling 71: who has a stay keeps it, whatever the visitor's was; then everybody is asked."""
    world.apply(FUNNEL + setting("demo"))
    world.track(ANA, "go", START)
    world.track("visitor", "order", START)
    world.tick(START)
    world.identify(ANA, START + HOUR, anonymous="visitor")
    world.tick(START + HOUR)
    assert [name for name, *_ in stays(world)] == ["(mql)", "demo", "(sql)", "customer"]
    assert world.rows("SELECT count(*) FROM stages") == [(4,)]


def test_what_a_named_visitor_reaches_is_an_ordinary_change(world: World) -> None:
    """Ruling 71: the named contact begins in the first stage, and enters what both together are."""
    world.apply(FUNNEL + scenario("{stage: {enters: customer}}"))
    world.track("visitor", "order", START)
    world.tick(START)
    assert entries(world) == []
    world.identify(ANA, START + 2 * HOUR, anonymous="visitor")
    world.tick(START + 2 * HOUR)
    assert (stage(world), entries(world)) == ("customer", [(2, 2)])
    assert [name for name, *_ in stays(world)] == ["(mql)", "(demo)", "(sql)", "customer"]


def test_a_day_without_change_moves_nobody(world: World) -> None:
    world.apply(FUNNEL)
    world.identify(ANA, START, warm=True)
    assert world.tick(START + DAY).worked == 1


def test_a_project_without_grades_and_lifecycle_pays_nothing(world: World) -> None:
    """No statement of its ticks names their tables."""
    world.apply(
        """
    score: engagement
    rules: [{name: visit, points: 30, on: {event: visit}}]
    ---
    list: hot
    members: [{score: {engagement: {at_least: 30}}}]
    ---
    scenario: s
    trigger: {list_joined: hot}
    actions: [{set_attribute: {seen: "{{ contact.score.engagement }}"}}]
"""
    )
    said: list[str] = []

    @event.listens_for(world.store.engine, "before_cursor_execute")
    def note(_: Any, cursor: Any, words: str, *more: Any) -> None:
        said.append(words)

    world.track(ANA, "visit", START)
    world.tick(START)
    event.remove(world.store.engine, "before_cursor_execute", note)
    assert world.entered("s") == [ANA]
    assert len(said) > 50
    assert [one for one in said if re.search(r"(FROM|JOIN|INTO|UPDATE) (cells|stages)", one)] == []
