"""Web pages send too: what a browser asks before it does, and which pages may (INTAKE 9)."""

from __future__ import annotations

import pytest

from web.conftest import House
from web.intake_door import SHOP, Intake, basic, open_intake

EVIL = "https://evil.example.com"
WANTED = "anonymousid, authorization, content-type, sentat"


@pytest.fixture
def page(house: House) -> Intake:
    """A key for one page."""
    return open_intake(house, "page", [SHOP])


def preflight(door: Intake, origin: str, path: str = "/v1/batch") -> tuple[int, dict[str, str]]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": WANTED,
    }
    answer = door.house.client.options(path, headers=asked)
    return answer.status_code, dict(answer.headers)


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/t", "/api/s/page", "/sourceConfig/"])
def test_a_preflight_lets_the_page_send_what_it_wants(page: Intake, path: str) -> None:
    status, headers = preflight(page, SHOP, path)
    assert status == 204
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["access-control-allow-headers"] == WANTED
    assert "POST" in headers["access-control-allow-methods"]
    assert headers["vary"] == "Origin"


def test_a_page_that_no_key_is_meant_for_is_told_no(page: Intake) -> None:
    status, headers = preflight(page, EVIL)
    assert status == 403
    assert "access-control-allow-origin" not in headers


def test_where_any_key_is_for_any_page_a_preflight_says_yes(page: Intake) -> None:
    anywhere = open_intake(page.house, "anywhere")
    assert preflight(page, EVIL)[0] == 204
    assert preflight(page, EVIL, f"/v1/batch?writeKey={page.key}")[0] == 403
    assert preflight(page, EVIL, f"/v1/batch?writeKey={anywhere.key}")[0] == 204


@pytest.mark.parametrize("origin", [EVIL, "null", "http://shop.example.com", SHOP + ":8443"])
def test_what_a_foreign_page_sends_is_not_kept(page: Intake, origin: str) -> None:
    answer = page.post(
        "/v1/t", {"event": "x", "userId": "u1"}, headers={**basic(page.key), "Origin": origin}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers
    assert page.came() == []


def test_the_right_page_reads_its_answers_and_refusals(page: Intake) -> None:
    headers = {**basic(page.key), "Origin": SHOP}
    taken = page.post("/v1/t", {"event": "x", "userId": "u1"}, headers=headers)
    refused = page.post("/v1/t", content=b"no", headers=headers)
    unknown = page.post("/v1/t", {"event": "x"}, headers={**basic("fs_no"), "Origin": SHOP})
    assert [r.status_code for r in (taken, refused, unknown)] == [200, 400, 401]
    assert all(r.headers["access-control-allow-origin"] == SHOP for r in (taken, refused, unknown))


def test_servers_name_no_page(page: Intake) -> None:
    assert page.track().status_code == 200


def test_segment_asks_for_its_settings(page: Intake) -> None:
    path = f"/v1/projects/{page.key}/settings"
    answer = page.house.client.get(path, headers={"Origin": SHOP})
    assert answer.json() == {"integrations": {"Segment.io": {"apiKey": page.key}}}
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert page.house.client.get("/v1/projects/nope/settings").status_code == 401


def test_rudderstack_asks_for_its_source(page: Intake) -> None:
    answer = page.house.client.get(
        "/sourceConfig/",
        params={"p": "npm", "v": "3.34.1", "writeKey": page.key},
        headers={"Origin": SHOP, **basic(page.key)},
    )
    source = answer.json()["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == (page.key, True, [])
    assert page.house.client.get("/sourceConfig/").status_code == 401
