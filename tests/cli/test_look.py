"""The listings, preview, export and outbox as commands: one JSON document, or a table."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.cli import main

if TYPE_CHECKING:
    from .conftest import Run

MODEL = """
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news]
---
score: engagement
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
---
list: warm
members: [{score: {at_least: 10}}]
---
scenario: welcome
trigger: {event: cart_updated}
actions: [{send_email: hello}, {wait: 30 days}]
"""
MAIL = """---
subject: "Hello {{ contact.first_name | default('you') }}"
topic: news
---
<p>Your cart {{ event.cart_id | default('is empty') }}</p>
"""
PEOPLE = """email,created_at,consent,first_name
ana@example.com,2025-12-01,yes,Ana
ben@example.com,2025-12-01,no,Ben
"""
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ana and Ben each put something into the cart; Ana gets a mail."""
    folder = tmp_path_factory.mktemp("look") / "shop"
    for name, text in (
        ("scenarios/all.yaml", MODEL),
        ("templates/email/hello.html", MAIL),
        ("people.csv", PEOPLE),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    calls = [
        {
            "type": "track",
            "event": "Cart Updated",
            "userId": f"{who}@example.com",
            "timestamp": "2026-01-02T10:00:00Z",
            "messageId": who,
            "properties": {"cart_id": f"of {who}"},
        }
        for who in ("ana", "ben")
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    for words in (
        ("apply",),
        ("import", "contacts", str(folder / "people.csv")),
        ("import", "events", str(folder / "events.jsonl"), "--as-live"),
        ("tick", "--from", "2026-01-01", "--until", "2026-01-03", "--every", "12h", "--deliver"),
    ):
        assert main(["--project", str(folder), *words]) == 0
    return folder


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("contacts",), {"contact", "created_at", "scores", "lists"}),
        (("lists",), {"list", "kind", "members", "description", "where"}),
        (("lists", "warm"), {"contact", "joined_at", "cause"}),
        (("scenarios",), {"scenario", "state", "inside", "finished", "exited", "refused"}),
        (("scenarios", "--inside", "welcome"), {"contact", "entered_at", "due_at"}),
        (("outbox",), {"key", "contact", "template", "status", "reason", "queued_at", "sent_at"}),
    ],
)
def test_listing_is_one_json_document_or_a_table(
    run: Run, shop: Path, words: tuple[str, ...], keys: set[str]
) -> None:
    said = run("--project", shop, *words, "--json")
    assert (said.code, said.err) == (0, "")
    rows = said.json
    assert rows
    assert keys <= set(rows[0])
    times = [v for row in rows for k, v in row.items() if k.endswith("_at") and v]
    assert all(RFC3339.fullmatch(value) for value in times)
    table = run("--project", shop, *words)
    assert table.code == 0
    assert len(table.out.splitlines()) > len(rows)
    assert len(run("--project", shop, *words[:1], "--limit", "1", "--json").json) == 1


def test_outbox_shows_who_got_mail_and_who_did_not(run: Run, shop: Path) -> None:
    rows = run("--project", shop, "outbox", "--json").json
    found = {(row["contact"], row["status"], row["reason"]) for row in rows}
    assert found == {
        ("ana@example.com", "sent", None),
        ("ben@example.com", "withheld", "no_consent"),
    }
    [mail] = (shop / "outbox").glob("*.eml")
    assert "Your cart of ana" in mail.read_text()


def test_preview_shows_the_mail_of_the_contact_without_sending(
    run: Run, shop: Path, tmp_path: Path
) -> None:
    page = tmp_path / "hello.html"
    said = run("--project", shop, "preview", "hello", "--contact", "BEN@example.com", "--out", page)
    assert said.code == 0, said.err
    assert "Subject: Hello Ben" in said.out
    assert "Your cart of ben" in page.read_text()
    assert len(list((shop / "outbox").glob("*.eml"))) == 1


def test_export_says_what_it_wrote(run: Run, shop: Path, tmp_path: Path) -> None:
    said = run("--project", shop, "export", tmp_path / "out")
    assert said.code == 0
    assert "points.jsonl: 2 rows" in said.out
    assert len(list((tmp_path / "out").glob("*.jsonl"))) == 8


def test_explain_as_json_is_one_document(run: Run, shop: Path) -> None:
    told: dict[str, Any] = run("--project", shop, "explain", "ana@example.com", "--json").json
    assert told["lists"][0]["list"] == "warm"
    assert "engagement" in told["lists"][0]["why"]
    [walk] = told["scenarios"]
    assert (walk["state"], walk["next_step"]) == ("inside", None)  # nothing behind the wait
    assert walk["done"][0]["step"] == "actions/0"
    assert "welcome: entered" in run("--project", shop, "explain", "ana@example.com").out


def test_uncertain_mail_is_settled_by_hand(run: Run, shop: Path) -> None:
    rows = run("--project", shop, "outbox", "--contact", "ana@example.com", "--json").json
    key = rows[0]["key"]

    def lose() -> None:
        with sqlite3.connect(shop / "flowscore.db") as database:
            database.execute("UPDATE messages SET status = 'uncertain' WHERE key = ?", (key,))

    lose()
    shown = run("--project", shop, "outbox", "--status", "uncertain", "--json").json
    assert [row["key"] for row in shown] == [key]
    assert "settled as sent" in run("--project", shop, "outbox", "release", key).out
    lose()
    assert "flowscore deliver" in run("--project", shop, "outbox", "resend", key).out
    assert run("--project", shop, "deliver", "--now", "2026-01-03T01:00:00Z").code == 0
    [row] = run("--project", shop, "outbox", "--contact", "ana@example.com", "--json").json
    assert (row["status"], row["key"]) == ("sent", key)


def test_marketing_over_smtp_without_a_way_out_is_refused_at_start(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSCORE_SMTP_URL", "smtp://127.0.0.1:1")
    said = run("--project", shop, "run")
    assert said.code == 1
    assert "FLOWSCORE_UNSUBSCRIBE_MAILTO" in said.err


def test_deploy_without_a_server_is_told_what_to_set(run: Run, shop: Path) -> None:
    said = run("--project", shop, "deploy")
    assert said.code == 1
    assert "PREFECT_API_URL" in said.err


def test_interrupted_command_ends_with_130(shop: Path) -> None:
    words = ["tick", "--until", "2199-01-01", "--every", "1m"]
    code = "import signal, sys, time, flowscore.workspace as w\n"
    # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "w.Workspace.tick = lambda *a, **k: (print('up', flush=True), time.sleep(60))\n"
    code += f"from flowscore.cli import main\nsys.exit(main({words!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=shop, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_outbox_says_what_a_mail_waits_for_and_that_sending_is_paused(run: Run, shop: Path) -> None:
    from flowscore.store.database import open_store
    from flowscore.store.tables import messages, state

    store = open_store(shop / "flowscore.db")
    asked = run("--project", shop, "outbox", "--json").json[0]
    with store.transact() as connection:
        mine = messages.c.key == asked["key"]
        queued = {"status": "queued", "waits": "window", "next_at": 1_800_000_000_000_000}
        connection.execute(messages.update().where(mine).values(queued | {"reason": None}))
        paused = {"at": 1_790_000_000_000_000, "why": "60 of the last 1,000 mails bounced"}
        connection.execute(state.insert().values(key="paused", value=paused))
    store.close()
    told = run("--project", shop, "outbox")
    assert "waits for its send window, until 2027-01-15 08:00" in told.out
    explained = run("--project", shop, "explain", asked["contact"]).out
    assert "queued: waits for its send window, until 2027-01-15 08:00" in explained
    assert "sending is paused since 2026-09-21T14:13:20Z: 60 of the last" in told.err
    delivered = run("--project", shop, "deliver")
    assert delivered.code == 1
    assert "flowscore outbox resume" in delivered.err
    assert "it was paused because 60 of the last" in run("--project", shop, "outbox", "resume").out
    assert run("--project", shop, "outbox", "resume").out == "Sending is not paused.\n"


def test_a_delivery_says_how_many_wait_for_what(run: Run, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    policy = MODEL.replace(
        "topics: [news]", "topics: [news]\nsend_window: {from: 09:00, to: 20:00}"
    )
    for name, text in (("scenarios/all.yaml", policy), ("templates/email/hello.html", MAIL)):
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(text)
    call = {"type": "track", "event": "Cart Updated", "userId": "ana@example.com",
            "timestamp": "2026-01-02T10:00:00Z", "messageId": "m1", "context": {}}  # fmt: skip
    consent = {**call, "event": "Subscribed", "messageId": "m0", "properties": {"topic": "news"}}
    (shop / "events.jsonl").write_text(json.dumps(consent) + "\n" + json.dumps(call) + "\n")
    for words in (("apply",), ("import", "events", shop / "events.jsonl", "--as-live")):
        assert run("--project", shop, *words).code == 0
    to_night = ("--from", "2026-01-02", "--until", "2026-01-03", "--every", "24h", "--deliver")
    told = run("--project", shop, "tick", *to_night)
    assert "0 mails sent, 1 waiting for the send window." in told.out
