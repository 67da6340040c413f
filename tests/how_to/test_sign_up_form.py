"""docs/how-to/sign-up-form.md, tried as written: its form on a site, in a browser, to the mail.

Only names and keys are replaced: flowscore and the shop answer on this machine.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flowscore.clock import clock_now
from flowscore.store.write_keys import WriteKeys
from required import required
from web.conftest import House, Serve, serve  # noqa: F401  (a fixture)
from web.consent_house import BASE, holds, later, letters, take
from web.driving import driving

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "sign-up-form.md").read_text("utf-8")
WELCOME = "---\nsubject: Welcome\ntopic: news\n---\n<p>Hello {{ contact.first_name }}.</p>"


def blocks(kind: str) -> list[str]:
    """The page's blocks of a kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """The shop's pages, on an origin of their own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

    pages = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture
def house(serve: Serve) -> House:  # noqa: F811
    policy, scenario = blocks("yaml")
    [words] = blocks("text")
    files = {
        "scenarios/policy.yaml": policy,
        "scenarios/welcome.yaml": scenario,
        "templates/pages/en.yaml": words,
        "templates/email/confirm.html": blocks("html")[2],
        "templates/email/welcome.html": WELCOME,
    }
    return serve(files, PUBLIC_URL=BASE)


@required("chromium")
def test_a_visitor_of_the_shop_signs_up_by_the_form_of_the_page(
    house: House, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    with site(shop) as origin, driving() as browser:
        key = WriteKeys(house.workspace.store, clock_now).add("shop-web", [origin])
        for name, text in zip(("framed", "own"), blocks("html")[:2], strict=True):
            text = text.replace("https://track.example.com", house.server.address)
            text = text.replace("https://shop.example.com", origin).replace("fs_YOUR_WEB_KEY", key)
            (shop / f"{name}.html").write_text(f"<!doctype html><title>Shop</title>\n{text}")
        (shop / "thanks").mkdir()
        (shop / "thanks" / "index.html").write_text("<!doctype html><title>Thanks</title>")
        browser.open(f"{origin}/framed.html")
        assert browser.complaints == [], "the frame shows"
        browser.open(f"{origin}/own.html")
        browser.look("document.querySelector('[name=email]').value = 'ana@example.com'")
        browser.look("document.querySelector('[name=\"traits.first_name\"]').value = 'Ana'")
        browser.press("button")
        assert browser.look("location.href") == f"{origin}/thanks/"
    take(house)
    assert later(house).sent == 1
    letter = letters(house)[0]
    assert letter.mail["Subject"] == "Ana, one click and you are in"
    assert house.rows("SELECT * FROM contacts") == []
    house.client.post(letter.link("y"))
    take(house)
    assert holds(house, "ana@example.com") == {"news": True}
    record = house.rows("SELECT text FROM consent_records")
    assert record == [{"text": "Yes, send me your monthly letter. I can unsubscribe at any time."}]
    assert later(house).sent == 1, "the welcome"


def test_a_server_signs_up_by_the_command_of_the_page(house: House) -> None:
    key = WriteKeys(house.workspace.store, clock_now).add("shop-web")
    command = blocks("sh")[-1].replace("https://track.example.com", house.server.address)
    command = f"{command.strip().replace('fs_YOUR_WEB_KEY', key)} --silent"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=30)
    assert json.loads(done.stdout) == {"success": True}
    take(house)
    assert house.rows("SELECT template, status FROM messages") == [
        {"template": "confirm", "status": "queued"}
    ]


def test_the_form_of_the_page_says_our_topics_in_our_words(house: House) -> None:
    key = WriteKeys(house.workspace.store, clock_now).add("shop-web")
    page = house.client.get("/signup", params={"key": key})
    assert "Yes, write to me about our monthly letter." in page.text
