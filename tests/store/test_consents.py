"""Consent: what changes it is an event, what is so already is none, in any order of arrival."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import literal, select, union_all

from flowscore.store import consents as room
from flowscore.store.database import Store
from flowscore.store.intake import forget_taken, take_in
from store.taking import Project, at, call, look, names, rows_of, send, tick, track

ANA = "ana@x.es"


def subscribed(hours: float, topic: str | None = None, **fields: Any) -> dict[str, Any]:
    return spoken("Subscribed", hours, topic, **fields)


def unsubscribed(hours: float, topic: str | None = None, **fields: Any) -> dict[str, Any]:
    return spoken("Unsubscribed", hours, topic, **fields)


def spoken(event: str, hours: float, topic: str | None, **fields: Any) -> dict[str, Any]:
    said = {} if topic is None else {"properties": {"topic": topic}}
    return track(event, hours, **{"user": ANA, **said, **fields})


def consents(store: Store) -> dict[str, bool]:
    """Of the only contact; without what it said of everything."""
    rows = look(store, "SELECT topic, granted FROM consents WHERE topic <> 'all'")
    return {topic: bool(granted) for topic, granted in rows}


def told(store: Store) -> list[tuple[str, str, float]]:
    """The events of consent: name, topic, hours."""
    rows = look(
        store,
        "SELECT name, subject, own_at FROM events WHERE name LIKE '%subscribed' ORDER BY own_at",
    )
    return [(name, topic, (own_at - at(0)) / (at(1) - at(0))) for name, topic, own_at in rows]


def forms(store: Store, name: str = "unsubscribed") -> list[Any]:
    rows = look(store, f"SELECT forms FROM events WHERE name = '{name}' ORDER BY own_at")
    return [json.loads(one) if isinstance(one, str) else one for (one,) in rows]


def changes(store: Store) -> list[tuple[Any, ...]]:
    return look(store, "SELECT DISTINCT kind, name FROM changes WHERE kind = 'consent'")


# --- what is a change -------------------------------------------------------------------------


def test_newest_own_time_wins(store: Store) -> None:
    send(store, subscribed(3, "news"))
    tick(store, 3)
    send(store, unsubscribed(2, "news"), received=5)
    tick(store, 5)
    assert consents(store) == {"news": True}
    send(store, unsubscribed(6))
    tick(store, 6)
    assert consents(store) == {"news": True, "email": False}
    assert look(store, "SELECT source, at FROM consents WHERE topic = 'email'") == [
        ("event unsubscribed", at(6))
    ]
    assert told(store) == [("subscribed", "news", 3), ("unsubscribed", "email", 6)]


def test_a_sign_up_is_an_event_of_a_new_contact(store: Store) -> None:
    send(store, subscribed(1, "News", properties={"topic": " News ", "form": "footer"}))
    tick(store, 1)
    assert names(store) == ["contact_created", "subscribed"]
    ((message_id, topic, behaviour, properties),) = look(
        store,
        "SELECT message_id, topic, behaviour, properties FROM events WHERE name = 'subscribed'",
    )
    assert (message_id, topic, behaviour) == ("Subscribed@1", "news", False)
    found = json.loads(properties) if isinstance(properties, str) else properties
    assert found == {"topic": "news", "form": "footer"}
    assert forms(store, "subscribed") == [{"topic": [["news"]], "form": [["footer"]]}]


def test_what_is_so_already_is_no_event(store: Store) -> None:
    """Ruling 81; the messageId counts once all the same."""
    send(store, subscribed(1), subscribed(2), unsubscribed(3), unsubscribed(4), subscribed(5))
    tick(store, 5)
    assert told(store) == [("subscribed", "email", 1), ("unsubscribed", "email", 3),
                           ("subscribed", "email", 5)]  # fmt: skip
    assert len(look(store, "SELECT message_id FROM calls")) == 5
    send(store, subscribed(4, id="Subscribed@2"), subscribed(9, id="Unsubscribed@4"), received=9)
    tick(store, 9)
    assert len(told(store)) == 3
    assert look(store, "SELECT at FROM consents") == [(at(5),)]
    assert changes(store) == [("consent", "")]


def test_a_late_older_word_is_no_event(store: Store) -> None:
    send(store, subscribed(5, "news"))
    tick(store, 5)
    send(store, unsubscribed(3, "news"), subscribed(2, "offers"), received=9)
    tick(store, 9)
    assert told(store) == [("subscribed", "offers", 2), ("subscribed", "news", 5)]


def test_a_call_may_name_several_topics(store: Store) -> None:
    send(store, subscribed(1, "news"))
    send(store, subscribed(2, properties={"topics": ["news", "offers", "odd"]}))
    tick(store, 2)
    assert look(
        store, "SELECT message_id, subject FROM events WHERE name = 'subscribed' ORDER BY subject"
    ) == [
        ("Subscribed@1", "news"),
        ("Subscribed@2:odd", "odd"),
        ("Subscribed@2:offers", "offers"),
    ]


def test_history_is_told_as_history(store: Store) -> None:
    send(store, subscribed(1), historical=True)
    tick(store, 1)
    assert look(store, "SELECT historical FROM events WHERE name = 'subscribed'") == [(True,)]


# --- all --------------------------------------------------------------------------------------


def test_unsubscribe_all_refuses_every_topic(store: Store) -> None:
    """Rulings 81 and 121: one event, which says what was not refused before."""
    send(store, subscribed(1, "odd"), unsubscribed(1.5, "news"), unsubscribed(2, "all"))
    send(store, subscribed(3, "news"), unsubscribed(4, "odd"), unsubscribed(5, "all"))
    send(store, unsubscribed(6, "all"))
    for hour in (3, 5, 6):
        tick(store, hour)
    assert consents(store) == {"email": False, "offers": False, "odd": False, "news": False}
    assert told(store) == [
        ("subscribed", "odd", 1),
        ("unsubscribed", "news", 1.5),
        ("unsubscribed", "all", 2),
        ("subscribed", "news", 3),
        ("unsubscribed", "all", 5),
    ]
    assert [one.get("refused") for one in forms(store)] == [
        None,
        [["email"], ["odd"], ["offers"]],
        [["news"]],
    ]
    assert look(store, "SELECT topic FROM events WHERE subject = 'all'") == [("all",), ("all",)]


def test_subscribe_news_grants_news_alone(store: Store) -> None:
    send(store, unsubscribed(1, "all"), subscribed(2, "news"))
    tick(store, 2)
    assert consents(store) == {"email": False, "offers": False, "news": True}


def test_subscribe_all_grants_mail_in_general(store: Store) -> None:
    send(store, unsubscribed(1, "all"), subscribed(2, "all"))
    tick(store, 2)
    assert consents(store) == {"email": True, "offers": False, "news": False}
    assert told(store)[-1] == ("subscribed", "email", 2)


def test_a_topic_of_later_is_refused_by_all(store: Store) -> None:
    send(store, unsubscribed(5, "all"))
    tick(store, 5)
    send(store, subscribed(3, "odd"), received=6)
    tick(store, 6)
    assert consents(store) == {"email": False, "offers": False, "news": False, "odd": False}
    send(store, unsubscribed(7, "new"), subscribed(8, "new"))
    tick(store, 8)
    assert told(store) == [("unsubscribed", "all", 5), ("subscribed", "new", 8)]


WORDS = [
    subscribed(1, "news"),
    subscribed(2, "odd"),
    unsubscribed(3, "all"),
    subscribed(4, "offers"),
    call("identify", 5, user=ANA, anon="v"),
    subscribed(2.5, "news", user=None, anon="v", id="v1"),
    unsubscribed(4.5, "offers", user=None, anon="v", id="v2"),
    subscribed(6),
]
OUTCOME = {"news": False, "odd": False, "offers": False, "email": True}


@pytest.mark.parametrize("order", range(0, 40_320, 3001))
def test_any_order_of_arrival_ends_in_the_same(store: Store, order: int) -> None:
    """Each in a tick of its own; a visitor who is named by one of them, sooner or later."""
    for hour, one in enumerate(list(permutations(WORDS))[order], 10):
        send(store, one, received=hour)
        tick(store, hour)
    assert consents(store) == OUTCOME
    assert look(store, "SELECT topic, at FROM consents ORDER BY topic") == [
        ("all", at(3)), ("email", at(6)), ("news", at(3)), ("odd", at(3)), ("offers", at(4.5)),
    ]  # fmt: skip


def test_all_at_once_ends_in_the_same(store: Store) -> None:
    send(store, *reversed(WORDS), received=10)
    tick(store, 10)
    assert consents(store) == OUTCOME


def test_a_merge_refuses_what_was_agreed_before_all(store: Store) -> None:
    send(store, subscribed(1, "odd"), unsubscribed(2, "all", user=None, anon="v"))
    tick(store, 2)
    assert len(look(store, "SELECT id FROM contacts")) == 2
    send(store, call("identify", 3, user=ANA, anon="v"))
    tick(store, 3)
    assert consents(store) == {"email": False, "offers": False, "news": False, "odd": False}


def test_a_crash_after_the_tick_tells_nothing_twice(store: Store) -> None:
    send(store, subscribed(1, "news"), unsubscribed(2, "all"))
    with store.transact() as connection:
        take_in(connection, store.dialect, Project(), at(2), False)
    assert tick(store, 3) == 0
    assert len(told(store)) == 2
    forget_taken(store)
    send(store, subscribed(1, "news"), unsubscribed(2, "all"))
    tick(store, 4)
    assert len(told(store)) == 2


# --- imported rows ----------------------------------------------------------------------------


def contact_row(hours: float, consent: list[list[Any]], quiet: bool) -> Any:
    (row,) = rows_of([call("identify", hours, user=ANA)], None)
    return row._replace(
        kind="contact", message_id=f"row@{hours}", quiet=int(quiet), consents=json.dumps(consent)
    )


@pytest.mark.parametrize(("quiet", "events"), [(True, 0), (False, 1)])
def test_an_imported_row_tells_its_changes_unless_quiet(
    store: Store, quiet: bool, events: int
) -> None:
    """Ruling 119; what a contact is created with is no change."""
    from flowscore.store.inbox import receive

    receive(store, [contact_row(1, [["email", True]], quiet)])
    tick(store, 1)
    assert (consents(store), told(store)) == ({"email": True}, [])
    receive(store, [contact_row(2, [["email", False]], quiet)])
    receive(store, [contact_row(3, [["email", False]], quiet)])
    tick(store, 3)
    assert consents(store) == {"email": False}
    assert told(store) == [("unsubscribed", "email", 2)] * events


# --- what a program says ----------------------------------------------------------------------


def say(store: Store, hours: float, *topics: str, granted: bool = False) -> None:
    words = union_all(
        *(
            select(
                literal(1).label("contact_id"),
                literal(topic).label("topic"),
                literal(granted).label("granted"),
                literal(place).label("ord"),
                literal("scenario re-permission").label("source"),
                literal(f"enrollment/1/{topic}@{hours}").label("message_id"),
            )
            for place, topic in enumerate(topics, 1)
        )
    ).subquery()
    with store.transact() as connection:
        room.change(connection, store.dialect, ("news", "offers"), at(hours), select(words))


def test_a_program_changes_consent_by_the_same_rules(store: Store) -> None:
    send(store, subscribed(1, "news"))
    tick(store, 1)
    say(store, 2, "news", "offers", granted=True)
    say(store, 3, "all")
    say(store, 4, "all")
    assert told(store) == [
        ("subscribed", "news", 1),
        ("subscribed", "offers", 2),
        ("unsubscribed", "all", 3),
    ]
    assert forms(store) == [{"topic": [["all"]], "refused": [["email"], ["news"], ["offers"]]}]
    assert look(
        store,
        "SELECT message_id, own_at, received_at, seen_at FROM events WHERE subject = 'all'",
    ) == [("enrollment/1/all@3", at(3), at(3), at(3))]
    assert consents(store) == {"email": False, "news": False, "offers": False}
    assert look(store, "SELECT source FROM consents WHERE topic = 'news'") == [
        ("scenario re-permission",)
    ]
