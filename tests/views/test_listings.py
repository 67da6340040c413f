"""The listings: who, how many, in which state; and a mail settled by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, update

from flowscore.errors import FlowscoreError
from flowscore.language.project import Project
from flowscore.language.scenario import ContactList, Scenario
from flowscore.language.scoring import Score
from flowscore.mail.by_hand import queue_again, settle_as_sent
from flowscore.store import tables
from flowscore.views.listings import (
    Mails,
    Wanted,
    list_contacts,
    list_inside,
    list_lists,
    list_mails,
    list_members,
    list_scenarios,
)
from flowscore.views.people import name_known

from .conftest import NOW, Put, balance, mail, person, walk

if TYPE_CHECKING:
    from flowscore.store.database import Store

PROJECT = Project(
    scores={"engagement": Score(name="engagement")},
    lists={"hot": ContactList(name="hot"), "empty": ContactList(name="empty")},
    scenarios={"welcome": Scenario(name="welcome", trigger=())},
)


def shown(store: Store, **wanted: object) -> list[str]:
    with store.read() as connection:
        return [row["contact"] for row in list_contacts(connection, PROJECT, Wanted(**wanted))]


def member(contact: int, name: str, left_at: int | None = None) -> dict[str, object]:
    return {
        "contact_id": contact,
        "list": name,
        "joined_at": NOW,
        "left_at": left_at,
        "cause": "scenario/welcome#actions/0",
    }


def test_contacts_are_those_with_an_address_at_the_watermark(store: Store, people: Put) -> None:
    assert shown(store) == ["ana@example.com", "Ben@example.com"]
    assert shown(store, limit=1) == ["ana@example.com"]
    assert shown(store, search="BEN@") == ["Ben@example.com"]
    assert shown(store, search="%") == []


def test_contacts_before_the_first_tick_are_nobody(store: Store) -> None:
    assert shown(store) == []


def test_contacts_by_score_come_hottest_first(store: Store, people: Put) -> None:
    people(tables.contacts, person(9, "cold@example.com"))
    people(tables.balances, balance(1, 30, 30), balance(9, -5, -5))
    assert shown(store, score="engagement") == [
        "Ben@example.com",
        "ana@example.com",
        "cold@example.com",
    ]
    assert shown(store, score="engagement", at_least=0) == ["Ben@example.com", "ana@example.com"]
    assert shown(store, score="engagement", at_least=0.5) == ["Ben@example.com"]


def test_contacts_of_a_list_are_those_in_it_now(store: Store, people: Put) -> None:
    people(tables.members, member(1, "hot"), member(2, "hot", left_at=NOW))
    assert shown(store, in_list="hot") == ["Ben@example.com"]
    with store.read() as connection:
        [row] = list_contacts(connection, PROJECT, Wanted(in_list="hot"))
        [stay] = list_members(connection, "hot", None)
    assert (row["lists"], row["scores"]) == (["hot"], {"engagement": 0})
    assert (stay["contact"], stay["cause"]) == ("Ben@example.com", "scenario/welcome#actions/0")


def test_lists_count_addresses_and_name_what_is_gone(store: Store, people: Put) -> None:
    people(tables.members, member(1, "hot"), member(4, "hot"), member(2, "gone"))
    with store.read() as connection:
        sizes = {r["list"]: (r["kind"], r["members"]) for r in list_lists(connection, PROJECT)}
    assert sizes == {"empty": ("static", 0), "gone": ("gone", 1), "hot": ("static", 1)}


def test_scenarios_count_how_people_fare(store: Store, people: Put) -> None:
    people(
        tables.enrollments,
        walk(1, 1),
        walk(2, 1, ended_at=NOW, outcome="exited"),
        walk(3, 2, ended_at=NOW, outcome="finished"),
        walk(4, 2, scenario="gone", ended_at=NOW, outcome="finished"),
    )
    with store.read() as connection:
        gone, welcome = list_scenarios(connection, PROJECT)
        [inside] = list_inside(connection, "welcome", None)
    assert (gone["scenario"], gone["state"]) == ("gone", "gone")
    assert [welcome[k] for k in ("inside", "finished", "exited", "refused")] == [1, 1, 1, 0]
    assert inside["contact"] == "Ben@example.com"


def test_mails_come_newest_first_and_by_what_is_asked(store: Store, people: Put) -> None:
    people(
        tables.messages,
        mail(1, 1, queued_at=1),
        mail(2, 2, queued_at=2, status="withheld", reason="no_consent", template="offer"),
        mail(3, 2, queued_at=3, status="sent", sent_at=NOW, scenario="win-back"),
    )

    def keys(**wanted: object) -> list[str]:
        with store.read() as connection:
            return [row["key"] for row in list_mails(connection, Mails(**wanted))]

    first, second, third = (f"welcome.{n}.actions-0" for n in (1, 2, 3))
    assert keys() == [third, second, first]
    assert keys(limit=1) == [third]
    assert keys(status="withheld") == [second]
    assert keys(template="offer") == [second]
    assert keys(scenario="win-back") == [third]
    assert keys(contact="ANA@example.com") == [third, second]


def test_uncertain_mail_is_settled_by_a_person(store: Store, people: Put) -> None:
    people(
        tables.messages,
        mail(1, 1, status="uncertain", reason="ended", handed_at=NOW, claimed_by=None),
        mail(2, 1, status="uncertain", reason="ended", handed_at=NOW),
        mail(3, 1, status="sent"),
    )
    with store.transact() as connection:
        assert settle_as_sent(connection, "welcome.1.actions-0", NOW + 5) == "Ben@example.com"
        queue_again(connection, "welcome.2.actions-0")
        for key in ("welcome.1.actions-0", "welcome.3.actions-0"):
            with pytest.raises(FlowscoreError, match="is sent, not uncertain"):
                queue_again(connection, key)
        with pytest.raises(FlowscoreError, match="no mail has the key 'nope'"):
            settle_as_sent(connection, "nope", NOW)
    with store.read() as connection:
        rows = {row["key"]: row for row in list_mails(connection, Mails())}
    assert rows["welcome.1.actions-0"]["status"] == "sent"
    assert rows["welcome.1.actions-0"]["sent_at"] == "2024-10-04T00:00:00Z"
    assert rows["welcome.2.actions-0"]["status"] == "queued"


def test_unknown_name_asks_did_you_mean() -> None:
    with pytest.raises(FlowscoreError, match="did you mean 'welcome'"):
        name_known("welcom", PROJECT.scenarios, "scenario")
    with pytest.raises(FlowscoreError, match="there are: empty, hot"):
        name_known("zzz", PROJECT.lists, "list")


def test_a_companys_score_ranks_by_what_its_people_read(store: Store, people: Put) -> None:
    """The contact's own part of it is not what they are ordered by (ruling 96)."""
    account = Project(scores={"account": Score(name="account", of="company")})
    with store.transact() as connection:
        connection.execute(insert(tables.companies).values(id=7, key="acme"))
        rows = {"score": "account", "raw": 0, "looked": 0}
        connection.execute(
            insert(tables.company_balances).values(company_id=7, balance=500_000, **rows)
        )
        connection.execute(insert(tables.balances).values(contact_id=2, balance=300_000, **rows))
        moved = update(tables.contacts).where(tables.contacts.c.id == 1)
        connection.execute(moved.values(company_id=7, company_at=NOW))
    with store.read() as connection:
        wanted = Wanted(score="account", at_least=20)
        found = [row["contact"] for row in list_contacts(connection, account, wanted)]
    assert found == ["Ben@example.com"]
