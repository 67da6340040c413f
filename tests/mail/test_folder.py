"""The outbox folder: each .eml whole or not there."""

from __future__ import annotations

import asyncio
import os

from flowscore.mail.message import Letter
from flowscore.mail.transport import FolderTransport, Outcome, Refused, Sent


def hand_over(folder, letter: Letter) -> Outcome:
    async def talk() -> Outcome:
        lane = FolderTransport(folder).lane()
        refused = await lane.open()
        outcome = refused or await lane.hand_over(letter)
        await lane.rest()
        await lane.close()
        return outcome

    return asyncio.run(talk())


def letter(key: str, content: bytes = b"x") -> Letter:
    return Letter(key, "a@example.com", "b@example.com", content)


def test_the_file_has_the_name_of_the_key(tmp_path):
    assert hand_over(tmp_path / "out", letter("win.1.a", b"mail")) == Sent("win.1.a.eml")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == {
        "win.1.a.eml": b"mail"
    }


def test_handing_over_twice_is_once(tmp_path):
    hand_over(tmp_path, letter("k", b"first"))
    hand_over(tmp_path, letter("k", b"second"))
    assert [p.name for p in tmp_path.iterdir()] == ["k.eml"]


def test_no_key_leaves_the_folder(tmp_path):
    hand_over(tmp_path / "out", letter("../../evil"))
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_crash_before_the_rename_leaves_no_eml(tmp_path, monkeypatch):
    def crash(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    outcome = hand_over(tmp_path, letter("k"))
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.permanent) == ("server", False)
    assert "No space left" in outcome.text
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_value(tmp_path):
    (tmp_path / "file").write_text("x")
    outcome = hand_over(tmp_path / "file" / "out", letter("k"))
    assert isinstance(outcome, Refused)
    assert "FLOWSCORE_OUTBOX" in outcome.text


def test_a_full_disk_leaves_the_mails_queued(small_house, monkeypatch):
    house = small_house
    house.queue(house.add_contact("ana@example.com"), "k1")
    house.queue(house.add_contact("bo@example.com"), "k2")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("flowscore.mail.transport.os.fsync", full)
        report = house.deliver()
    assert (report.sent, report.waiting) == (0, 2)
    assert "No space left" in report.stopped
    assert house.deliver(now=report.waiting * 10**9 + 20_000 * 86_400_000_000).sent == 2
