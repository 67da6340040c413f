"""Finishing a template once equals finishing each mail, for whatever a page is made of."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscore.mail.templates import Page, load_templates
from mail.conftest import write_templates
from mail.test_templates import context

FRONT = "---\nsubject: Hello\ntopic: news\n---\n"
LAYOUT = """<!doctype html><html><head><style>
.card p, li { color: #111111 } .card .quiet { font-size: 12px } td { padding: 4px }
a[href] { color: blue } p:first-child { margin: 0 } @media (max-width: 480px) { p { margin: 0 } }
</style></head><body><div class="card">{% block content %}<p>base</p>{% endblock %}</div>
</body></html>"""
PARTS = (
    '{% macro row(a, b="two", kind="quiet") %}'
    '<p class="{{ kind }}">{{ a }} {{ b }}{% if a == "x" %}!{% endif %}</p>{% endmacro %}'
)
TEXTS = st.sampled_from(
    [
        "word & <b>bold</b> ",
        "{{ contact.name }} ",
        "a &lt; b ",
        "{{ event.n + 1 }} ",
        '<a href="https://x.example/?a=1&amp;b={{ contact.name | urlencode }}">go</a> ',
        "{# nothing #}",
        '{{ "it\'s" if event.n > 1 else "<no>" }} ',
        "{% raw %}{{ raw }}{% endraw %}",
        "<br>",
    ]
)


def wrapped(inner):
    """Elements, branches and loops around what is there."""
    words = st.lists(inner, min_size=1, max_size=3).map("".join)
    return st.one_of(
        words.map(lambda t: f"<p>{t}</p>"),
        words.map(lambda t: f'<p class="quiet">{t}</p>'),
        words.map(
            lambda t: f"<ul>{{% for i in event.items %}}<li>{{{{ i }}}}{t}</li>{{% endfor %}}</ul>"
        ),
        words.map(lambda t: f"<table><tr><td>{t}</td></tr></table>"),
        words.map(
            lambda t: (
                f"<table>{{% for i in event.items %}}<tr><td>{t}</td></tr>{{% endfor %}}</table>"
            )
        ),
        words.map(lambda t: f"{{% if event.n > 1 %}}{t}{{% else %}}<p>else</p>{{% endif %}}"),
        words.map(lambda t: f"<p{{% if event.n > 1 %}} class='quiet'{{% endif %}}>{t}</p>"),
        words.map(lambda t: f'<p class="{{{{ event.kind }}}}">{t}</p>'),
        words.map(lambda t: f'<p style="width: {{{{ event.n }}}}px">{t}</p>'),
        words.map(
            lambda t: f"<div>{{{{ row('x', kind='loud') }}}}{t}{{{{ row(contact.name) }}}}</div>"
        ),
        words.map(lambda t: f"<!-- {{{{ contact.name }}}} -->{t}"),
        words.map(lambda t: f"{{% set v = event.n * 2 %}}<p>{{{{ v }}}}</p>{t}"),
    )


BODIES = st.lists(st.recursive(TEXTS, wrapped, max_leaves=8), min_size=1, max_size=4).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("finishing")


@settings(max_examples=60, deadline=None)
@given(BODIES, st.sampled_from([1, 2]))
def test_finishing_once_equals_finishing_each_mail(folder, body, number):
    page = FRONT + '{% extends "_layout.html" %}{% from "_parts.html" import row %}'
    page += "{% block content %}" + body + "{{ super() }}{% endblock %}"
    files = {"_layout.html": LAYOUT, "_parts.html": PARTS, "page.html": page}
    templates, problems = load_templates(write_templates(folder, files))
    assert problems == []
    event = {"n": number, "items": ["a", "b"], "kind": "quiet"}
    asked = context(event, name="Ána & <b>")
    once = templates.render("page", None, asked)
    found = templates.find("page", None)
    slow = Page(found.source, None, found.kit)
    slow.__dict__ |= {"_inlined": None, "_text": None, "text_template": None}
    each = slow.render(asked, "news")
    assert _bare(once.html) == _bare(each.html)
    assert once.text.split() == each.text.split()


def _bare(html: str) -> str:
    return re.sub(r"\s+|</?tbody>", "", unescape(html)).replace("doctype", "DOCTYPE")
