"""The pages people see: one look, in their language, without a script, and closed to strangers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from flowscore.web.reception import Reception
from flowscore.web.words import Words, choose, load_languages

FOLDER = Path(__file__).with_name("pages")
CLOSED = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class Pages:
    """What is needed to show one; made once for each server."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.languages = load_languages(desk.workspace.root)
        self.style = (FOLDER / "style.css").read_text(encoding="utf-8")
        self.templates = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self.templates.filters["sentence"] = lambda text: text[:1].upper() + text[1:]

    def words_for(self, request: Request, locale: str | None = None) -> Words:
        """In the contact's language, else in the browser's."""
        return choose(self.languages, locale, request.headers.get("accept-language"))

    def show(
        self,
        template: str,
        words: Words,
        title: str,
        *,
        status: int = 200,
        framed_by: str = "'none'",
        sent_to: str = "'self'",
        **values: Any,
    ) -> HTMLResponse:
        """A page; `title` names a word. `framed_by` and `sent_to` are sources of its CSP."""
        html = self.templates.get_template(template).render(
            words=words, title=words(title), style=self.style, **values
        )
        headers = {**CLOSED, "Content-Security-Policy": self._policy(framed_by, sent_to)}
        if framed_by == "'none'":
            headers["X-Frame-Options"] = "DENY"
        else:  # its form is to say where it comes from
            headers["Referrer-Policy"] = "same-origin"
        return HTMLResponse(html, status, headers)

    def tell(
        self, words: Words, title: str, *paragraphs: str, status: int = 200, **how: Any
    ) -> HTMLResponse:
        """A page that only says something."""
        return self.show("notice.html", words, title, status=status, paragraphs=paragraphs, **how)

    def tell_missing(self, request: Request) -> HTMLResponse:
        """A link that leads nowhere: how to reach a person instead."""
        words, contact = self.words_for(request), self._contact()
        help_ = [words("missing_help", contact=contact)] if contact else []
        return self.tell(words, "missing_title", words("missing"), *help_, status=404)

    def _policy(self, framed_by: str, sent_to: str) -> str:
        return (
            f"default-src 'none'; style-src {self._style_source}; form-action {sent_to}; "
            f"base-uri 'none'; frame-ancestors {framed_by}"
        )

    @cached_property
    def _style_source(self) -> str:
        """Our one style sheet and no other (CSP3, 2.3.1)."""
        return f"'sha256-{b64encode(sha256(self.style.encode()).digest()).decode()}'"

    def _contact(self) -> str:
        """Where the sender reads mail; blocks."""
        sender = self.desk.live.policy.sender
        return (sender.reply_to or sender.address) if sender else ""


def add_page(routes: APIRouter, path: str, show: Callable[..., Any], summary: str) -> None:
    """A page that can be looked at; HEAD looks, too."""
    routes.add_api_route(path, show, methods=["GET"], summary=summary, response_class=HTMLResponse)
    routes.add_api_route(path, show, methods=["HEAD"], include_in_schema=False)


def masked(address: str) -> str:
    """`a…@example.com`: enough to know one's own address by."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
