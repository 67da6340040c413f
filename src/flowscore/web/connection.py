"""A client's connection, cut when it sends too slowly, takes too slowly, or sends no request."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
HEAD_BYTES = 64 * 1024
ANSWER_SECONDS = 30.0  # in which a client has to take what waits for it, or …
LEAST_TAKEN = 16 * 1024  # … so many bytes of it
MOST_AHEAD = 32  # requests sent before the first is answered
TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\nconnection: close\r\n\r\n"
    b'{"code":"head_too_large","message":"the request line and headers are too long"}'
)


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for a head as long as it takes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._beside_body = 0  # bytes since the last of the body: trailers, or what chunks carry
        self._answer: asyncio.TimerHandle | None = None
        self._waits = 0  # bytes of it, when its timer was set

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client that connects and says nothing is not waited for either."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # any byte that waits is told by `pause_writing`
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes of a head are counted, and its time runs from the first one."""
        if self._is_between_requests() and self._head is None:
            self._await_head()
        if self._head is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self._body_follows(data):
                self.transport.write(TOO_LONG)
                self.transport.close()
                return
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > HEAD_BYTES and self.cycle is not None and self.cycle.more_body:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_arrived()
        super().on_headers_complete()
        if len(self.pipeline) > MOST_AHEAD:
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """The body is counted elsewhere (`shell.py`)."""
        self._beside_body = 0
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """A piece of the body begins; behind the last, empty one come trailers."""
        self._beside_body = 0

    def pause_writing(self) -> None:
        """The client does not take its answer: not for long."""
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        """It has taken all of it."""
        self._answer_taken()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._head_arrived()
        self._answer_taken()
        super().connection_lost(exc)

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _body_follows(self, data: bytes) -> bool:
        """A large first packet may be a short head with the begin of a body."""
        return self._head_bytes == len(data) and b"\r\n\r\n" in data[:HEAD_BYTES]

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head = self.loop.call_later(HEAD_SECONDS, self._cut)

    def _head_arrived(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _await_taking(self) -> None:
        if self._answer is None:
            self._waits = self.transport.get_write_buffer_size()
            self._answer = self.loop.call_later(ANSWER_SECONDS, self._look_after_answer)

    def _look_after_answer(self) -> None:
        """A slow line is no fault, as long as something moves."""
        self._answer = None
        if self.transport.get_write_buffer_size() > self._waits - LEAST_TAKEN:
            self.transport.abort()
        else:
            self._await_taking()

    def _answer_taken(self) -> None:
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None

    def _cut(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
