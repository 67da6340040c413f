"""Makes up the people of the demo: who they are, and how they take to the academy."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random
from typing import Any

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.demo.words import (
    COUNTRIES,
    COURSES,
    FIRST_NAMES,
    JOB_TITLES,
    LAST_NAMES,
    NO_COMPANY,
    PLACES,
    TRADES,
    ZONES,
    Course,
)

KNOWN = 130  # come with the address list
VISITORS = 150  # find the website during the sixty days
SPANISH = 0.55
HOURS = (8, 20, 20)  # UTC: with the first coffee, and after dinner
SUNDAY = 3  # days since 1970 began on a Thursday


@dataclass(frozen=True)
class Temper:
    """How somebody takes to the academy: visits a week, shares of mail read, leaning to buy."""

    name: str
    visits: float
    opens: float
    clicks: float
    buys: float
    weight: int


TEMPERS = (
    Temper("keen", visits=1.5, opens=0.92, clicks=0.55, buys=0.5, weight=12),
    Temper("curious", visits=0.6, opens=0.8, clicks=0.35, buys=0.12, weight=40),
    Temper("passing", visits=0.22, opens=0.55, clicks=0.12, buys=0.02, weight=28),
    Temper("weary", visits=0.1, opens=0.12, clicks=0.05, buys=0.0, weight=20),
)


@dataclass(frozen=True)
class Person:
    """Somebody made up; `arrives` is the instant of the first visit or of the address list."""

    number: int
    first_name: str
    last_name: str
    email: str
    locale: str
    arrives: int
    known: bool
    signs_up: bool
    course: Course
    traits: dict[str, Any]

    @property
    def user_id(self) -> str:
        """As the academy's shop numbers them."""
        return f"u-{1000 + self.number}"

    @property
    def anonymous_id(self) -> str:
        """The browser's cookie, before anybody says who they are."""
        return f"visitor-{self.number:04d}"


def when_awake(at: int) -> int:
    """The same minute of this or the next hour at which people look; never on Sundays."""
    while at // HOUR % 24 not in HOURS or at // DAY % 7 == SUNDAY:
        at += HOUR
    return at


def draws(*what: object) -> Random:
    """Chance that is the same for the same words, on every machine."""
    return Random("/".join(str(part) for part in what))  # noqa: S311


def temper_of(seed: int, email: str) -> Temper:
    """The same for an address wherever it is asked: for the visits and for the mail."""
    weights = [temper.weight for temper in TEMPERS]
    return draws(seed, "temper", email).choices(TEMPERS, weights)[0]


def make_people(seed: int, start: int, until: int) -> list[Person]:
    """Everybody, those of the address list first."""
    rng = draws(seed, "people")
    taken: set[str] = set()
    return [_make_person(rng, n, start, until, taken) for n in range(KNOWN + VISITORS)]


def _make_person(rng: Random, number: int, start: int, until: int, taken: set[str]) -> Person:
    known = number < KNOWN
    language = "es" if rng.random() < SPANISH else "en"
    first, last = _name(rng, language, taken)
    country = rng.choice(COUNTRIES[language])
    course = rng.choice(COURSES)
    traits = _traits(rng, language, country, course)
    host = _slug(traits.get("company", "")) or "post"
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{_slug(first)}.{_slug(last)}@{host}.example",
        locale=f"{language}-{country}",
        arrives=start - rng.randrange(1, 400) * DAY + rng.choice(HOURS) * HOUR
        if known
        else _arrival(rng, start, until),
        known=known,
        signs_up=rng.random() < (0.75 if known else 0.6),
        course=course,
        traits=traits,
    )


def _name(rng: Random, language: str, taken: set[str]) -> tuple[str, str]:
    """Nobody has the name of somebody else."""
    while True:
        first = rng.choice(FIRST_NAMES[language].split())
        last = rng.choice(LAST_NAMES[language].split())
        if f"{first} {last}" not in taken:
            taken.add(f"{first} {last}")
            return first, last


def _arrival(rng: Random, start: int, until: int) -> int:
    """Some day of the first fifty, at an hour at which people look."""
    day = rng.randrange(max(1, (until - start) // DAY - 10))
    return when_awake(start + day * DAY + rng.choice(HOURS) * HOUR) + rng.randrange(60) * MINUTE


def _traits(rng: Random, language: str, country: str, course: Course) -> dict[str, Any]:
    """What people tell of themselves; hardly anybody tells everything."""
    titles = JOB_TITLES[language]
    title = rng.choices(list(titles), list(titles.values()))[0]
    traits: dict[str, Any] = {"country": country, "timezone": ZONES[country], "job_title": title}
    if title not in NO_COMPANY:
        traits |= _company(rng, language, alone=title.startswith("Freelance"))
    if rng.random() < 0.3:
        traits["interest"] = course.subject
    if rng.random() < 0.25:
        traits["phone"] = f"+{rng.choice((34, 44, 353, 52))} 600 {rng.randrange(100000, 999999)}"
    return {name: value for name, value in traits.items() if value != ""}


def _company(rng: Random, language: str, *, alone: bool) -> dict[str, Any]:
    trades = TRADES[language]
    trade = rng.choice(list(trades))
    place = rng.choice(PLACES[language].split())
    name = f"{trade} {place}" if language == "es" else f"{place} {trade}"
    employees = rng.choices((1, rng.randint(2, 9), rng.randint(10, 80)), (5, 4, 1))[0]
    return {"company": name, "industry": trades[trade], "employees": 1 if alone else employees}


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
