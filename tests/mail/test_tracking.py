"""The picture and the links of a tracked mail, and the tokens that they carry."""

from __future__ import annotations

import random
import re
import time
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flowscore.mail.links import opens
from flowscore.mail.message import build
from flowscore.mail.tokens import OfMail, OfTemplate, digest_of, read_hit, sign_hit
from flowscore.mail.tracking import how_tracked
from mail.conftest import NOW, SENDER, House

SECRET = "s3cret"
BASE = "https://mail.example.com"
OF = OfMail(12345, digest_of("welcome.7.actions-0"), 1_790_000_000, 4)
TARGET = "https://acme.example/news?a=1&b=2"


# --- tokens -----------------------------------------------------------------------------------


def test_a_token_says_whose_it_is_and_opens_for_its_purpose_and_target_alone():
    token = sign_hit(SECRET, "click", OF, TARGET)
    assert read_hit(SECRET, "click", token, TARGET) == OF
    assert read_hit(SECRET, "click", token, TARGET + "x") is None
    assert read_hit(SECRET, "click", token, "javascript:alert(1)") is None
    assert read_hit(SECRET, "click", token) is None
    assert read_hit(SECRET, "open", token, TARGET) is None
    assert read_hit("other", "click", token, TARGET) is None
    assert read_hit("", "click", token, TARGET) is None


def test_a_token_of_nobody_names_the_template_alone():
    token = sign_hit(SECRET, "open", OfTemplate("größe"))
    assert read_hit(SECRET, "open", token) == OfTemplate("größe")


def test_a_changed_token_opens_nothing():
    token = sign_hit(SECRET, "open", OF)
    for place in range(len(token)):
        for other in "AB-_9":
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                assert read_hit(SECRET, "open", changed) is None
    for changed in (token + "A", token[:-1], token + "=", " " + token, token + "!"):
        assert read_hit(SECRET, "open", changed) is None


@pytest.mark.parametrize("token", ["", "x", "m", "a" * 5000, "ñ" * 30, "AAAA", "!" * 30, "\0"])
def test_what_is_no_token_opens_nothing(token: str):
    assert read_hit(SECRET, "open", token) is None


def test_whatever_comes_as_a_token_raises_nothing_and_opens_nothing():
    chance = random.Random(7)
    letters = "".join(map(chr, range(0x250))) + "\ud800\uffff😀"
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    right = sign_hit(SECRET, "click", OF, TARGET)
    for _ in range(20_000):
        token = "".join(chance.choices(chance.choice((letters, plain)), k=chance.randrange(70)))
        if chance.random() < 0.5:
            at = chance.randrange(len(right))
            token = right[:at] + token[: chance.randrange(4)] + right[at + chance.randrange(4) :]
        target = chance.choice((TARGET, "", token))
        if (token, target) != (right, TARGET):
            assert read_hit(SECRET, "click", token, target) is None
            assert read_hit(SECRET, "open", token) is None
        for purpose in ("unsubscribe", "preferences", "view"):
            assert not opens(SECRET, purpose, token, "welcome.7.actions-0")


@pytest.mark.parametrize("number", [0, 1, 255, 256, 2**31, 2**62])
def test_tokens_are_short(number: int):
    token = sign_hit(SECRET, "open", OfMail(number, b"abcd", 1_790_000_000, 70_000))
    found = read_hit(SECRET, "open", token)
    assert isinstance(found, OfMail)
    assert (found.number, found.links) == (number, 0xFFFF)
    assert len(token) <= 48


# --- what becomes of the HTML ---------------------------------------------------------------


def sent(house: House, body: str, topic: str = "news", **given: Any) -> str:
    """The HTML of a mail with this body, as it was delivered."""
    house.use({"page.html": f"---\nsubject: Hi\ntopic: {topic}\n---\n{body}\n"})
    contact = house.add_contact("ana@x.es", **given)
    house.queue(contact, "k", topic=topic)
    assert house.deliver().sent == 1
    [mail] = house.mails().values()
    return str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]


def targets(html: str) -> list[str]:
    """Where the tracked links of a mail lead, each proven by its token."""
    found = []
    for href in re.findall(r'(?i)href="([^"]*/c/[^"]*)"', html):
        parts = urlsplit(unescape(href))
        [target] = parse_qs(parts.query)["u"]
        assert read_hit(SECRET, "click", parts.path.removeprefix("/c/"), target)
        found.append(target)
    return found


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ('<a href="https://a.example/x">x</a>', "https://a.example/x"),
        ("<a class='b' href='http://a.example'>x</a>", "http://a.example"),
        ("<A HREF=HTTPS://a.example/x>x</A>", "HTTPS://a.example/x"),
        ('<a\n  title="a > b" href="https://a.example/?a=1&amp;b=2#c">x</a>',
         "https://a.example/?a=1&b=2#c"),
        ('<a href="https://a.example/?a=1&copy=2&b=+">x</a>', "https://a.example/?a=1&copy=2&b=+"),
        ('<a href="https://a.example/?q=%20a%2Bb&#x26;c">x</a>', "https://a.example/?q=%20a%2Bb&c"),
        ('<a href=" https://a.example/niña?q=día ">x</a>', "https://a.example/niña?q=día"),
        ('<a title="href=&quot;https://b.example&quot;" href="https://a.example">x</a>',
         "https://a.example"),
        ('<map><area href="https://a.example/map" alt=""></map>', "https://a.example/map"),
        ('<!--[if mso]><a href="https://a.example/mso">x</a><![endif]-->',
         "https://a.example/mso"),
        ("{% for n in [7] %}<a href=\"https://a.example/{{ n }}\">x</a>{% endfor %}",
         "https://a.example/7"),
    ],
)  # fmt: skip
def test_a_link_leads_by_way_of_us_to_just_where_it_led(
    small_house: House, written: str, target: str
):
    assert targets(sent(small_house, written)) == [target]


@pytest.mark.parametrize(
    "written",
    [
        '<a href="mailto:ana@x.es">x</a>',
        '<a href="tel:+34600">x</a>',
        '<a href="#top">x</a>',
        '<a href="/only/a/path">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a name="here">x</a>',
        '<a href="https://a.example/x" data-track="off">x</a>',
        "<a data-track=off href='https://a.example/x'>x</a>",
        '<a data-href="https://a.example/x">x</a>',
        '<a href="https://a.example/a\nb">x</a>',
        f'<a href="https://a.example/{"x" * 2_000}">x</a>',
        f'<a href="https://a.example/{"界" * 700}">x</a>',
        '<!-- <a href="https://a.example/x">x</a> -->',
        '<abbr href="https://a.example/x">x</abbr>',
        '<link href="https://a.example/x.css" rel="stylesheet">',
        '<img src="https://a.example/x.png">',
        '<a href="{{ links.unsubscribe }}">x</a>',
        '<a href="{{ links.preferences }}">x</a>',
        '<a href="{{ links.view }}">x</a>',
    ],
)
def test_what_is_no_link_to_the_web_stays_as_it_is(small_house: House, written: str):
    html = sent(small_house, written)
    assert "/c/" not in html
    assert "/h/" not in html  # nothing to catch a scanner with
    assert html.count("/o/") == 1


def test_the_same_target_twice_is_one_link(small_house: House):
    body = '<a href="https://a.example/1">x</a><a href="https://a.example/1">y</a>'
    html = sent(small_house, body + '<a href="https://a.example/2">z</a>')
    assert targets(html) == ["https://a.example/1", "https://a.example/1", "https://a.example/2"]
    token, target = re.findall(r"/c/([^?]*)\?u=([^\"]*)", html)[0]
    of = read_hit(SECRET, "click", token, target)
    assert isinstance(of, OfMail)
    assert of.links == 2


def test_the_picture_ends_the_body_and_the_trap_begins_it(small_house: House):
    html = sent(
        small_house, '<html><body class="a"><a href="https://a.example">x</a></body></html>'
    )
    trap, pixel = html.index("/h/"), html.index("/o/")
    assert html.index('<body class="a">') < trap < html.index("/c/") < pixel < html.index("</body>")
    of = read_hit(SECRET, "open", html[pixel + 3 : html.index(".gif")])
    assert of == OfMail(1, digest_of("k"), NOW // 1_000_000, 1)
    [tag] = re.findall(r"<a [^>]*/h/[^>]*></a>", html)
    assert 'aria-hidden="true"' in tag
    assert 'tabindex="-1"' in tag
    assert "display:none" in tag


def test_the_plain_text_has_its_links_as_they_were_written(small_house: House):
    sent(small_house, '<p>See <a href="https://a.example/x">this</a>.</p>')
    [mail] = small_house.mails().values()
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert "https://a.example/x" in text
    assert "/c/" not in text
    assert "/o/" not in text


def test_transactional_mail_is_tracked_too(small_house: House):
    assert targets(sent(small_house, '<a href="https://a.example">x</a>', "transactional"))


def test_internal_mail_is_never_tracked(small_house: House):
    small_house.use({"page.html": '---\nsubject: Hi\n---\n<a href="https://a.example">x</a>\n'})
    contact = small_house.add_contact("ana@x.es")
    small_house.queue(contact, "k", kind="notify", topic="", recipients=["sales@acme.example"])
    assert small_house.deliver().sent == 1
    [mail] = small_house.mails().values()
    assert BASE not in str(mail)


def test_without_a_public_address_nothing_is_tracked(small_house: House):
    from flowscore.mail.settings import MailSettings

    small_house.settings = MailSettings(secret=SECRET)
    html = sent(small_house, '<a href="https://a.example">x</a>')
    assert 'href="https://a.example"' in html
    assert "<img" not in html


# --- off and anonymous ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "own", "expected"),
    [
        ("full", None, "full"),
        ("full", "full", "full"),
        ("full", "Anonymous", "anonymous"),
        ("full", " OFF ", "off"),
        ("full", False, "off"),
        ("full", "no", "off"),
        ("full", "perhaps", "full"),
        ("anonymous", "full", "anonymous"),
        ("anonymous", "off", "off"),
        ("off", "full", "off"),
    ],
)
def test_the_stricter_of_policy_and_contact_holds(policy: Any, own: Any, expected: str):
    assert how_tracked(policy, own) == expected


def test_off_leaves_a_mail_as_it_was_written(house: House):
    html = sent(house, '<a href="https://a.example">x</a>', tracking="off")
    assert 'href="https://a.example"' in html
    assert "<img" not in html


def test_anonymous_tokens_are_the_same_for_everybody(house: House):
    house.policy = house.policy.model_copy(update={"tracking": "anonymous"})
    house.use(
        {"page.html": '---\nsubject: Hi\ntopic: news\n---\n<a href="https://a.example">x</a>'}
    )
    for name in ("ana", "ben"):
        house.queue(house.add_contact(f"{name}@x.es"), name)
    assert house.deliver().sent == 2
    seen = set()
    for mail in house.mails().values():
        html = str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
        assert "/h/" not in html
        seen.add(tuple(re.findall(r"/[oc]/([\w-]*)", html)))
    [(click, pixel)] = seen
    assert read_hit(SECRET, "open", pixel) == OfTemplate("page")
    assert read_hit(SECRET, "click", click, "https://a.example") == OfTemplate("page")


# --- what it costs ----------------------------------------------------------------------------


def test_tracking_costs_a_fraction_of_writing_a_mail(small_house: House):
    """Beside rendering and building the same mail; the reference says what was measured."""
    from flowscore.mail.contexts import Surroundings, load_jobs
    from flowscore.mail.tracking import track

    links = "".join(f'<p>Some words. <a href="https://a.example/{n}">x</a></p>\n' for n in range(8))
    sent(small_house, f"<html><body>{links}</body></html>")
    around = Surroundings(small_house.project, small_house.settings, "hello@a.example", NOW)
    with small_house.store.read() as connection:
        [job] = load_jobs(connection, [1], around, small_house.templates)
    templates = small_house.templates

    def best(tracked: bool) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            for _ in range(100):
                rendered = templates.render(job.template, "en", job.context, job.topic)
                if tracked:
                    rendered = track(rendered, job, small_house.settings, NOW)
                build(rendered, SENDER, job.address, job.key, NOW)
            times.append(time.perf_counter() - began)
        return min(times) / 100

    assert best(tracked=True) - best(tracked=False) < 0.001  # seconds a mail
