"""INTAKE, point by point, over HTTP: paths, answers, keys, times, what a batch says for all."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from flowscore.clock import SECOND, clock_now, rfc3339
from web.conftest import House
from web.intake_door import ANA, SHOP, Intake, basic, call, open_intake

WHOLE = {
    "identify": {"traits": {"plan": "pro"}},
    "track": {"event": "Order Completed"},
    "page": {"name": "Home"},
    "screen": {"name": "Home"},
    "group": {"groupId": "acme"},
    "alias": {"previousId": "a1"},
}
KINDS = {"identify": "identify", "track": "track", "page": "track", "screen": "track",
         "group": "group", "alias": "alias"}  # fmt: skip
PATHS = [
    (path, kind) for kind in WHOLE for path in (f"/v1/{kind}", f"/v1/{kind[0]}", f"/api/s/{kind}")
]


@pytest.fixture
def door(house: House) -> Intake:
    return open_intake(house)


# --- paths and answers ------------------------------------------------------------------------


def test_each_path_takes_its_kind_of_call(door: Intake) -> None:
    for path, kind in PATHS:
        answer = door.post(path, {"userId": "u1", "messageId": path, **WHOLE[kind]})
        assert (answer.status_code, answer.json()) == (200, {"success": True}), path
    taken = {line["message_id"]: (line["kind"], line["source"]) for line in door.came()}
    assert taken == {f"@shop:{path}": (KINDS[kind], "shop") for path, kind in PATHS}


def test_batches_take_calls_of_every_kind(door: Intake) -> None:
    calls = [{"type": kind, "userId": "u1", **fields} for kind, fields in WHOLE.items()]
    for path in ("/v1/batch", "/v1/b", "/beacon/v1/batch", "/api/s/batch"):
        assert door.post(path, {"batch": calls, "sentAt": path}).status_code == 200
    assert [line["kind"] for line in door.came()] == [*KINDS.values()] * 4


def test_an_empty_batch_is_taken(door: Intake) -> None:
    assert door.batch().status_code == 200


NO_BATCH = {
    b"": "bad_json",
    b"hello": "bad_json",
    b"[]": "bad_json",
    b"7": "bad_json",
    b"a=b&c=d": "bad_json",
    b"[" * 5000: "bad_json",
    b"{}": "bad_batch",
    b'{"batch": {}}': "bad_batch",
}


def test_what_is_no_batch_is_refused_for_good(door: Intake) -> None:
    """INTAKE 3: with any other form of body a client takes a 400 for a fault and tries again."""
    for content, code in NO_BATCH.items():
        answer = door.post("/v1/batch", content=content)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["code"] == code
        assert answer.json()["message"]


def test_an_unknown_path_is_told_in_the_same_form(door: Intake) -> None:
    answer = door.post("/v1/nothing", {})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# --- keys -------------------------------------------------------------------------------------


def test_the_key_is_found_wherever_clients_put_it(door: Intake) -> None:
    """INTAKE 6."""
    key, body = door.key, {"event": "x", "userId": "u1"}
    without_password = {"Authorization": "Basic " + b64encode(key.encode()).decode()}
    for answer in (
        door.post("/v1/t", body, headers=basic(key)),
        door.post("/v1/t", body, headers=without_password),
        door.post("/v1/t", {**body, "writeKey": key}, headers={}),
        door.post(f"/v1/t?writeKey={key}", body, headers={}),
        door.post("/v1/t", body, headers={"X-Write-Key": key}),
        door.post("/v1/t", {**body, "writeKey": None}, headers={**basic(""), "X-Write-Key": key}),
    ):
        assert answer.status_code == 200


NO_KEY = ["Basic", "Basic !!!", "Basic äöü", "Basic //79", "Basic Zm9v", "basic Og==", "Bearer x"]


def test_a_header_that_names_no_key_is_401(door: Intake) -> None:
    for header in NO_KEY:
        headers = {"Authorization": header.encode("latin-1")}
        answer = door.post("/v1/t", {"event": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), header
    assert door.came() == []


def test_a_withdrawn_key_is_refused_and_a_new_one_known_at_once(
    door: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowscore.web.keys.FRESH_SECONDS", 0.0)
    monkeypatch.setattr("flowscore.web.keys.AGAIN_SECONDS", 0.0)
    assert door.track().status_code == 200
    keys = door.house.workspace.write_keys
    keys.withdraw("shop")
    assert door.track(messageId="late").status_code == 401
    door.key = keys.add("shop")
    assert door.track(messageId="new").status_code == 200
    assert [line["message_id"] for line in door.came()][1:] == ["new"]


def test_keys_are_read_again_at_a_bounded_rate(
    door: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of unknown keys must not become a flood of look-ups."""
    monkeypatch.setattr("flowscore.web.keys.FRESH_SECONDS", 600.0)
    monkeypatch.setattr("flowscore.web.keys.AGAIN_SECONDS", 600.0)
    assert door.track().status_code == 200
    made = open_intake(door.house, "later")  # otherwise known a second later
    statuses = {made.track().status_code for _ in range(20)}
    assert statuses == {401}


# --- what counts once -------------------------------------------------------------------------


def test_an_id_of_a_client_counts_once(door: Intake) -> None:
    """INTAKE 5."""
    ids = [
        "0a1b2c3d-0000-4000-8000-000000000000",
        "node-next-1763802000000-0a1b",
        "node-6b3f-0a1b",
        "ajs-next-1763802000000-0a1b",
        "k3j9x0q2m1z7w5t8v4n6b",
    ]
    for given in ids * 3:
        assert door.batch(call(messageId=given), call(messageId=given)).status_code == 200
    assert [line["message_id"] for line in door.came()] == ids


def test_without_an_id_the_same_body_counts_once(door: Intake) -> None:
    sent = "2026-11-22T09:00:00.000Z"
    for _ in range(2):
        door.batch(call(), call(properties={"n": 2}), sentAt=sent)
    door.batch(call(), sentAt="2026-11-22T09:05:00.000Z")  # the same, done again later
    assert len(door.came()) == 3


def test_nobody_takes_the_place_of_an_id_that_we_write(door: Intake) -> None:
    """`contact_created:email:…` would keep a contact's own event out of the log."""
    door.track(messageId=f"contact_created:email:{ANA}")
    door.track(messageId=f"contact_created:email:{ANA}")
    assert door.one()["message_id"] == f"@shop:contact_created:email:{ANA}"


def test_events_that_we_write_ourselves_are_rejects(door: Intake) -> None:
    for name in ("Contact Created", "list joined", "STAGE_CHANGED"):
        assert door.track(name).status_code == 200
    assert door.came() == []
    assert ["flowscore writes" in one["reason"] for one in door.rejects()] == [True] * 3


def test_from_a_web_page_nobody_agrees_for_others_is_suppressed_or_sold(house: House) -> None:
    page = open_intake(house, "page", [SHOP])
    server = open_intake(house, "server")
    weighty = ["Subscribed", "Email Bounced", "Email Marked as Spam", "Sales Feedback"]
    for name in weighty:
        page.track(name, properties={"verdict": "won"})
    assert page.came() == []
    assert len(page.rejects()) == len(weighty)
    for name in (*weighty, "Unsubscribed"):
        server.track(name, properties={"verdict": "won"})
    page.track("Unsubscribed")
    assert len(server.came()) == len(weighty) + 2, "a refusal is heard wherever it is said"


# --- times ------------------------------------------------------------------------------------


def test_a_wrong_clock_is_corrected(door: Intake) -> None:
    """INTAKE 7: `timestamp` − (`sentAt` − receipt), as Segment does."""
    ahead = clock_now() + 3_000 * SECOND
    before = ahead - 60 * SECOND
    door.batch(call(timestamp=rfc3339(before)), sentAt=rfc3339(ahead))
    line = door.one()
    assert line["own_at"] == line["received_at"] - 60 * SECOND


def test_a_call_of_its_own_says_when_it_was_sent(door: Intake) -> None:
    ahead = clock_now() - 3_000 * SECOND
    door.track(timestamp=rfc3339(ahead - 5 * SECOND), sentAt=rfc3339(ahead))
    door.batch(call(messageId="2", originalTimestamp=rfc3339(ahead), sentAt=rfc3339(ahead)))
    first, second = door.came()
    assert first["own_at"] == first["received_at"] - 5 * SECOND
    assert second["own_at"] == second["received_at"]


def test_times_are_read_as_clients_write_them(door: Intake) -> None:
    for written in ("10:00:00.123Z", "11:00:00.123+01:00", "10:00:00.123", "10:00:00.123000+00:00"):
        door.track(timestamp=f"2026-11-20T{written}", messageId=written.replace(":", "-"))
    came = {rfc3339(line["own_at"]) for line in door.came()}
    assert (came, len(door.came())) == ({"2026-11-20T10:00:00.123000Z"}, 4)


def test_a_sending_time_that_makes_no_sense_is_passed_by(door: Intake) -> None:
    senseless = ["", "yesterday", 12, None, "9999-12-31T23:59:59Z", {}]
    for n, sent in enumerate(senseless):
        door.batch(call(timestamp="2026-11-20T10:00:00Z", messageId=f"m{n}"), sentAt=sent)
    assert [rfc3339(line["own_at"]) for line in door.came()] == ["2026-11-20T10:00:00Z"] * 6


def test_no_time_at_all_is_the_receipt(door: Intake) -> None:
    door.track()
    line = door.one()
    assert line["own_at"] == line["received_at"]
    assert 0 <= clock_now() - line["received_at"] < 20 * SECOND


# --- what stands beside the calls -------------------------------------------------------------


def test_what_a_batch_says_holds_for_each_call(door: Intake) -> None:
    own = {"campaign": {"name": "own"}}
    door.batch(
        call(messageId="1"),
        call(messageId="2", context=own, timestamp="2026-11-19T10:00:00Z"),
        context={"campaign": {"name": "spring"}, "locale": "es"},
        timestamp="2026-11-20T10:00:00Z",
        integrations={},
    )
    first, second = (json.loads(line["properties"])["context"] for line in door.came())
    assert first == {"campaign": {"name": "spring"}, "locale": "es"}
    assert second == {"campaign": {"name": "own"}, "locale": "es"}
    days = [rfc3339(line["own_at"])[:10] for line in door.came()]
    assert days == ["2026-11-20", "2026-11-19"]


def test_the_headers_of_rudderstack_are_defaults(door: Intake) -> None:
    ahead = clock_now() + 500 * SECOND
    headers = {
        **basic(door.key),
        "AnonymousId": b64encode(b"visitor-1").decode(),
        "SentAt": rfc3339(ahead),
    }
    body = {"event": "x", "timestamp": rfc3339(ahead), "userId": ""}
    door.post("/v1/track", body, headers=headers)
    line = door.one()
    assert line["anonymous_id"] == "visitor-1"
    assert line["own_at"] == line["received_at"]
    odd = {**basic(door.key), "AnonymousId": "!!", "SentAt": "soon"}
    assert door.post("/v1/track", {"event": "x", "userId": "u2"}, headers=odd).status_code == 200


def test_ids_may_be_empty(door: Intake) -> None:
    for nobody in (None, ""):
        door.track(userId=nobody, anonymousId="a1")
        door.track(userId="u1", anonymousId=nobody)
    named = [(line["user_value"], line["anonymous_id"]) for line in door.came()]
    assert named == [(None, "a1"), ("u1", None)] * 2


# --- rejects ----------------------------------------------------------------------------------


def test_a_bad_call_does_not_lose_the_others(door: Intake) -> None:
    """INTAKE 10: the answer is 200, since a client that sends it all again helps nobody."""
    bad = [{"type": "track", "userId": "u1"}, 7, None, call(type="sing"), call(userId={}), []]
    answer = door.batch(call(messageId="first"), *bad, call(messageId="last"))
    assert answer.status_code == 200
    assert [line["message_id"] for line in door.came()] == ["first", "last"]
    kept = door.rejects()
    assert len(kept) == len(bad)
    assert all(one["source"] == "shop" and one["reason"] for one in kept)
    assert json.loads(kept[3]["content"])["type"] == "sing"


def test_a_reject_sent_again_is_kept_once(door: Intake) -> None:
    for _ in range(3):
        door.track("", messageId="m1")
    assert len(door.rejects()) == 1


def test_what_came_in_and_what_was_rejected_is_counted(door: Intake) -> None:
    door.batch(call(), call(userId=None))
    told = door.house.client.get("/metrics").text
    assert 'flowscore_events_received_total{source="shop"} 1.0' in told
    assert 'flowscore_rejects_total{source="shop"} 1.0' in told
