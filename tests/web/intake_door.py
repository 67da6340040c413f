"""How tests send to the intake: with a key, by the paths and headers of real clients."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import httpx

from flowscore.clock import clock_now
from flowscore.store.write_keys import WriteKeys
from web.conftest import House

SHOP = "https://shop.example.com"
ANA = "ana@example.com"


def basic(key: str) -> dict[str, str]:
    """The header of server libraries: the key as user, no password."""
    return {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}


def packed(body: Any) -> bytes:
    return gzip.compress(json.dumps(body).encode())


@dataclass
class Intake:
    """A served project and a key of it."""

    house: House
    key: str

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """The key goes as Basic authentication, unless headers are named."""
        given = basic(key or self.key) if headers is None else headers
        data = json.dumps(body).encode() if content is None else content
        return self.house.client.post(path, content=data, headers=given)

    def track(self, event: str = "Order Completed", **call: Any) -> httpx.Response:
        return self.post("/v1/track", {"event": event, "userId": "u1", **call})

    def batch(self, *calls: Any, **beside: Any) -> httpx.Response:
        return self.post("/v1/batch", {"batch": list(calls), **beside})

    def came(self) -> list[dict[str, Any]]:
        """The inbox lines."""
        return self.house.inbox()

    def one(self) -> dict[str, Any]:
        """The one inbox line."""
        (line,) = self.came()
        return line

    def rejects(self) -> list[dict[str, Any]]:
        return self.house.inbox("SELECT * FROM rejects ORDER BY seq")


def open_intake(house: House, source: str = "shop", origins: list[str] | None = None) -> Intake:
    keys = WriteKeys(house.workspace.store, clock_now)
    return Intake(house, keys.add(source, origins or []))


def call(**fields: Any) -> dict[str, Any]:
    """A track call that can be taken."""
    return {"type": "track", "event": "Order Completed", "userId": "u1", **fields}
