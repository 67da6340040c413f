"""Makes up a company: an address list, last year's orders, and sixty days of what people do.

A pure function of a seed and an instant: the same people do the same things on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from flowscore.clock import DAY, HOUR, MINUTE, rfc3339
from flowscore.demo.calls import Call, Diary, as_received
from flowscore.demo.people import HOURS, Person, Temper, draws, make_people, temper_of, when_awake
from flowscore.demo.words import COURSES, QUESTIONS

if TYPE_CHECKING:
    from random import Random

SEED = 2026
SPAN = 60 * DAY
UNTIL = 1_794_268_800_000_000  # 2026-11-10T00:00Z
STRANGERS = 40  # visitors who never say who they are


class Company(NamedTuple):
    """Rows for `import contacts`, calls for `import events`: history, and the sixty days."""

    contacts: list[dict[str, Any]]
    history: list[Call]
    events: list[Call]


def company(seed: int = SEED, until: int = UNTIL) -> Company:
    """A believable small company in the sixty days before `until`."""
    start = until - SPAN
    people = make_people(seed, start, until)
    known = [person for person in people if person.known]
    rng = draws(seed, "post")
    history = [call for person in known for call in _past_order(seed, person, start)]
    lived = [call for person in people for call in _live(seed, person, start, until)]
    strange = [call for n in range(STRANGERS) for call in _stroll(seed, n, start, until)]
    return Company(
        [_row(person) for person in known],
        sorted(history, key=lambda call: str(call["timestamp"])),
        as_received(rng, lived + strange, until),
    )


def _row(person: Person) -> dict[str, Any]:
    """A line of the address list."""
    return {
        "email": person.email,
        "user_id": person.user_id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "locale": person.locale,
        "created_at": rfc3339(person.arrives),
        "consent": "news;offers" if person.signs_up else "no",
        "consent_at": rfc3339(person.arrives),
        "consent_source": "form at the spring fair",
        **{name: person.traits.get(name, "") for name in COLUMNS},
    }


COLUMNS = ("country", "timezone", "job_title", "company", "industry", "employees",
           "interest", "phone")  # fmt: skip


# --- what people do ---------------------------------------------------------------------------


def _live(seed: int, person: Person, start: int, until: int) -> list[Call]:
    """One person's sixty days."""
    rng = draws(seed, "life", person.email)
    temper = temper_of(seed, person.email)
    diary = Diary(person, named=person.known)
    begins = start if person.known else person.arrives
    if not person.known:
        _arrive(rng, diary, temper)
    for at in _visits(rng, temper, begins + DAY, until):
        _visit(rng, diary, temper, at)
    return diary.calls


def _visits(rng: Random, temper: Temper, begins: int, until: int) -> Iterator[int]:
    """Instants of visits: so many a week on average."""
    for day in range(begins // DAY, until // DAY):
        if rng.random() < temper.visits / 7:
            yield when_awake(day * DAY + rng.choice(HOURS) * HOUR) + rng.randrange(60) * MINUTE


def _arrive(rng: Random, diary: Diary, temper: Temper) -> None:
    """The first visit: somebody reads, and at some point says who they are."""
    person, at = diary.person, diary.person.arrives
    diary.page(at, "/")
    diary.page(at + 2 * MINUTE, person.course.article)
    if temper.name in ("keen", "curious") and rng.random() < 0.5:
        at += DAY
        diary.page(at, person.course.article)
    diary.identify(at + 6 * MINUTE)
    if person.signs_up:
        diary.track(at + 6 * MINUTE, "Subscribed", topics=["news", "offers"])
        diary.track(at + 7 * MINUTE, "Newsletter Subscribed", place="foot of an article")
    elif rng.random() < 0.5:
        _ask(rng, diary, at + 8 * MINUTE)


def _visit(rng: Random, diary: Diary, temper: Temper, at: int) -> None:
    """An evening on the website, by temper."""
    course = diary.person.course
    if temper.name in ("passing", "weary"):
        diary.page(at, rng.choice((course.article, "/", "/careers", rng.choice(COURSES).article)))
        return
    _read(rng, diary, at)
    diary.page(at + 12 * MINUTE, course.path)
    if rng.random() < 0.4:
        diary.page(at + 15 * MINUTE, "/pricing")
    if rng.random() < 0.15:
        diary.track(at + 18 * MINUTE, "Guide Downloaded", guide="five-things")
    if rng.random() < temper.buys / 2:
        diary.track(at + 20 * MINUTE, "Trial Lesson Started", course=course.subject)
    if rng.random() < temper.buys / 5:
        _ask(rng, diary, at + 30 * MINUTE)
    if rng.random() < temper.buys / 3:
        _shop(rng, diary, temper, at + 40 * MINUTE)


def _read(rng: Random, diary: Diary, at: int) -> None:
    """An article; now and then the same one again and again, because the pictures fail."""
    article = diary.person.course.article
    for n in range(rng.choices((1, 2, 3), (6, 3, 2))[0]):
        diary.page(at + 3 * n * MINUTE, article)


def _ask(rng: Random, diary: Diary, at: int) -> None:
    language = diary.person.locale[:2]
    question = rng.choice(QUESTIONS[language])
    diary.track(at, "Enquiry Sent", course=diary.person.course.subject, message=question)


def _shop(rng: Random, diary: Diary, temper: Temper, at: int) -> None:
    """A course in the cart; half of them stay there."""
    course = diary.person.course
    product = {"sku": course.sku, "name": course.name, "price": course.price}
    diary.track(at, "Product Added", **product)
    if rng.random() < temper.buys:
        order = f"A-{1000 + diary.person.number}-{len(diary.calls)}"
        diary.track(
            at + 9 * MINUTE,
            "Order Completed",
            order_id=order,
            total=course.price,
            products=[product],
        )


def _past_order(seed: int, person: Person, start: int) -> list[Call]:
    """Last year's students: one of six on the address list has bought before."""
    rng = draws(seed, "past", person.email)
    if rng.random() >= 1 / 6:
        return []
    diary = Diary(person, named=True)
    at = max(person.arrives, start - rng.randint(35, 300) * DAY)
    if at >= start:
        return []
    course = person.course
    product = {"sku": course.sku, "name": course.name, "price": course.price}
    order = f"A-{1000 + person.number}"
    diary.track(at, "Order Completed", order_id=order, total=course.price, products=[product])
    diary.calls[-1]["messageId"] = f"past-{person.number:04d}"
    return diary.calls


def _stroll(seed: int, number: int, start: int, until: int) -> list[Call]:
    """A visitor of whom we never know more than a cookie."""
    rng = draws(seed, "stranger", number)
    calls = []
    for n in range(rng.randint(1, 4)):
        day = start + rng.randrange((until - start) // DAY) * DAY
        at = when_awake(day + rng.choice(HOURS) * HOUR) + rng.randrange(60) * MINUTE
        path = rng.choice(("/", "/pricing", rng.choice(COURSES).article))
        calls.append(
            {
                "messageId": f"stranger-{number:03d}-{n}",
                "type": "page",
                "timestamp": rfc3339(at),
                "anonymousId": f"stranger-{number:03d}",
                "properties": {"path": path},
            }
        )
    return calls
