"""Whose request it is: the write key, wherever a client puts it, and the pages it may be used from.

INTAKE 6 and 9. Keys are looked up by their SHA-256 among those in use, which are kept in memory
and read again every few seconds, so a withdrawn key is refused soon after.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from flowscore.errors import FlowscoreError
from flowscore.store.write_keys import WriteKey, WriteKeys, digest_of
from flowscore.web.refusals import RefusedError, UnwritableError

FRESH_SECONDS = 5.0  # for so long a withdrawn key may still be taken
AGAIN_SECONDS = 1.0  # between two looks for keys that nobody knows
LONGEST = 200  # letters; ours have 35


class UnknownKeyError(RefusedError):
    """No key, or one that is not in use."""

    status = 401
    code = "unauthorized"
    message = "the write key is not in use here; `flowscore keys` lists those that are"


NO_KEY = (
    "no write key: expected as the user name of Basic authentication, as writeKey in the body or "
    "in the query, or in the header X-Write-Key"
)


class ForeignPageError(RefusedError):
    """A page that the key is not meant for."""

    status = 403
    code = "origin_not_allowed"
    message = "this write key may not be used from this page's origin"


@dataclass
class Keyring:
    """The keys in use."""

    keys: WriteKeys
    known: dict[str, WriteKey] = field(default_factory=dict)
    looked_at: float = float("-inf")  # by the loop's clock, in seconds
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, given: str | None) -> WriteKey:
        """The key that was given; raises when none is in use."""
        if not given:
            raise UnknownKeyError(NO_KEY)
        digest = digest_of(given)
        await self._look(FRESH_SECONDS)
        if digest not in self.known:
            await self._look(AGAIN_SECONDS)  # perhaps it was made a moment ago
        found = self.known.get(digest)
        if found is None or not hmac.compare_digest(found.digest, digest):
            raise UnknownKeyError
        return found

    async def is_welcome(self, origin: str, given: str | None) -> bool:
        """Whether pages of this origin may send: with the key that was given, or with any.

        A browser asks before it sends, and tells most keys only then.
        """
        if given:
            return allows(await self.find(given), origin)
        await self._look(FRESH_SECONDS)
        return any(allows(key, origin) for key in self.known.values())

    async def _look(self, age: float) -> None:
        """Read the keys again when what is known is older than this; one at a time."""
        if self._age() < age:
            return
        async with self._looking:
            if self._age() < age:
                return
            try:
                self.known = await run_in_threadpool(self.keys.valid)
            except FlowscoreError as error:
                if not self.known:
                    raise UnwritableError from error
            self.looked_at = asyncio.get_running_loop().time()

    def _age(self) -> float:
        return asyncio.get_running_loop().time() - self.looked_at


def allows(key: WriteKey, origin: str | None) -> bool:
    """Whether a page of this origin may use the key; servers and apps name no origin."""
    return origin is None or not key.origins or origin.lower() in key.origins


# --- where clients put it ---------------------------------------------------------------------


def key_in_head(request: Request) -> str | None:
    """The user name of Basic authentication; a header that cannot be read is refused at once."""
    scheme, _, encoded = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[0]
    except ValueError:
        raise UnknownKeyError("the header Authorization is no Basic one that can be read") from None
    return _usable(user)


def key_beside(request: Request, body: Any) -> str | None:
    """The key in the body, else in the query, else in a header of its own."""
    inside = body.get("writeKey") if isinstance(body, dict) else None
    places = (inside, request.query_params.get("writeKey"), request.headers.get("x-write-key"))
    return next((key for place in places if (key := _usable(place))), None)


def _usable(given: object) -> str | None:
    """The key without blanks around it; an empty one is none, nor is one with its letters hidden.

    Jitsu's client writes `***` into the body and the key into a header.
    """
    if not isinstance(given, str) or not given.strip() or given.endswith("***"):
        return None
    if len(given) > LONGEST:
        raise UnknownKeyError
    return given.strip()
