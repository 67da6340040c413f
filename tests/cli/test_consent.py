"""`flowscore consent`: what an address said, and whether the record is proven to be theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowscore.clock import clock_now
from flowscore.mail.proofs import Word, proof_of
from flowscore.orders import Grid
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from flowscore.workspace import Workspace

from .conftest import Run, Said

ANA = "ana@x.es"
SECRET = "a secret of the tests"
POLICY = "policy: house\ntopics: [news]\nsender: {address: hello@x.es}\n"
SCORE = "score: engagement\nrules: [{name: visit, points: 1, on: {event: visit}}]\n"
Consent = Callable[..., Said]


@pytest.fixture
def folder(
    write_project: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Ana said yes on a page, and no by an event without a proof."""
    monkeypatch.setenv("FLOWSCORE_SECRET", SECRET)
    root = write_project({"scenarios/policy.yaml": POLICY, "scenarios/score.yaml": SCORE})
    now = clock_now()
    text = "Yes, write to me"
    said = {"text": text, "proof": proof_of(SECRET, ANA, Word("news", True, now, text))}
    lines = []
    for event, properties, at in (("Subscribed", said, now), ("Unsubscribed", {}, now + 1_000_000)):
        call = {"type": "track", "event": event, "userId": ANA, "messageId": event}
        row = read_call({**call, "properties": {"topic": "news", **properties}}, Reading(at))
        assert isinstance(row, InboxRow)
        lines.append(row)
    workspace = Workspace(root)
    workspace.apply()
    receive(workspace.store, lines)
    workspace.tick(now + 60_000_000, Grid(until=now + 60_000_000))
    workspace.close()
    return root


@pytest.fixture
def consent(run: Run, folder: Path) -> Consent:
    return lambda *words: run("--project", folder, "consent", *words)


def test_f01_each_word_is_told_with_where_it_was_said_and_whether_it_is_proven(
    consent: Consent,
) -> None:
    said = consent(ANA.upper(), "--json").json
    assert [(one["topic"], one["granted"], one["source"], one["text"], one["proven"])
            for one in said] == [
        ("news", True, "event subscribed", "Yes, write to me", True),
        ("news", False, "event unsubscribed", None, None),
    ]  # fmt: skip
    lines = consent(ANA).out.splitlines()
    assert "granted" in lines[1] and "yes" in lines[1] and "refused" in lines[2]


def test_another_address_has_said_nothing(consent: Consent) -> None:
    said = consent("bo@x.es")
    assert (said.code, "Nothing is recorded." in said.out) == (0, True)
    assert consent("bo@x.es", "--json").json == []


def test_with_another_secret_nothing_is_proven(
    consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSCORE_SECRET", "another secret")
    assert consent(ANA, "--json").json[0]["proven"] is False
    assert "another FLOWSCORE_SECRET" in consent(ANA).out


def test_f01_who_was_erased_can_still_be_shown_what_they_agreed_to(
    consent: Consent, run: Run, folder: Path
) -> None:
    assert run("--project", folder, "erase", ANA, "--yes").code == 0
    said = consent(ANA, "--json").json
    assert [(one["text"], one["proven"], one["erased"]) for one in said] == [
        ("Yes, write to me", True, True)
    ]
    assert consent("bo@x.es", "--json").json == []
