"""What real clients are tried against: a project whose requests are noted, a site, a browser."""

from __future__ import annotations

import functools
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowscore.clock import clock_now, instant_of
from flowscore.store.write_keys import WriteKeys
from flowscore.web import server
from required import CLIENTS, find_tool
from web.conftest import House, Serve

SOURCE = "shop"
SCORE = """
score: engagement
rules:
  - {name: order, points: 15, on: {event: order_completed}}
"""
ORDERED = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)  # as the scripts have it
CAMPAIGN = {"source": "newsletter", "name": "autumn"}


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it, and what it answered."""

    method: str
    path: str
    status: int


@dataclass
class Notes:
    """Every request; the first posts can be kept by the server and refused all the same."""

    asked: list[Asked] = field(default_factory=list)
    lost_answers: int = 0

    @property
    def posts(self) -> list[Asked]:
        """What brought something."""
        return [one for one in self.asked if one.method == "POST"]

    @property
    def taken(self) -> list[Asked]:
        """The posts that were answered well."""
        return [one for one in self.posts if one.status == 200]

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app, watched."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            answers: list[Message] = []
            is_lost = scope["method"] == "POST" and self.lost_answers > 0
            self.lost_answers -= is_lost

            async def note(message: Message) -> None:
                answers.append(_as_lost(message) if is_lost else message)
                await send(answers[-1])

            try:
                await app(scope, receive, note)
            finally:
                status = answers[0]["status"] if answers else 0
                self.asked.append(Asked(scope["method"], scope["path"], status))

        return watched


def _as_lost(message: Message) -> Message:
    """As if a proxy had lost our answer: what was sent is on our disk, the client hears 503."""
    return {**message, "status": 503} if "status" in message else message


@dataclass
class Door:
    """A served project with a write key."""

    house: House
    notes: Notes
    key: str

    @property
    def address(self) -> str:
        """Given to clients."""
        return self.house.server.address

    @property
    def host(self) -> str:
        """The same, as some clients ask for it."""
        return self.address.removeprefix("http://")

    def contact(self) -> dict[str, Any]:
        """The one person whom the clients name, after a tick."""
        [row] = self.house.rows("SELECT * FROM contacts WHERE known")
        return row

    def points(self) -> float:
        """The balance of everybody together."""
        rows = self.house.rows("SELECT balance FROM balances")
        return sum(row["balance"] for row in rows) / 10_000  # as they are stored

    def names(self) -> set[tuple[str, str]]:
        """What that person goes by."""
        return {(r["kind"], r["value"]) for r in self.house.rows("SELECT * FROM identities")}

    def attributes(self) -> dict[str, Any]:
        """What is known of that person."""
        rows = self.house.rows("SELECT name, value FROM attributes")
        return {row["name"]: _value(row["value"]) for row in rows}

    def events(self) -> list[dict[str, Any]]:
        """What that person did, in order, with properties read."""
        words = "SELECT * FROM events WHERE behaviour ORDER BY own_at, id"
        rows = self.house.rows(words)
        assert {row["source"] for row in rows} <= {SOURCE}
        return [{**row, "properties": _value(row["properties"])} for row in rows]


def _value(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored


def open_door(serve: Serve, monkeypatch: pytest.MonkeyPatch, *origins: str) -> Door:
    """Serve an empty project with a key, for these origins or any; its requests are noted."""
    notes = Notes()
    make_app = server.make_app
    monkeypatch.setattr(server, "make_app", lambda desk: notes.around(make_app(desk)))
    house = serve({"scenarios/engagement.yaml": SCORE})
    key = WriteKeys(house.workspace.store, clock_now).add(SOURCE, origins)
    return Door(house, notes, key)


def run_node(script: str, address: str, key: str) -> str:
    """What a script of tests/clients prints."""
    command = [str(find_tool("node")), str(CLIENTS / script), address, key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def assert_a_day_is_known(door: Door) -> None:
    """What the servers' scripts did: one person, each event once with its time and properties."""
    door.house.tick()
    order, page, screen = sorted(door.events(), key=lambda one: one["name"])
    assert (order["name"], page["name"], screen["name"]) == (
        "order_completed", "page_viewed", "screen_viewed"
    )  # fmt: skip
    assert page["properties"]["path"] == page["subject"] == "/prices"
    assert page["properties"]["context"]["campaign"] == CAMPAIGN
    assert order["properties"]["total"] == 25.5
    assert screen["properties"]["items"] == 2
    for one in (page, order, screen):
        assert 0 <= one["own_at"] - instant_of(ORDERED) < 5_000_000  # the way here is added
    assert door.points() == 15
    assert door.contact()["email"] == "ana@example.com"
    assert door.attributes()["plan"] == "team"
    assert door.names() >= {("email", "ana@example.com"), ("user", "u-1"), ("user", "crm-1"),
                            ("anonymous", "visitor-1")}  # fmt: skip
    assert door.house.rows("SELECT key FROM companies") == [{"key": "acme"}]


# --- a site and its visitor -------------------------------------------------------------------


@dataclass
class Site:
    """The pages of tests/clients on an origin of their own."""

    address: str
    told: queue.Queue[dict[str, Any]]
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def visit(self, page: str, door: Door, key: str = "") -> Iterator[None]:
        """A browser that nobody used before opens the page and stays on it."""
        with browsing(f"{self.address}/{page}?{door.host}&{key or door.key}"):
            yield

    def said(self) -> dict[str, Any]:
        """What the page's script says at its end; complaints before it are put aside."""
        while "error" in (said := self.told.get(timeout=20)):
            self.complaints.append(said["error"])
        return said


class _Pages(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def __init__(self, *args: Any, told: queue.Queue[dict[str, Any]], **options: Any) -> None:
        self.told = told
        super().__init__(*args, **options)

    def do_POST(self) -> None:
        """A page says that it is done."""
        self.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def site() -> Iterator[Site]:
    """Serve the pages."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    pages = functools.partial(_Pages, told=told, directory=str(CLIENTS))
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield Site(f"http://127.0.0.1:{http.server_port}", told)
        http.shutdown()


QUIET = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --disable-dev-shm-usage
    --remote-debugging-port=0""".split()


@contextmanager
def browsing(url: str, *flags: str) -> Iterator[None]:
    """A browser at this address, with a profile of its own."""
    profile = tempfile.mkdtemp(prefix="flowscore-browser-")
    command = [str(find_tool("chromium")), *QUIET, *flags, f"--user-data-dir={profile}", url]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    browser = subprocess.Popen(command, start_new_session=True, **silent)  # type: ignore[call-overload]
    try:
        yield
    finally:
        os.killpg(browser.pid, signal.SIGKILL)  # its helpers, too
        browser.wait(10)
        shutil.rmtree(profile, ignore_errors=True)
