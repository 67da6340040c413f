"""Scanners among the hits of our own tracking, told by what happened around them; tallies."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from flowscore.clock import DAY, SECOND
from flowscore.store.database import Store
from flowscore.store.forms import flatten
from flowscore.store.inbox import InboxRow, receive
from flowscore.store.machines import EVERY_LINK, HIDDEN_LINK, TRACKING, WAIT
from store.taking import START, Project, at, change, look, send, tick, track

ANA = "ana@x.es"
HOUR_ONE = at(1)


def hit(
    seconds: float,
    link: str = "",
    *,
    links: int = 4,
    mail: str = "m1",
    who: str = ANA,
    why: str = "",
) -> InboxRow:
    """An inbox line as the web door writes it: a click on a link, else an open."""
    name = "email_clicked" if link or why == HIDDEN_LINK else "email_opened"
    said: dict[str, Any] = {"template": "hello", "message_id": mail, "links": links}
    said |= {"machine": bool(why)} | ({"link": link} if link else {})
    said |= {"machine_why": why} if why else {}
    own_at = HOUR_ONE + round(seconds * SECOND)
    return InboxRow(
        f"{mail}:{name}:{link}:{seconds}:{why}", "track", name, "email", who, None, None, None,
        own_at, own_at + WAIT, 0, 0, "hello", "news", mail, int(bool(why)), int(not why),
        orjson.dumps(said).decode(), orjson.dumps(flatten(said)).decode(), source=TRACKING,
    )  # fmt: skip


def known(store: Store, *hits: InboxRow) -> None:
    """Somebody who exists, and what was hit."""
    send(store, track("signed_up", 0, user=ANA), track("signed_up", 0, user="ben@x.es", id="b"))
    tick(store, 0.5)
    receive(store, hits)


def judged(store: Store) -> dict[str, str]:
    """Each hit in the log by its link (else its name), and why it is a machine's."""
    query = """
        SELECT coalesce(properties ->> 'link', name), machine, behaviour,
               properties ->> 'machine_why', forms ->> 'machine'
        FROM events WHERE source = 'flowscore tracking' ORDER BY own_at, id
    """
    found = {}
    for what, machine, behaviour, why, form in look(store, query):
        assert bool(machine) is bool(why)
        assert bool(behaviour) is not bool(machine)
        assert ("true" in (form or "false")) is bool(machine)
        found[what] = why or ""
    return found


def test_t10_who_follows_every_link_within_seconds_is_a_machine(store: Store) -> None:
    known(store, *(hit(n * 3, f"https://a.example/{n}") for n in range(4)), hit(1))
    tick(store, 2)
    assert judged(store) == {
        **{f"https://a.example/{n}": EVERY_LINK for n in range(4)},
        "email_opened": EVERY_LINK,
    }


@pytest.mark.parametrize(
    ("clicked", "links", "apart"),
    [(3, 4, 1), (2, 2, 1), (4, 4, 5), (4, 12, 2)],
    ids=["not all", "too few to tell", "too slowly", "some of many"],
)
def test_t10_who_clicks_as_people_do_is_one(
    store: Store, clicked: int, links: int, apart: float
) -> None:
    known(store, *(hit(n * apart, f"https://a.example/{n}", links=links) for n in range(clicked)))
    tick(store, 2)
    assert set(judged(store).values()) == {""}


def test_t10_five_links_at_once_are_a_machines_in_any_mail(store: Store) -> None:
    known(store, *(hit(n * 2, f"https://a.example/{n}", links=12) for n in range(5)))
    tick(store, 2)
    assert set(judged(store).values()) == {EVERY_LINK}


def test_t10_one_link_again_and_again_is_no_burst(store: Store) -> None:
    known(store, *(hit(n / 2, "https://a.example/1", links=3) for n in range(12)))
    tick(store, 2)
    assert set(judged(store).values()) == {""}


def test_t10_who_follows_the_hidden_link_is_a_machine(store: Store) -> None:
    known(
        store,
        hit(0, why=HIDDEN_LINK),
        hit(4, "https://a.example/1"),
        hit(6),
        hit(3600, "https://a.example/2"),
        hit(5, "https://a.example/3", mail="another"),
        hit(5, "https://a.example/4", mail="bens", who="ben@x.es"),
    )
    tick(store, 3)
    assert judged(store) == {
        "email_clicked": HIDDEN_LINK,
        "https://a.example/1": HIDDEN_LINK,
        "email_opened": HIDDEN_LINK,
        "https://a.example/2": "",
        "https://a.example/3": "",
        "https://a.example/4": "",
    }


def test_t10_ticks_in_the_middle_of_a_burst_see_all_of_it(store: Store) -> None:
    known(store, *(hit(n * 3, f"https://a.example/{n}") for n in range(4)))
    second = 1 / 3600
    seen = []
    for passed in range(9, 22):
        seen.append(tick(store, 1 + passed * second))
    assert [number for number in seen if number] == [1, 1, 1, 1]
    assert set(judged(store).values()) == {EVERY_LINK}


@pytest.mark.parametrize("apart", [-8, 8])
def test_t10_an_open_is_judged_by_clicks_that_another_tick_takes(store: Store, apart: int) -> None:
    known(store, hit(20), hit(20 + apart, why=HIDDEN_LINK))
    for passed in range(21, 45, 3):
        tick(store, 1 + passed / 3600)
    assert judged(store) == {"email_opened": HIDDEN_LINK, "email_clicked": HIDDEN_LINK}


def test_t10_a_click_after_the_scanner_is_a_persons(store: Store) -> None:
    known(store, *(hit(n, f"https://a.example/{n}") for n in range(4)))
    receive(store, [hit(60, "https://a.example/5", links=5)])
    tick(store, 2)
    assert judged(store)["https://a.example/5"] == ""


def test_imported_clicks_say_themselves_what_they_are(store: Store) -> None:
    for n in range(4):
        said = {"link": f"https://a.example/{n}", "message_id": "m1", "links": 4}
        send(store, track("email_clicked", 1, user=ANA, id=f"c{n}", properties=said))
    tick(store, 2)
    found = look(store, "SELECT machine, behaviour FROM events WHERE name = 'email_clicked'")
    assert [tuple(map(bool, row)) for row in found] == [(False, True)] * 4


def test_a_flood_of_hits_on_one_mail_is_judged_a_second_at_a_time(store: Store) -> None:
    rows = [hit(n / 200, "https://a.example/1", links=3) for n in range(2_000)]
    known(store, *rows)
    tick(store, 2)
    assert look(store, "SELECT count(*) FROM events WHERE source = 'flowscore tracking'") == [
        (2_000,)
    ]


def test_a_hit_of_somebody_who_is_gone_makes_no_contact(store: Store) -> None:
    known(store, hit(0, who="gone@x.es"))
    tick(store, 2)
    assert look(store, "SELECT count(*) FROM contacts") == [(2,)]
    assert judged(store) == {}


# --- tallies ----------------------------------------------------------------------------------


def tally(number: int, link: str = "", days: int = 0, machine: int = 0) -> InboxRow:
    """A hit that is nobody's."""
    own_at = START + days * DAY
    name = "email_clicked" if link else "email_opened"
    return InboxRow(
        f"tally:{number}", "tally", name, None, None, None, None, None, own_at, own_at, 0, 0,
        "hello", machine=machine, properties=orjson.dumps({"link": link}).decode(),
        source=TRACKING,
    )  # fmt: skip


def tallied(store: Store) -> list[tuple[Any, ...]]:
    rows = look(
        store, "SELECT name, link, machine, day, number FROM tallies ORDER BY name, link, day"
    )
    return [(name, link, bool(machine), day, number) for name, link, machine, day, number in rows]


def test_anonymous_hits_are_added_up_by_day_and_name_nobody(store: Store) -> None:
    receive(store, [tally(n) for n in range(3)])
    receive(store, [tally(3, "https://a.example/x"), tally(4, days=1), tally(5, machine=1)])
    tick(store, 0)
    assert tallied(store) == [
        ("email_clicked", "https://a.example/x", False, START, 1),
        ("email_opened", "", False, START, 3),
        ("email_opened", "", True, START, 1),
    ]
    tick(store, 24)
    receive(store, [tally(6, days=1)])
    tick(store, 25)
    assert ("email_opened", "", False, START + DAY, 2) in tallied(store)
    for table in ("contacts", "events", "calls", "identities", "inbox"):
        if table != "inbox":
            assert look(store, f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_tally_counts_once_when_the_tick_dies_before_the_inbox_is_emptied(store: Store) -> None:
    from flowscore.store.intake import take_in

    receive(store, [tally(1)])
    for hours in (1, 2, 3):  # committed each time; the inbox is never emptied
        with store.transact() as connection:
            take_in(connection, store.dialect, Project(), at(hours), False)
    assert [row[-1] for row in tallied(store)] == [1]
    change(store, "DELETE FROM changes")
