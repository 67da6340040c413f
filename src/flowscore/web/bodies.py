"""Reads what a client sent: inflated within bounds, and JSON whatever its Content-Type says."""

from __future__ import annotations

import asyncio
import json
import math
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from flowscore.store.readers import without_nuls
from flowscore.web.refusals import FullError, RefusedError, TooLargeError

INFLATED = 2  # times the bytes that a body may have, once inflated
HELD = 8  # times these bytes, of all bodies together
AT_ONCE = 2  # large bodies; reading one takes many times its bytes
MOST_PARTS = 200_000  # objects and lists in a body; each takes many times its bytes in memory
LARGE = 128 * 1024  # bytes; what takes longer to read must not hold up everybody else
GZIP = b"\x1f\x8b"
MOST_MEMBERS = 16
CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's wbits
BARE_DEFLATE = -15  # without the header of zlib, as some clients send it


@dataclass
class Room:
    """Bytes of all bodies under way; bounded, so that load never becomes memory."""

    most_bytes: int  # of one body, as it is sent
    held: int = 0
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def take(self, size: int) -> None:
        """Make room for so many bytes more, or refuse; the first body always fits."""
        if self.held and self.held + size > HELD * self.most_bytes:
            raise FullError
        self.held += size


@dataclass
class Body:
    """One request's body; it takes room while the block runs."""

    room: Room
    request: Request
    size: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.room.held -= self.size

    async def raw(self) -> bytes:
        """As it came, for whoever has to prove a signature over it."""
        return b"".join([piece async for piece in self._pieces()])

    async def read(self) -> Any:
        """Its JSON; raises what the client is answered with."""
        body = await self.raw()
        coding = self.request.headers.get("content-encoding", "")
        if len(body) < LARGE and not _is_packed(body, coding):
            return read_json(body)
        async with self.room.large:
            most = INFLATED * self.room.most_bytes
            plain = await run_in_threadpool(inflate, body, coding, most)
            self._grow(len(plain) - len(body))
            return await run_in_threadpool(read_json, plain)

    async def _pieces(self) -> AsyncIterator[bytes]:
        async for piece in self.request.stream():
            self._grow(len(piece))
            yield piece

    def _grow(self, more: int) -> None:
        self.room.take(more)
        self.size += more


# --- inflating --------------------------------------------------------------------------------


def _is_packed(body: bytes, coding: str) -> bool:
    """Some say nothing of their gzip; JSON never begins like it."""
    return body.startswith(GZIP) or coding.strip().lower() not in ("", "identity")


def inflate(body: bytes, coding: str, most: int) -> bytes:
    """The plain bytes; never more than `most` of them are in memory."""
    if not _is_packed(body, coding):
        return body
    name = "gzip" if body.startswith(GZIP) else coding.strip().lower()
    if name not in CODINGS:
        raise RefusedError(
            f"Content-Encoding: found {name[:40]!r}, expected gzip, deflate or none", "bad_encoding"
        )
    try:
        return _unpack(body, _wbits(name, body), most)
    except zlib.error as error:
        raise RefusedError(f"the body is no {name} that can be read", "bad_encoding") from error


def _wbits(name: str, body: bytes) -> int:
    """The first byte of zlib's header names the method, 8 (RFC 1950)."""
    if name == "deflate" and (body[:1] or b"\0")[0] & 15 != 8:
        return BARE_DEFLATE
    return CODINGS[name]


def _unpack(body: bytes, wbits: int, most: int) -> bytes:
    """A gzip may have several members, one behind the other (RFC 1952, 2.2)."""
    plain = b""
    for _ in range(MOST_MEMBERS):
        unpacker = zlib.decompressobj(wbits)
        plain += unpacker.decompress(body, most + 1 - len(plain))
        if len(plain) > most or unpacker.unconsumed_tail:
            raise TooLargeError
        if not unpacker.eof:
            raise zlib.error("it ends too early")
        body = unpacker.unused_data
        if not body or wbits != CODINGS["gzip"]:
            return plain
    raise TooLargeError


# --- JSON -------------------------------------------------------------------------------------


def read_json(body: bytes) -> Any:
    """The value; what one client's library writes and JSON does not know is read all the same."""
    if body.count(b"{") + body.count(b"[") > MOST_PARTS:
        raise TooLargeError
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_leniently(body)
    return without_nuls(value) if b"\\u0000" in body else value


def _read_leniently(body: bytes) -> Any:
    """With NaN (as null), halves of an emoji cut in two, numbers beyond all bounds, a BOM.

    A browser writes the half of a cut emoji as an escape, Python's `json` writes NaN.
    """
    try:
        text = body.decode("utf-8-sig", "replace")
        value = json.loads(text, strict=False, parse_int=_whole, parse_constant=_nothing)
        return _writable(value)
    except ValueError as error:
        raise RefusedError(f"the body is no JSON: {error}"[:200], "bad_json") from error
    except RecursionError:
        raise RefusedError("the body nests too deeply", "bad_json") from None


def _whole(digits: str) -> float:
    """As the other reader has it: beyond 64 bits a number is a double."""
    return int(digits) if len(digits) < 19 else float(digits)


def _nothing(_: str) -> None:
    return None


def _writable(value: Any) -> Any:
    """The same as text and numbers that can be written again."""
    if isinstance(value, str):
        pairs = value.replace("\x00", "").encode("utf-16", "surrogatepass")
        return pairs.decode("utf-16", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_writable(element) for element in value]
    if isinstance(value, dict):
        return {_writable(key): _writable(inner) for key, inner in value.items()}
    return value
