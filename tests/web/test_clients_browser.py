"""Sites: @segment/analytics-next and others in a real browser, on an origin that is not ours."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from flowscore.clock import instant_of
from required import required
from web.clients import ORDERED, Door, Site, open_door, site
from web.conftest import Serve

pytestmark = required("chromium", "clients")


@pytest.fixture
def shop() -> Iterator[Site]:
    """Where the pages are."""
    with site() as made:
        yield made


@pytest.fixture
def door(serve: Serve, monkeypatch: pytest.MonkeyPatch, shop: Site) -> Door:
    """Its key may be used from the shop's pages only."""
    return open_door(serve, monkeypatch, shop.address)


def settled(door: Door, posts: int) -> list[str]:
    """The paths of the posts that were taken, sorted; waits for so many, then for one too many."""
    until = time.monotonic() + 15
    while len(door.notes.taken) < posts and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    return sorted(one.path for one in door.notes.taken)


def assert_a_visit_is_known(door: Door, page: str, anonymous_id: str) -> None:
    """One person: what the visitor did before giving a name, and what the person did after."""
    door.house.tick()
    events = {one["name"]: one for one in door.events()}
    assert sorted(one["name"] for one in door.events()) == [
        "order_completed", "page_viewed", "video_played"
    ]  # fmt: skip
    assert events["page_viewed"]["properties"]["name"] == "Pricing"
    assert events["page_viewed"]["properties"]["title"] == "Prices"
    assert events["page_viewed"]["subject"] == f"/{page}"
    assert events["video_played"]["properties"]["seconds"] == 12
    assert events["order_completed"]["properties"]["total"] == 25.5
    assert "Chrome" in events["order_completed"]["properties"]["context"]["userAgent"]
    assert door.points() == 15
    assert door.contact()["email"] == "ana@example.com"
    assert {one["contact_id"] for one in events.values()} == {door.contact()["id"]}
    assert door.attributes()["plan"] == "team"
    assert door.names() >= {("email", "ana@example.com"), ("user", "u-1"),
                            ("anonymous", anonymous_id)}  # fmt: skip
    assert door.house.rows("SELECT key FROM companies") == [{"key": "acme"}]


VISITS = {
    "segment.html": ["/v1/a", "/v1/g", "/v1/i", "/v1/p", "/v1/t", "/v1/t"],
    "segment_older.html": ["/v1/a", "/v1/g", "/v1/i", "/v1/p", "/v1/t", "/v1/t"],
    "rudder.html": [
        "/v1/alias", "/v1/group", "/v1/identify", "/v1/page", "/v1/track", "/v1/track"
    ],
    "jitsu.html": [
        "/api/s/group", "/api/s/identify", "/api/s/page", "/api/s/track", "/api/s/track"
    ],
}  # fmt: skip
COMPLAINS = {"jitsu.html": "should be 'key:secret'"}  # of any key but its maker's, and sends


@pytest.mark.parametrize("page", VISITS)
def test_a_visit_arrives_once(door: Door, shop: Site, page: str) -> None:
    with shop.visit(page, door):
        anonymous_id = shop.said()["anonymousId"]
        assert settled(door, len(VISITS[page])) == VISITS[page]
    assert {one.status for one in door.notes.asked} <= {200, 204}
    assert all(COMPLAINS.get(page, "none") in one for one in shop.complaints)
    assert_a_visit_is_known(door, page, anonymous_id)
    if page != "jitsu.html":  # which knows no other time than now
        [order] = [one for one in door.events() if one["name"] == "order_completed"]
        assert 0 <= order["own_at"] - instant_of(ORDERED) < 5_000_000


LEAVING = {"segment_leaving.html": "/v1/b", "rudder_leaving.html": "/beacon/v1/batch"}


@pytest.mark.parametrize("page", LEAVING)
def test_what_waits_is_sent_on_leaving_the_page(door: Door, shop: Site, page: str) -> None:
    with shop.visit(page, door):
        assert shop.said() == {"left": True}
        assert settled(door, 1) == [LEAVING[page]]
    door.house.tick()
    assert [one["name"] for one in door.events()] == ["page_viewed", "video_played"]


@pytest.mark.parametrize("page", ["segment.html", "rudder.html"])
def test_an_answer_that_is_lost_on_the_way_brings_nothing_twice(
    door: Door, shop: Site, page: str
) -> None:
    door.notes.lost_answers = 1
    with shop.visit(page, door):
        anonymous_id = shop.said()["anonymousId"]
        assert settled(door, 6) == VISITS[page]
    assert len(door.notes.posts) == 7
    assert_a_visit_is_known(door, page, anonymous_id)


@pytest.mark.parametrize("page", ["segment.html", "rudder.html", "jitsu.html"])
def test_a_wrong_key_ends_the_matter(door: Door, shop: Site, page: str) -> None:
    with shop.visit(page, door, key="fs_" + "x" * 32):
        first_answer(door)
    assert {one.status for one in door.notes.asked} - {204} == {401}
    assert len(door.notes.posts) <= len(VISITS[page])
    assert door.house.inbox() == []


def first_answer(door: Door) -> None:
    """Wait for it, and a while for more."""
    until = time.monotonic() + 15
    while not door.notes.asked and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(2)


def test_a_key_of_another_site_brings_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, shop: Site
) -> None:
    door = open_door(serve, monkeypatch, "https://elsewhere.example")
    with shop.visit("segment.html", door):
        first_answer(door)
    assert {one.status for one in door.notes.asked} == {403}
    assert door.house.inbox() == []
