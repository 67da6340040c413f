"""Sign-ups in the store: a mail that asks back, once, and nobody's contact until it is answered."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from flowscore.store.database import Store
from flowscore.store.inbox import InboxRow, receive
from flowscore.store.intake import take_in
from store.taking import Project, at, look, send, tick, track

ANA = "ana@x.es"


def line(hours: float, key: str = "confirm.1", email: str = ANA) -> InboxRow:
    """As the form's door writes it."""
    said = {"topics": ["news"], "text": "Yes", "locale": "en", "source": "shop", "made_at": 1}
    return InboxRow(
        key, "signup", None, "email", email.casefold(), email, email.casefold(), None,
        at(hours), at(hours), properties=orjson.dumps(said).decode(), source="shop",
    )  # fmt: skip


def messages(store: Store) -> list[tuple[Any, ...]]:
    return look(store, "SELECT key, kind, contact_id, status, reason FROM messages ORDER BY id")


def test_f01_a_sign_up_is_a_mail_and_no_contact(store: Store) -> None:
    receive(store, [line(1, email="Ana@X.es")])
    tick(store, 2)
    assert messages(store) == [("confirm.1", "confirm", 0, "queued", None)]
    [(recipients, payload)] = look(store, "SELECT recipients, payload FROM messages")
    assert "Ana@X.es" in str(recipients) and "news" in str(payload)
    for table in ("contacts", "identities", "events", "calls", "consents", "inbox"):
        if table != "inbox" or store.dialect == "postgresql":
            assert look(store, f"SELECT * FROM {table}") == [], table


def test_a_line_that_comes_again_asks_no_second_time(store: Store) -> None:
    """The process died after the tick, before the inbox was emptied; or the form came twice."""
    for hours in (1, 3, 5):
        receive(store, [line(1)])
        tick(store, hours)
    receive(store, [line(1, key="confirm.2")])
    tick(store, 7)
    assert [row[0] for row in messages(store)] == ["confirm.1", "confirm.2"]


def die_in_a_tick(store: Store) -> None:
    with store.transact() as connection:
        take_in(connection, store.dialect, Project(), at(2), False)
        raise KeyboardInterrupt


def test_a_tick_that_is_rolled_back_leaves_the_line(store: Store) -> None:
    receive(store, [line(1)])
    with pytest.raises(KeyboardInterrupt):
        die_in_a_tick(store)
    assert messages(store) == []
    tick(store, 2)
    assert len(messages(store)) == 1


@pytest.mark.parametrize("harm", ["email_bounced", "email_complained"])
def test_a_harmed_address_is_not_asked(store: Store, harm: str) -> None:
    send(store, track(harm, 1, user=ANA))
    tick(store, 2)
    receive(store, [line(3), line(3, "confirm.2", "bo@x.es")])
    tick(store, 4)
    assert messages(store) == [
        ("confirm.1", "confirm", 0, "withheld", "suppressed"),
        ("confirm.2", "confirm", 0, "queued", None),
    ]


def test_a_month_later_what_was_sent_is_forgotten_and_what_waits_is_not(store: Store) -> None:
    receive(store, [line(1), line(1, "confirm.2", "bo@x.es")])
    tick(store, 2)
    with store.transact() as connection:
        connection.exec_driver_sql("UPDATE messages SET status = 'sent' WHERE key = 'confirm.1'")
    tick(store, 24 * 29)
    assert len(messages(store)) == 2
    tick(store, 24 * 31)
    assert [row[0] for row in messages(store)] == ["confirm.2"]
