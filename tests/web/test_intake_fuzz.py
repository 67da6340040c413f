"""Whatever a body holds, each call is taken or rejected with a reason, and can be written."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowscore.store.write_keys import WriteKey
from flowscore.web.batches import Arrival, sort_calls
from flowscore.web.bodies import inflate, read_json
from flowscore.web.refusals import RefusedError
from web.conftest import House
from web.intake_door import open_intake

KEY = WriteKey("shop", "", "fs_123456", frozenset(), 0, None)
ARRIVAL = Arrival(KEY, 1_795_338_000_000_000)
FIELDS = ["type", "event", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp",
          "sentAt", "receivedAt", "context", "properties", "traits", "groupId", "previousId",
          "name", "email", "integrations", "topic", "verdict", "amount", "path", "url", "page",
          "campaign", "template", "machine", "link", "products"]  # fmt: skip
WORDS = ["track", "identify", "page", "group", "alias", "screen", "Email Opened", "Subscribed",
         "Sales Feedback", "ana@example.com", "2026-11-20T10:00:00Z", "won", "http://[", "all",
         "\x00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1e5", "::"]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)
CALLS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=10) | VALUES
BATCHES = st.fixed_dictionaries(
    {"batch": st.lists(CALLS, max_size=4)},
    optional={"sentAt": VALUES, "context": VALUES, "timestamp": VALUES, "writeKey": VALUES},
)
QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@QUICK
@given(BATCHES)
def test_each_call_is_taken_or_rejected(batch: dict[str, Any]) -> None:
    body = json.dumps(batch).encode("utf-8", "surrogatepass")
    read = read_json(body)
    found = sort_calls(read, None, ARRIVAL)
    assert len(found.rows) + len(found.rejects) == len(batch["batch"])
    for row in found.rows:
        assert 0 <= row.own_at <= row.received_at
        assert row.source == "shop"
        for field in row:
            assert not isinstance(field, str) or "\x00" not in field
            assert not isinstance(field, str) or field.encode()
    for one in found.rejects:
        assert one.reason
        assert one.content.encode()


@QUICK
@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_any_bytes_are_read_or_refused(body: bytes, coding: str) -> None:
    with suppress(RefusedError):
        orjson.dumps(read_json(inflate(body, coding, 1_000)))


def test_what_was_found_can_be_written(house: House) -> None:
    """The same bodies over HTTP: never 5xx, and all of them in the store."""
    door = open_intake(house)
    sent = 0

    @settings(parent=QUICK, max_examples=60)
    @given(BATCHES)
    def send(batch: dict[str, Any]) -> None:
        nonlocal sent
        body = json.dumps(batch).encode("utf-8", "surrogatepass")
        assert door.post("/v1/batch", content=body).status_code == 200
        sent += len(batch["batch"])

    send()
    assert sent
    assert door.came() or door.rejects()
