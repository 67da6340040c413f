"""Contacts and queued mails as rows, a project in three lines, and a real SMTP server."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from flowscore.clock import DAY
from flowscore.language.lifecycle import Lifecycle
from flowscore.language.policy import Policy, Sender
from flowscore.language.project import Project
from flowscore.mail.delivery import DeliveryReport, deliver
from flowscore.mail.settings import MailSettings
from flowscore.mail.templates import Templates, load_templates
from flowscore.mail.transport import FolderTransport, Transport
from flowscore.store.database import Store
from flowscore.store.tables import attributes, consents, contacts, messages

NOW = 20_000 * DAY  # 2024-10-04T00:00Z
SETTINGS = MailSettings(public_url="https://mail.example.com", secret="s3cret")
SENDER = Sender(name="Acme", address="hello@acme.example", reply_to="ana@acme.example")
PAGE = """\
---
subject: "Hello {{ contact.first_name | default('you') }}"
topic: news
---
<p>Hi, this is <a href="https://acme.example/news">the news</a>.</p>
"""


def write_templates(root: Path, files: dict[str, str]) -> Path:
    """Files below templates/email."""
    folder = root / "templates" / "email"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return root


def read_mail(content: bytes) -> EmailMessage:
    """The mail as a mail program reads it."""
    return message_from_bytes(content, policy=policy.default)  # type: ignore[return-value]


@dataclass
class House:
    """A store with people and mails, and what is needed to deliver them."""

    store: Store
    folder: Path
    templates: Templates
    policy: Policy
    settings: MailSettings = SETTINGS
    lifecycle: Lifecycle | None = None

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def project(self) -> Project:
        return Project(policy=self.policy, lifecycle=self.lifecycle)

    def use(self, files: dict[str, str]) -> None:
        """Replace the templates."""
        for old in (self.folder / "templates" / "email").glob("*"):
            old.unlink()
        self.templates, problems = load_templates(write_templates(self.folder, files))
        assert problems == []

    def add_contact(
        self, email: str | None, consent: dict[str, bool] | None = None, **given: Any
    ) -> int:
        """A contact who said yes to everything, unless `consent` says otherwise."""
        row = {"email": email, "email_folded": email and email.casefold(), "known": True}
        row |= {"created_at": NOW - 30 * DAY, "draw_a": 0, "draw_b": 0}
        row |= {"suppressed": given.pop("suppressed", None)}
        with self.store.transact() as connection:
            number = connection.execute(insert(contacts).values(row)).inserted_primary_key[0]
            for name, value in given.items():
                fact = {"contact_id": number, "name": name, "element": 0, "value": value}
                connection.execute(insert(attributes).values(fact | {"set_at": NOW}))
            for topic, granted in ({"email": True} if consent is None else consent).items():
                word = {"contact_id": number, "topic": topic, "granted": granted}
                connection.execute(insert(consents).values(word | {"at": NOW, "source": "form"}))
        return int(number)

    def queue(self, contact: int, key: str, **given: Any) -> int:
        """A queued mail, due a minute ago."""
        row: dict[str, Any] = {
            "key": key, "kind": "email", "contact_id": contact, "scenario": "welcome",
            "step": f"actions/{key}", "priority": 0, "place": 0, "template": "page",
            "topic": "news", "entered_at": NOW - DAY, "queued_at": NOW - 60_000_000,
            "due_at": NOW - 60_000_000, "status": "queued", "next_at": NOW - 60_000_000,
            "attempts": 0, "sent_event": False,
        }  # fmt: skip
        with self.store.transact() as connection:
            made = connection.execute(insert(messages).values(row | given))
            return int(made.inserted_primary_key[0])

    def deliver(
        self, transport: Transport | None = None, now: int = NOW, **given: Any
    ) -> DeliveryReport:
        """Deliver; to the folder unless told otherwise."""
        transport = transport or FolderTransport(self.outbox)
        given.setdefault("settings", self.settings)
        return deliver(self.store, self.project, self.templates, transport, now, **given)

    def rows(self) -> dict[str, Any]:
        """Every message by key."""
        with self.store.read() as connection:
            found = connection.execute(select(messages).order_by(messages.c.id)).mappings().all()
        return {row["key"]: row for row in found}

    def set(self, key: str, **values: Any) -> None:
        """Change a message's row."""
        with self.store.transact() as connection:
            connection.execute(update(messages).where(messages.c.key == key).values(**values))

    def mails(self) -> dict[str, EmailMessage]:
        """What lies in the outbox, by file name."""
        return {p.stem: read_mail(p.read_bytes()) for p in sorted(self.outbox.glob("*.eml"))}


@pytest.fixture
def make_house(tmp_path: Path) -> Callable[[Store], House]:
    """A house over any store."""

    def make(store: Store) -> House:
        templates, problems = load_templates(write_templates(tmp_path, {"page.html": PAGE}))
        assert problems == []
        return House(store, tmp_path, templates, Policy(sender=SENDER, topics=("news", "offers")))

    return make


@pytest.fixture
def house(store: Store, make_house: Callable[[Store], House]) -> House:
    """On both databases."""
    return make_house(store)


@pytest.fixture
def small_house(
    tmp_path: Path, migrated_sqlite: Path, make_house: Callable[[Store], House]
) -> House:
    """On SQLite alone: for what has nothing to do with the database."""
    import shutil

    from flowscore.store.database import open_store

    shutil.copytree(migrated_sqlite, tmp_path, dirs_exist_ok=True)
    return make_house(open_store(tmp_path / "flowscore.db"))
