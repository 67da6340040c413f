"""What was said of consent is kept as it was said: when, where, to which text, with its proof."""

from __future__ import annotations

from typing import Any

from flowscore.store.calls import Reading, read_call
from flowscore.store.database import Store
from flowscore.store.inbox import InboxRow, receive
from store.taking import at, call, look, send, tick, track

ANA = "ana@x.es"


def said(event: str, hours: float, who: str = ANA, **properties: Any) -> dict[str, Any]:
    return track(event, hours, user=who, id=f"{event}@{hours}@{who}", properties=properties)


def records(store: Store) -> list[tuple[Any, ...]]:
    """Topic, granted, hours, text and proof of each, in order."""
    rows = look(
        store, "SELECT topic, granted, at, text, proof FROM consent_records ORDER BY at, id"
    )
    return [
        (topic, bool(granted), (when - at(0)) / (at(1) - at(0)), text, proof)
        for topic, granted, when, text, proof in rows
    ]


def test_f01_a_word_that_changes_something_is_recorded_with_text_and_proof(store: Store) -> None:
    send(store, said("Subscribed", 1, topic="news", text="Yes, write to me", proof="ab12"))
    tick(store, 2)
    assert records(store) == [("news", True, 1, "Yes, write to me", "ab12")]
    source = look(store, "SELECT source FROM consent_records")
    assert source == [("event subscribed",)]


def test_f01_the_event_keeps_what_came_with_the_word(store: Store) -> None:
    send(store, said("Subscribed", 1, topic="news", text="Yes", proof="ab12"))
    tick(store, 2)
    rows = look(store, "SELECT properties FROM events WHERE name = 'subscribed'")
    assert "ab12" in str(rows[0][0]) and "Yes" in str(rows[0][0])


def test_the_event_names_the_source_that_brought_the_word(store: Store) -> None:
    line = read_call(said("Subscribed", 1, topic="news"), Reading(at(1)))
    assert isinstance(line, InboxRow)
    receive(store, [line._replace(source="shop-web")])
    tick(store, 2)
    assert look(store, "SELECT name, source FROM events WHERE topic = 'news'") == [
        ("subscribed", "shop-web")
    ]


def test_what_is_so_already_is_recorded_only_with_a_text(store: Store) -> None:
    send(store, said("Subscribed", 1, topic="news"), said("Subscribed", 2, topic="news"))
    tick(store, 3)
    send(store, said("Subscribed", 4, topic="news", consent_text="Still yes"))
    tick(store, 5)
    assert records(store) == [
        ("news", True, 1, None, None),
        ("news", True, 4, "Still yes", None),
    ]


def test_everything_refused_is_one_record(store: Store) -> None:
    send(store, said("Subscribed", 1, topics=["news", "offers"]))
    send(store, said("Unsubscribed", 2, topic="all"))
    tick(store, 3)
    assert records(store) == [
        ("news", True, 1, None, None),
        ("offers", True, 1, None, None),
        ("all", False, 2, None, None),
    ]


def test_a_line_taken_twice_is_recorded_once(store: Store) -> None:
    line = said("Subscribed", 1, topic="news", text="Yes")
    send(store, line)
    tick(store, 2)
    send(store, line)
    tick(store, 3)
    assert len(records(store)) == 1


def test_a_late_word_that_changes_nothing_any_more_is_recorded_with_its_text(store: Store) -> None:
    send(store, said("Unsubscribed", 5, topic="news"))
    tick(store, 6)
    send(store, said("Subscribed", 1, topic="news", text="Yes"), received=6)
    tick(store, 7)
    assert records(store) == [("news", True, 1, "Yes", None), ("news", False, 5, None, None)]
    assert look(store, "SELECT granted FROM consents WHERE topic = 'news'") in ([(0,)], [(False,)])


def test_records_of_a_merged_visitor_become_the_contacts(store: Store) -> None:
    send(store, track("Subscribed", 1, anon="v1", properties={"topic": "news", "text": "Yes"}))
    tick(store, 2)
    send(store, call("identify", 3, user=ANA, anon="v1"))
    tick(store, 4)
    owner = "SELECT c.email FROM consent_records r JOIN contacts c ON c.id = r.contact_id"
    assert look(store, owner) == [(ANA,)]
