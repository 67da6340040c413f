"""Templates as LANGUAGE 7 describes them: what they see, how they look, what withholds a mail."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowscore.clock import datetime_of
from flowscore.mail.links import Links
from flowscore.mail.scope import MailContext, Record
from flowscore.mail.templates import Rendered, RenderError, Templates, load_templates
from mail.conftest import NOW, write_templates

FRONT = "---\nsubject: Hello\ntopic: news\n---\n"
LINKS = Links("https://m.example/u/T", "https://m.example/p/T", "https://m.example/v/T", "<x>")


def context(event: dict[str, Any] | None = None, zone: str = "UTC", **contact: Any) -> MailContext:
    return MailContext(
        contact=Record({"email": "ana@example.com", **contact}, "contact"),
        event=Record(event or {}, "event"),
        scenario=Record({"name": "welcome", "entered_at": datetime_of(NOW)}, "scenario"),
        now=datetime_of(NOW).astimezone(ZoneInfo(zone)),
        links=LINKS.record(),
        zone=ZoneInfo(zone),
        list_unsubscribe=LINKS.header,
    )


@pytest.fixture
def load(tmp_path):
    def load(files: dict[str, str]) -> Templates:
        templates, problems = load_templates(write_templates(tmp_path, files))
        assert [p for p in problems if p.severity == "error"] == []
        return templates

    return load


@pytest.fixture
def render(load):
    """One page, or several files; `page` is rendered."""

    def render(files: str | dict[str, str], locale: str | None = None, **given: Any) -> Rendered:
        files = files if isinstance(files, dict) else {"page.html": FRONT + files}
        own = {"locale": locale} if locale else {}
        return load(files).render("page", locale, context(**given, **own))

    return render


# --- what a template sees ------------------------------------------------------------------------


def test_contact_is_an_object_even_for_names_of_dict_methods(render):
    mail = render("<p>{{ contact.items }} {{ contact.keys }}</p>", items=3, keys="house")
    assert "<p>3 house</p>" in mail.html


def test_a_missing_attribute_withholds_and_is_named(render):
    with pytest.raises(
        RenderError, match=r"page.html:5:1: contact.items is not known; write \| default"
    ):
        render("<p>{{ contact.items }}</p>")


@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_text_count_as_absent(render, value):
    assert "you" in render("<p>{{ contact.name | default('you') }}</p>", name=value).html


def test_default_and_is_defined_bear_what_is_missing(render):
    page = "<p>{{ contact.x | default('you') }}{% if event.y is defined %}!{% endif %}</p>"
    assert "<p>you</p>" in render(page).html


def test_an_if_over_a_missing_value_withholds(render):
    with pytest.raises(RenderError, match=r"event\.coupon is not known"):
        render("{% if event.coupon %}x{% endif %}")


def test_nested_properties_and_lists(render):
    event = {"products": [{"sku": "A", "items": 2}, {"sku": "B", "items": 3}], "tags": ["x", "y"]}
    page = "{% for p in event.products %}{{ p.sku }}{{ p.items }} {% endfor %}{{ event.tags[1] }}"
    assert "A2 B3 y" in render(page, event=event).html
    with pytest.raises(RenderError, match=r"event.products\[\].price is not known"):
        render("{{ event.products[0].price }}", event=event)


def test_scores_are_numbers_by_name(render):
    score = Record({"engagement": 12, "lead-fit": 3.5}, "contact.score")
    page = "{{ contact.score.engagement + 1 }} {{ contact.score.lead_fit }}"
    page += "{% for name, points in contact.score.items() %} {{ name }}={{ points }}{% endfor %}"
    assert "13 3.5 engagement=12 lead-fit=3.5" in render(page, score=score).html


def test_html_is_escaped_and_text_and_subject_are_not(render):
    page = '---\nsubject: "{{ contact.name }}"\ntopic: news\n---\n<p>{{ contact.name }}</p>'
    mail = render({"page.html": page}, name="Tom & <b>Jerry</b>")
    assert "<p>Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;</p>" in mail.html
    assert mail.text.startswith("Tom & <b>Jerry</b>")
    assert mail.subject == "Tom & <b>Jerry</b>"


def test_a_subject_is_one_line(render):
    page = '---\nsubject: "Hi {{ contact.name }}"\ntopic: news\n---\nx'
    assert render({"page.html": page}, name="Ana\r\nBcc: x").subject == "Hi Ana Bcc: x"


def test_an_empty_subject_withholds(render):
    page = "---\nsubject: \"{{ contact.x | default('') }}\"\ntopic: news\n---\nx"
    with pytest.raises(RenderError, match="subject is empty"):
        render({"page.html": page})


@pytest.mark.parametrize(
    "page",
    ["{{ ''['__class__'] }}", "{{ contact['_values'] }}", "{{ ''.join.__globals__ }}"],
)
def test_the_sandbox_has_no_way_out(tmp_path, page):
    templates, problems = load_templates(write_templates(tmp_path, {"page.html": FRONT + page}))
    if problems:
        return
    with pytest.raises(RenderError):
        templates.render("page", None, context())


def test_endless_loops_are_cut(render):
    with pytest.raises(RenderError):
        render("{% for i in range(10**9) %}{{ i }}{% endfor %}")


# --- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "zone", "locale", "pattern", "expected"),
    [
        ("2024-10-04T22:30:00Z", "Europe/Madrid", "es", "%d %B %Y %H:%M", "05 octubre 2024 00:30"),
        ("2024-10-04T22:30:00Z", "UTC", None, "%A %d %b", "Friday 04 Oct"),
        ("2024-10-04", "Asia/Tokyo", "de-DE", "%d. %B", "04. Oktober"),
        ("2024-10-04T10:00:00", "Asia/Tokyo", "xx", "%B %H:%M", "October 10:00"),
        (datetime_of(NOW), "Europe/Madrid", None, "%H:%M", "02:00"),
        (date(2024, 2, 29), "UTC", "fr", "%d %B", "29 février"),
    ],
)
def test_date_speaks_in_the_readers_zone_and_language(
    render, value, zone, locale, pattern, expected
):
    page = f'{{{{ contact.at | date("{pattern}") }}}}'
    assert expected in render(page, locale, zone=zone, at=value).html


def test_date_without_a_pattern_is_written_out(render):
    assert (
        "4 de octubre de 2024"
        in render("{{ contact.at | date }}", at="2024-10-04", locale="es").html
    )


@pytest.mark.parametrize("value", ["soon", 12, ["x"]])
def test_a_value_that_is_no_date_withholds(render, value):
    with pytest.raises(RenderError, match="is no date"):
        render("{{ contact.at | date('%Y') }}", at=value)


def test_now_and_entered_at_stand_in_the_readers_zone(render):
    page = "{{ now | date('%H:%M') }} {{ scenario.entered_at | date('%H:%M') }} {{ scenario.name }}"
    assert "09:00 09:00 welcome" in render(page, zone="Asia/Tokyo").html


# --- layouts, variants, Markdown -----------------------------------------------------------------

LAYOUT = """\
<!doctype html>
<html><head><title>{{ subject }}</title><style>
.card p { color: #123456 } td { padding: 4px }
@media (prefers-color-scheme: dark) { .card p { color: #ffffff !important } }
</style></head>
<body><table><tr><td class="card">{% block content %}{% endblock %}</td></tr></table></body></html>
"""


def test_css_is_inlined_and_media_queries_stay(render):
    page = (
        FRONT
        + '{% extends "_layout.html" %}{% block content %}<p>{{ contact.name }}</p>{% endblock %}'
    )
    mail = render({"_layout.html": LAYOUT, "page.html": page}, name="Ana")
    assert '<p style="color: #123456;">Ana</p>' in mail.html
    assert '<td class="card" style="padding: 4px;">' in mail.html
    assert "@media (prefers-color-scheme: dark)" in mail.html
    assert "<title>Hello</title>" in mail.html


def test_loops_over_table_rows_survive_inlining(render):
    rows = "<table>{% for p in event.items %}<tr><td>{{ p }}</td></tr>{% endfor %}</table>"
    page = FRONT + '{% extends "_layout.html" %}{% block content %}' + rows + "{% endblock %}"
    mail = render({"_layout.html": LAYOUT, "page.html": page}, event={"items": ["a", "b"]})
    cell = '<tr><td style="padding: 4px;">{}</td></tr>'
    assert f"<table>{cell.format('a')}{cell.format('b')}</table>" in mail.html


def test_links_with_values_survive_inlining(render):
    body = '<p><a href="https://x.example/?a=1&b={{ contact.name }}">go</a></p>'
    page = FRONT + '{% extends "_layout.html" %}{% block content %}' + body + "{% endblock %}"
    mail = render({"_layout.html": LAYOUT, "page.html": page}, name="Ana")
    assert 'href="https://x.example/?a=1&amp;b=Ana"' in mail.html
    assert "go <https://x.example/?a=1&b=Ana>" in mail.text


@pytest.mark.parametrize(
    "body",
    [
        '<p class="{{ contact.name }}">x</p>',
        "<p{% if contact.name == 'quiet' %} class=\"quiet\"{% endif %}>x</p>",
        "{% if contact.name == 'quiet' %}<p class='quiet'>{% else %}<p>{% endif %}x</p>",
        '{% set parts = "_parts.html" %}{% include parts %}',
    ],
)
def test_what_depends_on_the_mail_is_inlined_mail_by_mail(render, body):
    style = "<style>.quiet { color: #777777 }</style>"
    files = {"page.html": f"{FRONT}<html><head>{style}</head><body>{body}</body></html>"}
    files["_parts.html"] = '<p class="quiet">x</p>'
    mail = render(files, name="quiet")
    assert re.search(r'<p class="quiet" style="color: #777777;">x</p>', mail.html)


def test_macros_of_another_file_are_part_of_the_page(load):
    files = {
        "_layout.html": LAYOUT,
        "_parts.html": (
            '{% macro button(text, url="#", kind="plain") %}'
            '<p class="{{ kind }}"><a href="{{ url }}">{{ text }}</a></p>{% endmacro %}'
        ),
        "page.html": FRONT
        + '{% extends "_layout.html" %}{% from "_parts.html" import button as b %}'
        '{% block content %}{{ b("Read & go", url=links.view) }}'
        "{{ b(contact.name) }}{% endblock %}",
    }
    templates = load(files)
    mail = templates.render("page", None, context(name="<Ana>"))
    linked = '<p class="plain" style="color: #123456;"><a href="{}">{}</a></p>'
    assert linked.format(LINKS.view, "Read &amp; go") in mail.html
    assert linked.format("#", "&lt;Ana&gt;") in mail.html
    page = templates.find("page", None)
    assert page.html_source != page._jinja  # finished once, not for each mail


def test_block_super_and_include(render):
    files = {
        "_base.html": "<body>{% block a %}base{% endblock %}{% include '_foot.html' %}</body>",
        "_mid.html": "{% extends '_base.html' %}{% block a %}mid {{ super() }}{% endblock %}",
        "_foot.html": "<p>foot {{ contact.email }}</p>",
        "page.html": FRONT + "{% extends '_mid.html' %}{% set who = 'x' %}"
        "{% block a %}top {{ super() }} {{ who }}{% endblock %}",
    }
    html = render(files).html
    assert "top mid base x" in html
    assert "<p>foot ana@example.com</p>" in html


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("es", "Hola"), ("es-MX", "Hola"), ("es_ES.UTF-8", "Hola"), ("pt-BR", "Oi"), ("pt", "Hello"),
     ("en", "Hello"), (None, "Hello"), ("ES", "Hola")],
)  # fmt: skip
def test_the_variant_of_the_contacts_language_wins(render, locale, expected):
    files = {
        "page.html": "---\nsubject: Hello\ntopic: news\n---\n<p>x</p>",
        "page.es.html": "---\nsubject: Hola\n---\n<p>x</p>",
        "page.pt-br.html": "---\nsubject: Oi\n---\n<p>x</p>",
    }
    mail = render(files, locale)
    assert (mail.subject, mail.topic) == (expected, "news")


def test_markdown_fills_the_layout(render):
    page = """\
        ---
        subject: Hello
        topic: news
        ---
        # Hi {{ contact.name | default("you") }}

        Some *words*, **{{ contact.name }}** and [a link]({{ links.preferences }}).

        {% for p in event.products %}
        - {{ p.sku }}
        {% endfor %}

        {% if contact.vip is defined %}
        never
        {% endif %}

        | a | b |
        | - | - |
        | 1 | {{ contact.name }} |
        """
    event = {"products": [{"sku": "A1"}, {"sku": "B2"}]}
    mail = render({"_layout.html": LAYOUT, "page.md": page}, name="Ana_Maria *", event=event)
    assert "<h1>Hi Ana_Maria *</h1>" in mail.html
    assert (
        '<strong>Ana_Maria *</strong> and <a href="https://m.example/p/T">a link</a>' in mail.html
    )
    assert mail.html.count("<li>") == 2
    assert "never" not in mail.html
    assert '<td style="padding: 4px;">Ana_Maria *</td>' in mail.html
    assert '<p style="color: #123456;">Some' in mail.html
    assert "a link <https://m.example/p/T>" in mail.text


def test_markdown_without_a_layout_gets_a_readable_one(render):
    mail = render({"page.md": FRONT + "Hello **you**"})
    assert "<strong>you</strong>" in mail.html
    assert "prefers-color-scheme: dark" in mail.html
    assert "max-width: 600px" in mail.html


PREHEADER = "---\nsubject: Hello\npreheader: For {{ contact.name }}\ntopic: news\n---\n"

# --- plain text, preheader, the way out ----------------------------------------------------------


def test_a_txt_file_is_the_plain_part(render):
    files = {"page.html": FRONT + "<p>HTML</p>", "page.txt": "Plain {{ contact.name }} & co"}
    mail = render(files, name="<Ana>")
    assert mail.text.startswith("Plain <Ana> & co")


def test_plain_text_keeps_links_lists_and_order(render):
    page = (
        "<html><head><style>p{color:red}</style></head><body><h1>Title</h1>"
        '<table><tr><td>One</td><td>Two</td></tr></table><p>See <a href="https://x.example/a_b">the'
        ' page</a>.</p><ul><li>first</li><li>second</li></ul><img src="x.png" alt="">'
        '<div style="display:none">hidden</div></body></html>'
    )
    text = render(page).text.split("\n\n-- \n")[0]
    assert (
        text == "Title\n\nOne Two\n\nSee the page <https://x.example/a_b>.\n\n  * first\n  * second"
    )


def test_plain_text_is_made_once_or_from_the_mail_with_the_same_outcome(load):
    body = (
        "<p>Hi {{ contact.name }}</p>{% if contact.vip is defined %}<p>VIP</p>{% endif %}<p>Bye</p>"
    )
    once = load({"page.html": FRONT + body}).render("page", None, context(name="A & B"))
    each = load({"page.html": FRONT + body + "{{ '' | safe }}"})
    assert each.find("page", None).text_template is None
    assert each.render("page", None, context(name="A & B")).text == once.text


def test_values_that_are_html_do_not_show_as_tags_in_text(render):
    assert "<b>" not in render("<p>{{ contact.bio | safe }}</p>", bio="<b>bold</b>").text


def test_preheader_is_hidden_and_comes_first(render):
    page = PREHEADER + "<body bgcolor='x'><p>x</p></body>"
    mail = render({"page.html": page}, name="A&B")
    assert mail.preheader == "For A&B"
    start = mail.html.index("<body bgcolor='x'>") + len("<body bgcolor='x'>")
    assert mail.html[start:].startswith('<div style="display:none')
    assert "For A&amp;B</div>" in mail.html
    assert "For A" not in mail.text


def test_a_layout_may_place_the_preheader_itself(render):
    page = PREHEADER + "<body><i>{{ preheader }}</i></body>"
    assert render({"page.html": page}, name="you").html.count("For you") == 1


@pytest.mark.parametrize(
    ("locale", "words"), [(None, "Unsubscribe"), ("es-MX", "Darse de baja"), ("fr", "Unsubscribe")]
)
def test_marketing_mail_without_a_way_out_gets_one(render, locale, words):
    mail = render("<html><body><p>x</p></body></html>", locale)
    assert re.search(f'<a href="https://m.example/u/T"[^>]*>{words}</a></p>\n</body>', mail.html)
    assert mail.text.endswith(f"{words}: https://m.example/u/T")
    assert mail.headers == {
        "List-Unsubscribe": "<x>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_the_footer_speaks_the_mails_language(render):
    assert "Darse de baja" in render('<html lang="es"><body>x</body></html>', locale="en").html


def test_a_mail_with_its_own_way_out_gets_no_second(render):
    mail = render('<p><a href="{{ links.unsubscribe }}">bye</a></p>')
    assert mail.html.count(LINKS.unsubscribe) == 1
    assert mail.text.count(LINKS.unsubscribe) == 1


def test_a_way_out_that_this_mail_does_not_show_is_none(render):
    page = '{% if contact.vip is defined %}<a href="{{ links.unsubscribe }}">bye</a>{% endif %}x'
    assert render(page).html.count(LINKS.unsubscribe) == 1


def test_transactional_mail_has_neither_footer_nor_header(render):
    page = "---\nsubject: Receipt\ntopic: transactional\n---\n<p>Paid</p>"
    mail = render({"page.html": page})
    assert LINKS.unsubscribe not in mail.html + mail.text
    assert mail.headers == {}


def test_links_view_without_a_public_url_is_named(load):
    given = context()
    bare = MailContext(given.contact, given.event, given.scenario, given.now,
                       Links("mailto:x", "mailto:x", None, "").record())  # fmt: skip
    templates = load({"page.html": FRONT + "{{ links.view }}"})
    with pytest.raises(RenderError, match=r"links\.view is not known"):
        templates.render("page", None, bare)


def test_an_error_inside_a_layout_names_the_page_that_uses_it(render):
    files = {
        "_layout.html": "<p>{{ contact.x }}</p>",
        "page.html": FRONT + "{% extends '_layout.html' %}",
    }
    with pytest.raises(RenderError, match=r"page.html.*contact.x is not known"):
        render(files)


def test_an_unknown_template_is_a_reason_with_a_hint(load):
    with pytest.raises(RenderError, match="no template 'pag'; did you mean 'page'"):
        load({"page.html": FRONT}).render("pag", None, context())


def test_crlf_bom_and_emoji_are_fine(tmp_path):
    folder = write_templates(tmp_path, {}) / "templates" / "email"
    raw = "\ufeff---\r\nsubject: Hola 🌊\r\ntopic: news\r\n---\r\n<p>ñ</p>\r\n"
    (folder / "page.html").write_bytes(raw.encode())
    templates, problems = load_templates(tmp_path)
    assert problems == []
    assert templates.render("page", None, context()).subject == "Hola 🌊"
