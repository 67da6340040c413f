"""The tokens of a tracked mail's picture and links: whose they are, and the proof of it.

A token says of which mail it is and is signed together with its purpose and, for a click, with
where the click leads: it is proven without the store, and leads nowhere else.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Literal

Kind = Literal["open", "click", "trap"]
PATHS: dict[Kind, str] = {"open": "o", "click": "c", "trap": "h"}
"""The first part of the path; a trap is a link that no person sees."""

MAC_SIZE = 16
LONGEST = 400  # letters of a token that anybody looks at
NAMED, NAMELESS = b"m", b"t"
FACTS = Struct(">4sIH")  # digest of the key, when it was written, number of links


@dataclass(frozen=True, slots=True)
class OfMail:
    """A hit on one mail: its number, a digest of its key, when it was written (seconds since
    1970), and how many different links of it are tracked.
    """

    number: int
    digest: bytes
    written: int
    links: int = 0


@dataclass(frozen=True, slots=True)
class OfTemplate:
    """A hit that is nobody's: all that is known is the template."""

    template: str


Of = OfMail | OfTemplate


def digest_of(key: str) -> bytes:
    """Four bytes by which another store's message with the same number is told apart."""
    return sha256(key.encode()).digest()[:4]


def sign_hit(secret: str, kind: Kind, of: Of, target: str = "") -> str:
    """The token; of a click, `target` is where it leads."""
    said = _said(of)
    return urlsafe_b64encode(said + _mac(secret, kind, said, target)).decode().rstrip("=")


def read_hit(secret: str, kind: Kind, token: str, target: str = "") -> Of | None:
    """What a token says, if it was made for this purpose and this target; else nothing."""
    if not secret or not token.isascii() or len(token) > LONGEST:
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    said, proof = raw[:-MAC_SIZE], raw[-MAC_SIZE:]
    if not hmac.compare_digest(proof, _mac(secret, kind, said, target)):
        return None
    of = _understood(said)
    # One spelling alone: base64 has several for the same bytes.
    return of if of and hmac.compare_digest(token, sign_hit(secret, kind, of, target)) else None


def _said(of: Of) -> bytes:
    if isinstance(of, OfTemplate):
        return NAMELESS + of.template.encode()
    number = of.number.to_bytes((of.number.bit_length() + 7) // 8 or 1, "big")
    return NAMED + FACTS.pack(of.digest, of.written & 0xFFFFFFFF, min(of.links, 0xFFFF)) + number


def _understood(said: bytes) -> Of | None:
    """Only of what was signed: it was made by `_said`."""
    kind, rest = said[:1], said[1:]
    if kind == NAMELESS:
        return OfTemplate(rest.decode())
    if kind != NAMED or len(rest) <= FACTS.size:
        return None
    digest, written, links = FACTS.unpack_from(rest)
    return OfMail(int.from_bytes(rest[FACTS.size :], "big"), digest, written, links)


def _mac(secret: str, kind: Kind, said: bytes, target: str) -> bytes:
    """The length of what is said stands before it, so that no target can pass for a part of it."""
    whole = b"%s\0%d\0%s%s" % (kind.encode(), len(said), said, target.encode("utf-8", "replace"))
    return hmac.digest(secret.encode(), whole, sha256)[:MAC_SIZE]
