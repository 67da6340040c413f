"""The hard shell around every route: bodies bounded in size and time, no traces out.

Written as plain ASGI, since it stands before every request.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowscore.errors import fault
from flowscore.web.metrics import Metrics
from flowscore.web.refusals import TooLargeError, TooSlowError, answer

log = logging.getLogger("flowscore")

BODY_SECONDS = 30.0


class Shell:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, most_bytes: int, metrics: Metrics) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; whatever goes wrong inside ends here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = _announced(scope)
        guard = _Guard(receive, send, self.most_bytes, bool(announced))
        try:
            if announced > self.most_bytes:
                error = TooLargeError()
                refused = answer(error.status, error.code, error.message)
                await refused(scope, guard.receive, guard.send)
            else:
                await self.app(scope, guard.receive, guard.send)
        except Exception as error:
            _note(scope, error)
            if not guard.status:
                await answer(500, "error", "something went wrong here")(scope, receive, guard.send)
        finally:
            self.metrics.responses.labels(f"{guard.status}").inc()


def _announced(scope: Scope) -> int:
    """Bytes by Content-Length; 1 where a body comes in pieces, which are counted; 0 for none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 1
        if name == b"transfer-encoding":
            return 1
    return 0


class _Guard:
    """One request's receive and send: counts bytes, watches the time, remembers the status."""

    def __init__(self, receive: Receive, send: Send, most_bytes: int, comes: bool) -> None:
        self._receive = receive
        self._send = send
        self._left = most_bytes
        self._until = 0.0
        self._more = comes
        self.status = 0

    async def receive(self) -> Message:
        """The next piece of the body; raises when it is too much or comes too late."""
        if not self._more:  # no body, or all of it: what is waited for is that the client leaves
            return await self._receive()
        loop = asyncio.get_running_loop()
        self._until = self._until or loop.time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise TooSlowError from None
        self._more = message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLargeError
        return message

    async def send(self, message: Message) -> None:
        """Passed on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            if self._more:  # nobody reads the rest, so nobody waits for it either
                message["headers"].append((b"connection", b"close"))
        await self._send(message)


def _note(scope: Scope, error: Exception) -> None:
    """One line without the values at hand: an address must not get into a log."""
    route = getattr(scope.get("route"), "path", "an unknown route")
    log.error("%s %s: %s", scope["method"], route, fault(error))
