"""Webhooks as files, while no secret is set: whole, once, under a name any disk takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowscore.clock import MINUTE, rfc3339
from flowscore.mail import claims
from flowscore.mail.webhooks import delivery
from flowscore.mail.webhooks.folder import FolderCourier
from flowscore.mail.webhooks.report import WebhookReport
from mail.conftest import NOW, House
from mail.webhook_house import Webhooks

URL = "${CRM_URL}/leads"


@pytest.fixture
def webhooks(house: House) -> Webhooks:
    """On both databases."""
    return Webhooks(house)


@pytest.fixture
def few(small_house: House) -> Webhooks:
    """On SQLite alone."""
    return Webhooks(small_house)


def write(webhooks: Webhooks, folder: Path, now: int = NOW, **given: Any) -> WebhookReport:
    return webhooks.deliver(now, courier=FolderCourier(folder, now), **given)


def test_a_webhook_becomes_a_file_and_is_sent(webhooks, tmp_path):
    body = {"name": "José 🎓", "n": 10**20, "theirs": "$${CRM_TOKEN}"}
    webhooks.queue("win-back.7.actions-0", URL, headers={"X-T": "${CRM_TOKEN}"}, body=body)
    webhooks.queue("later", URL, next_at=NOW + 1)
    folder = tmp_path / "not" / "there"
    assert write(webhooks, folder) == WebhookReport(sent=1, waiting=1)
    [file] = folder.iterdir()
    assert file.name == "win-back.7.actions-0.json"
    text = file.read_text("utf-8")
    assert "José 🎓" in text
    assert json.loads(text) == {
        "url": URL,
        "headers": {"X-T": "${CRM_TOKEN}"},
        "body": body,
        "webhook-id": "win-back.7.actions-0",
        "at": rfc3339(NOW),
    }
    row = webhooks.row("win-back.7.actions-0")
    assert (row["status"], row["sent_at"], row["attempts"]) == ("sent", NOW, 1)
    assert row["response"] == "written to there/win-back.7.actions-0.json"
    assert (row["reason"], row["claimed_by"], row["sent_event"]) == (None, None, True)


def test_after_a_crash_it_is_written_again_under_the_same_name(webhooks, tmp_path):
    """The file was there, its row not yet settled; and a run died in the middle of a file."""
    owner = claims.new_owner()
    claims.retire(owner)
    webhooks.queue("k1", URL, status="sending", claimed_by=owner, lease_until=NOW + MINUTE)
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "k1.json").write_text("old")
    (folder / ".k1.json.part").write_text('{"url')
    assert write(webhooks, folder).sent == 1
    assert write(webhooks, folder) == WebhookReport()
    [file] = folder.iterdir()
    assert file.name == "k1.json"
    assert json.loads(file.read_text())["url"] == URL


@pytest.mark.parametrize("key", ["../up", "a/b", "a\\b:c", ".hidden", "ü" * 90, "x" * 300, "a..b"])
def test_no_key_leads_out_of_the_folder(few, tmp_path, key):
    folder = tmp_path / "outbox"
    few.queue(key, URL)
    assert write(few, folder).sent == 1
    [file] = folder.iterdir()
    assert file.name.removesuffix(".json").isalnum()
    assert json.loads(file.read_text("utf-8"))["webhook-id"] == key
    assert few.row(key)["response"] == f"written to outbox/{file.name}"


def test_half_a_surrogate_stays_readable_json(few, tmp_path):
    few.queue("k1", URL, body={"half": "\ud83c"})
    assert write(few, tmp_path).sent == 1
    assert json.loads((tmp_path / "k1.json").read_text("utf-8"))["body"] == {"half": "\ud83c"}


def test_a_row_without_a_request_fails_alone(few, tmp_path):
    few.queue("good", URL)
    few.queue("bad", URL, payload={})
    report = write(few, tmp_path)
    assert (report.sent, report.failed) == (1, 1)
    assert few.row("bad")["reason"] == "its row holds no request"


def test_a_folder_that_cannot_be_written_costs_no_attempt(few, tmp_path):
    folder = tmp_path / "outbox"
    folder.write_text("a file is in the way")
    for number in range(5):
        few.queue(f"k{number}", URL)
    report = write(few, folder)
    assert (report.sent, report.retried, report.waiting) == (0, 5, 5)
    assert "set FLOWSCORE_OUTBOX" in report.problem
    assert {(row["attempts"], row["next_at"]) for row in few.house.rows().values()} == {
        (0, NOW + MINUTE)
    }
    folder.unlink()
    assert write(few, folder, NOW + MINUTE).sent == 5


def test_many_are_written_in_one_delivery_however_long_it_takes(few, tmp_path, monkeypatch):
    """Nobody else takes part, so no end is set to it; asked to stop it stops."""
    monkeypatch.setattr(delivery, "BUDGET", 0)
    for number in range(30):
        few.queue(f"k{number}", URL)
    report = write(few, tmp_path, stop=lambda: len(list(tmp_path.glob("*.json"))) >= 5)
    assert 5 <= report.sent < 30
    assert write(few, tmp_path).sent == report.waiting == 30 - report.sent
