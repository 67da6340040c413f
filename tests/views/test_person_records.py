"""What is told of one person beside the log: consent as given, tracking, what came back (F02)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.small import ANA, BEN
from engine.world import START, World
from flowscore.cli.person_words import tell_person
from flowscore.clock import DAY, HOUR, rfc3339
from flowscore.engine.registry import live_project
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from flowscore.store.rejects import Rejected, keep_rejects
from flowscore.store.tables import messages
from flowscore.views.person import person

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.store.database import Store

TEXT = "I would like to get the news of Acme."


def through(store: Store, source: str, event: str, hours: int, **properties: Any) -> None:
    """A call of Ana's that came through a source's write key."""
    at = START + hours * HOUR
    call = {"type": "track", "event": event, "userId": ANA, "messageId": f"{event}@{hours}",
            "timestamp": rfc3339(at), "properties": properties}  # fmt: skip
    row = read_call(call, Reading(at))
    assert isinstance(row, InboxRow)
    receive(store, [row._replace(source=source)])


@pytest.fixture
def told(store: Store, project_folder: Path) -> dict[str, Any]:
    """Ana signed up by a form; machines opened her mail, one came back softly."""
    world = World(project_folder, store)
    world.apply(
        "score: engagement\nrules: [{name: r, points: 1, on: {event: order}}]", hello="news"
    )
    world.people(f"{ANA},2026-01-01", f"{BEN},2026-01-01")
    world.identify(ANA, START, anonymous="visitor-1", tracking="anonymous")
    through(store, "web form", "subscribed", 1, topic="news", text=TEXT, proof="0af3")
    through(store, "site", "order", 2)
    through(store, "site", "email_opened", 3, template="hello", machine=True)
    through(store, "site", "email_opened", 4, template="hello")
    through(store, "postfix", "email_bounced", 5, type="soft", kind="mailbox_full")
    world.track(BEN, "subscribed", START + HOUR, topic="news", text="Ben's own words")
    world.tick(START + DAY)
    with store.receive() as connection:
        for who in (ANA, BEN, f"di{ANA}"):
            said = Rejected("site", "no event name", f'{{"userId": "{who}"}}', START)
            keep_rejects(connection, [said])
    with store.transact() as connection:
        for number, who in enumerate((ANA, BEN)):
            row = {"key": f"signup{number}", "kind": "confirm", "contact_id": 0, "scenario": "",
                   "step": "", "template": "confirm", "topic": "transactional",
                   "entered_at": START, "queued_at": START, "due_at": START, "next_at": START,
                   "status": "sent", "recipients": [who],
                   "payload": {"topics": ["news"]}}  # fmt: skip
            connection.execute(messages.insert().values(**row))
    with store.read() as connection:
        return person(connection, live_project(connection), ANA)


def test_f02_consent_is_told_with_time_text_source_and_proof(told: dict[str, Any]) -> None:
    records = [one for one in told["consent_records"] if one["topic"] == "news"]
    assert [(one["at"], one["granted"], one["text"], one["proof"]) for one in records] == [
        (rfc3339(START + HOUR), True, TEXT, "0af3")
    ]
    under = [(one["kind"], one["name"], one["topic"]) for one in told["said_under_names"]]
    assert ("email", ANA, "news") in under


def test_f02_through_which_source_each_event_came(told: dict[str, Any]) -> None:
    by = {(one["name"], one["machine"]): one["source"] for one in told["events"]}
    assert by["order", False] == "site"
    assert by["email_opened", True] == "site"


def test_f02_what_else_is_kept(told: dict[str, Any]) -> None:
    assert told["tracking"] == {"policy": "full", "chosen": "anonymous", "holds": "anonymous"}
    assert told["visitors"] == [{"visitor": "visitor-1", "since": rfc3339(START)}]
    assert [one["properties"]["kind"] for one in told["came_back"]] == ["mailbox_full"]
    assert [one["asked_for"] for one in told["sign_ups"]] == [{"topics": ["news"]}]
    assert [one["content"] for one in told["rejected"]] == [f'{{"userId": "{ANA}"}}']
    assert BEN not in json.dumps(told)
    assert "Ben's own words" not in json.dumps(told)


def test_f02_all_of_it_in_words(told: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    tell_person(told)
    said = capsys.readouterr().out
    for line in (
        f"  2026-03-02 01:00 granted news (event subscribed); agreed to: «{TEXT}»; proof 0af3\n",
        "  only counted, not kept with the person (the policy says full)\n",
        "  the person's own choice: anonymous\n",
        "  email_opened by a machine: 1 time, 2026-03-02 03:00, through site\n",
        "  email_opened: 1 time, 2026-03-02 04:00, through site\n",
        "  2026-03-02 05:00 email_bounced: soft, mailbox_full\n",
        "  a form was filled in with the address 2026-03-02 00:00: sent\n",
        "  a call was not taken 2026-03-02 00:00, site: no event name\n",
    ):
        assert line in said, said
