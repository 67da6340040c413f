"""Mistakes in templates, found before anything is sent: where, and what to do (ruling 101)."""

from __future__ import annotations

import pytest

from flowscore.mail.templates import load_templates
from mail.conftest import write_templates

FRONT = "---\nsubject: Hello\ntopic: news\n---\n"


def told(tmp_path, files: dict[str, str]) -> list[str]:
    """Every problem as the printer would begin it."""
    _, problems = load_templates(write_templates(tmp_path, files))
    return [f"{p.mark}: {p.message}" + (f"; {p.hint}" if p.hint else "") for p in problems]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>{{ foo }}</p>", "5:7: unknown name 'foo'"),
        ("{% for p in event.x %}{% endfor %}{{ p }}", "5:8: unknown name 'p'"),
        ("<p>{{ contct.name }}</p>", "5:7: unknown name 'contct'; did you mean 'contact'?"),
        ("<p>{{ contact.name | uper }}</p>", "5:22: unknown filter 'uper'; did you mean 'upper'?"),
        (
            "{% if now is defned %}x{% endif %}",
            "5:14: unknown test 'defned'; did you mean 'defined'?",
        ),
        ("{{ links.unsub }}", "5:10: unknown key 'links.unsub'; did you mean 'unsubscribe'?"),
        (
            '{{ links["home"] }}',
            "5:11: unknown key 'links.home'; known are unsubscribe, preferences, view",
        ),
        ("{{ scenario.id }}", "5:13: unknown key 'scenario.id'; known are name, entered_at"),
        ("{{ contact.__class__ }}", "5:12: '__class__' is not allowed"),
        ("\n\n{% if now %}x", "7:1: Unexpected end of template"),
        ("<p>\n{{ contact.name | }}", "6:1: "),
        ("{% iff now %}", "5:1: Encountered unknown tag 'iff'"),
        ('{% include "_foot.html" %}', "5:13: no template '_foot.html'"),
        (
            '{% extends "_layot.html" %}',
            "5:13: no template '_layot.html'; did you mean '_layout.html'?",
        ),
    ],
)
def test_validate_names_line_and_word(tmp_path, body, expected):
    layout = "{% block content %}{% endblock %}"
    problems = told(tmp_path, {"page.html": FRONT + body, "_layout.html": layout})
    assert len(problems) == 1
    assert problems[0].startswith(f"templates/email/page.html:{expected}")


@pytest.mark.parametrize(
    "body",
    [
        "{{ contact.anything | title }} {{ event.x.y[0].z | default('') }} {{ company.name }}",
        "{% for p in event.products %}{{ loop.index }}{{ p.sku }}{% endfor %}",
        "{% set a = contact.b %}{{ a }} {{ '%.2f' | format(contact.price) }}",
        "{% if now %}{% set a = 1 %}{% else %}{% set a, b = 2, 3 %}{% endif %}{{ a }}{{ b }}",
        "{{ contact.first_name ~ event['two words'] }} {{ now }} {{ range(3) | list }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(contact.y) }} {{ subject }} {{ locale }}",
        "{{ contact.ledger[0].points }} {{ contact.score.engagement * 2 }} {{ contact.at | date }}",
    ],
)
def test_what_may_be_written_passes(tmp_path, body):
    assert told(tmp_path, {"page.html": FRONT + body}) == []


def test_variables_pass_between_a_page_and_its_layout(tmp_path):
    files = {
        "_layout.html": "{% set brand = 'x' %}{{ colour }}{% block content %}{% endblock %}",
        "_parts.html": "{% macro button(t) %}{{ t }}{% endmacro %}",
        "page.html": FRONT + "{% extends '_layout.html' %}{% set colour = 'red' %}"
        "{% from '_parts.html' import button %}"
        "{% block content %}{{ button('x') }}{{ colour }}{{ brand }}{% endblock %}",
    }
    assert told(tmp_path, files) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "---\nsubjet: x\n---\n",
            "2:1: unknown key 'subjet' in the front matter; did you mean 'subject'?",
        ),
        ("---\nsubject: {{ contact.x }}\n---\n", "2:10: 'subject' is no text"),
        ("---\nsubject: a: b\n---\n", "2:11: the front matter is no YAML"),
        ("---\nsubject: x\nsubject: y\n---\n", "3:1: 'subject' stands twice"),
        ("---\n- x\n---\n", "2:1: the front matter is no mapping"),
        ("---\nsubject: x\n", "1:1: the front matter has no closing --- line"),
        ('---\nsubject: ""\n---\n', "2:11: the subject is empty"),
        ('---\nsubject: "Hi {{ contct }}"\n---\n', "2:17: unknown name 'contct'"),
        ('---\nsubject: "Hi {{ x"\n---\n', "2:14: "),
        ("<p>x</p>", "1:1: no subject in the front matter"),
    ],
)
def test_front_matter_is_checked(tmp_path, text, expected):
    problems = told(tmp_path, {"page.html": text})
    assert any(p.startswith(f"templates/email/page.html:{expected}") for p in problems), problems


def test_every_mistake_of_the_folder_in_one_run(tmp_path):
    files = {
        "a.html": FRONT + "{{ foo }}{{ bar }}",
        "b.html": "x",
        "c.html": FRONT + "{% if %}",
        "d.html": FRONT + "fine",
    }
    problems = told(tmp_path, files)
    assert [p.split(":")[0][-6:] for p in problems] == ["a.html", "a.html", "b.html", "c.html"]
    templates, _ = load_templates(tmp_path)
    assert templates.names == ["d"]


def test_a_block_that_no_layout_has_is_refused(tmp_path):
    files = {
        "_layout.html": "{% block content %}{% endblock %}",
        "page.html": FRONT + "{% extends '_layout.html' %}\n{% block contnt %}x{% endblock %}",
    }
    (problem,) = told(tmp_path, files)
    assert problem.endswith("6:10: block 'contnt' is not in the layout; did you mean 'content'?")


def test_text_beside_extends_is_a_warning(tmp_path):
    files = {
        "_layout.html": "{% block content %}{% endblock %}",
        "page.html": FRONT + "{% extends '_layout.html' %}\n\nlost words",
    }
    (problem,) = told(tmp_path, files)
    assert "page.html:7:1: 'lost words' stands outside of every block" in problem


def test_markdown_needs_a_block_content(tmp_path):
    files = {"_layout.html": "{% block body %}{% endblock %}", "page.md": FRONT + "x"}
    (problem,) = told(tmp_path, files)
    assert problem.startswith("templates/email/_layout.html: the layout has no block 'content'")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"x.es.html": FRONT}, "x.es.html: a variant of 'x', but there is no x.html"),
        ({"x.html": FRONT, "x.md": FRONT}, "x.md: the same template as templates/email/x.html"),
        ({"x.txt": "hi"}, "x.txt: a plain part, but there is no x.html or x.md"),
        ({"Big Name.html": FRONT}, "Big Name.html: 'Big Name.html' is no name of a template"),
        ({"x.html": FRONT, "x.es.html": FRONT}, "x.es.html:3:8: a locale variant takes the topic"),
    ],
)
def test_names_are_checked(tmp_path, files, expected):
    problems = told(tmp_path, files)
    assert any(expected in problem for problem in problems), problems


def test_a_file_that_is_no_utf_8_names_the_byte(tmp_path):
    folder = write_templates(tmp_path, {}) / "templates" / "email"
    (folder / "page.html").write_bytes(FRONT.encode() + b"<p>caf\xe9</p>")
    _, (problem,) = load_templates(tmp_path)
    assert (str(problem.mark), problem.message) == (
        "templates/email/page.html:5:7", "byte 0xe9 is no UTF-8",
    )  # fmt: skip


def test_no_folder_is_no_problem(tmp_path):
    templates, problems = load_templates(tmp_path)
    assert (templates.names, problems) == ([], [])
