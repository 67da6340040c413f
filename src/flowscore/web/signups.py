"""What a sign-up form brings, read and checked, and the line that has it confirmed by mail."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import orjson

from flowscore.clock import HOUR
from flowscore.store.addresses import Address, read_address
from flowscore.store.consents import GENERAL
from flowscore.store.inbox import InboxRow
from flowscore.store.write_keys import WriteKey
from flowscore.web.forms import Fields, first
from flowscore.web.refusals import RefusedError
from flowscore.web.words import Words

TRAP = "website"  # a field that no person sees
TRAITS = "traits."
MOST_TRAITS = 20
LONGEST_TRAIT, LONGEST_NAME = 200, 100  # letters
OWN = frozenset({"email", "tracking", "owner"})  # what nobody says of themselves in a form


@dataclass(frozen=True)
class SignUp:
    """An address that wants to be written to, as far as a form can tell."""

    address: Address
    topics: tuple[str, ...]
    text: str  # what they agreed to
    locale: str
    source: str  # the write key's
    traits: dict[str, str] = field(default_factory=dict)

    def line(self, secret: str, now: int) -> InboxRow:
        """For the inbox; the same address and topics count once in an hour."""
        said = {
            "topics": list(self.topics), "text": self.text, "locale": self.locale,
            "source": self.source, "traits": self.traits, "made_at": now,
        }  # fmt: skip
        return InboxRow(
            self._key(secret, now), "signup", None, "email", self.address.folded,
            self.address.written, self.address.folded, None, now, now,
            properties=orjson.dumps(said).decode(), source=self.source,
        )  # fmt: skip

    def _key(self, secret: str, now: int) -> str:
        """Nobody can guess it and so keep a sign-up away."""
        said = ("signup", self.address.folded, *sorted(self.topics), str(now // HOUR))
        return (
            f"confirm.{hmac.digest(secret.encode(), chr(0).join(said).encode(), sha256).hex()[:32]}"
        )


class FormError(Exception):
    """What the person at the form can mend; `word` names the sentence they are told."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


def read_signup(fields: Fields, key: WriteKey, known: Sequence[str], words: Words) -> SignUp:
    """The sign-up; raises FormError for what a person mends, RefusedError for what a site does."""
    address = read_address(first(fields, "email"))
    if address is None:
        raise FormError("signup_bad_email")
    topics = _topics(fields, known)
    if not topics and first(fields, "page"):
        raise FormError("signup_no_topic")
    topics = topics or (GENERAL,)
    text = first(fields, "text") or words("signup_text", topic=words.topics_of(topics))
    return SignUp(address, topics, text, words.code, key.source, _traits(fields))


def _topics(fields: Fields, known: Sequence[str]) -> tuple[str, ...]:
    asked = [one.strip().casefold() for one in fields.get("topic", []) + fields.get("topics", [])]
    for one in asked:
        if one not in (*known, GENERAL):
            raise RefusedError(
                f"topic: found {one[:60]!r}, expected one of {', '.join((*known, GENERAL))}; the "
                "policy names them",
                "unknown_topic",
            )
    return tuple(dict.fromkeys(asked))


def _traits(fields: Fields) -> dict[str, str]:
    """What else the form asked: `traits.first_name` and the like."""
    said = {
        name.removeprefix(TRAITS): values[0].strip()[:LONGEST_TRAIT]
        for name, values in fields.items()
        if name.startswith(TRAITS) and values[0].strip()
    }
    mine = {
        name: value
        for name, value in said.items()
        if 0 < len(name) <= LONGEST_NAME and name.casefold() not in OWN
    }
    return dict(list(mine.items())[:MOST_TRAITS])


def way_back(fields: Fields, key: WriteKey) -> str | None:
    """Where the browser is sent afterwards: only to pages that the key is meant for."""
    asked = first(fields, "redirect")
    if not asked:
        return None
    if origin_of(asked) not in key.origins:
        raise RefusedError(
            "redirect: expected a page of an origin that the write key names; "
            "`flowscore keys` shows them",
            "bad_redirect",
        )
    return asked


def origin_of(url: str) -> str:
    """`https://shop.example.com` of a page there; empty for what is no web address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    safe = parts.scheme in ("http", "https") and not any(c in url for c in "\r\n\t\\ ")
    return f"{parts.scheme}://{parts.netloc}".lower() if safe else ""


def is_caught(fields: Fields) -> bool:
    """Whether the field that no person sees was filled in."""
    return bool(first(fields, TRAP))


def shown(fields: Fields) -> dict[str, Any]:
    """What was typed, to be shown once more beside what is wrong with it."""
    return {"email": first(fields, "email", 320), "ticked": fields.get("topic", [])}
