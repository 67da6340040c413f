"""Plain values and how they compare: spans, instants, numbers, text, paths (rulings 60 to 64)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import re2

Plain = Any
"""What YAML or JSON gives: text, number, boolean, null, list or mapping."""

MICROSECOND = timedelta(microseconds=1)
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
DURATION = re.compile(r"([0-9]+) (minute|hour|day|week)s?")
UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}
RENAMED = {"email_link_clicked": "email_clicked", "email_marked_as_spam": "email_complained"}


def as_list(value: Plain) -> list[Plain]:
    """Wherever one name stands a list of names may stand."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def duration(text: Plain) -> timedelta:
    """`3 days` as a span of time; a day is 24 hours."""
    found = DURATION.fullmatch(str(text))
    if not found:
        raise ValueError(f"not a duration: {text!r}")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def share(text: Plain) -> int:
    """`12.5%` in millionths of everybody."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%", str(text))
    if not found:
        raise ValueError(f"not a share: {text!r}")
    return int(Decimal(found[1]) * 10_000)


def zone(name: str | None, fallback: ZoneInfo) -> ZoneInfo:
    """The zone of that name; one that no one knows reads as the fallback (ruling 117)."""
    if not name:
        return fallback
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return fallback


def localised(naive: datetime, where: ZoneInfo) -> datetime:
    """A local time as an instant: the gap's end if skipped, the first if doubled (ruling 32)."""
    early = naive.replace(tzinfo=where, fold=0)
    instant = early.astimezone(UTC)
    if instant.astimezone(where).replace(tzinfo=None) == naive:
        return instant
    low, high = instant - timedelta(hours=4), instant + timedelta(hours=4)
    before = low.astimezone(where).utcoffset()
    while high - low > MICROSECOND:
        middle = low + (high - low) / 2
        if middle.astimezone(where).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def instant(value: Plain, where: ZoneInfo) -> datetime | None:
    """The instant that a value names, if it names one; a bare date is its 00:00 in the zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return localised(datetime.combine(date.fromisoformat(text), time()), where)
        if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
            return None
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else localised(read, where)


def rfc3339(moment: datetime | None) -> str | None:
    """An instant as the export writes it, in UTC with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def number(value: Plain) -> Decimal | None:
    """The number a value is or reads as: `25` and `-3.5` do, `08001` does not (ruling 60)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float, Decimal)):
        return Decimal(str(value))
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None


def text(value: Plain) -> str:
    """The text of a value, as `matches` and comparisons with text see it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def rounded(value: Decimal) -> Decimal:
    """Four decimals, half away from zero (ruling 51)."""
    return value.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def shown(value: Decimal) -> int | float:
    """A number as the export writes it: whole ones without a fraction."""
    return int(value) if value == value.to_integral_value() else float(value)


def absent(value: Plain) -> bool:
    """Nothing, and empty text, are no value (ruling 60)."""
    return value is None or value == "" or value == []


def same_value(value: Plain, wanted: Plain) -> bool:
    """The operator `is` for one element: numbers as numbers, text casefolded (ruling 60)."""
    if absent(value) or isinstance(value, dict):
        return False
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float, Decimal)):
        return text(value).casefold() == text(wanted).casefold()
    return number(value) == number(wanted)


def slug(name: str) -> str:
    """An event's name as it is stored (ruling 64)."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return RENAMED.get(plain, plain)


def path_of(properties: dict[str, Plain]) -> str | None:
    """The path of a page: without query, fragment and trailing slash, in lower case (ruling 63)."""
    path = properties.get("path")
    if absent(path):
        url = properties.get("url")
        if absent(url):
            return None
        path = urlsplit(str(url)).path
    return plain_path(str(path))


def plain_path(path: str) -> str:
    """A path or pattern in the form in which paths are compared."""
    return re.split(r"[?#]", path)[0].rstrip("/").lower() or "/"


def wildcard(pattern: str, candidate: str) -> bool:
    """Whether the whole candidate fits the pattern, in which `*` is any run."""
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, candidate, re.DOTALL) is not None


def reach(properties: Plain, path: str) -> list[Plain]:
    """All values at a dotted path, going into objects and into every element of lists."""
    if isinstance(properties, dict) and path in properties:
        return flat(properties[path])
    head, _, rest = path.partition(".")
    if not rest:
        return []
    if not isinstance(properties, dict) or head not in properties:
        return []
    found: list[Plain] = []
    for element in flat(properties[head]):
        found += reach(element, rest)
    return found


def flat(value: Plain) -> list[Plain]:
    """A list's elements, or the one value."""
    return (
        [inner for element in value for inner in flat(element)]
        if isinstance(value, list)
        else [value]
    )


def passes(values: list[Plain], wanted: Plain, now: datetime, where: ZoneInfo) -> bool:
    """Whether a value (any element of a list) passes a bare value or all the operators."""
    values = [value for value in values if not absent(value)]
    if isinstance(wanted, list):
        wanted = {"in": wanted}
    if not isinstance(wanted, dict):
        wanted = {"is": wanted}
    return all(operate(values, key, against, now, where) for key, against in wanted.items())


def operate(values: list[Plain], key: str, against: Plain, now: datetime, where: ZoneInfo) -> bool:
    """One operator over the elements: any of them; the negative ones deny their positive."""
    if key == "exists":
        return bool(values) is bool(against)
    if key == "is_not":
        return not operate(values, "is", against, now, where)
    if key == "not_in":
        return not operate(values, "in", against, now, where)
    if key == "in":
        return any(same_value(value, one) for value in values for one in as_list(against))
    if key == "is" and isinstance(against, list):
        return operate(values, "in", against, now, where)
    return any(element_passes(value, key, against, now, where) for value in values)


def element_passes(value: Plain, key: str, against: Plain, now: datetime, where: ZoneInfo) -> bool:
    """One operator for one present value."""
    if key == "is":
        return same_value(value, against)
    if key in BOUNDS:
        left, right = number(value), number(against)
        return left is not None and right is not None and within_bound(left, key, right)
    if key in ("contains", "starts_with", "ends_with"):
        left_text, right_text = text(value).casefold(), text(against).casefold()
        if key == "contains":
            return right_text in left_text
        return (
            left_text.startswith(right_text)
            if key == "starts_with"
            else left_text.endswith(right_text)
        )
    if key == "matches":
        return re2.search(f"(?i){against}", text(value)) is not None
    return date_passes(instant(value, where), key, against, now, where)


def date_passes(
    moment: datetime | None, key: str, against: Plain, now: datetime, where: ZoneInfo
) -> bool:
    """The operators over dates (rulings 1, 61, 69); what is no date passes none."""
    if moment is None:
        return False
    if key in ("before", "after"):
        bound = instant(against, where)
        if bound is None:
            raise ValueError(f"not a date: {against!r}")
        return moment < bound if key == "before" else moment > bound
    span = duration(against)
    if key == "within":
        return now - span < moment <= now
    if key == "ahead":
        return now < moment <= now + span
    if key == "older_than":
        return moment <= now - span
    raise NotImplementedError(key)


BOUNDS = ("at_least", "at_most", "above", "below")


def within_bound(value: Decimal, key: str, bound: Decimal) -> bool:
    """One numeric bound."""
    if key == "at_least":
        return value >= bound
    if key == "at_most":
        return value <= bound
    return value > bound if key == "above" else value < bound


def counts(amount: int, times: Plain) -> bool:
    """Whether so many are enough: `3` is at least 3, nothing said at least 1 (ruling 66)."""
    if times is None:
        return amount >= 1
    if not isinstance(times, dict):
        return amount >= int(times)
    return all(within_bound(Decimal(amount), key, Decimal(str(n))) for key, n in times.items())
