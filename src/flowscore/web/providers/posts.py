"""What a provider posts, and what is made of it: JSON of any shape gives values, never a fault."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson

from flowscore.clock import HOUR, MINUTE, SECOND, instant_of
from flowscore.mail.returns.kinds import CODE
from flowscore.mail.returns.report import Report
from flowscore.web.refusals import RefusedError

LONGEST = 500  # letters of any text that is taken over
AHEAD = 10 * MINUTE  # clocks differ
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it came; header names are asked for in any case, `at` is its receipt."""

    headers: Mapping[str, str]
    body: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A report, and the event it was read from; `token` names the mail (`verp.make_token`)."""

    report: Report
    event: Any
    token: str = ""


@dataclass(slots=True)
class Told:
    """What a post says: reports, events that could not be read with the reason, and how many
    there were of which flowscore takes no notice.
    """

    heard: list[Heard] = field(default_factory=list)
    unread: list[tuple[str, Any]] = field(default_factory=list)
    ignored: int = 0


class Provider(Protocol):
    """Whoever sends mail for us; `name` is the last part of its path, and the source of lines."""

    name: str

    async def hear(self, post: Post) -> Told:
        """What is told; raises `RefusedError` where the post is not proven to be the provider's."""


class MalformedError(RefusedError):
    """A body that is not what this provider sends."""

    code = "malformed"


class ForgedError(RefusedError):
    """Nothing proves that the provider sent it."""

    status = 401
    code = "bad_signature"


class UnreadError(Exception):
    """Inside the readers: this event lacks what it needs."""


def gather(events: Iterable[Any], read: Callable[[Any], Iterator[Report]]) -> Told:
    """What the events say; one that cannot be read does not lose the others."""
    told = Told()
    for event in events:
        try:
            reports = list(read(event))
        except UnreadError as error:
            told.unread.append((str(error), event))
            continue
        told.heard += [Heard(report, event) for report in reports]
        told.ignored += not reports
    return told


# --- reading --------------------------------------------------------------------------------------


def read_json(body: bytes | str) -> Any:
    """The body's value; it can be written again."""
    try:
        value = orjson.loads(body)
        written(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise MalformedError("the body is not JSON, or nests too deeply") from None
    return value


def written(value: Any) -> str:
    """As JSON, in the order in which it came."""
    return orjson.dumps(value).decode()


def read_object(body: bytes) -> dict[str, Any]:
    """The body, which has to be an object."""
    value = read_json(body)
    if type(value) is not dict:
        raise MalformedError("the body is not a JSON object")
    return value


def object_at(value: Any, *path: str) -> dict[str, Any]:
    """The object down a path of keys; an empty one where there is none."""
    for key in path:
        value = value.get(key) if type(value) is dict else None
    return value if type(value) is dict else {}


def objects_at(value: Any, key: str) -> list[dict[str, Any]]:
    """The objects of a list."""
    found = value.get(key) if type(value) is dict else None
    return [one for one in found if type(one) is dict] if type(found) is list else []


def text_at(value: Any, key: str) -> str:
    """A text on one line, or a whole number as text; empty where there is neither."""
    found = value.get(key) if type(value) is dict else None
    if type(found) is int:
        found = str(found)
    return CONTROL.sub(" ", found[: 2 * LONGEST]).strip()[:LONGEST] if type(found) is str else ""


def seconds_at(value: Any, key: str, otherwise: int) -> int:
    """The instant of a number of seconds since 1970; `otherwise` where there is none."""
    found = value.get(key) if type(value) is dict else None
    if not isinstance(found, int | float) or not math.isfinite(found):
        return otherwise
    return _sane(found * SECOND, otherwise)


def time_at(value: Any, key: str, otherwise: int) -> int:
    """The instant of a time as ISO 8601 writes it; `otherwise` where there is none."""
    found = moment_at(value, key)
    return otherwise if found is None else _sane(found, otherwise)


def moment_at(value: Any, key: str) -> int | None:
    """The same, whatever its instant."""
    try:
        return instant_of(datetime.fromisoformat(text_at(value, key)))
    except (ValueError, OverflowError):
        return None


def _sane(instant: float, otherwise: int) -> int:
    """Nothing is told of before 1970 or after its receipt."""
    return int(instant) if 0 < instant < otherwise else otherwise


def status_in(*texts: str) -> str:
    """The first status code of RFC 3463 in what a server said; empty where there is none."""
    found = (CODE.search(text) for text in texts)
    return next((".".join(match.groups()) for match in found if match), "")


def digest(value: Any) -> str:
    """The same for equal values, whatever the order of their keys."""
    said = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()[:32]


# --- when it was signed ---------------------------------------------------------------------------


def refuse_untimely(signed_at: int | None, now: int, oldest: int) -> None:
    """A post may be `oldest` microseconds old: as long as its provider tries again, and some."""
    if signed_at is None or not -AHEAD <= now - signed_at <= oldest:
        raise ForgedError(
            f"it was signed more than {oldest // HOUR} hours ago, or in the future; compare this "
            "machine's clock",
            "untimely",
        )
