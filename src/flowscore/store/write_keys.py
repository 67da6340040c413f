"""The write keys by which sources send events: made, listed, withdrawn; only hashes are kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, select, update

from flowscore.clock import rfc3339
from flowscore.errors import FlowscoreError
from flowscore.store.database import Store
from flowscore.store.tables import write_keys

PREFIX = "fs_"
BYTES = 24  # 32 letters in base 64
HINT = len(PREFIX) + 6
SOURCE = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
STANDARD_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class WriteKey:
    """A key as it is stored. `origins` are the web pages it may be used from; none means any."""

    source: str
    digest: str
    hint: str
    origins: frozenset[str]
    created_at: int
    withdrawn_at: int | None

    def as_row(self) -> dict[str, Any]:
        """As it is listed."""
        return {
            "source": self.source,
            "key": f"{self.hint}…",
            "origins": sorted(self.origins),
            "created_at": rfc3339(self.created_at),
            "withdrawn_at": None if self.withdrawn_at is None else rfc3339(self.withdrawn_at),
        }


@dataclass(frozen=True)
class WriteKeys:
    """Those of a store."""

    store: Store
    clock: Callable[[], int]  # microseconds

    def add(self, source: str, origins: Sequence[str] = ()) -> str:
        """A new key, to be shown once: the store keeps its SHA-256."""
        allowed = sorted({read_origin(origin) for origin in origins})
        if not SOURCE.fullmatch(source):
            raise FlowscoreError(
                f"source: found {source!r}, expected small letters, digits, `-`, `_` and `.`, at "
                "most 64, such as shop-web: it stands beside each event that the key brings"
            )
        key = PREFIX + secrets.token_urlsafe(BYTES)
        row = {"source": source, "digest": digest_of(key), "hint": key[:HINT], "origins": allowed}
        with self.store.transact(durable=True) as connection:
            connection.execute(write_keys.insert().values(**row, created_at=self.clock()))
        return key

    def all(self) -> list[WriteKey]:
        """Every key, withdrawn ones too, by source and age."""
        order = (write_keys.c.source, write_keys.c.id)
        with self.store.read() as connection:
            return [_read(row) for row in connection.execute(select(write_keys).order_by(*order))]

    def valid(self) -> dict[str, WriteKey]:
        """Those that may be used, by digest."""
        return {key.digest: key for key in self.all() if key.withdrawn_at is None}

    def withdraw(self, named: str) -> list[WriteKey]:
        """Refuse from now on the key with this hint, or each of this source; gives which."""
        chosen = [key for key in self.valid().values() if _is_named(key, named)]
        if not chosen:
            raise FlowscoreError(
                f"{named!r} is neither the source nor the first letters of a key in use; "
                "`flowscore keys` lists them"
            )
        digests = [key.digest for key in chosen]
        gone = update(write_keys).where(
            write_keys.c.digest.in_(digests), write_keys.c.withdrawn_at.is_(None)
        )
        with self.store.transact(durable=True) as connection:
            connection.execute(gone.values(withdrawn_at=self.clock()))
        return chosen


def digest_of(key: str) -> str:
    """By which a key is found: its SHA-256. It has 192 random bits, so it needs no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _is_named(key: WriteKey, named: str) -> bool:
    """By source, by hint as it is listed, or by the whole key."""
    bare = named.removesuffix("…")
    is_hint = len(bare) >= HINT and bare[:HINT] == key.hint
    return key.source == named or (is_hint and (len(bare) == HINT or key.digest == digest_of(bare)))


def read_origin(text: str) -> str:
    """`https://shop.example.com`, as browsers write it: small letters, no usual port, no path."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        raise _no_origin(text) from None
    if parts.scheme not in STANDARD_PORTS or not parts.hostname or "@" in parts.netloc:
        raise _no_origin(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _no_origin(text)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, STANDARD_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _no_origin(text: str) -> FlowscoreError:
    return FlowscoreError(
        f"--origin {text}: expected where the pages are, without a path, such as "
        "https://shop.example.com"
    )


def _read(row: Row[Any]) -> WriteKey:
    return WriteKey(
        row.source, row.digest, row.hint, frozenset(row.origins), row.created_at, row.withdrawn_at
    )
