"""A school that has mailed one of its readers: what tests of the consent pages start from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from flowscore.clock import MINUTE, clock_now
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from web.conftest import House, Serve

ANA = "ana@x.es"
BASE = "https://mail.school.example"
POLICY = """
policy: school
topics: [news, offers]
sender: {name: Open School, address: hello@school.example, reply_to: people@school.example}
"""
SCENARIO = """
scenario: hello
trigger: {event: signed_up}
actions: [send_email: hello]
---
scenario: again
trigger: {event: asked}
actions: [send_email: hello]
"""
TEMPLATE = """\
---
subject: Hello
topic: news
---
<p>Hello. <a href="{{ links.unsubscribe }}">Unsubscribe</a>
<a href="{{ links.preferences }}">Preferences</a></p>
"""
FILES = {
    "scenarios/policy.yaml": POLICY,
    "scenarios/hello.yaml": SCENARIO,
    "templates/email/hello.html": TEMPLATE,
}


@dataclass
class Letter:
    """A mail that went out, and where its links lead on the served machine."""

    mail: EmailMessage

    @property
    def one_click(self) -> str:
        """The address of List-Unsubscribe, as a path."""
        return re.findall(r"<https?://[^/]+(/[^>]+)>", self.mail["List-Unsubscribe"])[0]

    def link(self, way: str) -> str:
        """The link whose path begins so."""
        body = self.mail.get_body(("html",))
        assert body is not None
        return re.findall(rf'"https?://[^/"]+(/{way}/[^"]+)"', body.get_content())[0]


def school(serve: Serve, files: dict[str, str] | None = None, **settings: Any) -> House:
    """A served project."""
    return serve({**FILES, **(files or {})}, PUBLIC_URL=BASE, **settings)


def bring(house: House, *calls: dict[str, Any], tick: bool = True) -> None:
    """Calls into the inbox, and a tick."""
    reading = Reading(clock_now())
    rows = [read_call(call, reading) for call in calls]
    assert all(isinstance(row, InboxRow) for row in rows), rows
    receive(house.workspace.store, rows)  # type: ignore[arg-type]
    if tick:
        take(house)


def take(house: House) -> None:
    """The next tick, which takes what came in until now."""
    mark = house.workspace.watermark() or 0
    house.tick(max(clock_now(), mark) + MINUTE)


def say(house: House, event: str, who: str = ANA, tick: bool = True, **properties: Any) -> None:
    """One track call."""
    call = {"type": "track", "event": event, "userId": who, "properties": properties}
    call["messageId"] = f"{uuid4()}"
    bring(house, call, tick=tick)


def traits(house: House, who: str = ANA, **said: Any) -> None:
    """One identify call."""
    bring(house, {"type": "identify", "userId": who, "traits": said})


def letters(house: House) -> list[Letter]:
    """What lies in the outbox, in order of writing."""
    folder = Path(house.workspace.mail_settings.outbox_dir)
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return [Letter(mail) for mail in mails]  # type: ignore[arg-type]


def mailed(house: House, who: str = ANA, *topics: str) -> Letter:
    """A contact who agreed to the topics (news) and was sent a mail."""
    for topic in topics or ("news",):
        say(house, "Subscribed", who, tick=False, topic=topic)
    say(house, "Signed Up", who)
    known = len(letters(house))
    assert later(house).sent == 1
    return letters(house)[known:][-1]


def later(house: House) -> Any:
    """A delivery after the ticks, which run a little ahead of the clock."""
    return house.deliver(max(clock_now(), house.workspace.watermark() or 0) + MINUTE)


def holds(house: House, who: str = ANA) -> dict[str, bool]:
    """What the store has of a contact's consent."""
    rows = house.rows(
        "SELECT w.topic, w.granted FROM consents w JOIN contacts c ON c.id = w.contact_id "
        "WHERE c.email_folded = :who",
        who=who,
    )
    return {row["topic"]: bool(row["granted"]) for row in rows}


def events(house: House, name: str) -> list[dict[str, Any]]:
    return house.rows("SELECT * FROM events WHERE name = :name ORDER BY id", name=name)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, str | None]] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("input", "button"):
            self.fields.append({"tag": tag, **dict(attrs)})


def fields(response: httpx.Response, kind: str) -> list[dict[str, str | None]]:
    """The inputs of a type on a page."""
    page = _Page()
    page.feed(response.text)
    return [field for field in page.fields if field.get("type") == kind]


def tags(response: httpx.Response) -> list[str]:
    page = _Page()
    page.feed(response.text)
    return page.tags


def ticked(response: httpx.Response) -> set[str | None]:
    """The values of the ticked boxes."""
    return {field["value"] for field in fields(response, "checkbox") if "checked" in field}
