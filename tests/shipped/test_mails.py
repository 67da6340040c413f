"""The mails that ship: for a contact of whom we know everything, and for one unknown to us."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flowscore.mail.scope import MailContext, Record
from flowscore.mail.templates import load_templates

ROOT = Path(__file__).parents[2]
TEMPLATES = load_templates(ROOT)[0]
SPANISH = {path.name.split(".")[0] for path in (ROOT / "templates" / "email").glob("[!_]*.es.*")}
LINKS = Record(
    {
        "unsubscribe": "https://mail.almendro.example/u/T",
        "preferences": "https://mail.almendro.example/p/T",
        "view": None,
    },
    "links",
)
KNOWN = {"email": "lola@x.example", "first_name": "Lola & <Söhne>", "interest": "writing"}
POINTS = {"score": "engagement", "rule": "enquiry", "points": 15}
STANDING = {  # what everybody has, however little they told us
    "score": {"engagement": 95, "fit": 60},
    "grade": {"lead-grade": "B4"},
    "ledger": [{"at": "2026-09-30T08:00:00Z", **POINTS}],
}
COURSE = {"sku": "PHOTO", "name": "Photograph what you sell", "price": 89}
EVENT = {
    **COURSE,
    "order_id": "A-1",
    "total": 89,
    "products": [COURSE],
    "course": "writing",
    "message": "Does it work with <b> my phone?",
}


def context(known: bool, locale: str) -> MailContext:
    """For the fullest and for the barest contact."""
    told = KNOWN if known else {"email": "a@x.example"}
    contact = {**told, **STANDING, "locale": locale}
    zone = ZoneInfo("Europe/Madrid")
    return MailContext(
        contact=Record(contact, "contact"),
        event=Record(EVENT if known else {}, "event"),
        scenario=Record({"name": "any", "entered_at": "2026-10-01T08:00:00Z"}, "scenario"),
        now=datetime(2026, 10, 1, 10, tzinfo=zone),
        links=LINKS,
        zone=zone,
    )


CASES = [
    (name, locale, known)
    for name in TEMPLATES.names
    for locale in ("en-GB", "es-ES")
    for known in (True, False)
]


@pytest.fixture(
    params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{'full' if case[2] else 'bare'}"
)
def mail(request):
    name, locale, known = request.param
    return TEMPLATES.render(name, locale, context(known, locale))


def test_each_renders_with_a_subject_a_preheader_and_a_plain_part(mail):
    assert 5 < len(mail.subject) <= 70, mail.subject
    assert 20 < len(mail.preheader) <= 110, mail.preheader
    assert len(mail.text) > 200
    assert mail.preheader not in mail.text  # it stands for the list of mails, not for the letter
    for part in (mail.subject, mail.html, mail.text):
        assert "{{" not in part
        assert "None" not in part
        assert "Undefined" not in part


def test_the_plain_part_is_text(mail):
    assert not re.search(r"</?(?:p|div|table|td|a|strong|style)\b", mail.text)
    assert "|" not in mail.text
    assert "https://" in mail.text


def test_marketing_has_a_way_out_and_receipts_have_none(mail):
    marketing = mail.topic != "transactional"
    assert (LINKS["unsubscribe"] in mail.html) is marketing
    assert (LINKS["unsubscribe"] in mail.text) is marketing
    assert mail.topic in {"news", "offers", "transactional"}


def test_each_is_built_for_small_dark_and_old_readers(mail):
    for needed in (
        'name="viewport"',
        'content="light dark"',
        "prefers-color-scheme: dark",
        "max-width: 480px",
        "<!--[if mso]>",
        "max-width: 600px",
    ):
        assert needed in mail.html
    assert "<img" not in mail.html or all(
        "alt=" in tag for tag in re.findall("<img[^>]*>", mail.html)
    )
    assert 'role="presentation"' in mail.html


def test_what_a_contact_says_is_never_markup():
    mail = TEMPLATES.render("enquiry-received", "en", context(True, "en"))
    assert "with &lt;b&gt; my phone" in mail.html
    assert "with <b> my phone" in mail.text
    welcome = TEMPLATES.render("welcome", "en", context(True, "en"))
    assert "Lola &amp; &lt;Söhne&gt;" in welcome.html
    assert welcome.subject.startswith("Lola & <Söhne>, ")


def test_some_are_in_spanish_from_the_subject_to_the_foot():
    assert len(SPANISH) >= 4
    for name in SPANISH:
        mail = TEMPLATES.render(name, "es-MX", context(True, "es-MX"))
        assert '<html lang="es"' in mail.html
        assert "Recibes este correo" in mail.text
        assert "You get this" not in mail.text
        assert mail.subject != TEMPLATES.render(name, "en", context(True, "en")).subject


@pytest.mark.parametrize(
    ("interest", "words"),
    [("spreadsheets", "saves an hour"), ("writing", "first sentence"), ("", "background")],
)
def test_the_monthly_lesson_is_about_what_the_reader_likes(interest, words):
    given = context(True, "en")
    contact = Record({**KNOWN, "interest": interest}, "contact")
    asked = MailContext(contact, given.event, given.scenario, given.now, LINKS, given.zone)
    mail = TEMPLATES.render("monthly-lesson", "en", asked)
    assert words in mail.subject
    assert words in mail.text
