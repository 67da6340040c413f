"""Rulings 3, 70 to 71b, 81, 82, 98, 108 and 119: who people are and what they agreed to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE, rfc3339
from flowscore.store.imports import Source, import_contacts, import_events

if TYPE_CHECKING:
    from engine.world import World

ANA, BEN, EVA = "ana@x.example", "ben@x.example", "eva@x.example"


def call(world: World, at: int, how: str = "live", **parts: Any) -> None:
    """A call of any shape, received when it happened."""
    number = next(world.numbers)
    line = {"messageId": f"m{number}", "timestamp": rfc3339(at), **parts}
    file = world.root / f"calls-{number}.jsonl"
    file.write_text(json.dumps(line) + "\n")
    history = how == "historical"
    import_events(world.store, Source(file), at, historical=history, as_live=not history)


def live_people(world: World, header: str, *rows: str) -> None:
    """Contacts of an import --as-live."""
    file = world.root / f"people-{next(world.numbers)}.csv"
    file.write_text("\n".join((header, *rows)) + "\n")
    assert not import_contacts(world.store, Source(file), START + DAY, as_live=True).rejected


WELCOME = """
    list: l
    ---
    scenario: welcome
    trigger: contact_created
    actions: [{add_to_list: l}]
"""


def test_an_event_creates_its_contact_at_its_own_time(world: World) -> None:
    """Rulings 6 and 70: created_at is the event's, also the occurrence's own time."""
    world.apply(WELCOME)
    world.track(ANA, "order", START, how=f"late:{2 * HOUR}")
    world.tick(START + 3 * HOUR)
    assert world.rows("SELECT created_at FROM contacts") == [(START,)]
    assert world.rows("SELECT own_at, entered_at FROM enrollments") == [(START, START + 2 * HOUR)]


def test_nobody_is_younger_than_the_first_event(world: World) -> None:
    """Ruling 70: a late earlier event moves the creation back, for `older_than` too."""
    world.apply("""
    list: old
    members: [{attribute: {created_at: {older_than: 5 hours}}}]
    """)
    world.track(ANA, "order", START + 4 * HOUR)
    world.track(ANA, "order", START, how=f"late:{6 * HOUR}")
    world.tick(START + 9 * HOUR)
    assert world.rows("SELECT created_at FROM contacts") == [(START,)]
    assert world.rows("SELECT joined_at FROM members") == [(START + 6 * HOUR,)]


def test_a_quiet_import_welcomes_nobody(world: World) -> None:
    """Ruling 119: creates and updates without events; --as-live makes them events."""
    world.apply(
        WELCOME
        + """
    ---
    scenario: pro
    trigger: {attribute: {plan: {to: pro}}}
    actions: [{add_to_list: l}]
    """
    )
    header = "email,created_at,plan"
    world.people(f"{ANA},2026-03-02T01:00:00Z,free", header=header)
    live_people(world, header, f"{BEN},2026-03-02T02:00:00Z,free")
    world.tick(START + 3 * HOUR)
    assert world.entered("welcome") == [BEN]
    assert world.rows("SELECT own_at FROM enrollments") == [(START + 2 * HOUR,)]
    world.people(f"{ANA},2026-03-02T01:00:00Z,pro", header=header)
    world.tick(START + 500 * DAY, first=START + 500 * DAY)
    assert world.entered("pro") == []
    plan = "SELECT value FROM attributes JOIN contacts ON contacts.id = contact_id"
    assert world.rows(f"{plan} WHERE email = '{ANA}' AND name = 'plan'")[0][0] in ("pro", '"pro"')


def test_values_of_an_import_are_as_old_as_the_contact(world: World) -> None:
    """Ruling 98: of a new contact since creation, of a known one since the import."""
    world.apply("list: l")
    header = "email,created_at,plan"
    world.people(f"{ANA},2026-03-02T01:00:00Z,free", header=header)
    world.identify(ANA, START + 2 * HOUR, plan="pro")
    world.tick(START + 3 * HOUR)
    assert world.rows("SELECT text, set_at FROM attributes") == [("pro", START + 2 * HOUR)]


ORDERS = """
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}}]
    ---
    list: l
    ---
    list: hot
    members: [{score: {engagement: {at_least: 20}}}]
    ---
    scenario: s
    trigger: {score: {engagement: {reaches: 20}}}
    actions: [{add_to_list: l}]
    ---
    scenario: twice
    trigger: {event: {name: order, times: 2}}
    actions: [{add_to_list: l}]
"""


def test_a_visitor_scores_and_joins_but_is_not_enrolled(world: World) -> None:
    """Ruling 71: anonymous until an identify names them."""
    world.apply(ORDERS)
    for hour in range(2):
        world.track("v1", "order", START + hour * HOUR)
    world.tick(START + 2 * HOUR)
    assert world.rows("SELECT balance FROM balances") == [(200000,)]
    assert world.rows("SELECT list FROM members") == [("hot",)]
    assert (world.entered("s"), world.entered("twice")) == ([], [])


def test_a_merge_brings_points_and_an_ordinary_crossing(world: World) -> None:
    """Ruling 71: events and lines move, lists unite, the crossing is one at T."""
    world.apply(ORDERS)
    world.track("v1", "order", START)
    world.track(ANA, "order", START)
    world.tick(START + HOUR)
    world.identify(ANA, START + 2 * HOUR, anonymous="v1")
    world.tick(START + 2 * HOUR)
    assert world.balance(ANA) == 20
    assert (world.members("hot"), world.entered("s")) == ([ANA], [ANA])
    assert world.rows("SELECT own_at FROM enrollments WHERE scenario = 's'") == [
        (START + 2 * HOUR,)
    ]
    assert world.entered("twice") == [ANA]


def test_caps_are_not_judged_again_at_a_merge(world: World) -> None:
    """Ruling 71: both keep what they got; what comes later looks at all of it."""
    world.apply("""
    score: engagement
    rules: [{name: order, points: 10, on: {event: order}, cap: {times: 1}}]
    """)
    world.track("v1", "order", START)
    world.track(ANA, "order", START)
    world.tick(START)
    world.identify(ANA, START + HOUR, anonymous="v1")
    world.track(ANA, "order", START + 2 * HOUR)
    world.tick(START + 3 * HOUR)
    assert world.balance(ANA) == 20


def test_a_user_id_is_a_name_of_its_own(world: World) -> None:
    """Ruling 71b: a contact may have no address; one that is an address names that contact."""
    world.apply(ORDERS)
    call(world, START, type="track", event="order", userId="u-1")
    call(world, START + HOUR, type="track", event="order", userId="u-1")
    call(world, START, type="track", event="order", userId="ANA@x.example")
    call(
        world,
        START + HOUR,
        type="track",
        event="order",
        context={"traits": {"email": "Ana@X.example"}},
    )
    world.tick(START + 2 * HOUR)
    rows = world.rows("""
        SELECT email, user_id, balance FROM contacts
        JOIN balances ON contact_id = contacts.id ORDER BY email IS NULL
    """)
    assert rows == [("ANA@x.example", None, 200000), (None, "u-1", 200000)]
    assert len(world.entered("s")) == 2


def test_an_address_told_later_is_the_contacts(world: World) -> None:
    """Ruling 71b and LANGUAGE 8: userId first, then an address, then another one."""
    world.apply(ORDERS)
    call(world, START, type="track", event="order", userId="u-1")
    call(world, START + HOUR, type="identify", userId="u-1", traits={"email": ANA})
    world.tick(START + HOUR)
    assert (world.balance(ANA), world.rows("SELECT user_id FROM contacts")) == (10, [("u-1",)])
    call(world, START + 2 * HOUR, type="identify", userId="u-1", traits={"email": BEN})
    call(world, START + 3 * HOUR, type="track", event="order", userId=ANA)
    world.tick(START + 4 * HOUR)
    assert (world.balance(BEN), world.entered("s")) == (20, [BEN])
    assert len(world.rows("SELECT id FROM contacts")) == 1


def test_the_address_counts_as_an_attribute_after_a_change(world: World) -> None:
    """LANGUAGE 2: `email` in conditions follows the change, with nothing else due."""
    world.apply("""
    list: acme
    members: [{attribute: {email: {ends_with: "@acme.example"}}}]
    """)
    call(world, START, type="identify", userId="u-1", traits={"email": "a@x.example"})
    world.tick(START)
    call(world, START + HOUR, type="identify", userId="u-1", traits={"email": "a@acme.example"})
    world.tick(START + HOUR)
    assert world.members("acme") == ["a@acme.example"]


def consents(world: World) -> dict[str, bool]:
    """What Ana said of each topic."""
    return {topic: bool(granted) for topic, granted in world.rows(
        "SELECT topic, granted FROM consents JOIN contacts ON contacts.id = contact_id "
        f"WHERE email = '{ANA}' AND topic <> 'all' ORDER BY topic"
    )}  # fmt: skip


def test_refusing_all_refuses_every_topic(world: World) -> None:
    """Ruling 81: general and each topic; a later word for one topic grants that one alone."""
    world.apply("list: l")
    world.track(ANA, "Subscribed", START, topic="news")
    world.track(ANA, "Unsubscribed", START + HOUR, topic="all")
    world.tick(START + HOUR)
    assert consents(world) == {"email": False, "news": False}
    world.track(ANA, "Subscribed", START + 2 * HOUR, topic="news")
    world.tick(START + 2 * HOUR)
    assert consents(world) == {"email": False, "news": True}


def test_the_newest_word_of_own_time_wins(world: World) -> None:
    """Ruling 81: for each topic; a late older refusal changes nothing."""
    world.apply("list: l")
    world.track(ANA, "Subscribed", START + 2 * HOUR, topic="news")
    world.track(ANA, "Unsubscribed", START + HOUR, how=f"late:{5 * HOUR}", topic="news")
    world.track(ANA, "Unsubscribed", START + HOUR)
    world.tick(START + 9 * HOUR)
    assert consents(world) == {"email": False, "news": True}


WORDS = [
    ("required", {}, (False, False)),
    ("implied", {}, (True, True)),
    ("required", {"email": True}, (True, True)),
    ("required", {"news": True}, (False, True)),
    ("required", {"email": True, "news": False}, (True, False)),
    ("implied", {"email": False}, (False, False)),
    ("implied", {"email": False, "news": True}, (False, True)),
    ("implied", {"news": False}, (True, False)),
]


@pytest.mark.parametrize(("consent", "said", "may"), WORDS)
def test_the_topics_own_word_comes_first(
    world: World,
    consent: str,
    said: dict[str, bool],
    may: tuple[bool, bool],
) -> None:
    """Rulings 82 and 114: then general; unknown is as the policy says."""
    world.policy = f"policy: default\nconsent: {consent}\ntopics: [news]\n"
    world.apply("""
    list: general
    members: [{consent: email}]
    ---
    list: news
    members: [{consent: news}]
    """)
    world.identify(ANA, START, plan="x")
    for topic, granted in said.items():
        event = "Subscribed" if granted else "Unsubscribed"
        world.track(ANA, event, START, **({} if topic == "email" else {"topic": topic}))
    world.tick(START)
    assert (world.members("general") == [ANA], world.members("news") == [ANA]) == may


@pytest.mark.parametrize(
    ("event", "properties", "may"),
    [
        ("Email Bounced", {}, False),
        ("Email Bounced", {"type": "hard"}, False),
        ("Email Bounced", {"type": "soft"}, True),
        ("Email Marked as Spam", {}, False),
    ],
)
def test_bounces_and_complaints_end_consent(
    world: World, event: str, properties: dict[str, str], may: bool
) -> None:
    """Rulings 82 and 83: a bounce without a type is hard."""
    world.apply("""
    list: general
    members: [{consent: email}]
    """)
    world.identify(ANA, START, plan="x")
    world.tick(START)
    world.track(ANA, event, START + HOUR, **properties)
    world.tick(START + HOUR)
    assert (world.members("general") == [ANA]) is may


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("yes", {"email": True}),
        ("no", {"email": False}),
        ("news", {"news": True}),
        ("", {}),
    ],
)
def test_consent_of_a_row(world: World, word: str, expected: dict[str, bool]) -> None:
    """Ruling 71b."""
    world.apply("list: l")
    world.people(f"{ANA},2026-03-01T00:00:00Z,{word}", header="email,created_at,consent")
    world.tick(START)
    assert consents(world) == expected


COLUMNS = {
    "points": {"contact", "score", "at", "points", "kind", "rule"},
    "balances": {"contact", "score", "balance"},
    "members": {"contact", "list", "joined_at", "left_at"},
    "enrollments": {
        "contact", "scenario", "entered_at", "ended_at", "outcome", "converted_at", "key",
    },
    "messages": {"contact", "template", "queued_at", "status", "sent_at", "reason", "kind"},
    "decisions": {"contact", "scenario", "at", "reason"},
    "contacts": {"email", "attributes", "stage", "grades"},
    "events": {"contact", "name", "at", "received_at", "message_id", "properties"},
}  # fmt: skip


def test_tables_of_an_export_have_their_columns(world: World) -> None:
    """Ruling 108; the sum of the lines is the balance where a range cuts."""
    from flowscore.views.export import Extract, write_export

    world.apply(
        """
    score: engagement
    range: {max: 15}
    rules: [{name: order, points: 10, on: {event: order}}]
    ---
    list: l
    ---
    scenario: s
    trigger: {event: order}
    actions: [{add_to_list: l}, {send_email: hello}]
    """,
        hello="news",
    )
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + MINUTE)
    world.tick(START + HOUR)
    folder = world.root / "out"
    with world.store.read() as connection:
        write_export(Extract(connection, ("engagement",), START + HOUR), folder, lambda _: None)
    tables = {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        for name in COLUMNS
    }
    for name, columns in COLUMNS.items():
        assert tables[name], name
        assert columns <= set(tables[name][0]), name
    assert sum(row["points"] for row in tables["points"]) == 15
    assert [row["kind"] for row in tables["points"]] == ["rule", "rule", "cut"]
    assert tables["balances"] == [{"contact": ANA, "score": "engagement", "balance": 15}]


def test_quiet_rows_with_events_of_the_same_tick(world: World) -> None:
    """Rulings 70, 88 and 119: the row comes first, however late it was imported."""
    world.apply(WELCOME)
    world.track(ANA, "order", START)
    world.people(f"{ANA},2026-02-01T00:00:00Z")
    world.tick(START)
    assert world.entered("welcome") == []
    created = START - 29 * DAY
    assert world.rows("SELECT created_at FROM contacts") == [(created,)]
