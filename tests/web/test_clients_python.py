"""Servers in Python: segment-analytics-python and rudder-sdk-python, unchanged, at our door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

from web.clients import CAMPAIGN, ORDERED, Door, assert_a_day_is_known, open_door
from web.conftest import Serve

CLIENTS = [(Segment, False), (Segment, True), (Rudder, False), (Rudder, True)]
Client = Any


@pytest.fixture
def door(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Door:
    return open_door(serve, monkeypatch)


@pytest.fixture(params=CLIENTS, ids=["segment", "segment-gzip", "rudder", "rudder-gzip"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Client]]:
    """A client that is given nothing but our address and a key."""
    kind, gzip = request.param
    yield lambda door, key="": kind(key or door.key, host=door.address, gzip=gzip, on_error=note)
    failed.clear()


failed: list[Exception] = []


def note(error: Exception, _: object) -> None:
    failed.append(error)


def live_a_day(client: Client) -> None:
    """Every kind of call about one person."""
    visitor = {"anonymous_id": "visitor-1"}
    seen = {"context": {"campaign": CAMPAIGN}, "timestamp": ORDERED}
    client.page(**visitor, **seen, name="Prices", properties={"path": "/prices"})
    client.identify("u-1", {"email": "ana@example.com", "plan": "team"}, **visitor)
    client.track("u-1", "Order Completed", {"total": 25.5}, timestamp=ORDERED)
    client.group("u-1", "acme", {"name": "Acme"})
    client.screen("u-1", name="Basket", properties={"items": 2}, timestamp=ORDERED)
    client.alias("u-1", "crm-1")
    client.flush()
    client.join()


def test_a_day_of_a_python_server_arrives_once(door: Door, connect: Callable) -> None:
    live_a_day(connect(door))
    assert failed == []
    assert {(one.path, one.status) for one in door.notes.asked} == {("/v1/batch", 200)}
    assert_a_day_is_known(door)


def test_an_answer_that_is_lost_on_the_way_brings_nothing_twice(
    door: Door, connect: Callable
) -> None:
    door.notes.lost_answers = 1
    live_a_day(connect(door))
    assert failed == []
    assert door.notes.posts[0].status == 503
    assert_a_day_is_known(door)


def test_a_wrong_key_ends_the_matter(door: Door, connect: Callable) -> None:
    live_a_day(connect(door, key="fs_" + "x" * 32))
    assert len(failed) == len(door.notes.posts) <= 2  # rudder sends its first event alone
    assert {one.status for one in door.notes.posts} == {401}
    assert door.house.inbox() == []
