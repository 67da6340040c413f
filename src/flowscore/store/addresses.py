"""Reads e-mail addresses: checked by email-validator, compared casefolded (ruling 125)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email


class Address(NamedTuple):
    """An address as it was written, and as it is compared."""

    written: str
    folded: str


LONGEST = 320  # letters; more are none, and are not kept in memory


def read_address(text: str) -> Address | None:
    """The address, or None if nothing can be delivered to it; DNS is not asked."""
    return _read_once(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=100_000)
def _read_once(text: str) -> Address | None:
    return _read(text)[0]


def complaint(text: str) -> str:
    """Why the text is no address."""
    return _read(text)[1]


def _read(text: str) -> tuple[Address | None, str]:
    written = text.strip()
    try:
        found = validate_email(written, check_deliverability=False)
    except EmailNotValidError as error:
        return None, str(error)
    return Address(written, found.normalized.casefold()), ""
