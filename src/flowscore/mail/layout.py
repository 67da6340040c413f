"""The layout of Markdown mails where a project has none, and the unsubscribe footer."""

from __future__ import annotations

from collections.abc import Sequence

LAYOUT = """<!doctype html>
<html lang="{{ locale }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{ subject }}</title>
<style>
body { margin: 0; padding: 0; background-color: #f4f4f2; }
.page { max-width: 600px; margin: 0 auto; padding: 32px 24px; background-color: #ffffff;
  color: #22252a; font-family: -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  font-size: 16px; line-height: 1.6; }
.page a { color: #0b57d0; }
.page h1 { font-size: 26px; line-height: 1.25; margin: 0 0 16px; }
.page h2 { font-size: 20px; line-height: 1.3; margin: 28px 0 12px; }
.page img { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) {
  body { background-color: #16181c !important; }
  .page { background-color: #1e2126 !important; color: #e6e7ea !important; }
  .page a { color: #8ab4f8 !important; }
}
</style>
</head>
<body>
<div class="page">
{% block content %}{% endblock %}
</div>
</body>
</html>
"""

QUESTIONS = {
    "en": ("You no longer want this mail?", "Unsubscribe"),
    "es": ("¿Ya no quieres recibir este correo?", "Darse de baja"),
}
HTML_FOOTER = (
    '<p style="margin:24px 16px;text-align:center;font:13px/1.5 Helvetica,Arial,sans-serif;'
    'color:#767676">{question} <a href="{link}" style="color:#767676">{word}</a></p>\n'
)
PREHEADER = (
    '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;opacity:0">{text}</div>'
)


def footer_words(languages: Sequence[str | None]) -> tuple[str, str]:
    """Question and link text in the first of these languages that is known, else English."""
    known = (name.lower()[:2] for name in languages if name)
    return QUESTIONS[next((name for name in known if name in QUESTIONS), "en")]


def before_end_of_body(html: str, part: str) -> str:
    """The HTML with a part put before `</body>`, or at its end."""
    at = html.lower().rfind("</body")
    return html + part if at < 0 else html[:at] + part + html[at:]


def after_start_of_body(html: str, part: str) -> str:
    """The HTML with a part put behind `<body …>`, or at its beginning."""
    start = html.lower().find("<body")
    end = html.find(">", start) + 1 if start >= 0 else 0
    return html[:end] + part + html[end:]
