"""What people do in the benchmarks: sessions of realistic calls, seeded, so always the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from flowscore.clock import DAY, rfc3339
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow

Call = dict[str, Any]

# A session and how often it is seen in a hundred.
SESSIONS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (22, ("sent",)),
    (10, ("sent", "opened")),
    (6, ("sent", "opened", "clicked")),
    (1, ("sent", "replied")),
    (1, ("sent", "bounced")),
    (1, ("consent",)),
    (20, ("article", "article", "course")),
    (8, ("course", "pricing", "cart")),
    (5, ("cart", "order")),
    (20, ("article",)),
    (6, ("video",)),
)
DECK = tuple(kinds for share, kinds in SESSIONS for _ in range(share))
TEMPLATES = (("letter", "news"), ("offer", "offers"), ("receipt", "transactional"))
TOPICS = ("news", "offers")
SKUS = ("PHOTO", "SHEETS", "WORDS", "PAINT")
VARIANTS = 300


def email_of(number: int) -> str:
    """The address of the n-th contact."""
    return f"person{number}@example.com"


def call_of(kind: str, pick: random.Random) -> Call:
    """A call of this kind, without who, when and id."""
    if kind in ("article", "course", "pricing"):
        return _page(kind, pick)
    if kind in ("sent", "opened", "clicked", "replied", "bounced"):
        return _mail(kind, pick)
    if kind == "consent":
        word = pick.choice(("Subscribed", "Unsubscribed"))
        return {"type": "track", "event": word, "properties": {"topic": pick.choice(TOPICS)}}
    if kind == "video":
        watched = {"video": f"lesson-{pick.randrange(40)}", "seconds": pick.randrange(600)}
        return {"type": "track", "event": "Video Watched", "properties": watched}
    return _purchase(kind, pick)


def _purchase(kind: str, pick: random.Random) -> Call:
    sku, cart = pick.choice(SKUS), f"c{pick.randrange(3)}"
    if kind == "cart":
        price = 10 * pick.randrange(1, 12)
        added = {"sku": sku, "price": price, "total": price, "cart": cart, "currency": "EUR"}
        return {"type": "track", "event": "Product Added", "properties": added}
    ordered = {"order_id": f"o-{pick.getrandbits(32):08x}", "total": 10 * pick.randrange(2, 20)}
    ordered |= {"cart": cart, "currency": "EUR", "products": [{"sku": sku, "quantity": 1}]}
    return {"type": "track", "event": "Order Completed", "properties": ordered}


def _page(kind: str, pick: random.Random) -> Call:
    path = {
        "article": f"/articles/{pick.randrange(20)}",
        "course": f"/courses/{pick.randrange(10)}",
    }
    where = path.get(kind, "/pricing")
    seen = {"path": where, "title": f"Page {where}", "referrer": "https://search.example/?q=x"}
    return {"type": "page", "properties": seen}


def _mail(kind: str, pick: random.Random) -> Call:
    """Sent, opened and clicked share a template: the first, two times of three."""
    template, topic = TEMPLATES[0] if pick.random() < 0.66 else pick.choice(TEMPLATES)
    said: dict[str, Any] = {"template": template, "topic": topic, "subject": f"Our {template}"}
    if kind == "opened" and pick.random() < 0.15:
        said["machine"] = True  # a proxy that fetches the pictures
    if kind == "clicked":
        where = pick.choice(("courses", "offers"))
        said["link"] = f"https://shop.example/{where}/{pick.randrange(10)}?utm_source=mail"
    if kind == "bounced":
        said["type"] = "soft"  # a full mailbox: nobody is suppressed for it
    return {"type": "track", "event": f"email_{kind}", "properties": said}


def variants(seed: int = 1) -> dict[str, list[InboxRow]]:
    """For each kind some hundred different calls as intake reads them."""
    pick = random.Random(seed)
    kinds = sorted({kind for _, kinds in SESSIONS for kind in kinds})
    return {kind: [_read(call_of(kind, pick)) for _ in range(VARIANTS)] for kind in kinds}


def _read(call: Call) -> InboxRow:
    row = read_call(call | {"userId": email_of(0), "messageId": "m"}, Reading(0))
    assert isinstance(row, InboxRow), row
    if row.consents:  # as intake writes it
        row = row._replace(subject=call["properties"]["topic"], topic=call["properties"]["topic"])
    return row


def whom(pick: random.Random, contacts: int) -> int:
    """A contact's number: one session of two is of the regulars, a tenth of all."""
    return 1 + int(pick.random() * (contacts if pick.random() < 0.5 else contacts // 10))


def arriving(contacts: int, count: int, since: int, until: int, seed: int) -> Iterator[Call]:
    """So many calls in (since, until], received as they happen; some are of new people."""
    pick = random.Random(seed)
    done = 0
    while done < count:
        newcomer = pick.random() < 0.02
        who = f"new{seed}-{done}@example.com" if newcomer else email_of(whom(pick, contacts))
        for kind in pick.choice(DECK):
            if done == count:
                return
            done += 1
            instant = since + (until - since) * done // count
            at = rfc3339(instant)
            call = call_of(kind, pick)
            if pick.random() < 0.01:
                call = {"type": "identify", "traits": _traits(instant, pick)}
            ids = {"messageId": f"{pick.getrandbits(64):016x}", "userId": who}
            yield call | ids | {"timestamp": at, "receivedAt": at}


def _traits(now: int, pick: random.Random) -> dict[str, str]:
    """Another plan, or another day on which it is renewed."""
    if pick.random() < 0.7:
        return {"plan": pick.choice(("pro", "free"))}
    return {"renewal_on": rfc3339(now + pick.randrange(2, 60) * DAY)[:10]}
