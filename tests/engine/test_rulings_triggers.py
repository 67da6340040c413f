"""Rulings 22 to 34: counted events, deadlines, silence, changes, schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE, instant_of

if TYPE_CHECKING:
    from engine.world import World

ANA, BEN, EVA = "ana@x.example", "ben@x.example", "eva@x.example"
FLOW = """
    list: l
    ---
    scenario: s
    trigger: {trigger}
    reenroll: every_time
    actions: [{{add_to_list: l}}]
"""


def flow(trigger: str) -> str:
    """A scenario with this trigger."""
    return FLOW.format(trigger=trigger)


def hours(world: World) -> list[tuple[float, float]]:
    """Hours after the start at which each enrollment occurred and began, in order."""
    rows = world.rows("SELECT own_at, entered_at FROM enrollments ORDER BY entered_at, own_at")
    return [((own - START) / HOUR, (entered - START) / HOUR) for own, entered in rows]


THRICE = "{event: {name: visit, times: 3, within: 2 hours}}"


def test_the_completing_event_names_the_occurrence_and_uses_up(world: World) -> None:
    """Ruling 22: 3 of them in (e - w, e]; the count starts again behind e."""
    world.apply(flow(THRICE))
    for minute in (0, 30, 60, 90, 110, 119, 125):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.tick(START + 3 * HOUR)
    assert world.rows("SELECT key FROM enrollments ORDER BY own_at") == [("m3",), ("m6",)]


def test_a_visit_just_two_hours_old_is_out_of_the_count(world: World) -> None:
    """Ruling 1 in 22: the window is open at its far end."""
    world.apply(flow(THRICE))
    for minute in (0, 60, 120):
        world.track(ANA, "visit", START + minute * MINUTE)
    world.tick(START + 3 * HOUR)
    assert hours(world) == []
    world.track(ANA, "visit", START + 180 * MINUTE - 1)
    world.tick(START + 3 * HOUR)
    world.tick(START + 4 * HOUR)
    assert len(hours(world)) == 1


def test_a_late_event_makes_an_earlier_one_complete(world: World) -> None:
    """Ruling 116: the occurrence comes then, with that event's time and key."""
    world.apply(flow("{event: {name: visit, times: 2, within: 2 hours}}"))
    world.track(ANA, "visit", START + 2 * HOUR)
    world.track(ANA, "visit", START + HOUR, how=f"late:{4 * HOUR}")
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2, 5)]
    assert world.rows("SELECT key FROM enrollments") == [("m1",)]


def test_a_late_event_before_the_mark_is_used(world: World) -> None:
    """Ruling 127: every event at or before the mark is used, late ones too."""
    world.apply(flow("{event: {name: visit, times: 2}}"))
    world.track(ANA, "visit", START + HOUR)
    world.track(ANA, "visit", START + 2 * HOUR)
    world.track(ANA, "visit", START, how=f"late:{4 * HOUR}")
    world.track(ANA, "visit", START + 5 * HOUR)
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2, 2)]


def test_history_counts_for_scenarios_but_does_not_complete(world: World) -> None:
    """Ruling 127: of three historical visits none completes or uses up; a live one does."""
    world.apply(flow("{event: {name: visit, times: 3}}"))
    for hour in (1, 2, 3):
        world.track(ANA, "visit", START - hour * HOUR, how="historical")
    world.tick(START)
    assert hours(world) == []
    world.track(ANA, "visit", START + HOUR)
    world.tick(START + HOUR)
    assert hours(world) == [(1, 1)]


def test_history_completes_counts_of_rules(world: World) -> None:
    """Ruling 127: for score rules the walk covers history."""
    world.apply("""
    score: engagement
    rules: [{name: r, points: 10, on: {event: {name: visit, times: 2}}}]
    """)
    for hour in (1, 2, 3):
        world.track(ANA, "visit", START - hour * HOUR, how="historical")
    world.track(ANA, "visit", START)
    world.tick(START)
    assert world.balance(ANA) == 20


def test_marks_outlive_an_apply_that_leaves_the_trigger(world: World) -> None:
    """Rulings 22 and 129: what was used up stays used; one open visit still counts."""
    world.apply(flow("{event: {name: visit, times: 2}}"))
    for hour in range(3):
        world.track(ANA, "visit", START + hour * HOUR)
    world.tick(START + 2 * HOUR)
    world.apply(flow("{event: {name: visit, times: 2}}") + "    description: the same count\n")
    world.track(ANA, "visit", START + 3 * HOUR)
    world.tick(START + 3 * HOUR)
    assert hours(world) == [(1, 1), (3, 3)]


CART = "{no_event: {name: order, after: {event: cart}, within: 2 hours}}"


@pytest.mark.parametrize(("ordered", "enters"), [(0, True), (1, False), (120, False), (121, True)])
def test_a_deadline_looks_at_what_lies_behind_its_anchor(
    world: World, ordered: int, enters: bool
) -> None:
    """Rulings 1 and 24: (a, a + w]: at the anchor is out, at the deadline is in."""
    world.apply(flow(CART))
    world.track(ANA, "cart", START)
    world.track(ANA, "order", START + ordered * MINUTE)
    world.tick(START + 3 * HOUR)
    assert (hours(world) == [(2, 2)]) is enters


def test_a_late_anchor_is_noticed_when_known(world: World) -> None:
    """Ruling 24: at the first tick at or after a + w that knows the anchor."""
    world.apply(flow(CART))
    world.track(ANA, "cart", START, how=f"late:{5 * HOUR}")
    world.track(BEN, "cart", START, how=f"late:{5 * HOUR}")
    world.track(BEN, "order", START + HOUR)
    world.tick(START + 6 * HOUR)
    assert hours(world) == [(2, 5)]


def test_an_anchor_among_the_awaited_means_quiet_since_the_last(world: World) -> None:
    """Ruling 24: each cart has its deadline, another cart within it answers."""
    world.apply(flow("{no_event: {name: [order, cart], after: {event: cart}, within: 2 hours}}"))
    for hour in (0, 1, 2):
        world.track(ANA, "cart", START + hour * HOUR)
    world.tick(START + 9 * HOUR)
    assert hours(world) == [(4, 4)]


def test_deadlines_agree_on_named_properties(world: World) -> None:
    """Rulings 24 and 85: an order of another cart is no answer; without the property no match."""
    world.apply(
        flow(
            "{no_event: {name: order, after: {event: cart}, within: 2 hours, "
            "same: [cart_id, shop]}}"
        )
    )
    world.track(ANA, "cart", START, cart_id=1, shop="A")
    world.track(ANA, "order", START + HOUR, cart_id=2, shop="A")
    world.track(BEN, "cart", START, cart_id=1, shop="A")
    world.track(BEN, "order", START + HOUR, cart_id="1", shop="a")
    world.track(EVA, "cart", START, cart_id=1)
    world.track(EVA, "order", START + HOUR, cart_id=1, shop="")
    world.tick(START + 3 * HOUR)
    assert world.entered("s") == [ANA]


def test_a_number_agrees_with_its_text(world: World) -> None:
    """Ruling 85: compared like `is`, so 5 is 5.0 and the text 5; letters in any case."""
    world.apply(flow("{no_event: {name: order, after: {event: cart}, within: 2 hours, same: id}}"))
    for place, (first, second) in enumerate([(5, "5"), (5.0, 5), ("x", "X")]):
        world.track(f"c{place}@x.example", "cart", START, id=first)
        world.track(f"c{place}@x.example", "order", START + HOUR, id=second)
    world.tick(START + 3 * HOUR)
    assert world.entered("s") == []


def test_the_completing_event_is_the_anchor(world: World) -> None:
    """Ruling 120: `after` with `times`: the deadline runs from the second cart."""
    world.apply(
        flow(
            "{no_event: {name: order, within: 2 hours, "
            "after: {event: {name: cart, times: 2, within: 3 hours}}}}"
        )
    )
    world.track(ANA, "cart", START)
    world.track(ANA, "cart", START + HOUR)
    world.track(BEN, "cart", START)
    world.track(BEN, "cart", START + 3 * HOUR)
    world.track(EVA, "cart", START)
    world.track(EVA, "cart", START + HOUR)
    world.track(EVA, "order", START + 2 * HOUR)
    world.tick(START + 9 * HOUR)
    assert world.entered("s") == [ANA]
    assert hours(world) == [(3, 3)]


def test_a_completing_event_of_rules_is_the_anchor(world: World) -> None:
    """Ruling 120 in a rule: each second cart without an order costs points."""
    world.apply("""
    score: engagement
    rules:
      - name: left
        points: -5
        on: {no_event: {name: order, after: {event: {name: cart, times: 2}}, within: 2 hours}}
    """)
    for hour in range(5):
        world.track(ANA, "cart", START + hour * HOUR)
    world.tick(START + 9 * HOUR)
    assert world.balance(ANA) == -10
    assert world.rows("SELECT own_at FROM ledger ORDER BY own_at") == [
        (START + 3 * HOUR,),
        (START + 5 * HOUR,),
    ]


QUIET = "{inactive: 5 hours}"


def test_silence_counts_from_creation_where_nothing_precedes(world: World) -> None:
    """Ruling 25: created at 1, silent: 6. Somebody's visit at 2 makes it 7, once."""
    world.apply(flow(QUIET))
    world.people(f"{ANA},2026-03-02T01:00:00Z", f"{BEN},2026-03-02T01:00:00Z")
    world.tick(START + HOUR)
    world.track(BEN, "visit", START + 2 * HOUR)
    world.track(BEN, "visit", START + 2 * HOUR)
    world.tick(START + 20 * HOUR)
    assert hours(world) == [(6, 6), (7, 7)]
    assert world.entered("s") == [ANA, BEN]


def test_each_stretch_of_silence_occurs_once(world: World) -> None:
    """Ruling 25: a visit ends a stretch, the next begins at it."""
    world.apply(flow(QUIET))
    for hour in (0, 4, 12):
        world.track(ANA, "visit", START + hour * HOUR)
    world.tick(START + 48 * HOUR)
    assert hours(world) == [(9, 9), (17, 17)]


def test_a_late_visit_within_the_stretch_comes_too_late(world: World) -> None:
    """Rulings 8 and 25: the stretch is a fact; the late visit has a deadline of its own."""
    world.apply(flow(QUIET))
    world.track(ANA, "visit", START)
    world.track(ANA, "visit", START + 3 * HOUR, how=f"late:{3 * HOUR}")
    world.tick(START + 20 * HOUR)
    assert hours(world) == [(5, 5), (8, 8)]


def test_mail_and_identify_are_no_behaviour(world: World) -> None:
    """Ruling 26: only a person's deeds end the silence."""
    world.apply(flow(QUIET))
    world.track(ANA, "visit", START)
    world.identify(ANA, START + HOUR, plan="pro")
    world.track(ANA, "Email Opened", START + 2 * HOUR, machine=True, template="t")
    world.track(ANA, "Email Sent", START + 2 * HOUR, template="t")
    world.track(ANA, "Unsubscribed", START + 3 * HOUR, topic="news")
    world.track(BEN, "visit", START)
    world.track(BEN, "Email Opened", START + 2 * HOUR, template="t")
    world.tick(START + 20 * HOUR)
    assert hours(world) == [(5, 5), (7, 7)]


def test_silence_past_at_a_quiet_import_is_history(world: World) -> None:
    """Ruling 119: whose 5 hours were over at the import is not written to; later ones are."""
    world.apply(flow(QUIET))
    world.people(f"{ANA},2026-03-01T12:00:00Z", f"{BEN},2026-03-01T22:00:00Z")
    world.tick(START + 20 * HOUR)
    assert (world.entered("s"), hours(world)) == ([BEN], [(3, 3)])


CHANGE = "{attribute: {plan: {from: free, to: [pro, team]}}}"


def test_only_a_real_change_occurs(world: World) -> None:
    """Rulings 27 and 93: creation is none, the same in other letters is none, older is none."""
    world.apply(flow(CHANGE))
    world.identify(ANA, START, plan="free")
    world.identify(ANA, START + HOUR, plan="FREE")
    world.identify(ANA, START + 3 * HOUR, plan="Pro")
    world.identify(ANA, START + 2 * HOUR, how=f"late:{3 * HOUR}", plan="free")
    world.identify(ANA, START + 6 * HOUR, plan="team")
    world.identify(BEN, START, plan="pro")
    world.tick(START + 9 * HOUR)
    assert hours(world) == [(3, 3)]


def test_absent_and_then_there_is_a_change(world: World) -> None:
    """Rulings 27 and 60: empty text is absent; so is what was never said."""
    world.apply(flow("{attribute: {plan: {to: pro}}}"))
    world.identify(ANA, START, name="Ana", plan="")
    world.identify(ANA, START + HOUR, plan="pro")
    world.identify(BEN, START, name="Ben")
    world.identify(BEN, START + HOUR, plan="pro")
    world.tick(START + 2 * HOUR)
    assert world.entered("s") == [ANA, BEN]


def test_a_late_older_value_stays_behind_an_emptied_one(world: World) -> None:
    """Ruling 27: the newest own time wins, also where it says that there is no value."""
    world.apply("""
    list: pros
    members: [{attribute: {plan: pro}}]
    """)
    world.identify(ANA, START, plan="free")
    world.identify(ANA, START + 3 * HOUR, plan="")
    world.identify(ANA, START + 2 * HOUR, how=f"late:{2 * HOUR}", plan="pro")
    world.tick(START + 5 * HOUR)
    assert world.members("pros") == []


def opened(world: World, **properties: str) -> None:
    """A mail sent at 0 with id a, and an open an hour later."""
    world.track(ANA, "Email Sent", START, template="hello", message_id="a")
    world.track(ANA, "Email Opened", START + HOUR, **properties)


@pytest.mark.parametrize(
    ("properties", "enters"),
    [
        ({"template": "other", "message_id": "a"}, False),
        ({"template": "hello", "message_id": "b"}, True),
        ({"template": "hello"}, False),
        ({"template": "other"}, True),
    ],
)
def test_an_open_answers_its_own_mail(
    world: World, properties: dict[str, str], enters: bool
) -> None:
    """Ruling 30: by message id where both have one, else by template."""
    world.apply(flow("{email_not_opened: {template: any, within: 2 hours}}"), hello="news")
    opened(world, **properties)
    world.tick(START + 3 * HOUR)
    assert bool(hours(world)) is enters


def test_opens_are_human_unless_said(world: World) -> None:
    """Ruling 34: in triggers and conditions alike; without a flag it was a person."""
    world.apply(
        flow("{email_opened: any}")
        + """
    ---
    list: both
    members: [{email_opened: {template: any, machine: true}}]
    ---
    list: people
    members: [{email_opened: any}]
    """
    )
    world.track(ANA, "Email Opened", START, template="hello", machine=True)
    world.track(BEN, "Email Opened", START, template="hello")
    world.tick(START)
    assert (world.entered("s"), world.members("both")) == ([BEN], [ANA, BEN])
    assert world.members("people") == [BEN]


ZONES = "{schedule: {cron: '30 2 * * *', timezone: contact}}"


def test_a_coarse_grid_catches_every_instant_of_every_zone(world: World) -> None:
    """Rulings 32, 33 and 100: a day's grid over the night in which Madrid has no 02:30."""
    world.apply(flow(ZONES))
    night = instant_of(datetime(2026, 3, 28, tzinfo=UTC))
    header = "email,created_at,timezone"
    world.people(
        f"{ANA},2026-03-01T00:00:00Z,Europe/Madrid",
        f"{BEN},2026-03-01T00:00:00Z,",
        f"{EVA},2026-03-01T00:00:00Z,europe/madrid",
        header=header,
    )
    world.tick(night + 2 * DAY, first=night, step=2 * DAY)
    rows = world.rows("""
        SELECT email, own_at, entered_at FROM enrollments
        JOIN contacts ON contacts.id = contact_id ORDER BY email, own_at
    """)
    found = [(email, (own - night) / HOUR) for email, own, _ in rows if own > night]
    assert found == [
        (ANA, 1.5),
        (ANA, 25.0),
        (BEN, 2.5),
        (BEN, 26.5),
        (EVA, 2.5),
        (EVA, 26.5),
    ]


def test_a_doubled_time_is_the_first_of_the_two(world: World) -> None:
    """Ruling 32: on 25 October Madrid has 02:30 twice, at 00:30Z and 01:30Z."""
    autumn = instant_of(datetime(2026, 10, 25, tzinfo=UTC))
    world.apply(
        flow(
            "[{schedule: {cron: '30 2 * * *', timezone: Europe/Madrid}}, "
            "{schedule: {at: 2026-10-25 02:45, timezone: Europe/Madrid}}]"
        )
    )
    world.people(f"{ANA},2026-03-01T00:00:00Z")
    world.tick(autumn + 6 * HOUR, first=autumn)
    rows = world.rows("SELECT own_at FROM enrollments ORDER BY own_at")
    assert [(own - autumn) / MINUTE for (own,) in rows] == [30, 45]


def test_a_schedule_meets_those_who_pass_at_the_tick(world: World) -> None:
    """Ruling 33: who fails is not recorded; day of month and weekday given: either."""
    world.apply(
        flow("{schedule: {cron: '0 9 5 * MON'}}").replace(
            "reenroll", "conditions: [{attribute: {plan: pro}}]\n    reenroll"
        )
    )
    world.identify(ANA, START, plan="pro")
    world.identify(BEN, START, plan="free")
    world.tick(START + 7 * DAY + 12 * HOUR)
    assert hours(world) == [(9, 9), (3 * 24 + 9, 3 * 24 + 9), (7 * 24 + 9, 7 * 24 + 9)]
    assert world.rows("SELECT reason FROM decisions") == []


def test_a_moment_past_at_activation_never_comes(world: World) -> None:
    """Ruling 33: `at` before the watermark of the apply."""
    world.apply("list: l")
    world.people(f"{ANA},2026-03-01T00:00:00Z")
    world.tick(START + 12 * HOUR)
    world.apply(flow("{schedule: {at: 2026-03-02 09:00}}"))
    world.tick(START + 2 * DAY)
    assert hours(world) == []


def test_a_schedule_gives_points_to_everybody(world: World) -> None:
    """LANGUAGE 5: `on` takes a trigger; points are dated by its instants."""
    world.apply("""
    score: engagement
    rules:
      - {name: daily, points: 2, on: {schedule: {cron: "0 9 * * *"}},
         conditions: [{attribute: {plan: pro}}]}
    """)
    world.identify(ANA, START, plan="pro")
    world.identify(BEN, START, plan="free")
    world.tick(START + 2 * DAY)
    assert (world.balance(ANA), world.balance(BEN)) == (4, 0)
    assert world.rows("SELECT own_at FROM ledger ORDER BY own_at") == [
        (START + 9 * HOUR,),
        (START + 33 * HOUR,),
    ]


PATHS = [
    ("/blog/*", "/blog/a", True),
    ("/blog/*", "/blog", False),
    ("/blog/*", "/Blog/a/b/?utm=1", True),
    ("/pricing", "/pricing/#top", True),
    ("/pricing", "/pricing-2", False),
    ("*", "/", True),
    ("/a_b", "/axb", False),
    ("/100%", "/100%", True),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), PATHS)
def test_paths_match_as_a_whole(world: World, pattern: str, path: str, fits: bool) -> None:
    """Ruling 63, also from `url`."""
    world.apply(
        f"""
    list: a
    members: [{{page_visited: "{pattern}"}}]
    """
    )
    world._call(ANA, {"type": "page", "properties": {"path": path}}, START, "live")
    url = "https://www.x.example" + path
    world._call(BEN, {"type": "page", "properties": {"url": url}}, START, "live")
    world.tick(START)
    assert world.members("a") == ([ANA, BEN] if fits else [])


def test_what_a_step_emptied_stays_empty(world: World) -> None:
    """Ruling 27: a late identify older than the step says nothing; a newer one is a change."""
    world.apply("""
    list: l
    ---
    scenario: clear
    trigger: {event: order}
    actions: [{set_attribute: {plan: ""}}]
    ---
    scenario: s
    trigger: {attribute: {plan: {to: pro}}}
    actions: [{add_to_list: l}]
    """)
    world.identify(ANA, START, plan="free")
    world.track(ANA, "order", START + 3 * HOUR)
    world.identify(ANA, START + 2 * HOUR, how=f"late:{2 * HOUR}", plan="pro")
    world.tick(START + 5 * HOUR)
    assert world.members("l") == []
    world.identify(ANA, START + 6 * HOUR, plan="pro")
    world.tick(START + 6 * HOUR)
    assert world.members("l") == [ANA]


def test_a_zone_told_late_brings_no_instant_of_before(world: World) -> None:
    """Rulings 2 and 33: passing over quiet instants is the same as walking them all."""
    world.apply(flow("{schedule: {cron: '0 9 * * *', timezone: contact}}"))
    world.identify(BEN, START, plan="x")
    world.identify(ANA, START, plan="x")
    world.identify(ANA, START + 8 * HOUR + MINUTE, timezone="Asia/Karachi")
    world.tick(START + 12 * HOUR)
    assert (world.entered("s"), hours(world)) == ([BEN], [(9, 9)])
    world.tick(START + 30 * HOUR)
    assert (world.entered("s"), hours(world)) == ([BEN, ANA], [(9, 9), (28, 28)])
