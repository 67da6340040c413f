"""A person is told what is held, is erased, and does not come back (ACCEPTANCE F01, F02)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .vendor import ANA, BEN, EVA, cell, corner

if TYPE_CHECKING:
    from .conftest import Project

Row = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(
    request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Ana was handed over, a mail about her lies in the outbox; sales had its word."""
    if request.param == "postgresql":
        monkeypatch.setenv("FLOWSCORE_DATABASE_URL", request.getfixturevalue("postgres_url"))
    corner(project)
    project.happened(
        project.track(ANA, "Sales Feedback", "10 01:00", verdict="won", amount=1200),
        project.track(ANA, "order_completed", "10 02:00", note="for Annie"),
    )
    project.tick("10", "11", every="6h")
    project.happened(project.track(ANA, "not_yet_taken", "20"))
    return project


def sums(project: Project) -> Row:
    """What the report counts, without the addresses it lists."""
    told = project.ok("report", "--json").json
    told["qualification"].pop("became")
    told["qualification"]["not_yet"].pop("furthest")
    told.pop("groups")
    return told


def test_f02_a_person_is_erased_and_the_sums_stay(vendor: Project) -> None:
    before = sums(vendor)
    letters = vendor.root / "outbox"
    assert len(list(letters.iterdir())) == 1, "about her, to sales"
    done = vendor.ok("erase", ANA.upper(), "--yes", "--json").json
    assert (done["was_a_contact"], done["gone"]["inbox"], done["gone"]["files"]) == (True, 1, 1)
    assert list(letters.iterdir()) == []
    assert sums(vendor) == before
    told = vendor.run("explain", ANA)
    assert (told.code, ANA in told.err) == (1, True)
    assert not any(ANA in str(row) for rows in vendor.export().values() for row in rows)


def test_f02_everything_goes_on_without_the_person(vendor: Project) -> None:
    eva = cell(vendor, EVA)
    vendor.ok("erase", ANA, "--yes")
    before = sums(vendor)
    vendor.ok("rescore")
    assert (sums(vendor), cell(vendor, EVA)) == (before, eva), "patterns are tried again on others"
    vendor.happened(vendor.track(BEN, "enquiry_sent", "12"))
    vendor.tick("12", "30", every="1d")
    for words in ("leads", "lists", "contacts", "outbox", "report", "scenarios", "learn"):
        said = vendor.run(words)
        assert ANA not in said.out + said.err, words
    listed = [row["contact"] for row in vendor.ok("contacts", "--json").json]
    assert sorted(listed) == [BEN, EVA]
    vendor.ok("apply")
    vendor.tick("30", "31", every="6h")


def test_f01_nobody_comes_back_without_consent_given_since(vendor: Project) -> None:
    vendor.ok("erase", ANA, "--yes")
    file = vendor.write("back.csv", f"email,created_at,consent\n{ANA},2025-12-01,yes\n")
    said = vendor.ok("import", "contacts", str(file)).out
    assert "1 row names somebody who was erased (they come back only with consent" in said
    vendor.happened(vendor.track(ANA, "visit", "12"), how="--historical")
    vendor.ok("tick")
    assert vendor.run("explain", ANA).code == 1
    subscribed = {"type": "track", "userId": ANA, "event": "subscribed", "messageId": "new"}
    file = vendor.write("new.jsonl", json.dumps(subscribed) + "\n")
    vendor.ok("import", "events", str(file))
    vendor.ok("tick")
    told = vendor.ok("explain", ANA, "--json").json
    assert [(one["topic"], one["granted"]) for one in told["consent"]] == [("email", True)]
    assert all(score["balance"] == 0 for score in told["scores"])
