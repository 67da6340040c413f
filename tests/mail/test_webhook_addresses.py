"""Where a webhook may go: no way of writing an inner address leads inside."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from flowscore.errors import FlowscoreError
from flowscore.mail.webhooks import courier
from flowscore.mail.webhooks.addresses import Reach, kind_of, read_reach, unwrapped
from flowscore.mail.webhooks.parcels import UnfitError, read_url
from flowscore.settings import read_settings
from mail.conftest import House
from mail.receivers import Receiver, receiving
from mail.webhook_house import Webhooks

INNER = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a00:1::", "2002:a9fe:a9fe::", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111",
    "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::",
]  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_known(address):
    assert kind_of(unwrapped(ip_address(address)))
    assert Reach().why_not("example.com", ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address):
    assert not Reach().why_not("example.com", ip_address(address))


def test_hosts_and_networks_can_be_allowed():
    reach = read_reach("crm.internal, 10.1.0.0/16 [fd00::]/8,192.168.7.7")
    allowed = {
        ("x", "10.1.2.3"), ("x", "192.168.7.7"), ("x", "fd00::1"), ("x", "::ffff:10.1.2.3"),
        ("CRM.internal.", "10.9.9.9"), ("crm.internal", "127.0.0.1"),
    }  # fmt: skip
    for host, address in allowed:
        assert not reach.why_not(host, ip_address(address)), (host, address)
    for host, address in {("x", "10.2.0.1"), ("x.crm.internal", "10.9.9.9"), ("x", "fe80::1")}:
        assert reach.why_not(host, ip_address(address)), (host, address)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "http://crm", "10.0.0.256", "a b/c", "yes!"])
def test_what_is_neither_host_nor_network_is_refused_by_name(tmp_path, monkeypatch, text):
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_ALLOW_PRIVATE", text)
    with pytest.raises(FlowscoreError, match=r"FLOWSCORE_WEBHOOK_ALLOW_PRIVATE .*expected host"):
        read_settings(tmp_path)


# --- the way it is written --------------------------------------------------------------------


@pytest.fixture
def webhooks(small_house: House) -> Webhooks:
    """Nothing inside is allowed."""
    return Webhooks(small_house, Reach())


SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1",
    "017700000001", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "0.0.0.0", "0", "[::]", "127.0.0.1.",
]  # fmt: skip


UNREADABLE = {"0177.0.0.1", "017700000001", "localhost.", "127.0.0.1."}  # to some, not to all


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_this_machine_gets_through(webhooks, host):
    with receiving(Receiver()) as inside:
        webhooks.queue("k1", f"http://{host}:{inside.port}/admin")
        report = webhooks.deliver()
        assert inside.got == []
    row = webhooks.row("k1")
    assert (report.sent, row["sent_at"]) == (0, None)
    if host not in UNREADABLE:
        assert row["status"] == "failed"
        assert "its host is inside: " in row["reason"]
        assert "FLOWSCORE_WEBHOOK_ALLOW_PRIVATE" in row["reason"]


REFUSED = {
    "http://user@example.com/": "user or password",
    "http://user:pass@example.com/": "user or password",
    "http://127.0.0.1:80@example.com/": "user or password",
    "http://example.com@127.0.0.1/": "user or password",
    "http://:@example.com/": "user or password",
    "http://127.0.0.1\\@example.com/": "backslash",
    "http://example.com\\.evil.example/": "backslash",
    "http://exam ple.com/": "blank",
    "http://example.com/\r\nX: y": "control character",
    "http://example.com/\u202e": "control character",
    "ftp://example.com/": "begins neither",
    "file:///etc/passwd": "begins neither",
    "gopher://127.0.0.1:25/": "begins neither",
    "unix:///var/run/docker.sock": "begins neither",
    "javascript:alert(1)": "begins neither",
    "//example.com/": "begins neither",
    "example.com/leads": "begins neither",
    "": "begins neither",
    "http:///leads": "no host",
    "https:example.com": "no host",
    "http://%31%32%37.0.0.1/": "no host",
    "http://[fe80::1%25eth0]/": "no host",
    "http://①②⑦.⓪.⓪.①/": "cannot be read",
    "http://１２７.0.0.1/": "cannot be read",
    "http://[::1": "cannot be read",
    "http://example.com:80:80/": "cannot be read",
    "http://example.com:0/": "port",
    "http://example.com:99999/": "port",
}


@pytest.mark.parametrize("url", REFUSED)
def test_odd_addresses_are_refused(webhooks, url):
    with pytest.raises(UnfitError, match=REFUSED[url]):
        read_url(url)
    webhooks.queue("k1", url)
    assert webhooks.deliver().failed == 1
    assert REFUSED[url] in webhooks.row("k1")["reason"]


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com",
        "HTTP://Example.com:8443/a%20b?x=1&y=ü#part",
        "http://münchen.example/",
        "http://a_b.example.com:1/",
        "http://[2606:4700::1111]:65535/",
    ],
)
def test_ordinary_and_odd_ports_are_fine(url):
    assert read_url(url).host


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..example", "-", "nowhere.invalid"])
def test_a_name_that_leads_nowhere_is_tried_again(webhooks, host):
    webhooks.queue("k1", f"http://{host}/")
    assert webhooks.deliver().retried == 1
    assert webhooks.row("k1")["reason"].startswith("its host cannot be found: ")


# --- the way it resolves ----------------------------------------------------------------------


def rows(*addresses: str) -> list[Any]:
    """What a resolver gives."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


def test_the_address_that_was_judged_is_the_one_connected_to(webhooks, monkeypatch):
    """A name that says something else each time (DNS rebinding) is asked once for a connection."""
    webhooks.reach = read_reach("127.0.0.2")
    asked: list[str] = []

    def changing(host: str, port: int) -> list[Any]:
        asked.append(host)
        return rows("127.0.0.2" if len(asked) == 1 else "127.0.0.1")

    monkeypatch.setattr(courier, "_look_up", changing)
    with receiving(Receiver()) as inside:
        webhooks.queue("k1", f"http://rebind.example:{inside.port}/")
        webhooks.deliver()
        assert inside.got == []  # it listens on 127.0.0.1 alone
        assert asked == ["rebind.example"]
        webhooks.deliver(now=webhooks.row("k1")["next_at"])
        assert inside.got == []
    assert "127.0.0.1 is loopback" in webhooks.row("k1")["reason"]


def test_of_several_addresses_only_the_allowed_are_tried(webhooks, monkeypatch):
    webhooks.reach = read_reach("127.0.0.1, 127.0.0.3")
    tried = ["10.0.0.1", "127.0.0.3", "::ffff:10.0.0.2", "127.0.0.1"]
    monkeypatch.setattr(courier, "_look_up", lambda host, port: rows(*tried))
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", f"http://many.example:{crm.port}/")
        assert webhooks.deliver().sent == 1  # 127.0.0.3 refuses, 10.0.0.1 would hang
    assert crm.got[0].headers["host"] == f"many.example:{crm.port}"


def test_one_name_is_not_served_over_the_connection_of_another(webhooks, monkeypatch):
    """Both lead to one machine: each still gets a connection of its own."""
    webhooks.reach = read_reach("127.0.0.1")
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[Any]:
        asked.append(host)
        return rows("127.0.0.1")

    monkeypatch.setattr(courier, "_look_up", look_up)
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", f"http://a.example:{crm.port}/")
        webhooks.queue("k2", f"http://b.example:{crm.port}/")
        assert webhooks.deliver().sent == 2
    assert sorted(asked) == ["a.example", "b.example"]


def test_an_allowed_host_may_be_inside(webhooks):
    webhooks.reach = read_reach("localhost")
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", f"http://localhost:{crm.port}/")
        webhooks.queue("k2", f"http://127.0.0.1:{crm.port}/")
        report = webhooks.deliver()
    assert (report.sent, report.failed, crm.ids) == (1, 1, ["k1"])


def test_proxies_of_the_environment_are_not_used(webhooks, monkeypatch):
    with receiving(Receiver()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        webhooks.queue("k1", "http://10.255.255.1/")
        assert webhooks.deliver().failed == 1
        assert proxy.got == []


# --- headers ----------------------------------------------------------------------------------


BAD_HEADERS = [
    ("Host", "evil.example", "flowscore sets it itself"),
    ("content-length", "5", "flowscore sets it itself"),
    ("Transfer-Encoding", "chunked", "flowscore sets it itself"),
    ("Connection", "close", "flowscore sets it itself"),
    ("Webhook-Id", "x", "flowscore sets it itself"),
    ("WEBHOOK-SIGNATURE", "v1,x", "flowscore sets it itself"),
    ("webhook-timestamp", "1", "flowscore sets it itself"),
    ("X-Name", "a\r\nX-Evil: b", "line break"),
    ("X-Name", "a\nb", "line break"),
    ("X-Name", "a\x00b", "control character"),
    ("X-Name", "a\x7fb", "control character"),
    ("X-Name", "x" * 9000, "longer than"),
    ("X Name", "a", "no name for a header"),
    ("X:Name", "a", "no name for a header"),
    ("X-Name\r\nX-Evil: b", "a", "no name for a header"),
    ("", "a", "no name for a header"),
    ("Größe", "a", "no name for a header"),
]


@pytest.mark.parametrize(("name", "value", "why"), BAD_HEADERS)
def test_headers_cannot_be_smuggled_in(webhooks, name, value, why):
    webhooks.reach = read_reach("127.0.0.1")
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", crm.url, headers={name: value})
        webhooks.queue("k2", crm.url)
        report = webhooks.deliver()
    assert (report.failed, report.sent, crm.ids) == (1, 1, ["k2"])
    assert why in webhooks.row("k1")["reason"]


def test_a_secret_with_a_line_break_is_refused_and_not_told(webhooks):
    webhooks.reach = read_reach("127.0.0.1")
    webhooks.variables = {"TOKEN": "hunter2\r\nX-Evil: b"}
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", crm.url, headers={"X-Token": "${TOKEN}"})
        assert webhooks.deliver().failed == 1
        assert crm.got == []
    assert "hunter2" not in str(webhooks.row("k1"))


def test_other_headers_are_the_authors(webhooks):
    webhooks.reach = read_reach("127.0.0.1")
    headers = {
        "Content-Type": "application/vnd.api+json", "X-Name": " José ", "X-Tab": "a\tb", "X-No": "",
    }  # fmt: skip
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", crm.url, headers=headers)
        assert webhooks.deliver().sent == 1
    got = crm.got[0].headers
    assert got["content-type"] == "application/vnd.api+json"
    assert got["x-name"].encode("latin-1").decode() == "José"
    assert (got["x-tab"], got["x-no"]) == ("a\tb", "")
