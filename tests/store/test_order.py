"""Any order of the same calls ends in the same state, however ticks cut them up.

The calls are drawn: who is named in which way, who is called otherwise by an `alias`, what is
said of consent and companies. Each has its own time and messageId; only when it arrives differs.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from store.taking import call, look, send, tick, track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowscore.store.database import Store

USERS = ("u1", "u2", "u3", "u4")
ADDRESSES = ("a@x.es", "b@x.es", "c@x.es")
VISITORS = ("v1", "v2", "v3")
TOPICS = ("news", "offers", "email")


class Caller:
    """Draws calls; no two happened at the same instant."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.hours = iter(self.pick.sample(range(1, 100), 30))

    def calls(self) -> list[dict[str, Any]]:
        return [self.call(f"m{number}") for number in range(self.pick.randint(4, 14))]

    def call(self, number: str) -> dict[str, Any]:
        draw = self.pick.choices(
            (self.identify, self.alias, self.group, self.event, self.consent), (4, 2, 1, 5, 4)
        )[0]
        return {**draw(next(self.hours)), "messageId": number}

    def known(self) -> dict[str, Any]:
        """A userId, which may be an address, or an address among the traits, or both."""
        user, address = self.pick.choice(USERS), self.pick.choice(ADDRESSES)
        return self.pick.choice(
            (
                {"userId": user},
                {"userId": address.title()},
                {"context": {"traits": {"email": address}}},
                {"userId": user, "context": {"traits": {"email": address}}},
            )
        )

    def visitor(self) -> dict[str, Any]:
        return {"anonymousId": self.pick.choice(VISITORS)}

    def perhaps_visitor(self) -> dict[str, Any]:
        return self.visitor() if self.pick.random() < 0.5 else {}

    def identify(self, hour: int) -> dict[str, Any]:
        traits = {"plan": self.pick.choice(("free", "pro"))}
        return call("identify", hour, traits=traits, **self.known(), **self.perhaps_visitor())

    def alias(self, hour: int) -> dict[str, Any]:
        now, before = self.pick.choice(USERS + ADDRESSES), USERS + ADDRESSES + VISITORS
        return call("alias", hour, userId=now, previousId=self.pick.choice(before))

    def group(self, hour: int) -> dict[str, Any]:
        which = self.pick.choice(("acme", "initech"))
        return call("group", hour, groupId=which, **self.known(), **self.perhaps_visitor())

    def event(self, hour: int) -> dict[str, Any]:
        if self.pick.random() < 0.5:
            return track("looked", hour, **self.visitor())
        name = self.pick.choice(("looked", "bought", "Email Bounced"))
        return track(name, hour, **self.known(), **self.perhaps_visitor())

    def consent(self, hour: int) -> dict[str, Any]:
        word = self.pick.choice(("Subscribed", "Unsubscribed"))
        topics = (*TOPICS, "all") if word == "Unsubscribed" else TOPICS
        return track(word, hour, properties={"topic": self.pick.choice(topics)}, **self.known())


def arrive(store: Store, calls: list[dict[str, Any]], pick: random.Random) -> None:
    """Receive the calls in some order, cut into ticks at random."""
    order = pick.sample(calls, len(calls))
    hour = 200
    while order:
        some, order = order[: (size := pick.randint(1, len(order)))], order[size:]
        send(store, *some, received=hour)
        tick(store, hour)
        hour += 1


QUERIES = {
    "email": "SELECT id, email_folded FROM contacts WHERE email_folded IS NOT NULL",
    "suppressed": "SELECT id, suppressed FROM contacts WHERE suppressed IS NOT NULL",
    "company": "SELECT c.id, k.key FROM contacts c JOIN companies k ON k.id = c.company_id",
    "attributes": "SELECT contact_id, name, text, set_at FROM attributes",
    "consents": "SELECT contact_id, topic, granted FROM consents",
    "events": "SELECT contact_id, message_id FROM events WHERE behaviour",
}


def state(store: Store, queries: Mapping[str, str] = QUERIES) -> list[Any]:
    """Everybody by all their names, with what is known of them."""
    people: dict[int, dict[str, Any]] = {}
    for contact, kind, value in look(store, "SELECT contact_id, kind, value FROM identities"):
        people.setdefault(contact, {"names": []})["names"].append((kind, value))
    for what, query in queries.items():
        for contact, *said in look(store, query):
            people[contact].setdefault(what, []).append(tuple(said))
    assert {contact for (contact,) in look(store, "SELECT id FROM contacts")} == people.keys()
    return sorted(
        ({what: sorted(said) for what, said in one.items()} for one in people.values()),
        key=lambda one: one["names"],
    )


def empty(store: Store) -> None:
    """As new: to open a store anew takes much longer than to fill it."""
    with store.receive() as connection:
        connection.execute(text("DELETE FROM inbox"))
    with store.transact() as connection:
        for name in ("events", "calls", "changes", "taken", "contacts", "identities", "claims",
                     "attributes", "companies", "company_attributes", "consents",
                     "consent_records", "words"):  # fmt: skip
            connection.execute(text(f"DELETE FROM {name}"))


def state_after(store: Store, calls: list[dict[str, Any]], seed: int) -> list[Any]:
    empty(store)
    arrive(store, calls, random.Random(seed))
    return state(store)


def hold(store: Store, seed: int, orders: int) -> None:
    calls = Caller(seed).calls()
    first = state_after(store, calls, seed)
    for order in range(1, orders):
        other = state_after(store, calls, seed * 100 + order)
        assert other == first, (seed, order, calls)


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_calls_ends_in_the_same_state(store: Store, seed: int) -> None:
    for one in range(seed * 5, seed * 5 + 5):
        hold(store, one, 3)
