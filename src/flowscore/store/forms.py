"""Makes the comparison forms of a value, once, when it comes in (rulings 60, 61 and 125).

A form is `[text, number, instant, local]` with trailing nulls cut: the casefolded text, the
number if it reads as one, the instant (microseconds) of a date-time with a zone, the wall-clock
time (microseconds) of a bare date or of a time without a zone. Two decisions of ours: spaces
around a number or date do not matter, and a number has no exponent and no sign but `-`.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import Any

from flowscore.clock import EPOCH, MICROSECOND, NAIVE_EPOCH

Form = list[Any]

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?", re.ASCII)
NUMERIC = frozenset("0123456789- \t\n")  # what a number or date can begin with
EXACT = 2**53  # whole numbers beyond are not exact as doubles
DEEPEST = 50
LONGEST_TEXT = 400  # letters of an attribute by which it is compared
LONGEST = 500  # letters of a dotted path; nobody asks for what is longer


def forms_of(value: Any) -> list[Form]:
    """One form for a plain value, one for each element of a list, none for an absent value."""
    kind = type(value)
    if kind is str:
        return [_form_of_text(value)] if value else []
    if kind is bool:
        return [["true" if value else "false"]]
    if kind is int or kind is float:
        return [_form_of_number(value)]
    if kind is list:
        return [form for element in value for form in forms_of(element)]
    return []


def attribute_forms(value: Any) -> list[Form]:
    """The forms of an attribute, whose text stands in an index: PostgreSQL takes 2,700 bytes.

    Of a longer text the beginning is compared, and what tells it from others.
    """
    return [_shortened(form) if len(form[0]) > LONGEST_TEXT else form for form in forms_of(value)]


def _shortened(form: Form) -> Form:
    told = sha256(form[0].encode("utf-8", "replace")).hexdigest()[:16]
    return [f"{form[0][:LONGEST_TEXT]}…{told}", *form[1:]]


def flatten(properties: dict[str, Any]) -> dict[str, list[Form]]:
    """The forms of every property by dotted path (`products.sku` for each product's)."""
    found: dict[str, list[Form]] = {}
    for key, value in properties.items():
        kind = type(value)
        if kind is str:
            if value:
                found[key] = [_form_of_text(value)]
        elif kind is dict or kind is list:
            _collect(key, value, found, DEEPEST)
        elif forms := forms_of(value):
            found[key] = forms
    return found


def _collect(path: str, value: Any, found: dict[str, list[Form]], depth: int) -> None:
    """Walk into objects and lists; what nests deeper than anybody writes is left out."""
    if depth < 2 or len(path) > LONGEST:
        return
    if type(value) is dict:
        for key, inner in value.items():
            _collect_one(f"{path}.{key}", inner, found, depth - 1)
    else:
        for inner in value:
            _collect_one(path, inner, found, depth - 1)


def _collect_one(path: str, value: Any, found: dict[str, list[Form]], depth: int) -> None:
    kind = type(value)
    if kind is str:  # nearly always
        if value:
            found.setdefault(path, []).append(_form_of_text(value))
    elif kind is dict or kind is list:
        _collect(path, value, found, depth)
    elif forms := forms_of(value):
        found.setdefault(path, []).extend(forms)


def leaves(traits: dict[str, Any]) -> dict[str, Any]:
    """The plain values by dotted path; what several elements of a list hold is a list again."""
    found: dict[str, Any] = {}
    for key, value in traits.items():
        if type(value) is dict or (type(value) is list and any(type(v) is dict for v in value)):
            _gather(key, value, found, DEEPEST)
        else:
            found[key] = value
    return found


def _gather(path: str, value: Any, found: dict[str, Any], depth: int) -> None:
    if not depth or len(path) > LONGEST:
        return
    if type(value) is dict:
        for key, inner in value.items():
            _gather(f"{path}.{key}", inner, found, depth - 1)
    elif type(value) is list and any(type(inner) is dict for inner in value):
        for inner in value:
            _gather(path, inner, found, depth - 1)
    elif path in found:
        found[path] = [*_listed(found[path]), *_listed(value)]
    else:
        found[path] = value


def _listed(value: Any) -> list[Any]:
    return value if type(value) is list else [value]


def _form_of_number(value: float) -> Form:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
        return [str(value)]
    whole = int(value)
    if whole == value:
        return [str(whole), whole if -EXACT < whole < EXACT else float(value)]
    return [str(value), value]


def _form_of_text(value: str) -> Form:
    folded = value.casefold()
    if value[0] not in NUMERIC:  # nearly always
        return [folded]
    bare = value.strip()
    if NUMBER.fullmatch(bare):
        return [folded, float(bare)]
    if DATE.fullmatch(bare):
        return _form_of_date(folded, bare)
    return [folded]


def _form_of_date(folded: str, bare: str) -> Form:
    try:
        read = datetime.fromisoformat(bare)
    except ValueError:
        return [folded]
    if read.tzinfo is None:
        return [folded, None, None, (read - NAIVE_EPOCH) // MICROSECOND]
    return [folded, None, (read - EPOCH) // MICROSECOND]
