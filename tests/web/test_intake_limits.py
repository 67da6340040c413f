"""What is odd, huge or hostile is refused or read for what it is; nothing of it is our fault."""

from __future__ import annotations

import gzip
import json
import socket
import sqlite3
import threading
import time
import zlib
from typing import Any

import pytest

from flowscore.web import batches, bodies, intake
from flowscore.web.writer import Writer
from web.conftest import House, Serve
from web.intake_door import ANA, Intake, basic, call, open_intake, packed


@pytest.fixture
def door(serve: Serve) -> Intake:
    return open_intake(serve(WEB_MAX_BODY=1_000_000))


@pytest.fixture
def on_both(serve: Serve, store_url: str) -> Intake:
    """Once on SQLite, once on PostgreSQL."""
    return open_intake(serve(url=store_url))


def status(door: Intake, content: bytes, **headers: str) -> int:
    found = door.post("/v1/batch", content=content, headers={**basic(door.key), **headers})
    assert found.status_code == 200 or set(found.json()) == {"code", "message"}
    return found.status_code


# --- size -------------------------------------------------------------------------------------


def test_a_body_above_the_bound_is_413(door: Intake) -> None:
    """INTAKE 8."""
    assert status(door, b" " * 1_000_001) == 413
    assert status(door, b'{"batch": []}' + b" " * 900_000) == 200


def test_a_body_without_its_length_is_counted_as_it_comes(door: Intake) -> None:
    def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    found = door.house.client.post("/v1/batch", content=pieces(), headers=basic(door.key))
    assert found.status_code == 413


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_413_before_it_is_in_memory(door: Intake, coding: str) -> None:
    bomb = b'{"batch": [' + b" " * 300_000_000 + b"]}"
    small = gzip.compress(bomb, 1) if coding == "gzip" else zlib.compress(bomb, 1)
    twice = gzip.compress(gzip.compress(bomb, 1), 1)
    assert len(small) > 1_000_000 or status(door, small, **{"Content-Encoding": coding}) == 413
    assert status(door, twice, **{"Content-Encoding": "gzip"}) in (400, 413)


def test_many_small_archives_in_one_are_413(door: Intake) -> None:
    assert status(door, gzip.compress(b"") * 40_000, **{"Content-Encoding": "gzip"}) == 413


CODED = [
    (packed({"batch": []}), "gzip", 200),
    (packed({"batch": []}), "x-gzip", 200),
    (packed({"batch": []}), "", 200),  # some say nothing of it
    (gzip.compress(b'{"batch"') + gzip.compress(b": []}"), "gzip", 200),
    (zlib.compress(b'{"batch": []}'), "deflate", 200),
    (zlib.compress(b'{"batch": []}')[2:-4], "deflate", 200),  # without zlib's header
    (b'{"batch": []}', "identity", 200),
    (packed({"batch": []})[:-9], "gzip", 400),
    (packed({"batch": []}) + b"more", "gzip", 400),
    (b'{"batch": []}', "gzip", 400),
    (b"", "gzip", 400),
    (b"", "deflate", 400),
    (b'{"batch": []}', "br", 400),
    (b'{"batch": []}', "gzip, gzip", 400),
]


def test_bodies_are_inflated_by_their_coding(door: Intake) -> None:
    """INTAKE 6."""
    for content, coding, expected in CODED:
        headers = {"Content-Encoding": coding} if coding else {}
        assert status(door, content, **headers) == expected, (content, coding)


def test_very_many_objects_are_413(door: Intake) -> None:
    assert status(door, b'{"batch": [' + b"{}," * 300_000 + b"{}]}") == 413


def test_a_call_above_its_bound_is_a_reject(door: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_LETTERS", 5_000)
    monkeypatch.setattr(batches, "MOST_KEPT", 1_000)
    door.batch(call(messageId="small"), call(messageId="big", properties={"x": "x" * 6_000}))
    assert door.one()["message_id"] == "small"
    (kept,) = door.rejects()
    assert "expected at most 5,000" in kept["reason"]
    assert len(kept["content"]) == 1_001


# --- JSON that is none, and values that no database takes ----------------------------------------

ODD: dict[str, tuple[bytes, Any]] = {
    "NUL": (b'"a\\u0000b"', "ab"),
    "half of an emoji": (b'"a\\ud83d"', "a�"),
    "an emoji": (b'"a\\ud83d\\ude00"', "a😀"),
    "NaN": (b"NaN", None),
    "infinity": (b"-Infinity", None),
    "beyond a double": (b"1e999", None),
    "beyond 64 bits": (b"123456789012345678901234567890", 1.2345678901234568e29),
    "unsigned": (b"18446744073709551615", 18446744073709551615),
    "a thousand digits": (b"9" * 1000, None),
    "bytes that are no UTF-8": (b'"a\xffb"', "a�b"),
    "a raw line break": (b'"a\nb"', "a\nb"),
}


@pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
def test_values_that_json_or_a_database_refuses_harm_nobody(on_both: Intake) -> None:
    """One odd value must fail neither its batch nor its transaction."""
    for name, (raw, _) in ODD.items():
        odd = b'{"type":"track","event":"x","userId":"u1","messageId":"%s","properties":{"v":%s}}'
        good = json.dumps(call(messageId=f"beside {name}")).encode()
        content = b'{"batch":[%s,%s]}' % (odd % (name.encode(), raw), good)
        assert status(on_both, content) == 200, name
    lines = {line["message_id"]: line["properties"] for line in on_both.came()}
    assert on_both.rejects() == []
    for name, (_, read) in ODD.items():
        properties = lines[name]
        found = json.loads(properties) if isinstance(properties, str) else properties
        assert found["v"] == (pytest.approx(read) if isinstance(read, float) else read), name
        assert f"beside {name}" in lines


def test_odd_ids_and_names_are_taken_or_rejected_alone(on_both: Intake) -> None:
    nul = "a\x00b"
    odd = [
        call(userId=nul, messageId=nul, event=nul, anonymousId=nul),
        call(userId="u" * 501),
        call(messageId="m" * 501),
        call(messageId=7),
        call(userId=True),
        call(event=["x"]),
        call(timestamp={"a": 1}),
        call(timestamp="0001-01-01T00:00:00Z"),
        call(context="none", properties=[]),
        {"type": "identify", "userId": "u1", "traits": {"n" * 300: 1}},
        {"type": "identify", "traits": {"email": "x" * 9_000 + "@example.com"}},
        {"type": "group", "userId": "u1", "groupId": "g", "traits": {nul: nul}},
        {"type": "alias", "userId": "u1", "previousId": nul},
        {"type": [], "event": {}},
    ]
    answer = on_both.batch(*odd, call(messageId="last"))
    assert answer.status_code == 200
    taken = [line["message_id"] for line in on_both.came()]
    assert "last" in taken
    assert len(taken) + len(on_both.rejects()) == len(odd) + 1


def test_what_came_in_stands_in_no_tick_s_way(serve: Serve, store_url: str) -> None:
    """PostgreSQL refuses long entries of an index: that must not be found out by the tick."""
    rules = "score: engagement\nrules: [{name: order, points: 5, on: {event: order_completed}}]\n"
    door = open_intake(serve({"scenarios/score.yaml": rules}, url=store_url))
    long = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(5_000))
    traits = {"bio": long, "tags": [long, long[1:]], long[:200]: "x", "n": 1e308}
    door.post("/v1/identify", {"userId": ANA, "traits": traits})
    door.post("/v1/group", {"userId": ANA, "groupId": long[:500], "traits": traits})
    door.post("/v1/page", {"userId": ANA, "properties": {"path": "/" + long}})
    door.track(userId=ANA, properties={long[:3000]: {long: long}})
    door.post("/v1/identify", {"userId": ANA, "traits": {**traits, "bio": long[:-1] + "!"}})
    door.house.tick()
    (found,) = door.house.rows("SELECT value FROM attributes WHERE name = 'bio'")
    assert str(found["value"]).strip('"').endswith("!")
    assert door.house.rows("SELECT balance FROM balances")


def test_no_topic_and_no_combination_stands_in_a_tick_s_way(serve: Serve, store_url: str) -> None:
    """The longest of each that is taken fits into PostgreSQL's indexes; a longer topic is none."""
    walk = """
        scenario: looked
        trigger: {event: {name: look, times: 2, within: 2 hours, same: [sku]}}
        actions: [{add_to_list: lookers}]
        ---
        list: lookers
        """
    door = open_intake(serve({"scenarios/looked.yaml": walk}, url=store_url))
    wide = "".join(chr(0x20000 + n * 7919 % 40_000) for n in range(5_000))
    for event in ("Subscribed", "Unsubscribed"):
        for topic in (wide[:500], wide[:100]):
            said = {"topics": ["news", topic]}
            door.track(event, userId=wide[:500], messageId=wide[1:490] + event, properties=said)
    for number in range(2):
        door.track("look", userId=ANA, messageId=f"look {number}", properties={"sku": wide})
    door.house.tick()
    assert len(door.rejects()) == 2
    assert len(door.house.rows("SELECT topic FROM consents WHERE topic = :it", it=wide[:100])) == 1
    assert door.house.rows("SELECT * FROM members WHERE list = 'lookers'")


def test_what_stands_beside_a_batch_is_not_multiplied(door: Intake) -> None:
    """A few bytes sent, and gigabytes of memory: whoever has a page's key could do it."""
    calls = [call(messageId=f"m{number}") for number in range(2_000)]
    body = {"batch": calls, "context": {"page": "x" * 50_000}}
    assert status(door, json.dumps(body).encode()) == 413
    assert status(door, b'{"batch":[%s]}' % b",".join([b"1"] * 60_000)) == 413
    long = {"batch": calls[:2], "sentAt": "1" * 200_000, "timestamp": "2" * 200_000}
    assert status(door, json.dumps(long).encode()) == 200
    assert (
        status(door, json.dumps({"batch": calls[:5], "context": body["context"]}).encode()) == 200
    )
    assert len(door.came()) == 5
    assert not door.rejects()


def test_nesting_is_bounded(door: Intake) -> None:
    def nested(depth: int) -> str:
        return '{"a":' * depth + "1" + "}" * depth

    def batch(properties: str) -> bytes:
        return b'{"batch":[{"type":"track","event":"x","userId":"u1","properties":%s}]}' % (
            properties.encode()
        )

    assert status(door, batch(nested(100))) == 200
    assert status(door, batch(nested(400))) == 200
    assert status(door, batch(nested(2_000))) == 400
    assert status(door, batch(nested(50_000))) in (400, 413)
    assert len(door.came()) == 1
    assert [one["reason"] for one in door.rejects()] == ["nested too deeply"]


def test_a_long_path_in_an_event_is_not_multiplied(door: Intake) -> None:
    """Each leaf's dotted path would hold the long name once more."""
    leaves = {f"k{n}": n for n in range(2_000)}
    door.track(properties={"x" * 100_000: leaves})
    assert len(door.one()["forms"]) < 1_000


# --- load -------------------------------------------------------------------------------------


class Stuck(Writer):
    """A writer whose disk is slow, and which has little room."""

    def __init__(self, house: House) -> None:
        super().__init__(house.workspace.store, most=10)
        self.go = threading.Event()

    def _write_all(self, parcels: list[Any]) -> None:
        self.go.wait(20)
        super()._write_all(parcels)


def test_what_does_not_fit_is_429_and_nothing_is_lost(house: House) -> None:
    door = open_intake(house)
    desk = house.server.desk
    desk.writer.stop()
    desk.__dict__["writer"] = stuck = Stuck(house)
    stuck.start()
    first = [call(messageId=f"a{n}") for n in range(8)]
    sender = threading.Thread(target=door.batch, args=first)
    sender.start()
    until = time.monotonic() + 20
    while stuck.lines < 8 and time.monotonic() < until:
        time.sleep(0.01)
    refused = door.batch(*(call(messageId=f"b{n}") for n in range(8)))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) > 0
    stuck.go.set()
    sender.join()
    assert door.batch(*(call(messageId=f"b{n}") for n in range(8))).status_code == 200
    assert len(door.came()) == 16


def test_bodies_under_way_are_bounded_together(door: Intake) -> None:
    room = bodies.Room(most_bytes=100)
    room.take(bodies.HELD * 100)
    with pytest.raises(bodies.FullError):
        room.take(1)


def test_a_store_that_cannot_be_written_is_503(door: Intake) -> None:
    assert door.track(messageId="before").status_code == 200
    path = door.house.workspace.root / "inbox.db"
    lock = sqlite3.connect(path, isolation_level=None)
    limit = "PRAGMA busy_timeout = 1"
    with door.house.workspace.store.receive() as connection:  # the writer's own connection
        connection.exec_driver_sql(limit)
    lock.execute("BEGIN IMMEDIATE")
    refused = door.track(messageId="after")
    lock.execute("ROLLBACK")
    lock.close()
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert door.track(messageId="after").status_code == 200
    assert [line["message_id"] for line in door.came()] == ["before", "after"]


def test_large_batches_are_sorted_aside(door: Intake) -> None:
    many = [call(messageId=f"m{n}") for n in range(intake.MANY + 1)]
    assert door.batch(*many).status_code == 200
    assert len(door.came()) == len(many)


def test_one_huge_call_holds_up_nobody(door: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes of gzip: it is sorted aside, and not taken apart before it is refused."""
    sorted_in: list[str] = []
    took_apart: list[object] = []

    def sort(*args: Any) -> Any:
        sorted_in.append(threading.current_thread().name)
        return batches.sort_calls(*args)

    monkeypatch.setattr(intake, "sort_calls", sort)
    monkeypatch.setattr(batches, "read_call", lambda *args: took_apart.append(args))
    body = packed({"batch": [call(properties={"many": ["a"] * 300_000})]})
    assert len(body) < 10_000
    assert status(door, body, **{"Content-Encoding": "gzip"}) == 200
    assert not took_apart and "flowscore web" not in sorted_in
    assert "letters, expected at most 524,288 in a call" in door.rejects()[0]["reason"]


def test_a_client_that_leaves_in_the_middle_is_no_fault_of_ours(door: Intake) -> None:
    port = door.house.server.socket.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as leaving:
        head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
        leaving.sendall(head + b'{"batch": [')
    assert door.track().status_code == 200
    told = door.house.client.get("/metrics").text
    assert 'responses_total{status="500"}' not in told
    assert 'responses_total{status="499"} 1.0' in told
