"""Taking in: contacts, merges, attributes, consent and the log, on both databases."""

from __future__ import annotations

from itertools import permutations
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from flowscore.store.database import Store, open_store
from flowscore.store.intake import forget_taken, take_in
from store.taking import (
    HOUR,
    START,
    Project,
    at,
    attributes,
    call,
    change,
    look,
    names,
    rows_of,
    send,
    tick,
    track,
)

ANA = "ana@x.es"


# --- who --------------------------------------------------------------------------------------


def test_take_in_creates_a_contact_at_its_first_event(store: Store) -> None:
    send(store, track("b", 5, user="Ana@X.es"), track("a", 3, user=ANA), received=6)
    assert tick(store, 5.9) == 0
    assert tick(store, 6) == 2
    assert tick(store, 7) == 0
    assert look(store, "SELECT email, email_folded, known, created_at FROM contacts") == [
        ("ana@x.es", ANA, True, at(3))
    ]
    assert names(store) == ["contact_created", "a", "b"]
    assert look(store, "SELECT own_at, received_at, seen_at FROM events WHERE name = 'b'") == [
        (at(5), at(6), at(6))
    ]
    assert look(store, "SELECT own_at FROM events WHERE name = 'contact_created'") == [(at(3),)]


def test_take_in_moves_creation_back_for_a_late_older_event(store: Store) -> None:
    send(store, track("b", 5, user=ANA))
    tick(store, 5)
    change(store, "DELETE FROM changes")
    send(store, track("a", 2, user=ANA), received=7)
    tick(store, 7)
    assert look(store, "SELECT created_at FROM contacts") == [(at(2),)]
    assert look(store, "SELECT kind, contact_id FROM changes") == [("contact", 1)]


def test_t09_one_message_id_counts_once(store: Store) -> None:
    late = track("a", 1, user=ANA, id="m", properties={"n": 2})
    first = track("a", 2, user=ANA, id="m", properties={"n": 1})
    assert send(store, late, received=5).taken == 1
    received = send(store, *[first] * 46, received=3)  # comes later, was received earlier
    assert (received.taken, received.duplicates) == (0, 46)
    tick(store, 3)
    send(store, late, received=5)
    assert look(store, "SELECT own_at FROM events WHERE message_id = 'm'") == [(at(2),)]
    tick(store, 5)
    assert look(store, "SELECT count(*) FROM events WHERE name = 'a'") == [(1,)]
    assert look(store, "SELECT created_at FROM contacts") == [(at(2),)]


def test_t09_a_late_event_stands_at_its_own_time(store: Store) -> None:
    send(store, track("late", 1, user=ANA), received=50)
    send(store, track("ahead", 99, user=ANA), received=50)
    tick(store, 50)
    assert look(store, "SELECT name, own_at FROM events WHERE behaviour ORDER BY name") == [
        ("ahead", at(50)),
        ("late", at(1)),
    ]


def test_take_in_joins_user_id_and_address(store: Store) -> None:
    send(
        store,
        track("a", 1, user="u1"),
        call("identify", 2, user="u1", traits={"email": "Ana@x.es"}),
        track("b", 3, user=ANA),
        track("c", 4, user="u2", context={"traits": {"email": ANA}}),
    )
    tick(store, 5)
    assert look(store, "SELECT email, user_id FROM contacts") == [("Ana@x.es", "u1")]
    assert names(store) == ["contact_created", "a", "b", "c"]
    assert sorted(look(store, "SELECT kind, value FROM identities")) == [
        ("email", ANA),
        ("user", "u1"),
        ("user", "u2"),
    ]


def test_take_in_notes_calls_that_are_no_events(store: Store) -> None:
    send(store, call("identify", 2, user="u1", traits={"email": ANA, "plan": "pro"}))
    send(store, call("group", 2, user="u1", groupId="g"))
    send(store, call("alias", 2, user="u1", previousId="u0"))
    tick(store, 2)
    assert look(store, "SELECT kind, waiting FROM calls ORDER BY kind") == [
        ("alias", None),
        ("group", None),
        ("identify", None),
    ]
    assert attributes(store) == {"plan": "pro"}


def test_take_in_changes_the_address_of_a_user_id(store: Store) -> None:
    send(store, call("identify", 1, user="u1", traits={"email": ANA}))
    tick(store, 1)
    send(store, call("identify", 2, user="u1", traits={"email": "new@x.es"}))
    tick(store, 2)
    send(store, track("a", 3, user=ANA), track("b", 3, user="new@x.es"))
    tick(store, 3)
    assert look(store, "SELECT email, email_folded FROM contacts") == [("new@x.es", "new@x.es")]
    assert names(store, "new@x.es") == ["contact_created", "a", "b"]


def test_take_in_draws_alike_on_both_databases(store: Store) -> None:
    send(store, track("a", 1, user=ANA), track("a", 2, anon="ñ-1"))
    tick(store, 2)
    assert look(store, "SELECT draw_a, draw_b FROM contacts ORDER BY id") == [
        (1858854614, 2019661543),
        (878365403, 103739131),
    ]


# --- anonymous visitors -----------------------------------------------------------------------


def state(store: Store) -> dict[str, Any]:
    """Everything that must be the same, whatever the order of calls."""
    queries = {
        "contacts": "SELECT email_folded, known, created_at, draw_a FROM contacts ORDER BY 1",
        "identities": "SELECT kind, value FROM identities ORDER BY kind, value",
        "attributes": "SELECT name, text, set_at FROM attributes ORDER BY name",
        "events": "SELECT name, own_at, behaviour FROM events WHERE behaviour ORDER BY own_at",
    }
    return {name: look(store, query) for name, query in queries.items()}


VISIT = [
    call("page", 1, anon="v", properties={"path": "/pricing"}),
    call("identify", 2, anon="v", traits={"country": "ES", "plan": "free"}),
    call("identify", 3, anon="v", user=ANA, traits={"plan": "pro"}),
    call("page", 4, anon="v", properties={"path": "/cart"}),
    track("order", 5, user=ANA),
]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    from flowscore.store.functions import draw

    return {
        "contacts": [(ANA, True, at(1), draw(ANA, 0))],
        "identities": [("anonymous", "v"), ("email", ANA)],
        "attributes": [("country", "es", at(2)), ("plan", "pro", at(3))],
        "events": [
            ("page_viewed", at(1), True),
            ("page_viewed", at(4), True),
            ("order", at(5), True),
        ],
    }


@pytest.mark.parametrize("order", range(0, 120, 17))
def test_merge_in_any_order_of_arrival(store: Store, expected: dict[str, Any], order: int) -> None:
    """Ruling 71: each call in a tick of its own, in whatever order they come."""
    for hour, one in enumerate(list(permutations(VISIT))[order], 10):
        send(store, one, received=hour)
        tick(store, hour)
    assert state(store) == expected


def test_merge_in_one_tick(store: Store, expected: dict[str, Any]) -> None:
    send(store, *reversed(VISIT), received=10)
    tick(store, 10)
    assert state(store) == expected
    assert names(store).count("contact_created") == 1


def visitor_and_contact(store: Store) -> tuple[int, int]:
    """A known contact, a visitor, each with points, lists, consent and marks."""
    send(store, track("a", 1, user=ANA), track("b", 2, anon="v"))
    tick(store, 2)
    ((known,),) = look(store, "SELECT id FROM contacts WHERE known")
    ((visitor,),) = look(store, "SELECT id FROM contacts WHERE NOT known")
    return known, visitor


def test_merge_takes_points_lists_consent_and_marks_along(store: Store) -> None:
    known, visitor = visitor_and_contact(store)
    for contact, key, points in ((known, "k", 3), (visitor, "v", 5), (visitor, "k", 7)):
        change(
            store,
            f"""INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at,
            tick_at, reason) VALUES ({contact}, 's', 'r', 'rule', '{key}', {points}00000000, 1, 1,
            '')""",
        )
    for contact in (known, visitor):
        change(
            store,
            f"""INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at,
            tick_at, reason) VALUES ({contact}, 's', 'w', 'when', '1/1', 100000000, 1, 1, '')""",
        )
    change(
        store,
        f"""INSERT INTO balances VALUES ({known}, 's', 400000000, 40000, 40000),
        ({visitor}, 's', 1300000000, 130000, 130000), ({visitor}, 't', 0, 0, 0)""",
    )
    change(
        store,
        f"""INSERT INTO members (contact_id, list, joined_at, left_at, cause) VALUES
        ({known}, 'both', 9, NULL, ''), ({visitor}, 'both', 4, NULL, ''),
        ({visitor}, 'his', 5, NULL, ''), ({visitor}, 'both', 1, 2, ''), ({known}, 'was', 1, 2, '')
        """,
    )
    change(
        store,
        f"""INSERT INTO consents VALUES ({known}, 'email', true, 5, ''),
        ({visitor}, 'email', false, 6, ''), ({known}, 'news', true, 7, ''),
        ({visitor}, 'news', false, 6, ''), ({visitor}, 'offers', true, 1, '')""",
    )
    change(
        store,
        f"""INSERT INTO marks VALUES ('t', {known}, '', 5, 5, 'm'),
        ('t', {visitor}, '', 5, 5, 'n'), ('u', {known}, '', 9, 9, 'm'), ('u', {visitor}, '', 1, 1,
        'm')""",
    )
    change(store, "DELETE FROM changes")
    send(store, call("identify", 3, user=ANA, anon="v"))
    tick(store, 3)
    assert look(store, "SELECT id, created_at FROM contacts") == [(known, at(1))]
    ledger = look(store, "SELECT rule, points FROM ledger ORDER BY rule, points")
    assert [(rule, points // 10**8) for rule, points in ledger] == [
        ("r", 3), ("r", 5), ("r", 7), ("w", -1), ("w", 1), ("w", 1),
    ]  # fmt: skip
    assert look(store, "SELECT score, raw, looked FROM balances ORDER BY score") == [
        ("s", 4 * 10**8, 40000),  # what both are worth together is the engine's to say
        ("t", 0, 0),
    ]
    assert look(store, "SELECT list, joined_at, left_at FROM members ORDER BY 1, 2") == [
        ("both", 1, 2),
        ("both", 4, None),
        ("his", 5, None),
        ("was", 1, 2),
    ]
    assert look(store, "SELECT topic, granted FROM consents ORDER BY topic") == [
        ("email", False),
        ("news", True),
        ("offers", True),
    ]
    assert look(store, "SELECT trigger, message_id, own_at FROM marks ORDER BY 1") == [
        ("t", "n", 5),
        ("u", "m", 9),
    ]
    assert look(store, "SELECT DISTINCT contact_id FROM changes") == [(known,)]
    assert {("contact", ""), ("score", "s"), ("consent", "")} <= set(
        look(store, "SELECT kind, name FROM changes")
    )


def test_merge_of_two_visitors_into_one_contact(store: Store) -> None:
    send(store, track("a", 1, anon="v"), track("b", 2, anon="w"))
    tick(store, 2)
    send(store, call("identify", 3, user=ANA, anon="v"), call("identify", 4, user=ANA, anon="w"))
    tick(store, 4)
    assert names(store) == ["a", "b", "contact_created"]
    assert look(store, "SELECT created_at FROM contacts") == [(at(1),)]
    assert look(store, "SELECT count(*) FROM merges") == [(0,)] if store.path else True


def test_a_shared_browser_does_not_merge_two_people(store: Store) -> None:
    send(
        store, call("identify", 1, user=ANA, anon="v"), call("identify", 2, user="b@x.es", anon="v")
    )
    tick(store, 2)
    assert look(store, "SELECT count(*) FROM contacts") == [(2,)]
    assert look(store, "SELECT waiting FROM calls ORDER BY own_at") == [(None,), (None,)]


# --- attributes -------------------------------------------------------------------------------


def changed(store: Store) -> list[tuple[Any, ...]]:
    return look(
        store,
        "SELECT subject, own_at FROM events WHERE name = 'attribute_changed' ORDER BY id",
    )


def test_t08_the_same_value_again_is_no_change(store: Store) -> None:
    send(store, call("identify", 1, user=ANA, traits={"plan": "Pro", "seats": 25, "tags": ["A"]}))
    tick(store, 1)
    change(store, "DELETE FROM changes")
    again = {"plan": "pro", "seats": "25", "tags": "a"}
    send(store, call("identify", 2, user=ANA, traits=again))
    tick(store, 2)
    assert changed(store) == []
    assert look(store, "SELECT * FROM changes") == []
    assert look(store, "SELECT set_at FROM attributes WHERE name = 'plan'") == [(at(2),)]
    assert [v for (v,) in look(store, "SELECT value FROM attributes WHERE name = 'plan'")] in (
        ["Pro"], ['"Pro"'],
    )  # fmt: skip  # the writing stays, as JSON text on SQLite


def test_attributes_change_one_after_another(store: Store) -> None:
    """Ruling 21 and 27: each change is an event, what a contact is created with is none."""
    for hour, plan in enumerate(("free", "trial", "TRIAL", "pro", None), 1):
        send(store, call("identify", hour, user=ANA, traits={"plan": plan, "zip": "08001"}))
    tick(store, 9)
    assert changed(store) == [("plan", at(2)), ("plan", at(4)), ("plan", at(5))]
    assert attributes(store) == {"zip": "08001"}
    values = look(
        store, "SELECT properties FROM events WHERE name = 'attribute_changed' ORDER BY id"
    )
    import json

    told = [json.loads(v) if isinstance(v, str) else v for (v,) in values]
    assert told[0] == {"attribute": "plan", "from": "free", "to": "trial"}
    assert told[2] == {"attribute": "plan", "from": "pro", "to": None}


def test_a_late_older_value_is_no_change(store: Store) -> None:
    send(store, call("identify", 5, user=ANA, traits={"plan": "pro"}))
    tick(store, 5)
    send(store, call("identify", 2, user=ANA, traits={"plan": "free", "city": "Vic"}), received=9)
    tick(store, 9)
    assert attributes(store) == {"plan": "pro", "city": "vic"}
    assert changed(store) == [("city", at(2))]


def test_attributes_of_lists_and_objects(store: Store) -> None:
    traits = {"tags": ["B", "a"], "address": {"city": "Vic"}, "age": 41, "empty": "", "no": None}
    send(store, call("identify", 1, user=ANA, traits=traits))
    tick(store, 1)
    assert attributes(store) == {"address.city": "vic", "age": "41", "tags": ["b", "a"]}
    assert look(store, "SELECT number FROM attributes WHERE name = 'age'") == [(41.0,)]


# --- the log ----------------------------------------------------------------------------------


def test_mail_events_take_the_topic_of_their_template(store: Store) -> None:
    send(store, track("Email Opened", 1, user=ANA, properties={"template": "hello"}))
    send(store, track("Email Opened", 2, user=ANA, properties={"template": "x", "topic": "t"}))
    send(
        store,
        track("Email Link Clicked", 3, user=ANA, properties={"template": "x", "machine": True}),
    )
    tick(store, 3)
    assert look(
        store,
        "SELECT name, subject, topic, machine, behaviour FROM events "
        "WHERE name LIKE 'email%' ORDER BY id",
    ) == [
        ("email_opened", "hello", "news", False, True),
        ("email_opened", "x", "t", False, True),
        ("email_clicked", "x", None, True, False),
    ]


@pytest.mark.parametrize(
    ("event", "properties", "suppressed"),
    [
        ("Email Bounced", {}, "bounced"),
        ("Email Bounced", {"type": "hard"}, "bounced"),
        ("Email Bounced", {"type": "soft"}, None),
        ("Email Marked as Spam", {}, "complained"),
    ],
)
def test_bounces_and_complaints_suppress(
    store: Store, event: str, properties: dict[str, str], suppressed: str | None
) -> None:
    send(store, track(event, 1, user=ANA, properties=properties))
    tick(store, 1)
    assert look(store, "SELECT suppressed FROM contacts") == [(suppressed,)]


def put_message(store: Store, key: str, status: str, settled: int, reason: str | None) -> None:
    reason = f"'{reason}'" if reason else "NULL"
    change(
        store,
        f"""INSERT INTO messages (key, kind, contact_id, scenario, step, priority, place,
        template, topic, entered_at, queued_at, due_at, status, reason, next_at, attempts, sent_at,
        settled_at, sent_event) VALUES ('{key}', 'email', 1, 'welcome', '{key}', 0, 0, 'Hello',
        'news', 0, 0, 0, '{status}', {reason}, 0, 0, {settled}, {settled}, false)""",
    )


def test_sent_mail_becomes_an_event_once(store: Store) -> None:
    send(store, track("a", 1, user=ANA))
    tick(store, 1)
    put_message(store, "k1", "sent", at(2), None)
    put_message(store, "k2", "sent", at(5), None)
    put_message(store, "k3", "failed", at(2), "bounced")
    put_message(store, "k4", "failed", at(2), "smtp")
    for hour in (3, 4):
        tick(store, hour)
    assert look(
        store,
        "SELECT name, message_id, subject, topic, mail_key, own_at, received_at, seen_at, behaviour"
        " FROM events WHERE name LIKE 'email%' ORDER BY name",
    ) == [
        ("email_bounced", "k3:bounced", "Hello", "news", "k3", at(2), at(2), at(3), False),
        ("email_sent", "k1:sent", "Hello", "news", "k1", at(2), at(2), at(3), False),
    ]
    assert look(store, "SELECT suppressed FROM contacts") == [("bounced",)]
    tick(store, 5)
    assert names(store).count("email_sent") == 2


def test_history_comes_first_and_is_marked(store: Store) -> None:
    send(store, track("live", 1, user=ANA))
    send(store, track("old", 0, user="b@x.es"), historical=True, received=1)
    tick(store, 1)
    assert look(store, "SELECT name, historical FROM events ORDER BY id") == [
        ("contact_created", True),
        ("old", True),
        ("contact_created", False),
        ("live", False),
    ]


# --- the inbox --------------------------------------------------------------------------------


def test_calls_that_come_during_a_tick_wait_for_the_next(store: Store) -> None:
    send(store, track("a", 1, user=ANA))
    with store.transact() as connection:
        assert take_in(connection, store.dialect, Project(), at(2), False) == 1
        writer = Thread(target=send, args=(store, track("b", 1.5, user=ANA)))
        writer.start()
        writer.join(timeout=10)
        assert not writer.is_alive(), "intake waits for the tick"
    forget_taken(store)
    assert names(store) == ["contact_created", "a"]
    assert tick(store, 3) == 1
    assert names(store) == ["contact_created", "a", "b"]


def test_many_writers_while_ticks_run(store: Store, store_url: str) -> None:
    stop = Flag()

    def write(writer: int) -> None:
        own = open_store(store_url)
        for n in range(40):
            mine = track(f"w{writer}", 1 + n / 100, user=f"p{n}@x.es", id=f"{writer}/{n}")
            both = track("both", 1, user=ANA, id=f"both/{n % 10}")
            send(own, mine, both, received=1)
        own.close()

    def work() -> None:
        while not stop.is_set():
            tick(store, 2)

    writers = [Thread(target=write, args=(n,)) for n in range(4)]
    ticking = Thread(target=work)
    ticking.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    ticking.join()
    tick(store, 2)
    assert look(store, "SELECT count(*) FROM events WHERE behaviour") == [(4 * 40 + 10,)]
    assert look(store, "SELECT count(*) FROM contacts") == [(41,)]
    assert look(store, "SELECT count(*) FROM inbox") == [(0,)]


def test_a_crash_after_the_tick_takes_nothing_twice(store: Store) -> None:
    """The commit landed, the inbox was not emptied: a repeated tick finds nothing new."""
    send(store, call("identify", 1, user=ANA, traits={"plan": "pro"}), track("a", 2, user=ANA))
    send(store, track("later", 9, user=ANA))
    with store.transact() as connection:
        take_in(connection, store.dialect, Project(), at(2), False)
    assert tick(store, 3) == 0
    assert look(store, "SELECT count(*) FROM inbox") == [(1,)]
    assert tick(store, 9) == 1
    assert names(store) == ["contact_created", "a", "later"]
    assert look(store, "SELECT count(*) FROM taken") == [(0,)]


def test_take_in_many(store: Store) -> None:
    """More lines than a chunk, some of them not due: the inbox is emptied of the right ones."""
    early = [track("a", 1 + n / 1e4, user=f"p{n % 50}@x.es", id=f"e{n}") for n in range(6000)]
    late = [track("b", 9, user=f"p{n % 50}@x.es", id=f"l{n}") for n in range(100)]
    send(store, *early, *late)
    assert tick(store, 5) == 6000
    assert look(store, "SELECT count(*) FROM inbox") == [(100,)]
    assert tick(store, 9) == 100
    assert look(store, "SELECT count(*), min(received_at) FROM inbox") == [(0, None)]
    assert (START, HOUR) and rows_of([], None) == []
