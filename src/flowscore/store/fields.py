"""Reads what every call and row has: whom it is about, when it was, by which id it counts once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from flowscore.clock import instant_of, instant_of_local
from flowscore.store.addresses import read_address

Call = dict[str, Any]

LONGEST = 500  # letters of an id or a name


@dataclass(frozen=True)
class Reject:
    """What could not be taken: why, and in a file which line (from 1)."""

    reason: str
    line: int = 0
    content: Any = None


class RefusedError(Exception):
    """Inside the readers: this call or row cannot be taken, because …"""


@dataclass(frozen=True, slots=True)
class Reading:
    """How calls are read: receipt, and where a time without a zone is local.

    `received_at` is the instant of receipt; with `as_live` a call brings its own (ruling 89).
    `sent_at` is the client's clock at sending: what it is off by is taken off the timestamp.
    `source` is that of the write key that brought them.
    """

    received_at: int
    as_live: bool = False
    historical: bool = False
    sent_at: int | None = None
    zone: ZoneInfo | None = None
    source: str | None = None


# --- whom, when, which ------------------------------------------------------------------------

Who = tuple[str | None, str | None, str | None, str | None, str | None]


def who(call: Call) -> Who:
    """Kind and value of the user, address as written and folded, anonymousId."""
    user, anonymous = id_at(call, "userId"), id_at(call, "anonymousId")
    address = read_address(user) if user and "@" in user else None
    if address:
        return "email", address.folded, address.written, address.folded, anonymous
    named = _address_in(call)
    address = read_address(named) if named else None
    if user:
        return ("user", user, *((address.written, address.folded) if address else (None, None)),
                anonymous)  # fmt: skip
    if address:
        return "email", address.folded, address.written, address.folded, anonymous
    if anonymous:
        return None, None, None, None, anonymous
    if named:
        raise RefusedError(f"email: {shown(named)} is not an e-mail address")
    raise RefusedError("found no userId, anonymousId or email, expected whom it is about")


def _address_in(call: Call) -> str | None:
    """The address among the traits, the context's traits, or beside the ids."""
    context = call.get("context")
    inner = context.get("traits") if type(context) is dict else None
    for place in (call.get("traits"), inner, call):
        if type(place) is dict and type(found := place.get("email")) is str and found.strip():
            return found
    return None


# What programs write where they know nobody; taken for an id it would be thousands of people.
NOBODY = frozenset({"undefined", "null", "(null)", "none", "nil", "nan", "true", "false", "-1",
                    "anonymous", "[object object]", "<null>", "{}", "[]"})  # fmt: skip


def id_at(call: Call, key: str) -> str | None:
    """An id as text, trimmed and otherwise exactly as given; a word that names nobody is none."""
    value = call.get(key)
    if value is None or value == "":
        return None
    if type(value) is int:
        return None if value == -1 else str(value)
    if type(value) is not str:
        raise RefusedError(f"{key}: found {kind_of(value)}, expected text")
    if len(value) > LONGEST:
        raise RefusedError(f"{key}: found {len(value)} letters, expected at most {LONGEST}")
    found = value.strip()
    return None if not found or found.casefold() in NOBODY else found


def times(call: Call, reading: Reading) -> tuple[int, int]:
    """Own time and receipt: a clock that runs ahead does not count (ruling 4)."""
    said = call.get("timestamp") or call.get("originalTimestamp") or call.get("sentAt")
    own = None if said is None else read_time(said, reading.zone, "timestamp")
    if own is not None and own < 0:  # a clock that was never set
        raise RefusedError(f"timestamp: {shown(said)} lies before 1970, expected {EXAMPLE}")
    received = reading.received_at
    if reading.as_live:
        told = call.get("receivedAt")
        if told:
            received = read_time(told, reading.zone, "receivedAt")
        elif own is not None:
            received = own
    elif own is not None and reading.sent_at is not None:
        own = _corrected(own, reading.sent_at - received)
    return (received if own is None or own > received else own), received


def _corrected(own: int, ahead: int) -> int:
    """What the client's clock is ahead by is taken off; a sending time out of all reason is not."""
    return own - ahead if own - ahead >= 0 else own


def read_time(value: Any, zone: ZoneInfo | None, field: str) -> int:
    """The instant that a text names; without a zone it is read in the given one."""
    if type(value) is str:
        try:
            read: datetime | None = datetime.fromisoformat(value)
        except ValueError:
            read = _other_writing(value)
        if read is not None:
            if read.tzinfo is not None:
                return instant_of(read)
            if zone is not None:
                return instant_of_local(read, zone)
            raise RefusedError(f"{field}: {shown(value)} has no zone, expected {EXAMPLE}")
    raise RefusedError(f"{field}: found {shown(value)}, expected a time such as {EXAMPLE}")


EXAMPLE = "2026-11-22T09:00:00Z"
LOOSE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?")


def _other_writing(value: str) -> datetime | None:
    """`2024-05-01 10:00:00 UTC` and the like, as databases print them."""
    found = LOOSE.fullmatch(value.strip())
    if not found:
        return None
    day, time, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{(zone or '').replace('UTC', 'Z')}")
    except ValueError:
        return None


def message_id(call: Call) -> str:
    """What makes the call count once; without one, the call itself (ruling 9)."""
    given = call.get("messageId")
    if type(given) is str and given and len(given) <= LONGEST:
        return given
    return digest(call)


def digest(content: Any) -> str:
    """A messageId for content that has none."""
    return "hash:" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


# --- small readings ---------------------------------------------------------------------------


def mapping(call: Call, key: str) -> dict[str, Any]:
    value = call.get(key)
    if value is None:
        return {}
    if type(value) is not dict:
        raise RefusedError(f"{key}: found {kind_of(value)}, expected an object")
    return value


def text_at(properties: dict[str, Any], key: str) -> str | None:
    value = properties.get(key)
    return value if type(value) is str and value else None


def shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    text = value if type(value) is str else orjson.dumps(value, default=str).decode()
    return f"«{text if len(text) <= 80 else text[:80] + '…'}»"


KIND_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false"}


def kind_of(value: Any) -> str:
    return "nothing" if value is None else KIND_NAMES.get(type(value), "a number")
