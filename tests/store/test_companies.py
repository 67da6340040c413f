"""`group` calls: who is with which company and what is known of it, in any order of arrival."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from flowscore.store.columns import contact_names
from flowscore.store.companies import companies_of
from flowscore.store.database import Store, open_store
from flowscore.store.intake import forget_taken, take_in
from store.taking import Project, at, call, change, look, names, send, tick, track

ANA, BEN = "ana@x.es", "ben@x.es"


def group(hours: float, key: str, user: str | None = ANA, **fields: Any) -> dict[str, Any]:
    return call("group", hours, user=user, groupId=key, **fields)


def staff(store: Store) -> dict[str, str | None]:
    """Who is with which company."""
    rows = look(
        store,
        "SELECT coalesce(c.email_folded, 'visitor'), k.key FROM contacts c "
        "LEFT JOIN companies k ON k.id = c.company_id",
    )
    return dict(rows)  # type: ignore[arg-type]


def known(store: Store) -> list[tuple[Any, ...]]:
    return look(
        store,
        "SELECT k.key, a.name, a.text FROM company_attributes a "
        "JOIN companies k ON k.id = a.company_id WHERE a.element >= 0 ORDER BY 1, 2, a.element",
    )


def changes(store: Store) -> list[tuple[Any, ...]]:
    rows = look(
        store,
        "SELECT DISTINCT h.name, c.email_folded FROM changes h "
        "JOIN contacts c ON c.id = h.contact_id WHERE h.kind = 'company' ORDER BY 1, 2",
    )
    change(store, "DELETE FROM changes")
    return rows


def test_a_group_call_names_the_company_of_a_contact(store: Store) -> None:
    traits = {"industry": "Software", "employees": 40, "tags": ["B", "a"], "place": {"city": "Vic"}}
    send(store, group(1, "G/7", traits=traits))
    tick(store, 1)
    assert staff(store) == {ANA: "G/7"}
    assert known(store) == [
        ("G/7", "employees", "40"),
        ("G/7", "industry", "software"),
        ("G/7", "place.city", "vic"),
        ("G/7", "tags", "b"),
        ("G/7", "tags", "a"),
    ]
    assert names(store) == ["contact_created"]  # which a group call brings about like any other
    assert look(store, "SELECT created_at, company_at FROM contacts") == [(at(1), at(1))]
    assert look(store, "SELECT number FROM company_attributes WHERE name = 'employees'") == [(40,)]
    assert look(store, "SELECT kind, waiting FROM calls") == [("group", None)]


def test_companies_are_told_apart_by_the_letter(store: Store) -> None:
    send(store, group(1, "Acme"), group(2, "acme", user=BEN))
    tick(store, 2)
    assert staff(store) == {ANA: "Acme", BEN: "acme"}


def test_the_newest_own_time_wins(store: Store) -> None:
    """Rulings 27 and 96: of the company, and of each attribute."""
    send(store, group(5, "new", traits={"industry": "software"}))
    tick(store, 5)
    send(store, group(3, "old"), group(4, "new", user=BEN, traits={"industry": "food", "size": 9}),
         received=8)  # fmt: skip
    tick(store, 8)
    assert staff(store) == {ANA: "new", BEN: "new"}
    assert known(store) == [("new", "industry", "software"), ("new", "size", "9")]
    assert look(store, "SELECT company_at FROM contacts ORDER BY 1") == [(at(4),), (at(5),)]


def test_an_emptied_attribute_stays_empty(store: Store) -> None:
    send(store, group(1, "g", traits={"industry": "food"}), group(3, "g", traits={"industry": ""}))
    tick(store, 3)
    send(store, group(2, "g", user=BEN, traits={"industry": "late"}), received=4)
    tick(store, 4)
    assert known(store) == []


def test_every_member_is_told_of_a_real_change(store: Store) -> None:
    send(store, group(1, "g", traits={"industry": "food"}), group(1.5, "g", user=BEN))
    tick(store, 2)
    assert changes(store) == [("", ANA), ("", BEN), ("industry", ANA), ("industry", BEN)]
    send(store, group(3, "g", traits={"industry": "Food", "size": 9}))
    tick(store, 3)
    assert changes(store) == [("size", ANA), ("size", BEN)]
    send(store, group(4, "g", user="cy@x.es", traits={"size": 10}))
    tick(store, 4)
    assert changes(store) == [("", "cy@x.es"), ("size", ANA), ("size", BEN), ("size", "cy@x.es")]
    send(store, group(5, "h", user=BEN), group(6, "g"))
    tick(store, 6)
    assert changes(store) == [("", BEN)]
    assert look(store, "SELECT company_at FROM contacts WHERE email = 'ana@x.es'") == [(at(6),)]


def test_a_call_counts_once(store: Store) -> None:
    send(store, group(1, "g", id="m"))
    tick(store, 1)
    send(store, group(5, "h", id="m"), received=5)
    tick(store, 5)
    assert staff(store) == {ANA: "g"}


CALLS = [
    group(1, "a", traits={"industry": "food", "size": 1}),
    group(2, "b", traits={"industry": "wood"}),
    group(3, "a", user=None, anon="v", traits={"industry": "software"}),
    call("identify", 4, user=ANA, anon="v"),
    group(2.5, "b", user=BEN, traits={"industry": None, "city": "Vic"}),
]


def outcome(store: Store) -> tuple[Any, ...]:
    at_ = look(store, "SELECT email_folded, company_at FROM contacts ORDER BY 1")
    return staff(store), known(store), at_


OUTCOME = (
    {ANA: "a", BEN: "b"},
    [("a", "industry", "software"), ("a", "size", "1"), ("b", "city", "vic")],
    [(ANA, at(3)), (BEN, at(2.5))],
)


@pytest.mark.parametrize("order", range(0, 120, 11))
def test_any_order_of_arrival_ends_in_the_same(store: Store, order: int) -> None:
    for hour, one in enumerate(list(permutations(CALLS))[order], 10):
        send(store, one, received=hour)
        tick(store, hour)
    assert outcome(store) == OUTCOME


def test_all_at_once_ends_in_the_same(store: Store) -> None:
    send(store, *reversed(CALLS), received=10)
    tick(store, 10)
    assert outcome(store) == OUTCOME


@pytest.mark.parametrize(("visitor", "contact", "company"), [(2, 1, "his"), (1, 2, "hers")])
def test_a_merge_keeps_the_company_named_later(
    store: Store, visitor: float, contact: float, company: str
) -> None:
    send(store, group(contact, "hers"), group(visitor, "his", user=None, anon="v", id="v"))
    tick(store, 2)
    assert staff(store) == {ANA: "hers", "visitor": "his"}
    changes(store)
    send(store, call("identify", 3, user=ANA, anon="v"))
    tick(store, 3)
    assert staff(store) == {ANA: company}
    assert changes(store) == ([("", ANA)] if company == "his" else [])


def test_a_visitor_brings_a_company_to_who_has_none(store: Store) -> None:
    send(store, track("a", 1, user=ANA), group(1, "his", user=None, anon="v"))
    tick(store, 1)
    send(store, call("identify", 3, user=ANA, anon="v"))
    tick(store, 3)
    assert staff(store) == {ANA: "his"}


def test_a_crash_after_the_tick_takes_nothing_twice(store: Store) -> None:
    send(store, group(1, "g", traits={"industry": "food"}))
    with store.transact() as connection:
        take_in(connection, store.dialect, Project(), at(2), False)
    changes(store)
    assert tick(store, 3) == 0
    forget_taken(store)
    assert changes(store) == []
    assert staff(store) == {ANA: "g"}


def test_companies_as_templates_see_them(store: Store) -> None:
    traits = {"name": "Acme", "id": "inner", "tags": ["b", "a"], "gone": ""}
    send(store, group(1, "g", traits=traits), group(1, "h", user=BEN, id="h"))
    send(store, track("a", 1, user="cy@x.es"))
    tick(store, 1)
    numbers = dict(look(store, "SELECT email_folded, id FROM contacts"))  # type: ignore[arg-type]
    with store.read() as connection:
        found = companies_of(connection, list(numbers.values()))
    assert found == {
        numbers[ANA]: {"id": "g", "name": "Acme", "tags": ["b", "a"]},
        numbers[BEN]: {"id": "h"},
    }


# --- what an older flowscore kept -------------------------------------------------------------


def keep_as_before(store: Store, one: dict[str, Any]) -> None:
    """What the first version did with a `group` call."""
    content = json.dumps(one)
    change(
        store,
        f"INSERT INTO calls (message_id, kind, own_at, received_at, seen_at, waiting, content) "
        f"VALUES ('{one['messageId']}', 'group', {at(1)}, {at(1)}, {at(1)}, 'group', '{content}')",
    )


def test_kept_calls_are_applied_after_the_upgrade(store: Store, store_url: str) -> None:
    send(store, track("a", 1, user=ANA))
    tick(store, 1)
    keep_as_before(store, group(1, "g", traits={"industry": "food"}))
    keep_as_before(store, {"type": "group", "userId": BEN, "messageId": "no company"})
    for _ in range(2):
        open_store(store_url).close()
    assert tick(store, 2) == 1
    assert (staff(store), known(store)) == ({ANA: "g"}, [("g", "industry", "food")])
    assert look(store, "SELECT message_id, waiting, content IS NULL FROM calls ORDER BY 1") == [
        ("group@1", None, True),
        ("no company", "group", False),
    ]
    open_store(store_url).close()
    assert tick(store, 3) == 0


def test_a_line_that_an_older_flowscore_received_is_applied_too(
    store: Store, store_url: str
) -> None:
    send(store, group(1, "g"))
    with store.receive() as connection:
        connection.exec_driver_sql("UPDATE inbox SET subject = NULL, forms = NULL")
    tick(store, 1)
    assert look(store, "SELECT waiting FROM calls") == [("group",)]
    open_store(store_url).close()
    tick(store, 2)
    assert staff(store) == {ANA: "g"}


def test_a_column_for_the_company_s_name_is_the_company_s() -> None:
    header = ["email", "company_id", "Company.Name", "Company Name"]
    names = contact_names(Path("people.csv"), header, {})
    assert list(names.values()) == ["email", "company_id", "company.name", "company"]
