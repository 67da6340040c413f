"""The hard shell: what is too much, too slow or broken ends in one short answer."""

from __future__ import annotations

import re
import socket
import time
from base64 import b64encode
from pathlib import Path

import pytest

from flows.watching import await_true
from flowscore.web import connection, shell
from web.conftest import House, Serve

ROOT = Path(__file__).parents[2]


def ask(house: House, raw: bytes, wait: float = 5.0) -> bytes:
    """What the server says to these bytes, until it closes or falls silent."""
    host, port = house.server.socket.getsockname()[:2]
    with socket.create_connection((host, port), timeout=wait) as client:
        client.sendall(raw)
        said = b""
        while part := client.recv(65536):
            said += part
    return said


def test_health_and_metrics_answer(house: House) -> None:
    assert house.client.get("/healthz").json() == {"status": "ok"}
    page = house.client.get("/metrics").text
    assert "flowscore_up 1.0" in page
    assert 'flowscore_responses_total{status="200"} 1.0' in page


def test_metrics_tell_of_store_and_outbox(serve: Serve) -> None:
    house = serve()
    key = house.workspace.write_keys.add("site")
    house.client.post("/v1/t", json={"event": "x", "userId": "u1", "writeKey": key})
    house.client.post("/v1/t", json={"userId": "u1", "writeKey": key})
    page = house.client.get("/metrics").text
    assert 'flowscore_events_received_total{source="site"} 1.0' in page
    assert 'flowscore_rejects_total{source="site"} 1.0' in page
    assert "flowscore_inbox_lines 1.0" in page
    assert "_created" not in page


def test_every_metric_is_documented(house: House) -> None:
    told = (ROOT / "docs" / "reference" / "health.md").read_text(encoding="utf-8")
    page = house.client.get("/metrics").text
    names = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    assert len(names) > 8
    assert [name for name in sorted(names) if f"`{name}" not in told] == []


def test_metrics_ask_for_their_token(serve: Serve) -> None:
    house = serve(METRICS_TOKEN="abc")
    refused = house.client.get("/metrics")
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert house.client.get("/metrics", headers={"Authorization": "Bearer abc"}).status_code == 200


def test_unknown_paths_answer_in_our_form(house: House) -> None:
    missing = house.client.get("/nowhere")
    assert (missing.status_code, missing.json()) == (
        404,
        {"code": "not_found", "message": "Not Found"},
    )
    assert missing.headers["x-content-type-options"] == "nosniff"
    assert "server" not in missing.headers
    assert house.client.post("/healthz").json()["code"] == "method_not_allowed"


def test_no_answer_leads_to_the_host_that_a_request_names(house: House) -> None:
    found = house.client.get("/u/token/", headers={"Host": "evil.example"})
    assert found.status_code == 404
    assert "location" not in found.headers


def test_a_body_that_is_announced_too_large_is_refused_unread(serve: Serve) -> None:
    house = serve(WEB_MAX_BODY=100_000)
    said = ask(house, b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413")
    assert b'"too_large"' in said


def test_a_client_that_sends_no_head_is_cut(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    for beginning in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        start = time.monotonic()
        assert ask(house, beginning) == b""
        assert time.monotonic() - start < 4


def test_a_head_without_end_is_refused(house: House) -> None:
    said = b""
    try:
        said = ask(house, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Long: y\r\n" * 20_000)
    except ConnectionError:  # it closed while we were still sending
        return
    assert said.startswith(b"HTTP/1.1 431")


def test_what_is_no_http_is_refused(house: House) -> None:
    assert ask(house, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")


def head(key: str, *lines: str) -> bytes:
    """The head of a batch."""
    credentials = b64encode(f"{key}:".encode()).decode()
    first = ["POST /v1/batch HTTP/1.1", "Host: x", f"Authorization: Basic {credentials}"]
    return "\r\n".join([*first, *lines, "", ""]).encode()


def test_a_body_that_does_not_arrive_is_not_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "BODY_SECONDS", 0.3)
    key = house.workspace.write_keys.add("site")
    for length in ("Content-Length: 100", "Transfer-Encoding: chunked"):
        start = time.monotonic()
        said = ask(house, head(key, length))
        assert said.startswith(b"HTTP/1.1 408") and b'"too_slow"' in said
        assert b"connection: close" in said
        assert time.monotonic() - start < 4


def test_a_body_in_pieces_is_counted(serve: Serve) -> None:
    house = serve(WEB_MAX_BODY=100_000)
    key = house.workspace.write_keys.add("site")
    piece = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    said = ask(house, head(key, "Transfer-Encoding: chunked") + piece * 14)
    assert said.startswith(b"HTTP/1.1 413")


def flood(house: House, beginning: bytes, more: bytes) -> int:
    """How many times more the server takes before it cuts us off."""
    host, port = house.server.socket.getsockname()[:2]
    with socket.create_connection((host, port), timeout=5) as client:
        client.sendall(beginning)
        for number in range(2_000):
            try:
                client.sendall(more)
            except OSError:
                return number
    return 2_000


def test_what_surrounds_a_body_has_bounds_too(house: House) -> None:
    """Trailers are kept like headers, and nobody waits for the end of a chunk's extension."""
    head_ = head(house.workspace.write_keys.add("site"), "Transfer-Encoding: chunked")
    trailers = b"X-More: and more\r\n" * 2_000
    assert flood(house, head_ + b"2\r\n{}\r\n0\r\n", trailers) < 1_000
    assert flood(house, head_ + b"2\r\n{}\r\n0\r\nX-One: ", b"x" * 36_000) < 1_000
    assert flood(house, head_ + b"2;", b"x" * 36_000) < 1_000
    assert house.client.get("/healthz").status_code == 200


def test_a_client_that_does_not_take_its_answers_is_cut(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.3)
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    house.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(house.server.socket.getsockname()[:2])
        client.sendall(asked)
        state = house.server.server.server_state
        await_true(lambda: state.connections, 10)
        await_true(lambda: not state.connections, 4)


def test_a_slow_line_gets_its_answer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a second, in which something arrives all the time."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 1.0)
    whole = len(house.client.get("/openapi.json").content)
    house.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(house.server.socket.getsockname()[:2])
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = b""
        while part := client.recv(4_096):
            said += part
            time.sleep(0.08)
    assert len(said.partition(b"\r\n\r\n")[2]) == whole


def test_requests_are_not_stacked_up(house: House) -> None:
    assert flood(house, b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100) < 1_000


def test_who_is_refused_before_the_body_cannot_hold_the_connection(house: House) -> None:
    said = ask(house, head("no-key", "Content-Length: 4000000") + b"{")
    assert said.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in said


def test_what_goes_wrong_inside_shows_no_trace(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = house.workspace.write_keys.add("site")

    def fail(*_: object) -> None:
        raise RuntimeError("ana@example.com")

    monkeypatch.setattr("flowscore.web.intake.sort_calls", fail)
    said = house.client.post("/v1/t", json={"event": "x", "userId": "1", "writeKey": key})
    assert said.status_code == 500
    assert said.json() == {"code": "error", "message": "something went wrong here"}
    await_true(lambda: "RuntimeError" in caplog.text, seconds=5)  # noted after the answer
    assert "ana@" not in caplog.text


def test_the_port_in_use_is_told(serve: Serve) -> None:
    house = serve()
    port = house.server.socket.getsockname()[1]
    with pytest.raises(Exception, match=f"127.0.0.1:{port} is in use by another program"):
        serve(WEB_PORT=port)
