"""Writes values and rules as YAML that reads back as what was meant."""

from __future__ import annotations

import json
import re

PLAIN = re.compile(r"[A-Za-zÀ-ÿ][\w./-]*(?: [\w./-]+)*")
KEY = re.compile(r"[A-Za-zÀ-ÿ_][\w.-]*")
WORDS_OF_YAML = frozenset({"true", "false", "null"})
SLUG_LENGTH = 48


def scalar(value: str | float | bool) -> str:
    """A value as it stands in a flow mapping; quoted where it would mean something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if PLAIN.fullmatch(value) and value.lower() not in WORDS_OF_YAML:
        return value
    return json.dumps(value, ensure_ascii=False)


def key(name: str) -> str:
    """A key of a mapping."""
    is_plain = KEY.fullmatch(name) and name.lower() not in WORDS_OF_YAML
    return name if is_plain else json.dumps(name, ensure_ascii=False)


def number(value: float) -> str:
    """Without an exponent, without `.0`."""
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.10f}".rstrip("0")


def slug(*parts: str) -> str:
    """`Lead Origin`, `API` as `lead-origin-api`, short enough for a name."""
    text = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
    text = re.sub(r"-+", "-", text).strip("-")
    return text[:SLUG_LENGTH].rstrip("-") or "rule"
