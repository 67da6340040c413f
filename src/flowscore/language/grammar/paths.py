"""Patterns over pages and links: how paths and addresses are compared."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import Shape, one_or_more, read_text


def page_path(text: str) -> str:
    """A path as it is compared: no query, fragment or trailing slash, small letters (ruling 63)."""
    path = urlsplit(text).path if text.startswith(("http://", "https://")) else text
    return re.split(r"[?#]", path)[0].rstrip("/").lower() or "/"


def read_page(node: Node, names: Names) -> str:
    """A path, in which `*` stands for any run of characters."""
    text = read_text(node, names)
    if not re.match(r"[/*]|https?://", text):
        raise unexpected(node, "a path that begins with / or *", f"did you mean '/{text}'?")
    try:
        return page_path(text)
    except ValueError as error:
        raise unexpected(node, "a path or an address", str(error)) from None


def read_link(node: Node, names: Names) -> str:
    """A pattern over whole addresses, small letters (rulings 99 and 120)."""
    text = read_text(node, names)
    if not re.match(r"\*|[A-Za-z][A-Za-z0-9+.-]*:", text):
        hint = f"did you mean '*{text}'?" if text.startswith("/") else f"did you mean '*{text}*'?"
        expected = "a link: the whole address, such as https://acme.example/offer, or with *"
        raise unexpected(node, expected, hint)
    return text.lower() if "?" in text else text.lower().partition("#")[0]


PAGES = one_or_more(Shape(read_page, {"type": "string", "minLength": 1}), "paths")
LINKS = one_or_more(Shape(read_link, {"type": "string", "minLength": 1}), "links")
