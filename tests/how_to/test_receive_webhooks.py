"""docs/how-to/receive-webhooks.md: its scenario calls its receiver, both as they stand there."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from acceptance.conftest import Project
from mail.receivers import SECRET
from mail.smtp_server import free_port

OTHER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md"


def block(kind: str) -> str:
    """The first block of that kind."""
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The app on loopback."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1")
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", SECRET)
    return Project(tmp_path / "shop").scenario(block("yaml"))


def test_the_receiver_on_the_page_takes_what_the_scenario_on_the_page_sends(shop, monkeypatch):
    there: dict[str, Any] = {}
    exec(compile(block("python"), str(PAGE), "exec"), there)  # as a reader would run it
    with serving(there["app"]) as url:
        monkeypatch.setenv("CRM_URL", url)
        shop.people("ana@example.com").apply()
        asked = shop.track("ana@example.com", "Demo Requested", "1 09:00", product="crm", seats=3)
        shop.happened(asked).tick("2026-01-01", "1 10:00")
        [row] = [row for row in shop.ok("outbox", "--json").json if row["kind"] == "webhook"]
        assert (row["status"], row["response"]) == ("sent", "204")
        assert there["done"] == {
            row["key"]: {
                "type": "lead.hot",
                "data": {"email": "ana@example.com", "asked_for": "crm"},
            }
        }
        monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", OTHER)
        again = shop.track("ana@example.com", "Demo Requested", "1 11:00", product="shop")
        shop.happened(again).tick("2026-01-01", "1 12:00")
        [row] = shop.ok("outbox", "--status", "failed", "--json").json
        assert row["reason"] == "answered 401"
        assert len(there["done"]) == 1
