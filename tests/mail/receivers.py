"""Real receivers of webhooks on loopback: honest ones, and those that a test makes nasty."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Answer = Callable[[socket.socket], None]


@dataclass
class Request:
    """What came in, bytes as sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str = SECRET) -> Any:
        """The body, when the signature is right by the library's own check."""
        return Webhook(secret).verify(self.body, self.headers)


def says(status: int, body: str = "", **headers: str) -> Answer:
    """A proper answer."""
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def raw(content: bytes) -> Answer:
    """These bytes, whatever they are."""
    return lambda connection: connection.sendall(content)


@dataclass
class Receiver:
    """What it answers, by the request; what it got."""

    answer: Callable[[Request], Answer] = lambda _: says(200, "thank you")
    got: list[Request] = field(default_factory=list)
    url: str = ""
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        """The `webhook-id` of everything that came, in order."""
        return [request.headers["webhook-id"] for request in self.got]

    def hangs(self, _: object = None) -> None:
        """Until the test is over."""
        self.over.wait(60)

    def drips(self, head: bytes, drop: bytes) -> Answer:
        """A head, and then a byte or so now and then, without end."""

        def answer(connection: socket.socket) -> None:
            connection.sendall(head)
            while not self.over.wait(0.05):
                connection.sendall(drop)

        return answer


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        with contextlib.suppress(OSError, ValueError):
            while request := self._read():
                receiver.got.append(request)
                receiver.answer(request)(self.connection)

    def _read(self) -> Request | None:
        line = self.rfile.readline().decode("latin-1").split()
        if not line:
            return None
        headers = {}
        while text := self.rfile.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        return Request(line[1], headers, body) if len(body) == length else None  # a sender died


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


@contextmanager
def receiving(
    receiver: Receiver, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Receiver]:
    """Listening on 127.0.0.1 as long as the block lasts."""
    server = _Server(("127.0.0.1", port), _Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.receiver = receiver  # type: ignore[attr-defined]
    receiver.port = server.server_address[1]
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{receiver.port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
