"""Reads what a page's form sends: few fields, whatever way they are written."""

from __future__ import annotations

from email import message_from_bytes, policy
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from flowscore.web.refusals import RefusedError, TooLargeError

MOST_BYTES = 64 * 1024
MOST_FIELDS = 100

Fields = dict[str, list[str]]


async def read_form(request: Request) -> Fields:
    """The fields of a form, urlencoded or multipart (RFC 7578), or of a JSON object."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLargeError
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _read_parts(request.headers["content-type"], body)
    if kind == "application/json":
        return _read_json(body)
    return _read_encoded(body)


def first(fields: Fields, name: str, longest: int = 2_000) -> str:
    """A field's first value, trimmed; empty if it is not there."""
    return (fields.get(name) or [""])[0].strip()[:longest]


def _gather(pairs: list[tuple[str, str]]) -> Fields:
    fields: Fields = {}
    for name, value in pairs[:MOST_FIELDS]:
        fields.setdefault(name, []).append(value.replace("\x00", ""))
    return fields


def _read_encoded(body: bytes) -> Fields:
    try:
        text = body.decode("ascii")
        return _gather(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise RefusedError("the form could not be read", "bad_form") from None


def _read_parts(content_type: str, body: bytes) -> Fields:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = message_from_bytes(head + body, policy=policy.HTTP)
    pairs = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            pairs.append((name, content.decode("utf-8", "replace").rstrip("\r\n")))
    return _gather(pairs)


def _read_json(body: bytes) -> Fields:
    """Texts, lists of texts, and one mapping of texts: `traits`, named as a form names them."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusedError(f"the body is no JSON: {error}"[:200], "bad_json") from None
    if not isinstance(said, dict):
        raise RefusedError("expected a JSON object", "bad_json")
    pairs: list[tuple[str, str]] = []
    for name, value in said.items():
        inner = value.items() if isinstance(value, dict) else ()
        pairs += [(f"{name}.{key}", str(one)) for key, one in inner if one is not None]
        texts = value if isinstance(value, list) else [value]
        pairs += [(name, str(one)) for one in texts if not isinstance(one, dict | None)]
    return _gather(pairs)
