"""Sorts what a request brings into inbox lines and rejects, each call by itself (INTAKE 7 and 10).

Nothing in a call may harm the others of its batch, or stand in the way of what flowscore writes
itself: the public keys of web pages are in anybody's hands.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from flowscore.store import fields
from flowscore.store.calls import read_call
from flowscore.store.feedback import FEEDBACK
from flowscore.store.fields import LONGEST, Call, Reading, Reject, digest
from flowscore.store.inbox import InboxRow
from flowscore.store.rejects import Rejected
from flowscore.store.write_keys import WriteKey
from flowscore.web.refusals import RefusedError, TooLargeError

UTC = ZoneInfo("UTC")
MOST_LETTERS = 512 * 1024  # of an event as JSON; 32 KB are usual
MOST_KEPT = 64 * 1024  # letters of a reject
MOST_CALLS = 50_000  # in a batch
MOST_SHARED = 32 * 1024 * 1024  # bytes of a batch's context, written into each of its calls
LONGEST_TIME = 100  # letters of a time that counts for a whole batch
OURS = frozenset({"contact_created", "attribute_changed", "list_joined", "list_left",
                  "stage_changed", "enroll_requested"})  # fmt: skip
WEIGHTY = frozenset({"subscribed", "email_bounced", "email_complained", FEEDBACK})
OWN_MARKS = re.compile("[:/@]")  # in the ids of what flowscore writes, and in no client's


@dataclass
class Sorted:
    """What one request brings."""

    rows: list[InboxRow] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Arrival:
    """With which key calls came, when, and what the request says beside them.

    `anonymous_id` and `sent_at` are RudderStack's headers, `size` the bytes of the whole body.
    """

    key: WriteKey
    at: int  # microseconds
    anonymous_id: str | None = None
    sent_at: Any = None
    size: int = 0

    @property
    def source(self) -> str:
        """Stands beside each event."""
        return self.key.source


def sort_calls(body: Any, kind: str | None, arrival: Arrival) -> Sorted:
    """The calls of a batch, or the one call of that kind."""
    calls, beside = calls_in(body, kind)
    _refuse_multiplying(calls, beside)
    sent = _time_of(beside.get("sentAt")) or _time_of(arrival.sent_at)
    reading = Reading(arrival.at, sent_at=read_clock(sent), zone=UTC, source=arrival.source)
    found = Sorted()
    for call in calls:
        if type(call) is dict:
            _complete(call, beside, sent, arrival)
        row = _read(call, reading, arrival)
        if why := row.reason if isinstance(row, Reject) else refusal(row, arrival.key):
            found.rejects.append(Rejected(arrival.source, why, written(call), arrival.at))
        elif isinstance(row, InboxRow):
            found.rows.append(row)
    return found


def calls_in(body: Any, kind: str | None) -> tuple[list[Any], Call]:
    """The calls, and what stands beside them in a batch."""
    if not isinstance(body, dict):
        raise RefusedError("expected a JSON object", "bad_json")
    if kind is not None:
        body["type"] = kind
        return [body], {"sentAt": body.get("sentAt")}
    calls = body.get("batch")
    if not isinstance(calls, list):
        raise RefusedError("batch: expected a list of calls", "bad_batch")
    return calls, body


def _read(call: Any, reading: Reading, arrival: Arrival) -> InboxRow | Reject:
    """A call beyond its bound is not taken apart first: that takes seconds."""
    if arrival.size > MOST_LETTERS and (letters := len(written(call, whole=True))) > MOST_LETTERS:
        return Reject(_too_long(letters))
    return read_call(call, reading if reading.sent_at else _by_own_clock(call, reading))


def _refuse_multiplying(calls: list[Any], beside: Call) -> None:
    """What stands beside a batch stands in each of its calls: small to send, and large to keep."""
    if len(calls) > MOST_CALLS:
        raise TooLargeError(f"batch: found {len(calls):,} calls, expected at most {MOST_CALLS:,}")
    context = beside.get("context")
    if type(context) is not dict:
        return
    try:
        size = len(orjson.dumps(context))
    except (orjson.JSONEncodeError, RecursionError):
        raise RefusedError("context: nested too deeply", "bad_batch") from None
    if size * len(calls) > MOST_SHARED:
        raise TooLargeError("context: too large for a batch of so many calls")


def _time_of(said: Any) -> str | None:
    """A time that is said for all; what is longer than any time is none."""
    return said if type(said) is str and len(said) <= LONGEST_TIME else None


def read_clock(said: Any) -> int | None:
    """The client's clock at sending; what is no time says nothing."""
    if not isinstance(said, str):
        return None
    try:
        return fields.read_time(said, UTC, "sentAt")
    except fields.RefusedError:
        return None


def _by_own_clock(call: Any, reading: Reading) -> Reading:
    """A batch need not say when it was sent; each of its calls may."""
    said = call.get("sentAt") if type(call) is dict else None
    return replace(reading, sent_at=read_clock(said)) if said else reading


def anonymous_id_in(headers: Mapping[str, str]) -> str | None:
    """RudderStack's header, in base 64."""
    try:
        text = b64decode(headers.get("anonymousid", ""), validate=True).decode("utf-8")
    except ValueError:
        return None
    return text.replace("\x00", "")[:LONGEST] or None


def _complete(call: Call, beside: Call, sent: Any, arrival: Arrival) -> None:
    """Give the call what the batch and the headers say for all."""
    call["messageId"] = message_id(call, sent, arrival.source)
    if arrival.anonymous_id and not call.get("anonymousId"):
        call["anonymousId"] = arrival.anonymous_id
    if type(shared := beside.get("context")) is dict:
        own = call.get("context")
        call["context"] = {**shared, **own} if type(own) is dict else shared
    shared_time = _time_of(beside.get("timestamp"))
    if shared_time and not (call.get("timestamp") or call.get("originalTimestamp")):
        call["timestamp"] = shared_time


def message_id(call: Call, sent: Any, source: str) -> str | None:
    """What makes a call count once.

    Without an id it is the call itself, with the client's clock at sending: a batch that is sent
    again is the same, and the same page seen tomorrow another. An id that could be one of what
    flowscore writes itself gets its source in front, so that nobody can take that one's place.
    """
    given = call.get("messageId")
    if type(given) is str and given and len(given) <= LONGEST:
        return f"@{source}:{given}" if OWN_MARKS.search(given) else given
    try:
        return digest([source, sent, call])
    except (orjson.JSONEncodeError, RecursionError):
        return None  # it nests too deeply, and will be rejected for that


def refusal(row: InboxRow, key: WriteKey) -> str:
    """Why a call that can be read is not taken."""
    if row.name in OURS:
        return f"event: flowscore writes {row.name} itself; send yours by another name"
    if row.name in WEIGHTY and key.origins:
        return (
            f"event: {row.name} is not taken from web pages, where anybody could send it; use a "
            "key without --origin"
        )
    letters = max(len(row.properties or ""), len(row.traits or ""), len(row.forms or "") // 4)
    return _too_long(letters) if letters > MOST_LETTERS else ""


def _too_long(letters: int) -> str:
    return f"found {letters:,} letters, expected at most {MOST_LETTERS:,} in a call"


def written(call: Any, *, whole: bool = False) -> str:
    """A reject as it is kept: its JSON, of an oversized one the beginning."""
    try:
        text = orjson.dumps(call).decode()
    except (orjson.JSONEncodeError, RecursionError):
        text = orjson.dumps(_outside(call)).decode()
    return text if whole or len(text) <= MOST_KEPT else text[:MOST_KEPT] + "…"


def _outside(call: Any) -> Any:
    """Of what nests too deeply the plain values at the top."""
    if not isinstance(call, dict):
        return "nested too deeply"
    return {key: value for key, value in call.items() if not isinstance(value, dict | list)}
