"""Segment-style calls as inbox lines, and what is said of those that cannot be read."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowscore.clock import HOUR, MINUTE
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading, Reject
from flowscore.store.inbox import InboxRow
from store.taking import at, stamp

NOW = at(100)
TRACK = {"type": "track", "event": "Order Completed", "userId": "u1", "timestamp": stamp(1)}


def read(call: Any, **how: Any) -> InboxRow:
    row = read_call(call, Reading(NOW, **how))
    assert isinstance(row, InboxRow), row
    return row


def refused(call: Any, **how: Any) -> str:
    row = read_call(call, Reading(NOW, **how))
    assert isinstance(row, Reject), row
    assert row.content == call
    return row.reason


def test_track_becomes_a_line() -> None:
    call = TRACK | {"messageId": "m1", "properties": {"total": 9.5, "products": [{"sku": "A1"}]}}
    row = read(call)
    assert (row.message_id, row.kind, row.name) == ("m1", "track", "order_completed")
    assert (row.user_kind, row.user_value, row.email, row.anonymous_id) == (
        "user",
        "u1",
        None,
        None,
    )
    assert (row.own_at, row.received_at, row.behaviour) == (at(1), NOW, 1)
    assert json.loads(row.properties or "") == call["properties"]
    assert json.loads(row.forms or "") == {"total": [["9.5", 9.5]], "products.sku": [["a1"]]}


@pytest.mark.parametrize(
    ("event", "slug", "behaviour"),
    [
        ("Order Completed", "order_completed", 1),
        ("  --Cart: updated!! ", "cart_updated", 1),
        ("Email Link Clicked", "email_clicked", 1),
        ("Email Marked as Spam", "email_complained", 0),
        ("Email Bounced", "email_bounced", 0),
        ("Email Delivered", "email_delivered", 0),
        ("Email Delayed", "email_delayed", 0),
        ("Email Replied", "email_replied", 1),
        ("Email Verified", "email_verified", 1),
        ("email_sent", "email_sent", 0),
        ("Unsubscribed", "unsubscribed", 0),
        ("Größe gewählt", "gr_e_gew_hlt", 1),
    ],
)
def test_names_become_slugs(event: str, slug: str, behaviour: int) -> None:
    row = read(TRACK | {"event": event})
    assert (row.name, row.behaviour) == (slug, behaviour)


@pytest.mark.parametrize(
    ("machine", "behaviour"), [(True, 0), ("TRUE", 0), (False, 1), (None, 1), ("no", 1)]
)
def test_machine_opens_are_no_behaviour(machine: Any, behaviour: int) -> None:
    row = read(TRACK | {"event": "Email Opened", "properties": {"machine": machine}})
    assert (row.machine, row.behaviour) == (1 - behaviour, behaviour)


def test_mail_events_name_template_topic_and_mail() -> None:
    properties = {"template": "Hello", "topic": "news", "messageId": "k"}
    row = read(TRACK | {"event": "Email Opened", "properties": properties})
    assert (row.subject, row.topic, row.mail_key) == ("Hello", "news", "k")


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"path": "/Blog/Post/?utm=1#top"}, "/blog/post"),
        ({"path": "/"}, "/"),
        ({"url": "https://x.example/Courses/SQL/?a=b"}, "/courses/sql"),
        ({"path": "", "url": "https://x.example"}, "/"),
        ({"path": "/a", "url": "https://x.example/b"}, "/a"),
        ({"url": "http://[broken/x"}, "http://[broken/x"),
        ({}, None),
    ],
)
def test_page_has_its_path(properties: dict[str, Any], path: str | None) -> None:
    row = read({"type": "page", "userId": "u1", "name": "Home", "properties": properties})
    assert (row.name, row.subject) == ("page_viewed", path)
    forms = json.loads(row.forms or "")
    assert forms.get("path") == (None if path is None else [[path]])
    assert json.loads(row.properties or "")["name"] == "Home"


def test_page_that_is_tracked_by_name_has_its_path_too() -> None:
    call = {"event": "Page Viewed", "userId": "u1", "properties": {"path": "/Pricing/"}}
    row = read({"type": "track", **call})
    assert (row.name, row.subject) == ("page_viewed", "/pricing")
    other = read({"type": "track", **call, "event": "Downloaded"})
    assert other.subject is None


def test_page_takes_what_the_context_says() -> None:
    context = {"page": {"path": "/a", "title": "A"}, "campaign": {"source": "News"}, "library": 1}
    row = read({"type": "page", "userId": "u1", "context": context})
    assert row.subject == "/a"
    assert json.loads(row.forms or "")["context.campaign.source"] == [["news"]]
    assert "library" not in json.loads(row.properties or "")["context"]
    assert read({"type": "screen", "userId": "u1", "name": "X"}).name == "screen_viewed"


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"userId": "Ana@X.es"}, ("email", "ana@x.es", "Ana@X.es", "ana@x.es", None)),
        ({"userId": 17}, ("user", "17", None, None, None)),
        ({"userId": "not@mail"}, ("user", "not@mail", None, None, None)),
        ({"userId": None, "anonymousId": "v"}, (None, None, None, None, "v")),
        ({"userId": "", "anonymousId": "v"}, (None, None, None, None, "v")),
        ({"email": "a@x.es"}, ("email", "a@x.es", "a@x.es", "a@x.es", None)),
        (
            {"userId": "u1", "context": {"traits": {"email": "A@x.es"}}},
            ("user", "u1", "A@x.es", "a@x.es", None),
        ),
        ({"anonymousId": "v", "traits": {"email": "nonsense"}}, (None, None, None, None, "v")),
    ],
)
def test_who_is_meant(who: dict[str, Any], expected: tuple[Any, ...]) -> None:
    row = read({"type": "track", "event": "a", **who})
    found = (row.user_kind, row.user_value, row.email, row.email_folded, row.anonymous_id)
    assert found == expected


def test_identify_takes_traits_from_both_places() -> None:
    call = {
        "type": "identify",
        "userId": "u1",
        "context": {"traits": {"plan": "free", "city": "Vic", "email": "a@x.es"}},
        "traits": {"plan": "Pro", "address": {"zip": "08001"}},
    }
    row = read(call)
    assert row.email == "a@x.es"
    assert json.loads(row.traits or "") == [
        ["plan", "Pro", [["pro"]]],
        ["city", "Vic", [["vic"]]],
        ["address.zip", "08001", [["08001"]]],
    ]


@pytest.mark.parametrize(
    ("call", "own", "received"),
    [
        ({"timestamp": stamp(1)}, at(1), NOW),
        ({"timestamp": "2026-01-01T02:00:00.250+01:00"}, at(1) + 250_000, NOW),
        ({"timestamp": "2026-01-01 01:00:00 UTC"}, at(1), NOW),
        ({"timestamp": None, "originalTimestamp": stamp(2)}, at(2), NOW),
        ({"timestamp": "", "sentAt": stamp(3)}, at(3), NOW),
        ({"timestamp": stamp(200)}, NOW, NOW),
        ({"timestamp": None}, NOW, NOW),
    ],
)
def test_own_time_is_never_after_receipt(call: dict[str, Any], own: int, received: int) -> None:
    row = read(TRACK | call)
    assert (row.own_at, row.received_at) == (own, received)


def test_as_live_is_received_when_it_says_or_happened() -> None:
    assert read(TRACK, as_live=True).received_at == at(1)
    said = TRACK | {"receivedAt": stamp(5)}
    assert read(said, as_live=True)[8:10] == (at(1), at(5))
    early = TRACK | {"receivedAt": stamp(0.5)}
    assert read(early, as_live=True)[8:10] == (at(0.5), at(0.5))


def test_a_wrong_client_clock_is_corrected() -> None:
    """The client's clock is 2 hours ahead: it said 99:30 when it was 97:30."""
    call = TRACK | {"timestamp": stamp(99.5)}
    assert read(call, sent_at=NOW + 2 * HOUR).own_at == at(97.5)


def test_a_time_without_a_zone_is_local_where_said() -> None:
    call = TRACK | {"timestamp": "2026-01-01T02:00:00"}
    assert read(call, zone=ZoneInfo("Europe/Madrid")).own_at == at(1)
    assert refused(call) == (
        "timestamp: «2026-01-01T02:00:00» has no zone, expected 2026-11-22T09:00:00Z"
    )
    assert MINUTE


def test_without_message_id_the_call_itself_counts_once() -> None:
    assert read(TRACK).message_id == read(dict(reversed(TRACK.items()))).message_id
    assert read(TRACK).message_id != read(TRACK | {"event": "x"}).message_id
    assert read(TRACK | {"messageId": 7}).message_id.startswith("hash:")


@pytest.mark.parametrize(
    ("event", "properties", "said"),
    [
        ("Subscribed", {}, [["email", True]]),
        ("Subscribed", {"topic": " News "}, [["news", True]]),
        ("Subscribed", {"topic": "all"}, [["email", True]]),
        ("Subscribed", {"topics": ["news", "offers", "News", None]},
         [["news", True], ["offers", True]]),
        ("Unsubscribed", {"topic": ""}, [["email", False]]),
        ("Unsubscribed", {"topic": "all"}, [["all", False]]),
        ("Unsubscribed", {"topics": ["news", "All"]}, [["all", False]]),
        ("Unsubscribed", {"topics": []}, [["email", False]]),
    ],
)  # fmt: skip
def test_consent_by_events(event: str, properties: dict[str, Any], said: list[Any]) -> None:
    row = read(TRACK | {"event": event, "properties": properties})
    assert json.loads(row.consents or "") == said
    assert (row.behaviour, row.consent_source) == (0, f"event {event.lower()}")


def test_group_names_a_company() -> None:
    traits = {"industry": "software", "email": "office@g.es", "size": {"people": 40}}
    call = {"type": "group", "userId": "u1", "groupId": " G/7 ", "traits": traits}
    row = read(call)
    assert (row.kind, row.subject, row.user_value, row.email) == ("group", "G/7", "u1", None)
    assert json.loads(row.properties or "") == call
    assert row.traits is None
    assert json.loads(row.forms or "") == [
        ["industry", "software", [["software"]]],
        ["email", "office@g.es", [["office@g.es"]]],
        ["size.people", 40, [["40", 40]]],
    ]
    assert read({"type": "group", "userId": "u1", "groupId": 7}).subject == "7"


def test_alias_is_kept_whole() -> None:
    assert read({"type": "alias", "userId": "u2", "previousId": "u1"}).kind == "alias"


@pytest.mark.parametrize(
    ("properties", "link"),
    [
        ({"link_url": "https://x.es/Offer?utm=1"}, "https://x.es/Offer?utm=1"),
        ({"url": "https://x.es/a"}, "https://x.es/a"),
        ({"link": "https://x.es/a", "link_url": "https://x.es/b"}, "https://x.es/a"),
        ({"link_id": "7"}, None),
    ],
)
def test_clicks_name_their_link(properties: dict[str, Any], link: str | None) -> None:
    row = read(TRACK | {"event": "Email Link Clicked", "properties": properties})
    found = json.loads(row.properties or "")
    assert found.get("link") == link
    assert properties.items() <= found.items()
    forms = json.loads(row.forms or "").get("link")
    assert forms == (None if link is None else [[link.casefold()]])


def deep() -> Any:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (17, "found a number, expected an object with the call's fields"),
        (["a"], "found a list, expected an object with the call's fields"),
        ({}, "type: found nothing, expected track, page, screen, identify, group or alias"),
        ({"type": "trakc"}, "type: found «trakc», expected track, page, screen, identify"),
        ({"type": ["track"]}, 'type: found «["track"]», expected track'),
        ({"type": "track", "userId": "u"}, "event: found nothing, expected the name"),
        ({"type": "track", "event": 5, "userId": "u"}, "event: found nothing, expected the name"),
        ({"type": "track", "event": "注文", "userId": "u"}, "has neither Latin letters nor digits"),
        ({"type": "track", "event": "x" * 600, "userId": "u"}, "found 600 letters, expected at"),
        ({"type": "track", "event": "a"}, "found no userId, anonymousId or email, expected whom"),
        ({"type": "track", "event": "a", "email": "x@"}, "email: «x@» is not an e-mail address"),
        (TRACK | {"userId": {"id": 1}}, "userId: found an object, expected text"),
        (TRACK | {"userId": "x" * 501}, "userId: found 501 letters, expected at most 500"),
        (TRACK | {"timestamp": "yesterday"}, "timestamp: found «yesterday», expected a time such"),
        (TRACK | {"timestamp": 1_700_000_000}, "timestamp: found «1700000000», expected a time"),
        (TRACK | {"timestamp": "2026-02-30T00:00:00Z"}, "timestamp: found «2026-02-30T00:00:00Z»"),
        (TRACK | {"properties": [1]}, "properties: found a list, expected an object"),
        (
            TRACK | {"event": "Subscribed", "properties": {"topic": {"id": 1}}},
            'topic: found «{"id":1}», expected the name of a topic',
        ),
        ({"type": "group", "userId": "u"}, "groupId: found nothing, expected the company's id"),
        ({"type": "group", "userId": "u", "groupId": [1]}, "groupId: found a list, expected text"),
        (
            {"type": "group", "groupId": "g", "traits": {"email": "a@x.es"}},
            "found no userId, anonymousId or email, expected whom",
        ),
        ({"type": "identify", "userId": "u", "traits": "x"}, "traits: found text, expected an"),
    ],
)
def test_bad_calls_are_refused_with_their_reason(call: Any, reason: str) -> None:
    assert reason in refused(call)


def test_a_call_nested_beyond_measure_is_refused() -> None:
    row = read_call(TRACK | {"properties": {"a": deep()}}, Reading(NOW))
    assert isinstance(row, Reject)
