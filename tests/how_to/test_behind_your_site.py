"""docs/how-to/behind-your-site.md, tried as written: a real nginx, TLS, a browser, curl, Python.

Only what belongs to the reader's machine is replaced: ports, folders, and the keys of the page.
Names and certificates are those of the page; curl, Python and the browser are told where they lead.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from docs.consoles import commands_in, is_as_shown
from flowscore.clock import MINUTE, clock_now, rfc3339
from flowscore.settings import Settings
from mail.smtp_server import free_port
from required import CLIENTS, find_tool, required
from web.clients import browsing

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "behind-your-site.md").read_text("utf-8")
NAMES = ("track.example.com", "shop.example.com")
FILES = {
    "scenarios/policy.yaml": "policy: house\nsender: {address: hello@academy.example}\n",
    "scenarios/engagement.yaml": """\
score: engagement
rules:
  - {name: visit, points: 1, on: {page_visited: {path: /}}}
  - {name: wants-news, points: 5, on: {event: newsletter_requested}}
  - {name: order, points: 15, on: {event: order_completed}}
  - {name: paid, points: 20, on: {event: invoice_paid}}
""",
}
SHOP = """\
server {{
    listen 127.0.0.1:{tls} ssl;
    server_name shop.example.com;
    ssl_certificate {folder}/track.crt;
    ssl_certificate_key {folder}/track.key;
    root {folder}/shop;
}}
"""
NGINX = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    types {{ text/html html; text/javascript js; }}
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    include {folder}/flowscore.conf;
    include {folder}/shop.conf;
}}
"""


def blocks(kind: str) -> list[str]:
    """The page's blocks of a kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@dataclass
class Reader:
    """Who follows the page, in a folder of their own."""

    folder: Path
    tls: int = field(default_factory=free_port)
    plain: int = field(default_factory=free_port)
    inner: int = field(default_factory=free_port)
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, text in FILES.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(text)
        rules = "".join(
            f'connect-to = "{name}:{outer}:127.0.0.1:{port}"\n'
            for name in NAMES
            for outer, port in ((443, self.tls), (80, self.plain))
        )
        quiet = f'silent\nshow-error\ncacert = "{self.folder}/track.crt"\n'
        (self.folder / ".curlrc").write_text(rules + quiet)

    @property
    def surroundings(self) -> dict[str, str]:
        """What a shell there knows."""
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        own = {"PATH": path, "CURL_HOME": str(self.folder), "COLUMNS": "100"}
        return {**os.environ, **own, "FLOWSCORE_WEB_PORT": str(self.inner)}

    def type(self, command: str) -> str:
        """What a command prints, on both channels."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.surroundings, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def follow(self, block: str) -> None:
        """Type a console block, and compare with what the page shows."""
        for command, shown in commands_in(block):
            printed = self.type(command)
            assert is_as_shown(shown, f"{printed.rstrip()}\n"), printed
            self.keys += re.findall(r"^fs_\S+$", printed, re.MULTILINE)

    def with_keys(self, text: str) -> str:
        """The reader's keys, put in as the page says."""
        web, server = self.keys[:2]
        return text.replace("fs_YOUR_WEB_KEY", web).replace("fs_YOUR_SERVER_KEY", server)

    def waiting(self, at_least: int) -> int:
        """How many lines wait for the tick, once there are enough of them."""
        until = time.monotonic() + 60
        while True:
            with closing(sqlite3.connect(self.folder / "inbox.db")) as inbox:
                [lines] = inbox.execute("SELECT count(*) FROM inbox").fetchone()
            if lines >= at_least or time.monotonic() > until:
                return lines
            time.sleep(0.1)

    def has_health(self) -> bool:
        """Whether flowscore answers through nginx, within a while."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                return '"ok"' in self.type("curl --fail https://track.example.com/healthz")
            except AssertionError:
                time.sleep(0.2)
        return False


@contextmanager
def running(reader: Reader, *command: str) -> Iterator[None]:
    """A service, as long as it is needed."""
    told = (reader.folder / f"{Path(command[0]).name}.log").open("w")
    process = subprocess.Popen(
        command, cwd=reader.folder, env=reader.surroundings, stdout=told, stderr=told
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
        told.close()


def log(reader: Reader) -> str:
    """What the services said."""
    return "\n".join(file.read_text() for file in sorted(reader.folder.glob("*.log")))


@contextmanager
def nginx(reader: Reader) -> Iterator[None]:
    """The page's configuration, and the shop's own pages beside it."""
    [text] = blocks("nginx")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{reader.tls} ssl")
    text = text.replace("listen 80", f"listen 127.0.0.1:{reader.plain}")
    text = text.replace(
        "127.0.0.1:8300;\n        proxy", f"127.0.0.1:{reader.inner};\n        proxy"
    )
    text = text.replace("/etc/ssl/", f"{reader.folder}/")
    (reader.folder / "flowscore.conf").write_text(text)
    (reader.folder / "shop.conf").write_text(SHOP.format(tls=reader.tls, folder=reader.folder))
    user = "user root;" if os.geteuid() == 0 else ""
    (reader.folder / "nginx.conf").write_text(NGINX.format(folder=reader.folder, user=user))
    program = (str(find_tool("nginx")), "-c", str(reader.folder / "nginx.conf"))
    subprocess.run([*program, "-t", "-q"], check=True)
    with running(reader, *program):
        yield


@contextmanager
def visiting(reader: Reader) -> Iterator[None]:
    """A browser on the shop, which finds both names on this machine and knows the certificate."""
    pin = reader.type(
        "openssl x509 -in track.crt -pubkey -noout | openssl pkey -pubin -outform der"
        " | openssl dgst -sha256 -binary | openssl base64"
    ).strip()
    rules = ",".join(
        f"MAP {name}:443 127.0.0.1:{reader.tls}"
        for name in ("track.example.com", "shop.example.com")
    )
    flags = (f"--host-resolver-rules={rules}", f"--ignore-certificate-errors-spki-list={pin}")
    with browsing("https://shop.example.com/", *flags):
        yield


def place_pages(reader: Reader, install: str) -> None:
    """The library where the page says, and the snippet on the shop's first page."""
    version = re.search(
        r'"@segment/analytics-next": "(.+)"', (CLIENTS / "package.json").read_text()
    )
    assert (
        version and f"@segment/analytics-next@{version[1]}" in install
    )  # npm ran before the tests
    shop = reader.folder / "shop"
    shop.mkdir()
    (reader.folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    reader.type(install.splitlines()[1].replace("/var/www/shop", str(shop)))
    snippet, naming = map(reader.with_keys, blocks("html"))
    (shop / "index.html").write_text(f"<!doctype html><title>Shop</title>\n{snippet}\n{naming}")


def run_python(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's program, as a reader would run it; its names lead to this machine."""
    look_up = socket.getaddrinfo

    def here(host: str, port: int, *rest: int) -> object:
        assert (host, port) == ("track.example.com", 443)
        return look_up("127.0.0.1", reader.tls, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(reader.folder / "track.crt"))
    [program] = blocks("python")
    exec(compile(reader.with_keys(program), "behind-your-site.md", "exec"), {})


@required("nginx", "openssl", "curl", "chromium", "clients")
def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name_it, certificate, install, from_shell, see, change = blocks("sh")
    health, make_keys = blocks("console")
    reader = Reader(tmp_path)
    reader.type(name_it)
    reader.type(certificate)
    with nginx(reader):
        with running(reader, shutil.which("flowscore") or "flowscore", "serve"):
            assert reader.has_health(), log(reader)
            reader.follow(health)
            reader.follow(make_keys)
            place_pages(reader, install)
            with visiting(reader):
                assert reader.waiting(3) == 3, log(reader)  # page, identify, track
            assert '"success":true' in reader.type(reader.with_keys(from_shell))
            run_python(reader, monkeypatch)
            assert reader.waiting(6) == 6, log(reader)
        asked = "curl -o /dev/null -w '%{http_code} %{redirect_url}' "
        assert reader.type(f"{asked} https://track.example.com/metrics") == "404 "
        assert reader.type(f"{asked} https://track.example.com/u/abc") == "502 "
        inside = "https://track.example.com/u/abc"
        assert reader.type(f"{asked} http://track.example.com/u/abc") == f"301 {inside}"
    reader.type(f"flowscore tick --until {rfc3339(clock_now() + 2 * MINUTE)}")
    told = reader.type(see)
    assert "41" in told and "wants-news" in told and "None." in told
    first = reader.keys[1][:9]
    reader.type(change.replace("fs_FIRST", first))
    withdrawn = rf"shop-server +{re.escape(first)}… .*\d\d +\d{{4}}-\d\d-\d\d"
    assert re.search(withdrawn, reader.type("flowscore keys"))


def test_every_setting_that_the_page_names_is_one() -> None:
    named = set(re.findall(r"FLOWSCORE_([A-Z_]+)", PAGE))
    assert {name.lower() for name in named} <= set(Settings.model_fields)
