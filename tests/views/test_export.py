"""The export: the columns of ruling 108, everybody who may be shown, sums that are right."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from flowscore.clock import DAY, HOUR, rfc3339
from flowscore.store import tables
from flowscore.views import columns
from flowscore.views.columns import watermark
from flowscore.views.export import Extract, write_export

from .conftest import NOW, Put, balance, line, mail, person, walk

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from flowscore.store.database import Store


def exported(store: Store, folder: Path, scores: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    with store.read() as connection:
        extract = Extract(connection, scores, watermark(connection) or 0)
        counts = write_export(extract, folder, lambda _: None)
    found = {
        name: [json.loads(row) for row in (folder / f"{name}.jsonl").read_text().splitlines()]
        for name in counts
    }
    assert counts == {name: len(rows) for name, rows in found.items()}
    return found


def test_export_shows_contacts_with_an_address_by_address(
    store: Store, people: Put, tmp_path: Path
) -> None:
    people(
        tables.attributes,
        {"contact_id": 1, "name": "tags", "element": 0, "value": ["a", "b"], "set_at": 1},
        {"contact_id": 1, "name": "tags", "element": 1, "value": ["a", "b"], "set_at": 1},
        {"contact_id": 1, "name": "age", "element": 0, "value": 25, "set_at": 1},
    )
    people(
        tables.consents,
        {"contact_id": 2, "topic": "news", "granted": True, "at": 1, "source": "csv"},
        {"contact_id": 2, "topic": "all", "granted": False, "at": 0, "source": ""},
    )
    people(tables.companies, {"id": 7, "key": "g-7"})
    people(
        tables.company_attributes,
        {"company_id": 7, "name": "size", "element": 0, "value": 40, "set_at": 1},
    )
    with store.transact() as connection:
        connection.execute(
            tables.contacts.update().where(tables.contacts.c.id == 1).values(company_id=7)
        )
    rows = exported(store, tmp_path)["contacts"]
    assert [row["email"] for row in rows] == ["ana@example.com", "Ben@example.com"]
    assert rows[1]["attributes"] == {"age": 25, "tags": ["a", "b"]}
    assert rows[0]["consent"] == {"news": "granted"}
    assert [row["company"] for row in rows] == [None, {"id": "g-7", "size": 40}]
    assert rows[0] | {"stage": None, "grades": {}} == rows[0]
    assert rows[0]["created_at"] == rfc3339(NOW - DAY)


def test_export_has_a_balance_for_everybody_and_every_score(
    store: Store, people: Put, tmp_path: Path
) -> None:
    people(tables.balances, balance(1, 8.70004, 8.7))
    rows = exported(store, tmp_path, ("engagement", "fit"))["balances"]
    assert [(r["contact"][:3], r["score"], r["balance"]) for r in rows] == [
        ("ana", "engagement", 0),
        ("ana", "fit", 0),
        ("Ben", "engagement", 8.7),
        ("Ben", "fit", 0),
    ]


def test_export_shows_lines_as_rule_or_scenario(store: Store, people: Put, tmp_path: Path) -> None:
    people(
        tables.ledger,
        line(1, 2.5, NOW - HOUR),
        line(1, 0.12345678, NOW, kind="when", rule="phone"),
        line(1, -5, NOW + 1, kind="scenario", rule="win-back", reason="x"),
        line(4, 3, NOW),
    )
    rows = exported(store, tmp_path)["points"]
    assert [(r["points"], r["kind"], r["rule"], r["scenario"]) for r in rows] == [
        (2.5, "rule", "cart", None),
        (0.12345678, "rule", "phone", None),
        (-5, "scenario", None, "win-back"),
    ]
    assert rows[0]["at"] == rfc3339(NOW - HOUR)


def test_export_cuts_so_that_the_sum_is_the_balance(
    store: Store, people: Put, tmp_path: Path
) -> None:
    people(tables.ledger, line(1, 130, 1), line(1, 20.5, 2), line(2, 10.00005, 1))
    people(tables.balances, balance(1, 150.5, 100), balance(2, 10.00005, 10.0001))
    found = exported(store, tmp_path, ("engagement",))
    ben = [row for row in found["points"] if row["contact"] == "Ben@example.com"]
    assert [(row["kind"], row["points"]) for row in ben] == [
        ("rule", 130),
        ("rule", 20.5),
        ("cut", -50.5),
    ]
    assert [row["kind"] for row in found["points"] if row not in ben] == ["rule"]


def test_export_shows_stays_walks_mails_and_refusals(
    store: Store, people: Put, tmp_path: Path
) -> None:
    people(
        tables.members,
        {"contact_id": 1, "list": "old", "joined_at": 1, "left_at": 2, "cause": ""},
        {"contact_id": 1, "list": "new", "joined_at": 2, "left_at": None, "cause": ""},
    )
    people(
        tables.enrollments,
        walk(1, 1),
        walk(2, 1, ended_at=NOW, outcome="finished"),
        walk(3, 1, ended_at=NOW, outcome="finished", converted_at=NOW),
    )
    people(tables.messages, mail(1, 1, status="withheld", reason="no_consent"))
    people(
        tables.decisions,
        {
            "contact_id": 1,
            "scenario": "welcome",
            "definition_id": 1,
            "key": "k",
            "at": NOW,
            "own_at": NOW,
            "reason": "conditions",
            "detail": {"seen": "FR"},
        },
    )
    found = exported(store, tmp_path)
    assert [(r["list"], r["left_at"] is None) for r in found["members"]] == [
        ("old", False),
        ("new", True),
    ]
    assert [r["outcome"] for r in found["enrollments"]] == [None, "finished", "converted"]
    [withheld] = found["messages"]
    assert (withheld["status"], withheld["reason"], withheld["kind"]) == (
        "withheld",
        "no_consent",
        "email",
    )
    [refused] = found["decisions"]
    assert (refused["reason"], refused["detail"]) == ("conditions", {"seen": "FR"})


def test_export_reads_page_by_page_in_one_order(
    store: Store, people: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(tables.contacts, *(person(n, f"{n:03}@example.com") for n in range(10, 23)))
    people(tables.ledger, *(line(n, 1, NOW + k) for n in range(10, 23) for k in range(3)))
    whole = exported(store, tmp_path / "a")
    monkeypatch.setattr(columns, "PAGE", 4)
    assert exported(store, tmp_path / "b") == whole
    assert len(whole["points"]) == 39


def test_export_that_fails_leaves_the_older_one_alone(
    store: Store, people: Put, tmp_path: Path
) -> None:
    exported(store, tmp_path)
    before = (tmp_path / "contacts.jsonl").read_bytes()

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    people(tables.contacts, person(9, "new@example.com"))
    with store.read() as connection, contextlib.suppress(KeyboardInterrupt):
        write_export(Extract(connection, (), NOW), tmp_path, interrupted)
    assert (tmp_path / "contacts.jsonl").read_bytes() == before
