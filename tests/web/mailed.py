"""A served project that has written to Ana and Ben, and what became of them since."""

from __future__ import annotations

import re
from email import message_from_bytes
from typing import Any

from flowscore.clock import MINUTE, clock_now
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from web.conftest import House, Serve

ACADEMY = {
    "scenarios/academy.yaml": """
        policy: default
        sender: {name: Academy, address: hello@academy.example}
        topics: [news]
        consent: implied
        ---
        scenario: welcome
        trigger: {event: signed_up}
        actions:
          - send_email: welcome
        """,
    "templates/email/welcome.html": """
        ---
        subject: Welcome
        topic: news
        ---
        <p>Hello {{ contact.email }}.</p>
        """,
    "scenarios/policy.yaml": "",
}
ANA, BEN = "ana@example.com", "ben@example.com"


def serve_mailed(serve: Serve, url: str = "", **settings: Any) -> House:
    """Ana and Ben have signed up, and each was sent a mail a moment ago."""
    house = serve(ACADEMY, url, **settings)
    now = clock_now()
    calls = [{"type": "track", "event": "signed_up", "userId": who} for who in (ANA, BEN)]
    rows = [read_call({**call, "messageId": call["userId"]}, Reading(now)) for call in calls]
    receive(house.workspace.store, [row for row in rows if isinstance(row, InboxRow)])
    house.tick(now + MINUTE)
    assert house.deliver(now + MINUTE).sent == 2
    return house


def header_of(house: House, address: str, name: str) -> str:
    """A header of the mail to an address; empty where it has none."""
    for file in sorted(house.workspace.settings.outbox.glob("*.eml")):
        mail = message_from_bytes(file.read_bytes())
        if address in mail["To"]:
            return str(mail[name] or "")
    raise AssertionError(address)


def message_id(house: House, address: str) -> str:
    """The Message-ID of the mail to an address."""
    return header_of(house, address, "Message-ID")


def tick(house: House) -> None:
    """One more tick, later than all that came in and than every tick before it."""
    last = house.workspace.watermark() or 0
    house.tick(max(clock_now(), last) + 2 * MINUTE)


def suppressed(house: House) -> dict[str, str | None]:
    """Whom no mail reaches any more, and why, once a tick has run."""
    tick(house)
    found = house.rows("SELECT email, suppressed FROM contacts")
    return {row["email"]: row["suppressed"] for row in found if row["suppressed"]}


def refused(house: House) -> set[str]:
    """Who wants no mail, once a tick has run."""
    tick(house)
    words = """SELECT DISTINCT c.email FROM consents s JOIN contacts c ON c.id = s.contact_id
        WHERE NOT s.granted"""
    return {row["email"] for row in house.rows(words)}


def returned(house: House) -> list[dict[str, Any]]:
    """The events that came back, once a tick has run."""
    tick(house)
    words = """SELECT name, mail_key, source, properties FROM events
        WHERE name IN ('email_bounced', 'email_complained', 'unsubscribed') ORDER BY id"""
    return house.rows(words)


def rejects(house: House) -> list[dict[str, Any]]:
    """What could not be taken."""
    return house.inbox("SELECT source, reason, content FROM rejects ORDER BY seq")


def counted(house: House, name: str, outcome: str) -> float:
    """What `/metrics` counts of a provider."""
    page = house.client.get("/metrics").text
    words = rf'provider_events_total{{outcome="{outcome}",provider="{name}"}} (\S+)'
    found = re.search(words, page)
    return float(found[1]) if found else 0.0
