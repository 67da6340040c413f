"""Servers in Node: @segment/analytics-node, the former analytics-node, RudderStack's (gzip)."""

from __future__ import annotations

import pytest

from required import required
from web.clients import Door, assert_a_day_is_known, open_door, run_node
from web.conftest import Serve

SCRIPTS = ["segment_node.mjs", "segment_node_older.cjs", "rudder_node.cjs"]
pytestmark = [
    required("node", "clients"),
    pytest.mark.parametrize("script", SCRIPTS),
]


@pytest.fixture
def door(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Door:
    return open_door(serve, monkeypatch)


def test_a_day_of_a_node_server_arrives_once(door: Door, script: str) -> None:
    assert run_node(script, door.address, door.key) == ""
    assert {(one.path, one.status) for one in door.notes.asked} == {("/v1/batch", 200)}
    assert len(door.notes.asked) <= 2  # some send their first event alone
    assert_a_day_is_known(door)


def test_an_answer_that_is_lost_on_the_way_brings_nothing_twice(door: Door, script: str) -> None:
    door.notes.lost_answers = 1
    assert run_node(script, door.address, door.key) == ""
    assert sorted({one.status for one in door.notes.posts}) == [200, 503]
    assert_a_day_is_known(door)


def test_a_wrong_key_ends_the_matter(door: Door, script: str) -> None:
    assert "failed: " in run_node(script, door.address, "fs_" + "x" * 32)
    assert [one.status for one in door.notes.asked] in ([401], [401, 401])
    assert door.house.inbox() == []
