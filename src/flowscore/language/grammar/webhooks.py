"""The action `webhook`: where it goes, what it carries, and `${NAME}` from the environment."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from flowscore.language import actions as words
from flowscore.language import headers
from flowscore.language.document import Node
from flowscore.language.grammar.expressions import holds_jinja, refuse_broken
from flowscore.language.grammar.mistakes import Gathering, misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import Key, Shape, Table, read_keys, read_text, read_words
from flowscore.language.variables import VARIABLE

BRACED = re.compile(r"\$\{([^}]*)\}?")
DOLLAR = re.compile(rf"{BRACED.pattern}|\$([A-Za-z_][A-Za-z0-9_]*)")


def read_webhook(node: Node, names: Names) -> Any:
    """`{url: "${CRM_URL}/leads", body: {..}, headers: {..}}`."""
    if isinstance(node.value, str):
        raise unexpected(node, "a mapping with url", f'write {{url: "{node.value}"}}')
    return words.CallWebhook, read_keys(node, names, WEBHOOK)


def read_url(node: Node, names: Names) -> str:
    """An address of http or https, or one that begins with `${NAME}`."""
    text = read_text(node, names)
    if holds_jinja(node):
        hint = "the receiver is the same for all; put what differs into `body`"
        raise mistake(node, "found {{ }} in the address of a webhook", hint)
    _refuse_odd_place(node, text)
    filled = VARIABLE.sub("x", text)
    if text.startswith("${") and not re.search(r"\s", text):
        return text
    address = _split(filled)
    if address is None or address.scheme not in ("http", "https") or not address.hostname:
        hint = f"did you mean 'https://{text}'?" if re.match(r"[\w-]+\.[\w.-]+(/|$)", text) else ""
        raise unexpected(node, "an address that begins with https://, http:// or ${NAME}", hint)
    if address.username or address.password:
        hint = 'put it into the environment: headers: {Authorization: "Bearer ${TOKEN}"}'
        raise mistake(node, "found a name or password in the address of a webhook", hint)
    return text


def _split(text: str) -> Any:
    try:
        return None if re.search(r"\s", text) else urlsplit(text)
    except ValueError:
        return None


def _refuse_odd_place(node: Node, text: str, form: re.Pattern[str] = DOLLAR) -> None:
    """`$NAME`, `${my-name}` and the like, which nobody would fill in."""
    for found in form.finditer(text):
        if not VARIABLE.fullmatch(found[0]):
            name = re.sub(r"\W+", "_", "".join(filter(None, found.groups()))).strip("_").upper()
            hint = f"write ${{{name}}}" if name else "write ${NAME}"
            message = f"found '{found[0]}', expected ${{NAME}} of letters, digits and _"
            raise mistake(node, message, hint)


def read_body(node: Node, names: Names) -> str:
    """Any value, as JSON text with its keys in order; texts may hold Jinja2."""
    if node.value is None:
        raise unexpected(node, "a value", "leave `body` out to send an empty {}")
    gathering = Gathering()
    value = _plain(node, gathering)
    gathering.settle()
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(node: Node, gathering: Gathering) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child, gathering) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [_plain(child, gathering) for child in node.value]
    with gathering:
        _refuse_odd_place(node, str(node.value), BRACED)  # `$5` is a price
    with gathering:
        refuse_broken(node)
    return node.value


def read_headers(node: Node, names: Names) -> tuple[tuple[str, str], ...]:
    """Names and texts; those that the signature needs are flowscore's own."""
    if not node.items:
        raise unexpected(node, 'a mapping such as {Authorization: "Bearer ${TOKEN}"}')
    gathering = Gathering()
    found: dict[str, tuple[str, str]] = {}
    for name, child in node.items.items():
        with gathering:
            _refuse_header(name, child, found)
            found[name.lower()] = (name, _header_text(child, names))
    gathering.settle()
    return tuple(found.values())


def _refuse_header(name: str, child: Node, found: dict[str, tuple[str, str]]) -> None:
    if not headers.is_name(name):
        raise misplaced(child, f"'{name}' is no name for a header", "letters, digits and -")
    if headers.is_ours(name):
        raise misplaced(child, f"the header '{name}' is set by flowscore", "take it out")
    if name.lower() in found:
        message = f"the header '{name}' stands twice; case does not count"
        raise misplaced(child, message, "keep one of the two")


def _header_text(node: Node, names: Names) -> str:
    text = read_words(node, names)
    if not text or re.search(r"[\r\n\0]", text):
        raise unexpected(node, "a text of one line")
    _refuse_odd_place(node, text)
    refuse_broken(node)
    return text


WEBHOOK = Table(
    "a webhook",
    {
        "url": Key(
            Shape(read_url, {"type": "string", "minLength": 1}),
            "Where it is sent; ${NAME} comes from the environment.",
            required=True,
        ),
        "body": Key(
            Shape(read_body, {"not": {"type": "null"}}), "What is sent, as JSON; {} where left out."
        ),
        "headers": Key(
            Shape(
                read_headers,
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
            ),
            "More headers; ${NAME} comes from the environment.",
        ),
    },
    elsewhere={
        "method": "it is always a POST: take it out",
        "secret": "the signature's secret is a setting of the environment: take it out",
        "timeout": "a webhook waits 15 seconds for its answer: take it out",
    },
)
