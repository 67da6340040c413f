"""Proofs of consent: a record that names nobody, and yet can be shown to be somebody's.

Who holds the secret and is told the address can compute the proof again; who holds only the
record learns nothing of the address from it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Word:
    """A word of consent: on which topic, yes or no, when (microseconds), to which text."""

    topic: str
    granted: bool
    at: int
    text: str | None = None


def proof_of(secret: str, address: str, word: Word) -> str:
    """HMAC-SHA256 in hex over the casefolded address and the word."""
    said = (address.casefold(), word.topic, "yes" if word.granted else "no", str(word.at))
    content = "\0".join(("consent", *said, word.text or ""))
    return hmac.digest(secret.encode(), content.encode(), sha256).hex()


def proves(secret: str, addresses: Iterable[str], word: Word, proof: str | None) -> str | None:
    """Which of a person's addresses the record was made with; None if with none of them."""
    if not proof or not secret:
        return None
    made = ((address, proof_of(secret, address, word)) for address in addresses)
    return next((address for address, one in made if hmac.compare_digest(one, proof)), None)
