"""Fetches what Amazon publishes: the certificates that messages are signed with.

Who asks for a fetch is a stranger until a signature is proven; so fetches are few, small, short
and one at a time, and where they may lead stands in `sns.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import httpx
from cryptography.x509 import Certificate, load_pem_x509_certificate

from flowscore.clock import HOUR
from flowscore.web.refusals import LaterError, RefusedError

Fetch = Callable[[str], Awaitable[bytes]]

TOTAL = 8.0  # seconds; SNS itself waits fifteen for an answer
MOST_BYTES = 64 * 1024
MOST_KEPT = 16
MOST_FETCHES = 20  # within an hour


class UnreachableError(LaterError):
    """Amazon did not answer, so nothing can be proven now."""

    status = 503
    code = "unreachable"
    message = "Amazon SNS could not be asked; send it again in a moment"


async def fetch(url: str) -> bytes:
    """The body at an address: no redirects, no proxies, no cookies, bounded in size and time.

    Raises `UnreachableError` for whatever keeps it from coming.
    """
    try:
        async with (
            asyncio.timeout(TOTAL),
            httpx.AsyncClient(trust_env=False, timeout=TOTAL) as client,
            client.stream("GET", url) as response,
        ):
            return await _body(response)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
        raise UnreachableError from None


async def _body(response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        raise UnreachableError
    taken = bytearray()
    async for chunk in response.aiter_bytes():
        taken += chunk
        if len(taken) > MOST_BYTES:
            raise UnreachableError
    return bytes(taken)


class Certificates:
    """Those fetched, by address; a few, since Amazon changes them about once a year."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, Certificate] = {}
        self._fetched: deque[int] = deque()
        self._one_at_a_time = asyncio.Lock()

    async def at(self, url: str, now: int) -> Certificate:
        """The certificate at this address, which has been judged."""
        if url not in self._kept:
            async with self._one_at_a_time:
                if url not in self._kept:
                    self._count(now)
                    self._keep(url, _load(await self._fetch(url)))
        return self._kept[url]

    def _keep(self, url: str, certificate: Certificate) -> None:
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[url] = certificate

    def _count(self, now: int) -> None:
        """Whoever invents addresses makes us ask Amazon a few times, and no more."""
        while self._fetched and now - self._fetched[0] > HOUR:
            self._fetched.popleft()
        if len(self._fetched) >= MOST_FETCHES:
            raise UnreachableError
        self._fetched.append(now)


def _load(pem: bytes) -> Certificate:
    try:
        return load_pem_x509_certificate(pem)
    except ValueError:
        raise RefusedError(
            "what stands at SigningCertURL is no certificate", "bad_certificate", 403
        ) from None
