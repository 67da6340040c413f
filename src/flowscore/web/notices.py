"""A short page for somebody whose link leads nowhere, in English and Spanish."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
body {{ max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; font: 1.1rem/1.6 system-ui,
  sans-serif; }}
h1 {{ font-size: 1.4rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{english}</p>
<p lang="es">{spanish}</p>
</main>
</body>
</html>
"""
PRIVATE = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
CLOSED = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def notice(status: int, title: str, english: str, spanish: str) -> HTMLResponse:
    """The page; it leads nowhere and loads nothing."""
    page = PAGE.format(title=escape(title), english=escape(english), spanish=escape(spanish))
    return HTMLResponse(page, status, {**PRIVATE, "Content-Security-Policy": CLOSED})
