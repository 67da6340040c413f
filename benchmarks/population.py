"""The people of a benchmark's store: names, attributes, dates, companies and consent."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
from people import email_of
from sizes import BEGIN, MIDNIGHT, Size

from flowscore.clock import DAY, rfc3339
from flowscore.store.forms import forms_of

if TYPE_CHECKING:
    import sqlite3

ATTRIBUTES = {  # everybody has these
    "country": ("ES", "MX", "AR", "US", "GB", "DE", "FR", "PE"),
    "locale": ("es-ES", "en-GB", "en-US", "de-DE", "es-MX"),
    "plan": ("free", "trial", "pro"),
}
ZONES = ("Europe/London", "America/Mexico_City", "Asia/Tokyo", "Europe/Madrid")
WITH_ZONE = 0.25
INDUSTRIES = ("Software", "Retail", "Education", "Farming")
STAFF, AT_WORK = 20, 5  # people to a company, and one of so many people has one
FORMS = "name, element, value, set_at, forms, text, number, instant, local"


def fill_people(db: sqlite3.Connection, size: Size) -> None:
    """Everything that is known of them but what they did."""
    pick = random.Random(2)
    numbers = range(1, size.contacts + 1)
    columns = "id, email, email_folded, known, created_at, draw_a, draw_b, company_id, company_at"
    insert(db, "contacts", columns, (_contact(n, pick, size) for n in numbers))
    names = sorted((email_of(n), n) for n in numbers)  # the key's order
    insert(db, "identities", "kind, value, contact_id", (("email", *one) for one in names))
    insert(db, "attributes", f"contact_id, {FORMS}", _attributes(size, pick))
    insert(db, "consents", "contact_id, topic, granted, at, source", _consents(numbers, pick))
    firms = range(1, _firms(size) + 1)
    insert(db, "companies", "id, key", ((n, f"company-{n}") for n in firms))
    insert(db, "company_attributes", f"company_id, {FORMS}", _company_attributes(firms))


def insert(db: sqlite3.Connection, table: str, columns: str, rows: Iterator[Any]) -> None:
    """Many rows at once."""
    marks = ", ".join("?" for _ in columns.split(","))
    db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def _firms(size: Size) -> int:
    return size.contacts // AT_WORK // STAFF


def _contact(n: int, pick: random.Random, size: Size) -> tuple[Any, ...]:
    created = BEGIN - 40 * DAY + n % 30 * DAY
    firm = 1 + n % _firms(size) if n % AT_WORK == 0 else None
    draws = pick.getrandbits(31), pick.getrandbits(31)
    return n, email_of(n), email_of(n), 1, created, *draws, firm, firm and BEGIN


def _row(name: str, value: Any) -> tuple[Any, ...]:
    """The columns of an attribute's row, in the order of FORMS."""
    forms = forms_of(value)
    text, number, instant, local = [*forms[0], None, None, None][:4]
    written = orjson.dumps(value).decode(), BEGIN, orjson.dumps(forms).decode()
    return name, 0, *written, text, number, instant, local


def _attributes(size: Size, pick: random.Random) -> Iterator[Any]:
    ready = [[_row(name, one) for one in values] for name, values in ATTRIBUTES.items()]
    zones = [_row("timezone", one) for one in ZONES]
    dated = list(_dates(size))
    for n in range(1, size.contacts + 1):
        for rows in ready:
            yield n, *rows[int(pick.random() * len(rows))]
        if pick.random() < WITH_ZONE:
            yield n, *zones[int(pick.random() * len(zones))]
        for share, rows in dated:
            if pick.random() < share:
                yield n, *rows[int(pick.random() * len(rows))]


def _dates(size: Size) -> Iterator[tuple[float, list[Any]]]:
    """Dates with the share of the people who have one: of each a hundredth of what arrives is due
    in the measured tick, however large the store."""
    due = size.arriving / 100 / size.contacts
    days = range(-30, 365)
    born = [rfc3339(BEGIN - (40 * 365 + day) * DAY)[:10] for day in range(365)]
    yield due * 365 / size.mornings, [_row("born_on", one) for one in born]
    renewed = [rfc3339(MIDNIGHT + day * DAY)[:10] for day in days]
    yield due * len(days) / size.mornings, [_row("renewal_on", one) for one in renewed]
    span = size.end - size.start
    starts = [rfc3339(size.start + span * part // 200) for part in range(1, 1000)]
    yield due * 5, [_row("webinar_at", one) for one in starts]


def _company_attributes(firms: range) -> Iterator[Any]:
    industries = [_row("industry", one) for one in INDUSTRIES]
    staffs = [_row("employees", one) for one in (10, 40, 80, 200)]
    for n in firms:
        yield n, *industries[n % len(industries)]
        yield n, *staffs[n // len(industries) % len(staffs)]


def _consents(numbers: range, pick: random.Random) -> Iterator[Any]:
    for n in numbers:
        for topic, share in (("email", 0.9), ("news", 0.6), ("offers", 0.5)):
            if pick.random() < share:
                yield n, topic, 1, BEGIN, "sign-up"
