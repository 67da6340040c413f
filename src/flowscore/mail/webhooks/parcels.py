"""A queued webhook as the request that goes out: secrets filled in, headers checked, signed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from standardwebhooks import Webhook

from flowscore import __version__
from flowscore.clock import SECOND, datetime_of
from flowscore.language import headers
from flowscore.language.variables import fill, unset, variables_in, why_unset

if TYPE_CHECKING:
    from flowscore.mail.webhooks.settings import WebhookSettings

HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
LONGEST_HEADER = 8_192  # bytes


class UnfitError(Exception):
    """No request can be made of it, today or later; the text says why."""


class UnsetError(Exception):
    """A `${NAME}` has no value here."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A request, secrets and all: only for the wire. `names` are those that were filled in."""

    key: str
    url: httpx.URL = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    names: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Who receives it: scheme, host and port."""
        return f"{self.url.scheme}://{self.url.netloc.decode('ascii')}"


def pack(key: str, payload: Any, settings: WebhookSettings) -> Parcel:
    """The request of a queued webhook, not yet signed.

    `payload` is `{url, headers, body}` as the tick wrote it; a name that is not set here may be
    set at the next attempt.
    """
    url, lines, body = request_in(payload)
    names = tuple(variables_in(url, *map(str, lines.values()), json.dumps(body)))
    values = settings.variables
    if missing := list(unset(names, values)):
        raise UnsetError("it wants " + "; ".join(map(why_unset, missing)))
    return Parcel(
        key,
        read_url(fill(url, values).strip()),
        tuple(_headers({name: fill(str(text), values) for name, text in lines.items()})),
        _json(_filled(body, values)),
        names,
    )


def request_in(payload: Any) -> tuple[str, dict[str, Any], Any]:
    """Url, headers and body as the tick wrote them."""
    if not isinstance(payload, dict) or not isinstance(payload.get("url"), str):
        raise UnfitError("its row holds no request")
    body = payload.get("body")
    return payload["url"], payload.get("headers") or {}, {} if body is None else body


def _json(value: Any) -> bytes:
    """Pure ASCII, so that no proxy on the way breaks the signature; any number, however long."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise UnfitError("the body holds a number that JSON cannot write") from error


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Every text of a JSON value, however deep."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, dict):
        return {fill(key, values): _filled(one, values) for key, one in value.items()}
    return value


def read_url(text: str) -> httpx.URL:
    """An http(s) address without credentials; what browsers and parsers disagree on is refused."""
    if not text.isprintable() or " " in text or "\\" in text:
        raise UnfitError("the url has a blank, a backslash or a control character in it")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise UnfitError("the url cannot be read") from error
    if url.scheme not in ("http", "https"):
        raise UnfitError("the url begins neither with https:// nor with http://")
    if url.userinfo or b"@" in url.netloc:
        raise UnfitError("the url holds a user or password; put them into a header as ${NAME}")
    if not HOST.fullmatch(url.raw_host.decode("ascii")):
        raise UnfitError("the url names no host that can be reached")
    if url.port is not None and not 0 < url.port < 65_536:
        raise UnfitError("the url's port is no number from 1 to 65535")
    return url


def _headers(given: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    ready = [_header(name, text) for name, text in given.items()]
    names = {name.lower() for name, _ in ready}
    usual = {"Content-Type": "application/json", "User-Agent": f"flowscore/{__version__}"}
    ready += [
        (name.encode(), value.encode())
        for name, value in usual.items()
        if name.lower().encode() not in names
    ]
    return [*ready, (b"Accept-Encoding", b"identity")]


def _header(name: str, text: str) -> tuple[bytes, bytes]:
    """One header, or why it cannot be sent; its value is never told, it may be a secret."""
    if not headers.is_name(name):
        raise UnfitError(f"header {name[:80]!r}: no name for a header")
    if headers.is_ours(name):
        raise UnfitError(f"header {name}: flowscore sets it itself")
    value = text.strip(" \t").encode("utf-8", "replace")
    if any((byte < 32 and byte != 9) or byte == 127 for byte in value):
        raise UnfitError(f"header {name}: its value has a line break or a control character")
    if len(value) > LONGEST_HEADER:
        raise UnfitError(f"header {name}: its value is longer than {LONGEST_HEADER:,} bytes")
    return name.encode(), value


def sign(parcel: Parcel, settings: WebhookSettings, at: int) -> list[tuple[bytes, bytes]]:
    """The three headers of Standard Webhooks 1.0; `at` is the instant of the attempt.

    Several secrets give several signatures, so that one can be changed without a gap.
    """
    name, moment, body = quote(parcel.key), datetime_of(at), parcel.body.decode()
    signatures = [Webhook(one).sign(name, moment, body) for one in settings.secrets]
    return [
        (b"webhook-id", name.encode()),
        (b"webhook-timestamp", str(at // SECOND).encode()),
        (b"webhook-signature", " ".join(signatures).encode()),
    ]
