"""Whoever was erased still has their mails: what the links in them lead to (through HTTP)."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from web.conftest import House, Serve

from .consent_house import ANA, TEMPLATE, mailed, say, school, take

MAIL = TEMPLATE.replace(
    "Hello.",
    'Hello. <a href="https://school.example/enrol">Enrol</a> <a href="{{ links.view }}">view</a>',
)


@pytest.fixture
def house(serve: Serve) -> House:
    return school(serve, {"templates/email/hello.html": MAIL})


def paths(html: str) -> list[str]:
    """Every address of ours in the mail, as a path with its query."""
    found = re.findall(r'(?:href|src)="(https://mail\.school\.example[^"]+)"', html)
    parts = [urlsplit(unescape(one)) for one in found]
    return [f"{part.path}?{part.query}" if part.query else part.path for part in parts]


def test_f02_links_of_old_mails_do_no_harm_and_bring_nobody_back(house: House) -> None:
    letter = mailed(house)
    body = letter.mail.get_body(("html",))
    assert body is not None
    links = {path.split("/")[1]: path for path in paths(body.get_content())}
    assert {"c", "o", "u", "p", "v"} <= links.keys()
    house.workspace.erase(ANA)
    said = {way: house.client.get(path, follow_redirects=False) for way, path in links.items()}
    codes = {way: answer.status_code for way, answer in said.items()}
    assert (codes["c"], codes["o"], codes["v"]) == (302, 200, 410)
    assert all(code < 500 for code in codes.values()), codes
    assert said["c"].headers["location"] == "https://school.example/enrol"
    assert house.client.post(letter.one_click).status_code < 500
    say(house, "Signed Up")
    take(house)
    assert house.rows("SELECT * FROM contacts") == []
    assert ANA not in "".join(answer.text for answer in said.values())
