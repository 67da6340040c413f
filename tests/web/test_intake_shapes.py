"""What each client of the INTAKE table sends, in its own form: taken, and counted once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from flowscore.clock import rfc3339
from web.conftest import House
from web.intake_door import SHOP, Intake, basic, open_intake, packed

AT, SENT = "2026-11-20T10:00:00", "2026-11-20T10:00:01"
PAGE = {
    "path": "/pricing",
    "referrer": "https://search.example/",
    "search": "?utm_source=news",
    "title": "Pricing",
    "url": "https://shop.example.com/pricing?utm_source=news",
}
CAMPAIGN = {"source": "news", "medium": "email", "name": "autumn"}


def segment_python(door: Intake) -> None:
    """Its times have six decimals and an offset; ids are in every call, `null` where unknown."""
    library = {"library": {"name": "analytics-python", "version": "2.4.0"}}
    shared = {
        "integrations": {},
        "anonymousId": None,
        "timestamp": f"{AT}.000000+00:00",
        "context": library,
        "userId": "u1",
    }
    calls = [
        {**shared, "type": "identify", "messageId": "py-1", "traits": {"plan": "pro"}},
        {**shared, "type": "track", "messageId": "py-2", "event": "Ordered",
         "properties": {"total": 49.5}},
    ]  # fmt: skip
    beside = {"sentAt": f"{SENT}.000000+00:00", "writeKey": door.key}
    headers = {**basic(door.key), "Content-Type": "application/json"}
    assert door.post("/v1/batch", {"batch": calls, **beside}, headers=headers).status_code == 200


def segment_python_gzip(door: Intake) -> None:
    call = {"type": "track", "messageId": "gz-1", "event": "Ordered", "userId": "u1",
            "timestamp": f"{AT}+00:00", "context": {}, "integrations": {}}  # fmt: skip
    body = packed({"batch": [call], "sentAt": f"{SENT}+00:00"})
    headers = {**basic(door.key), "Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert door.post("/v1/batch", content=body, headers=headers).status_code == 200


def rudder_python(door: Intake) -> None:
    """Gzip by default; traits only in the context."""
    call = {
        "type": "identify",
        "messageId": "rp-1",
        "userId": "u1",
        "anonymousId": "",
        "originalTimestamp": f"{AT}.000Z",
        "context": {"traits": {"plan": "pro"}, "library": {"name": "rudder-analytics-python"}},
        "channel": "server",
    }
    body = packed({"batch": [call], "sentAt": f"{SENT}.000Z"})
    headers = {**basic(door.key), "Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert door.post("/v1/batch", content=body, headers=headers).status_code == 200


def segment_node(door: Intake) -> None:
    """No time beside the batch; each call has its own."""
    call = {
        "type": "track",
        "messageId": "node-next-1763802000000-0a1b",
        "event": "Ordered",
        "userId": "u1",
        "timestamp": f"{AT}.000Z",
        "integrations": {},
        "context": {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}},
        "_metadata": {"nodeVersion": "22.0.0", "jsRuntime": "node"},
    }
    body = {"batch": [call], "writeKey": door.key, "sentAt": f"{SENT}.000Z"}
    headers = {**basic(door.key), "Content-Type": "application/json"}
    assert door.post("/v1/batch", body, headers=headers).status_code == 200


def analytics_node(door: Intake) -> None:
    """An old one: the first call alone, `timestamp` and `sentAt` beside the batch."""
    call = {"type": "track", "messageId": "node-6b3f-0a1b", "event": "Ordered", "userId": "u1",
            "timestamp": f"{AT}.000Z", "context": {}, "_metadata": {}}  # fmt: skip
    body = {"batch": [call], "timestamp": f"{SENT}.000Z", "sentAt": f"{SENT}.000Z"}
    assert door.post("/v1/batch", body).status_code == 200


def rudder_node_gzip(door: Intake) -> None:
    """Gzip that calls itself a form."""
    call = {"type": "track", "messageId": "rn-1", "event": "Ordered", "userId": "u1",
            "originalTimestamp": f"{AT}.000Z", "channel": "server", "context": {}}  # fmt: skip
    headers = {
        **basic(door.key),
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = packed({"batch": [call], "sentAt": f"{SENT}.000Z"})
    assert door.post("/v1/batch", content=body, headers=headers).status_code == 200


def segment_browser(door: Intake) -> None:
    """Settings first; then each call alone, as plain text, with the key in the body."""
    headers = {"Origin": SHOP, "Content-Type": "text/plain"}
    asked = door.house.client.get(f"/v1/projects/{door.key}/settings", headers={"Origin": SHOP})
    assert asked.json()["integrations"]["Segment.io"]["apiKey"] == door.key
    shared = {
        "anonymousId": "visitor-1",
        "userId": None,
        "timestamp": f"{AT}.000Z",
        "sentAt": f"{SENT}.000Z",
        "writeKey": door.key,
        "integrations": {},
        "context": {"page": PAGE, "campaign": CAMPAIGN, "locale": "es-ES"},
    }
    page = {**shared, "type": "page", "messageId": "ajs-next-1-a", "properties": PAGE}
    leaving = {**page, "messageId": "ajs-next-2-b", "properties": {}, "name": "Pricing"}
    del leaving["sentAt"]
    batch = {"writeKey": door.key, "batch": [leaving], "sentAt": f"{SENT}.000Z"}
    assert door.post("/v1/p", page, headers=headers).status_code == 200
    assert door.post("/v1/b", batch, headers=headers).status_code == 200


def rudder_browser(door: Intake) -> None:
    """Source config first; ids in headers too; a beacon, without any header of its own, at last."""
    headers = {
        **basic(door.key),
        "Origin": SHOP,
        "AnonymousId": b64encode(b"visitor-1").decode(),
        "SentAt": f"{SENT}.000Z",
        "Content-Type": "application/json",
    }
    asked = door.house.client.get(f"/sourceConfig/?p=npm&v=3.34.1&writeKey={door.key}")
    assert asked.json()["source"]["enabled"]
    call = {
        "type": "page",
        "messageId": "rb-1",
        "anonymousId": "visitor-1",
        "userId": "",
        "originalTimestamp": f"{AT}.000Z",
        "sentAt": f"{SENT}.000Z",
        "context": {"page": {**PAGE, "initial_referrer": "$direct"}, "campaign": {}, "traits": {}},
        "properties": {**PAGE, "name": "Pricing"},
        "event": None,
        "integrations": {"All": True},
    }
    assert door.post("/v1/page", call, headers=headers).status_code == 200
    beacon = json.dumps({"batch": [{**call, "messageId": "rb-2"}], "sentAt": f"{SENT}.000Z"})
    path = f"/beacon/v1/batch?writeKey={door.key}"
    plain = {"Origin": SHOP, "Content-Type": "text/plain;charset=UTF-8"}
    assert door.post(path, content=beacon.encode(), headers=plain).status_code == 200


def jitsu(door: Intake) -> None:
    """A key in a header of its own, and the call's kind in the path."""
    call = {
        "type": "page",
        "messageId": "k3j9x0q2m1z7w5t8v4n6b",
        "anonymousId": "visitor-1",
        "timestamp": f"{AT}.000Z",
        "sentAt": f"{SENT}.000Z",
        "requestIp": "",
        "context": {"page": PAGE, "campaign": CAMPAIGN, "clientIds": {}},
        "properties": PAGE,
    }
    headers = {"X-Write-Key": door.key, "Content-Type": "application/json", "Origin": SHOP}
    assert door.post("/api/s/page", call, headers=headers).status_code == 200


SERVERS = [segment_python, segment_python_gzip, rudder_python, segment_node, analytics_node,
           rudder_node_gzip]  # fmt: skip
PAGES = [segment_browser, rudder_browser, jitsu]


def is_behind(line: dict[str, Any]) -> int:
    """Seconds from its own time to the receipt: it was sent one second after it happened."""
    return round((line["received_at"] - line["own_at"]) / 1_000_000)


@pytest.mark.parametrize("send", SERVERS, ids=lambda send: send.__name__)
def test_t09_server_libraries_are_taken_and_count_once(
    house: House, send: Callable[[Intake], None]
) -> None:
    door = open_intake(house)
    for _ in range(3):
        send(door)
    lines = door.came()
    assert door.rejects() == []
    assert len({line["message_id"] for line in lines}) == len(lines) in (1, 2)
    assert {line["user_value"] for line in lines} == {"u1"}
    assert {is_behind(line) for line in lines} == {1}
    identified = [line for line in lines if line["kind"] == "identify"]
    assert all(json.loads(line["traits"])[0][:2] == ["plan", "pro"] for line in identified)


@pytest.mark.parametrize("send", PAGES, ids=lambda send: send.__name__)
def test_t09_browser_libraries_are_taken_and_count_once(
    house: House, send: Callable[[Intake], None]
) -> None:
    door = open_intake(house, "page", [SHOP])
    for _ in range(3):
        send(door)
    lines = door.came()
    assert door.rejects() == []
    assert len(lines) == (1 if send is jitsu else 2)
    assert {line["anonymous_id"] for line in lines} == {"visitor-1"}
    assert {(line["name"], line["subject"]) for line in lines} == {("page_viewed", "/pricing")}
    assert {is_behind(line) for line in lines} == {1}
    assert {rfc3339(line["received_at"])[:4] for line in lines}
    for line in lines:
        told = json.loads(line["properties"])
        assert told["title"] == "Pricing"
        assert told["context"]["campaign"] in (CAMPAIGN, {})
