"""The shipped mails: free of mistakes, and the same whether finished once or mail by mail."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from flowscore.mail.links import make_links
from flowscore.mail.scope import Record
from flowscore.mail.settings import MailSettings
from flowscore.mail.templates import Page, load_templates
from mail.test_templates import MailContext, context

ROOT = Path(__file__).parents[2]
TEMPLATES, PROBLEMS = load_templates(ROOT)


def full_context(name: str) -> MailContext:
    """Values for whatever the shipped templates ask of a contact and an event."""
    event = {
        "name": "Foto & co",
        "price": 12,
        "total": 3,
        "order_id": "x-1",
        "url": "https://x.example",
    }
    event["products"] = [{"name": "Course <1>", "price": 3, "quantity": 1}]
    score = Record({"engagement": 12, "fit": 3}, "contact.score")
    grade = Record({"lead-grade": "B4"}, "contact.grade")
    line = {"at": "2026-09-30T08:00:00Z", "score": "engagement", "rule": "cart", "points": 10}
    standing = {"score": score, "grade": grade, "ledger": [line], "lists": ["a"]}
    return context(event, first_name="Ána & <b>", **standing)


def pages() -> list[tuple[str, str | None]]:
    return [(name, locale) for name in TEMPLATES.names for locale in (None, "es")]


def test_there_is_no_mistake_in_them():
    assert PROBLEMS == []


@pytest.mark.parametrize(("name", "locale"), pages())
def test_finishing_once_equals_finishing_each_mail(name, locale):
    given = full_context(name)
    once = TEMPLATES.render(name, locale, given)
    page = TEMPLATES.find(name, locale)
    slow = Page(page.source, page.text_source, page.kit)
    slow.__dict__ |= {"_inlined": None, "_text": None, "text_template": None}
    each = slow.render(given, once.topic)
    assert _bare(once.html) == _bare(each.html)
    assert once.text.split() == each.text.split()


def _bare(html: str) -> str:
    """Without what no reader can tell apart: blanks, implied tags, two spellings of a quote."""
    return re.sub(r"\s+|</?tbody>", "", unescape(html))


@pytest.mark.parametrize(("name", "locale"), pages())
def test_they_read_well_everywhere(name, locale):
    mail = TEMPLATES.render(name, locale, full_context(name))
    assert "prefers-color-scheme" in mail.html
    assert "{{" not in mail.html + mail.text + mail.subject
    assert len(mail.html) < 102_000  # Gmail cuts longer ones
    assert len(mail.text) > 80
    links = make_links(MailSettings(), "a@x.example", 1, "k")
    assert (mail.topic == "transactional") or "https://m.example/u/T" in mail.text, links
