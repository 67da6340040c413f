"""The bytes that travel, read back as a mail program reads them."""

from __future__ import annotations

import pytest

from flowscore.language.policy import Sender
from flowscore.mail.message import (
    BadHeaderError,
    build,
    clean_address,
    file_name,
    header,
    quoted_printable,
)
from flowscore.mail.templates import Rendered
from mail.conftest import NOW, read_mail

SENDER = Sender(name="Acme", address="hello@acme.example", reply_to="ana@acme.example")
LONG_URL = "https://mail.example.com/unsubscribe/" + "x" * 150


def mail(subject="Hello", html="<p>Hi</p>\n", text="Hi", **headers) -> Rendered:
    return Rendered(subject, html, text, "", "news", headers)


def test_a_letter_reads_back_as_it_was_written():
    text = "Ñandú 🌊\nsecond line " + "word " * 60 + "\n.dot\nFrom here\n  indented  \ntab\t\n=3D"
    letter = build(mail("Hola 👋 Ñ", text, text), SENDER, "ana@example.com", "k.1.a", NOW, 7)
    read = read_mail(letter.content)
    assert read["Subject"] == "Hola 👋 Ñ"
    assert read["From"] == "Acme <hello@acme.example>"
    assert read["To"] == "ana@example.com"
    assert read["Reply-To"] == "ana@acme.example"
    assert read["Date"] == "Fri, 04 Oct 2024 00:00:00 +0000"
    assert read["MIME-Version"] == "1.0"
    for kind in ("plain", "html"):
        part = read.get_body((kind,))
        assert part.get_content().replace("\r\n", "\n") == text + "\n"
        assert part.get_content_charset() == "utf-8"
    assert read.get_content_type() == "multipart/alternative"
    assert read.defects == []


def test_every_line_is_short_and_ends_in_crlf():
    words = "Ñandú " * 400
    letter = build(mail(words[:500], words, words), SENDER, "ana@example.com", "k", NOW)
    lines = letter.content.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert letter.content.isascii()


def test_the_message_id_is_the_messages_own_for_good():
    one, two = (build(mail(), SENDER, "ana@example.com", "win.12.a-0", now, 7) for now in (1, NOW))
    ids = [str(read_mail(letter.content)["Message-ID"]) for letter in (one, two)]
    assert ids[0] == ids[1]
    assert ids[0].startswith("<win.12.a-0.")
    assert ids[0].endswith("@acme.example>")
    other = build(mail(), SENDER, "ana@example.com", "win.12.a-0", NOW, 8)  # another store
    assert str(read_mail(other.content)["Message-ID"]) != ids[0]


@pytest.mark.parametrize("url", ["https://m.example/u/abc", LONG_URL])
def test_list_unsubscribe_is_one_plain_line(url):
    given = {"List-Unsubscribe": f"<{url}>, <mailto:out@acme.example?subject=unsubscribe>"}
    given["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter = build(mail(**given), SENDER, "ana@example.com", "k", NOW)
    head = letter.content.partition(b"\r\n\r\n")[0]
    assert f"\r\nList-Unsubscribe: {given['List-Unsubscribe']}\r\n".encode() in head
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head
    assert b"=?" not in head


@pytest.mark.parametrize("bad", ["Hi\r\nBcc: all@example.com", "Hi\nX: y", "a\x00b", "a\u2028b"])
def test_a_header_that_would_break_out_is_refused(bad):
    with pytest.raises(BadHeaderError, match="one line"):
        build(mail(subject=bad), SENDER, "ana@example.com", "k", NOW)
    with pytest.raises(BadHeaderError):
        build(mail(), Sender(name=bad, address="x@acme.example"), "ana@example.com", "k", NOW)
    with pytest.raises(BadHeaderError):
        build(mail(**{"List-Unsubscribe": bad}), SENDER, "ana@example.com", "k", NOW)


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.com\r\nBcc: x@y.z",
        "ana",
        "a b@example.com",
        "<ana@example.com>",
        "a@b, c@d",
        "",
    ],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(BadHeaderError, match="no mail address"):
        build(mail(), SENDER, address, "k", NOW)


def test_domains_travel_in_ascii():
    assert clean_address("ana@bücher.example") == "ana@xn--bcher-kva.example"
    assert clean_address(" ana@example.com ") == "ana@example.com"


@pytest.mark.parametrize("name", ['Ana "the" Boss', "Ñandú & Söhne 🌊", "A, B", "x" * 200])
def test_sender_names_read_back(name):
    letter = build(mail(), Sender(name=name, address="x@acme.example"), "ana@example.com", "k", NOW)
    (address,) = read_mail(letter.content)["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, "x@acme.example")


@pytest.mark.parametrize(
    "subject",
    ["Hello", "Ñ" * 300, "a " * 200, "=?utf-8?q?x?=", "🌊" * 50 + "plain", "Ümläut at the start"],
)
def test_subjects_read_back(subject):
    letter = build(mail(subject=subject), SENDER, "ana@example.com", "k", NOW)
    read = str(read_mail(letter.content)["Subject"])
    assert " ".join(read.split()) == " ".join(subject.split())


def test_header_of_plain_text_is_plain():
    assert header("Subject", "Hello") == "Subject: Hello"


@pytest.mark.parametrize(
    ("key", "expected"),
    [("win-back.12.actions-0", "win-back.12.actions-0"), ("../../etc/passwd", None), (".x", None),
     ("a/b", None), ("x" * 300, None), ("ñ", None), ("a..b", None)],
)  # fmt: skip
def test_a_key_that_cannot_name_a_file_becomes_a_digest(key, expected):
    name = file_name(key)
    assert name == expected or (expected is None and len(name) == 32 and name.isalnum())


def test_quoted_printable_ends_lines_with_crlf():
    assert quoted_printable("a\nb\r\nc ") == b"a\r\nb\r\nc=20\r\n"
