"""What SQLite lacks and PostgreSQL has: a few pure functions, registered on each connection."""

from __future__ import annotations

import hashlib
import math
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def draw(identity: str, which: int) -> int:
    """One of the two 31-bit draws that an identity gives a contact for good (ruling 131)."""
    digest = hashlib.sha256(identity.encode()).digest()
    return int.from_bytes(digest[4 * which : 4 * which + 4], "big") & 0x7FFFFFFF


def salted(salt: str, kind: str, value: str) -> str:
    """The digest under which the name of an erased person is kept (`forgetting.py`)."""
    return hashlib.sha256(f"{salt}:{kind}:{value}".encode()).hexdigest()


def casefold(text: str | None) -> str | None:
    """The text as it is compared."""
    return text.casefold() if text is not None else None


def process_name() -> str:
    """How this process is named to another that waits for it."""
    return f"flowscore, process {os.getpid()} on {socket.gethostname()}"


# SQLite has these itself where it was built with its math functions, which not every one is.
MATH: dict[str, tuple[int, Callable[..., float]]] = {
    "power": (2, math.pow),
    "ln": (1, math.log),
    "floor": (1, math.floor),
}


def register(dbapi: sqlite3.Connection) -> None:
    """Make them known to a SQLite connection."""
    dbapi.create_function("draw", 2, draw, deterministic=True)
    dbapi.create_function("salted", 3, salted, deterministic=True)
    dbapi.create_function("casefold", 1, casefold, deterministic=True)
    if not has_math(dbapi):
        register_math(dbapi)


def has_math(dbapi: sqlite3.Connection) -> bool:
    """Whether this build of SQLite reckons powers and logarithms itself."""
    built = dbapi.execute("SELECT sqlite_compileoption_used('ENABLE_MATH_FUNCTIONS')")
    return bool(built.fetchone()[0])


def register_math(dbapi: sqlite3.Connection) -> None:
    """Powers and logarithms by Python, to the same bits, only slower."""
    for name, (arguments, function) in MATH.items():
        dbapi.create_function(name, arguments, function, deterministic=True)
