"""Drives a real Chromium by its own protocol, over a pipe: nothing to install beside it."""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from required import find_tool

FLAGS = """--headless --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage
    --disable-background-networking --disable-component-update --disable-sync
    --remote-debugging-pipe""".split()
PATIENCE = 30  # seconds


class Page:
    """One tab; what it complains of in its console is kept."""

    def __init__(self, into: int, out: int) -> None:
        self.into, self.out, self.rest = into, out, b""
        self.numbers = itertools.count(1)
        self.session = ""
        self.complaints: list[str] = []
        self.loads = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command's answer; events on the way are noted."""
        number = next(self.numbers)
        said: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            said["sessionId"] = self.session
        os.write(self.into, json.dumps(said).encode() + b"\0")
        while (heard := self._hear()).get("id") != number:
            self._note(heard)
        assert "error" not in heard, heard
        return dict(heard["result"])

    def open(self, url: str) -> None:
        before = self.loads
        self.call("Page.navigate", url=url)
        self._wait(before)

    def look(self, expression: str) -> Any:
        """What an expression gives on the page; the page's own scripts may be switched off."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, what: str) -> None:
        """Click an element, and wait for the page that follows."""
        before = self.loads
        self.look(f"document.querySelector({json.dumps(what)}).click()")
        self._wait(before)

    def _wait(self, before: int) -> None:
        until = time.monotonic() + PATIENCE
        while self.loads == before and time.monotonic() < until:
            self._note(self._hear())
        assert self.loads > before

    def _note(self, heard: dict[str, Any]) -> None:
        method = heard.get("method")
        if method == "Page.loadEventFired":
            self.loads += 1
        elif method == "Log.entryAdded":
            self.complaints.append(heard["params"]["entry"]["text"])

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.out], [], [], PATIENCE)
            assert ready, "the browser says nothing"
            piece = os.read(self.out, 1 << 20)
            assert piece, "the browser has gone"
            self.rest += piece
        message, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def driving() -> Iterator[Page]:
    """A browser that nobody used before, and its tab."""
    profile = tempfile.mkdtemp(prefix="flowscore-browser-")
    read_in, into = os.pipe()
    out, write_out = os.pipe()
    program = [str(find_tool("chromium")), *FLAGS, f"--user-data-dir={profile}"]
    shell = f'exec "$@" 3<&{read_in} 4>&{write_out}'
    browser = subprocess.Popen(
        ["bash", "-c", shell, "chromium", *program],
        pass_fds=(read_in, write_out),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_in)
    os.close(write_out)
    try:
        yield Page(into, out)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait(10)
        os.close(into)
        os.close(out)
        shutil.rmtree(profile, ignore_errors=True)
