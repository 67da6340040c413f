"""A project that is served: a real uvicorn on a free port, asked over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowscore.clock import clock_now
from flowscore.mail.delivery import DeliveryReport
from flowscore.orders import Grid
from flowscore.web.server import WebServer, serving
from flowscore.workspace import Workspace

EMPTY = {"scenarios/policy.yaml": "policy: house\nsender: {address: hello@academy.example}\n"}


@dataclass
class House:
    """A served project: its workspace, its server, and a client that asks it."""

    workspace: Workspace
    server: WebServer
    client: httpx.Client

    def tick(self, now: int | None = None) -> None:
        """The ticks owed, up to a minute from now: what came in just now is taken."""
        now = clock_now() + 120_000_000 if now is None else now
        self.workspace.tick(now, Grid(until=now))

    def deliver(self, now: int | None = None) -> DeliveryReport:
        """One delivery."""
        return self.workspace.deliver(clock_now() if now is None else now)

    def rows(self, words: str, **values: Any) -> list[dict[str, Any]]:
        """What a query of the store gives."""
        from sqlalchemy import text

        with self.workspace.store.read() as connection:
            return [dict(row) for row in connection.execute(text(words), values).mappings()]

    def inbox(self, words: str = "SELECT * FROM inbox ORDER BY seq") -> list[dict[str, Any]]:
        """What waits for a tick."""
        from sqlalchemy import text

        with self.workspace.store.receive() as connection:
            return [dict(row) for row in connection.execute(text(words)).mappings()]


Serve = Callable[..., House]


@pytest.fixture
def serve(
    write_project: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Serve]:
    """`serve({"scenarios/x.yaml": …}, url="postgresql://…", WEB_MAX_BODY=…)` serves a project.

    Its files are applied first; settings are named without their prefix. SQLite by default.
    """
    with ExitStack() as stack:

        def start(files: dict[str, str] | None = None, url: str = "", **settings: Any) -> House:
            root = write_project({**EMPTY, **(files or {})})
            given = {"WEB_PORT": 0, "SECRET": "a secret of the tests", **settings}
            for name, value in {**({"DATABASE_URL": url} if url else {}), **given}.items():
                monkeypatch.setenv(f"FLOWSCORE_{name}", str(value))
            workspace = stack.enter_context(closing(Workspace(root)))
            workspace.apply()
            server = stack.enter_context(serving(workspace))
            client = stack.enter_context(httpx.Client(base_url=server.address, timeout=30))
            return House(workspace, server, client)

        yield start


@pytest.fixture
def house(serve: Serve) -> House:
    """An empty project, served from SQLite."""
    return serve()
