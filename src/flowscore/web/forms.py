"""Reads what a page's form sends: few fields, whatever way they are written."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from flowscore.web.refusals import RefusedError, TooLargeError

MOST_BYTES = 64 * 1024
MOST_FIELDS = 100
LONGEST_HEAD = 1_000  # letters of a part's head
BOUNDARY = re.compile(r'boundary="?([^";\s]{1,70})', re.IGNORECASE)  # RFC 2046, 5.1.1
NAME = re.compile(rb';\s*name="?([^"\r\n;]{1,300})', re.IGNORECASE)

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
    """What stands between the boundaries, each part with its name (RFC 7578).

    Read by hand: the library for mail takes seconds over a head that is made to take them.
    """
    boundary = BOUNDARY.search(content_type[:LONGEST_HEAD])
    if boundary is None:
        return {}
    pairs = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode("latin-1"))[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        if name := NAME.search(head[:LONGEST_HEAD]):
            pairs.append((name[1].decode("utf-8", "replace"), content.decode("utf-8", "replace")))
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
