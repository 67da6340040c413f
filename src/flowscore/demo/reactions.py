"""What the demo's people do with the mail they get: open it, click, come by, buy; or nothing.

Each answer depends on the seed, the address and the mail alone, so the same mails bring the
same answers, in whatever order they are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from flowscore.clock import DAY, HOUR, MINUTE, SECOND, rfc3339
from flowscore.demo.calls import SITE, Call
from flowscore.demo.people import Temper, draws, temper_of, when_awake
from flowscore.demo.words import COURSES

if TYPE_CHECKING:
    from random import Random

PRIVACY_PROXY = 0.1  # of the people have a mail program that opens every mail by itself
HOURS_TO_OPEN = (1, 1, 2, 2, 3, 5, 8, 10, 20, 26, 44, 90)  # the last is too late to count


TIRED = frozenset({"passing", "weary"})


class SentMail(NamedTuple):
    """A mail as the outbox has it; `sent_at` is an instant."""

    key: str
    email: str
    template: str
    topic: str
    sent_at: int


LINKS = {
    "welcome": "/articles/window-light",
    "welcome-story": "/articles/window-light",
    "welcome-choose": "/courses",
    "new-prospects": "/guides/five-things",
    "interested-leads": "/courses",
    "qualified-prospects": "/pricing",
    "win-back": "/hello-again",
    "win-back-goodbye": "/hello-again",
    "abandoned-cart": "/cart",
    "cart-questions": "/cart",
    "order-receipt": "/my/courses",
    "enquiry-received": "/questions",
    "monthly-lesson": "/articles/six-formulas",
    "open-evening": "/open-evening",
    "quiet-student": "/my/courses",
    **{f"promo-{course.subject}": course.path for course in COURSES},
    **{f"more-{course.subject}": course.path for course in COURSES},
}


def reactions(seed: int, sent: Iterable[SentMail]) -> list[Call]:
    """The calls that these mails bring, in the order in which they happen."""
    calls = [call for mail in sent for call in _react(seed, mail)]
    return sorted(calls, key=lambda call: (str(call["timestamp"]), str(call["messageId"])))


def _react(seed: int, mail: SentMail) -> Iterator[Call]:
    rng = draws(seed, "mail", mail.email, mail.template, mail.sent_at)
    temper = temper_of(seed, mail.email)
    if draws(seed, "proxy", mail.email).random() < PRIVACY_PROXY:
        yield _mail_call(mail, "Email Opened", mail.sent_at + SECOND, machine=True)
    eager = mail.topic == "transactional"
    if rng.random() >= (0.95 if eager else temper.opens):
        return
    opened = (
        when_awake(mail.sent_at + rng.choice(HOURS_TO_OPEN) * HOUR) + rng.randrange(50) * MINUTE
    )
    yield _mail_call(mail, "Email Opened", opened)
    if temper.name in TIRED and not eager and rng.random() < 0.06:
        yield _track(mail, opened + MINUTE, "Unsubscribed", topic="all")
        return
    if rng.random() < (0.4 if eager else temper.clicks):
        yield from _click(rng, mail, temper, opened + MINUTE)


def _click(rng: Random, mail: SentMail, temper: Temper, at: int) -> Iterator[Call]:
    """A click brings them to the website, and a few of them further."""
    path = LINKS.get(mail.template, "/")
    yield _mail_call(mail, "Email Link Clicked", at, link=SITE + path)
    yield _call(mail, at + SECOND, "page", path=path, url=SITE + path)
    if mail.template == "open-evening" and rng.random() < 0.7:
        evening = mail.sent_at // DAY * DAY + 5 * DAY + 20 * HOUR
        if evening > at:
            yield _track(mail, evening, "Webinar Attended", webinar="repair hour")
    if rng.random() < BUYING.get(mail.template, 0.0) + temper.buys / 2:
        yield from _buy(mail, at + 6 * MINUTE)


BUYING = {
    "abandoned-cart": 0.35,
    "qualified-prospects": 0.3,
    **{f"promo-{course.subject}": 0.35 for course in COURSES},
}


def _buy(mail: SentMail, at: int) -> Iterator[Call]:
    """The course that the mail was about; other mails sell nothing by themselves."""
    if mail.template not in BUYING:
        return
    named = [course for course in COURSES if mail.template.endswith(course.subject)]
    course = named[0] if named else draws(mail.email).choice(COURSES)
    product: dict[str, Any] = {"sku": course.sku, "name": course.name, "price": course.price}
    yield _track(mail, at, "Product Added", **product)
    order = {"order_id": f"B-{abs(at) // MINUTE % 100000}", "total": course.price}
    yield _track(mail, at + 4 * MINUTE, "Order Completed", **order, products=[product])


def _mail_call(mail: SentMail, event: str, at: int, **more: Any) -> Call:
    said = {"template": mail.template, "topic": mail.topic, "messageId": mail.key, **more}
    return _track(mail, at, event, **said)


def _track(mail: SentMail, at: int, event: str, **properties: Any) -> Call:
    return {**_call(mail, at, "track", **properties), "event": event}


def _call(mail: SentMail, at: int, kind: str, **properties: Any) -> Call:
    return {
        "messageId": f"{mail.key}/{kind}/{at}",
        "type": kind,
        "timestamp": rfc3339(at),
        "userId": mail.email,
        "properties": properties,
    }
