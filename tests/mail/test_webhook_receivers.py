"""Nasty receivers: whatever one does, the webhooks of others and the mails go out."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Any

import pytest

from flowscore.clock import MINUTE
from flowscore.mail.webhooks import courier, delivery
from mail.conftest import NOW, House
from mail.receivers import Answer, Receiver, Request, raw, receiving, says
from mail.smtp_server import make_certificate
from mail.webhook_house import Webhooks

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.fixture
def webhooks(small_house: House, monkeypatch: pytest.MonkeyPatch) -> Webhooks:
    """With less patience than in life."""
    monkeypatch.setattr(courier, "TOTAL", 0.6)
    monkeypatch.setattr(courier, "BODY", 0.3)
    return Webhooks(small_house)


def reset(connection: socket.socket) -> None:
    """Hang up with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def hang_up(connection: socket.socket) -> None:
    connection.close()


def endless(head: bytes, piece: bytes) -> Answer:
    """As fast as the line takes it, until the other side hangs up."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return answer


NONSENSE = {
    "hangs up": hang_up,
    "resets": reset,
    "no HTTP": raw(b"220 mail.example.com ESMTP\r\n"),
    "TLS": raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "HTTP/2": raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
    "empty line": raw(b"\r\n\r\n\r\n"),
    "half a head": raw(HEAD),
    "bad status": raw(b"HTTP/1.1 2oo OK\r\n\r\n"),
    "bad length": raw(HEAD + b"Content-Length: minus one\r\n\r\n"),
    "two lengths": raw(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "nul in header": raw(HEAD + b"X: a\0b\r\n\r\n"),
    "huge head": endless(HEAD, b"X-Padding: " + b"x" * 8000 + b"\r\n"),
    "endless interim answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_tried_again(webhooks, kind):
    with receiving(Receiver(lambda _: NONSENSE[kind])) as bad, receiving(Receiver()) as good:
        if "half" in kind:
            bad.answer = lambda _: lambda c: (c.sendall(HEAD), c.shutdown(socket.SHUT_RDWR))
        webhooks.queue("bad", bad.url)
        webhooks.queue("good", good.url)
        report = webhooks.deliver()
    assert (report.sent, report.retried) == (1, 1)
    row = webhooks.row("bad")
    assert (row["status"], row["next_at"]) == ("queued", NOW + MINUTE)
    assert row["reason"]
    assert row["reason"].isprintable()


def slow(receiver: Receiver, kind: str) -> Answer:
    """An answer that never comes to its end."""
    return {
        "silent": receiver.hangs,
        "head drips": receiver.drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        "interim answers drip": receiver.drips(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    }[kind]


@pytest.mark.parametrize("kind", ["silent", "head drips", "interim answers drip"])
def test_a_receiver_that_hangs_is_given_up(webhooks, kind):
    began = time.monotonic()
    with receiving(Receiver()) as bad, receiving(Receiver()) as good:
        bad.answer = lambda _: slow(bad, kind)
        webhooks.queue("bad", bad.url)
        webhooks.queue("good", good.url)
        report = webhooks.deliver()
    assert time.monotonic() - began < 3
    assert (report.sent, report.retried) == (1, 1)
    assert webhooks.row("bad")["reason"] == "no answer within 0.6 seconds"


@pytest.mark.parametrize("kind", ["length", "chunked", "until closed", "fast", "broken"])
def test_a_body_without_end_does_not_undo_an_answer(webhooks, kind):
    """It has said 200: the rest is not waited for, and the connection is closed."""
    with receiving(Receiver()) as crm:
        bodies = {
            "length": crm.drips(HEAD + b"Content-Length: 99999999\r\n\r\n", b"ab"),
            "chunked": crm.drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nab\r\n"),
            "until closed": crm.drips(HEAD + b"\r\n", b"ab"),
            "fast": endless(HEAD + b"\r\n", b"ab" * 4000),
            "broken": raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nZZ\r\n"),
        }
        crm.answer = lambda _: bodies[kind]
        webhooks.queue("k1", crm.url)
        began = time.monotonic()
        report = webhooks.deliver()
    assert report.sent == 1
    assert time.monotonic() - began < 2
    assert webhooks.row("k1")["response"].startswith("200 ab")
    assert len(webhooks.row("k1")["response"]) <= 504


def test_a_body_that_unpacks_into_very_much_is_not_unpacked(webhooks):
    import gzip

    packed = gzip.compress(b"x" * 10_000_000)
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with receiving(Receiver(lambda _: raw(head + packed))) as crm:
        webhooks.queue("k1", crm.url)
        assert webhooks.deliver().sent == 1
        assert crm.got[0].headers["accept-encoding"] == "identity"
    assert "xxxx" not in webhooks.row("k1")["response"]


def test_a_receiver_that_is_silent_twice_gets_no_more_for_a_minute(webhooks):
    """And costs those that were not tried no attempt."""
    with receiving(Receiver()) as bad, receiving(Receiver()) as good:
        bad.answer = lambda _: bad.hangs
        for number in range(20):
            webhooks.queue(f"bad-{number}", bad.url)
            webhooks.queue(f"good-{number}", good.url)
        began = time.monotonic()
        report = webhooks.deliver()
        assert time.monotonic() - began < 3
        asked = len(bad.got)
    assert asked < delivery.OF_ONE_RECEIVER + delivery.SILENCES
    assert (report.sent, report.retried, report.waiting) == (20, 20, 20)
    rows = [row for key, row in webhooks.house.rows().items() if key.startswith("bad")]
    assert sorted(row["attempts"] for row in rows) == [0] * (20 - asked) + [1] * asked
    assert {row["next_at"] for row in rows} == {NOW + MINUTE}
    assert delivery.QUIET in {row["reason"] for row in rows}


def test_a_delivery_has_an_end(webhooks, monkeypatch):
    """Receivers that answer slowly are served in turns: the rest waits for the next delivery."""
    monkeypatch.setattr(delivery, "BUDGET", 0.5)

    def slowly(_: Request) -> Answer:
        time.sleep(0.2)
        return says(200)

    with receiving(Receiver(slowly)) as crm:
        for number in range(40):
            webhooks.queue(f"k{number}", crm.url)
        began = time.monotonic()
        report = webhooks.deliver()
        assert time.monotonic() - began < 2
        assert 4 <= report.sent <= 16
        assert report.waiting == 40 - report.sent
        crm.answer = lambda _: says(200)
        monkeypatch.setattr(delivery, "BUDGET", 30)
        assert webhooks.deliver().sent == report.waiting
    assert sorted(crm.ids) == sorted(f"k{number}" for number in range(40))


def test_a_name_server_that_hangs_holds_nobody_up(webhooks, monkeypatch):
    over, plain = threading.Event(), courier._look_up

    def hanging(host: str, port: int) -> list[Any]:
        return plain(host, port) if host == "127.0.0.1" else [over.wait(30)]

    monkeypatch.setattr(courier, "_look_up", hanging)
    with receiving(Receiver()) as good:
        webhooks.queue("bad", "http://slow.example/")
        webhooks.queue("good", good.url)
        began = time.monotonic()
        report = webhooks.deliver()
        assert time.monotonic() - began < 3
        over.set()
    assert (report.sent, report.retried) == (1, 1)


# --- TLS --------------------------------------------------------------------------------------


@pytest.fixture
def certificate(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    """The server's side of a certificate for 127.0.0.1 that `SSL_CERT_FILE` trusts."""
    file, context = make_certificate(tmp_path_factory.mktemp("tls"))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


def test_https_with_a_trusted_certificate(webhooks, certificate):
    with receiving(Receiver(), tls=certificate) as crm:
        webhooks.queue("k1", f"{crm.url}/in")
        assert webhooks.deliver().sent == 1
    assert crm.got[0].verified() == {"type": "lead"}


@pytest.mark.parametrize("why", ["unknown", "another name"])
def test_an_untrusted_certificate_gets_nothing(webhooks, certificate, monkeypatch, why):
    with receiving(Receiver(), tls=certificate) as crm:
        if why == "unknown":
            monkeypatch.delenv("SSL_CERT_FILE")
        host = "127.0.0.1" if why == "unknown" else "127.0.0.2.nip.test"
        monkeypatch.setattr(courier, "_look_up", lambda host, port: [(0, 0, 0, "", ("127.0.0.1",))])
        webhooks.queue("k1", f"https://{host}:{crm.port}/")
        assert webhooks.deliver().retried == 1
        assert crm.got == []
    assert "certificate is not trusted" in webhooks.row("k1")["reason"]


def test_https_to_a_port_that_speaks_http(webhooks):
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", f"https://127.0.0.1:{crm.port}/")
        assert webhooks.deliver().retried == 1
    assert webhooks.row("k1")["reason"]
